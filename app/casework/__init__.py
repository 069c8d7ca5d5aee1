"""Load, decide, save: the only way to change anything.

A command asks the domain, and saves all of its subjects in one transaction or none. When somebody else was
faster it decides again, up to three times. The same command id is answered as the first time.
"""

from app.casework.answers import Busy, Done, NotFound, Person, Stale, Told
from app.casework.concerns import Casework
from app.casework.giving import TRIES
from app.casework.reading import is_kind
from app.record.errors import CommandReused

__all__ = [
    "TRIES",
    "Busy",
    "Casework",
    "CommandReused",
    "Done",
    "NotFound",
    "Person",
    "Stale",
    "Told",
    "is_kind",
]
