"""What an error means to the engine. Which AWS codes mean what is drctl/aws/errors.py's business."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum


class Meaning(Enum):
    """The seven things an error can tell the engine."""

    THROTTLED = "refused for going too fast; nothing was done"
    NOT_YET = "something it needs is not visible or usable yet; nothing was done"
    IN_USE = "cannot go while something else still uses it; nothing was done"
    EXISTS = "the name is taken: look who has it"
    LOST = "no answer, or one that proves nothing: it may have been done"
    GONE = "it is not there"
    FATAL = "asking again will not help"


@dataclass(frozen=True)
class Trouble:
    """An error understood: its meaning, AWS's own code and words, and what a person can do about it.

    everywhere: what is wrong, in one line, when it is with everything and not with the one resource that met it
    """

    meaning: Meaning
    cause: str
    remedy: str = ""
    everywhere: str = ""


Classify = Callable[[Exception], Trouble]
