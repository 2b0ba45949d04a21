"""What is done on the worst day, and rehearsed before it: steady state, failover, failback, drill.

A runbook is a tuple of steps (step.py). Each is journaled before and after, so that a run killed anywhere is resumed
or taken back by another process. Whatever a report says was measured stands in that journal (journal.py).
"""
