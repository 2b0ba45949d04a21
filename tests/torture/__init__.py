"""``python -m tests.torture``: drctl killed a thousand times, and every operation of AWS that it uses disturbed.

victim.py is drctl that kills itself at a journal write, kills.py the ways of killing, points.py where, cycle.py a life
from nothing to nothing with kills all the way, torture.py one life after the other, book.py what has been seen;
matrix.py is operation x fault, page.py writes docs/reliability.md.
"""
