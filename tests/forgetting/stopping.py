"""Stop a piece of work at its n-th step: a statement to a database, a write, link, rename or sync of a file.

What comes after the step never runs, as after a power cut; what was done before it stays.
"""

import os
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from psycopg import Connection, Cursor

STEPS = frozenset({os.write, os.fsync, os.open, os.link, os.truncate, os.replace, os.rename, os.unlink})
STATEMENTS = frozenset({Connection.execute.__code__, Cursor.execute.__code__})


class Stopped(BaseException):
    """The power is gone."""


def stopped_at(step: int, work: Callable[[], Any]) -> bool:
    """Do the work, and stop it before its n-th step (from 0); whether it had so many."""
    left = step

    def look(frame: FrameType, event: str, what: Any) -> None:
        nonlocal left
        if (event == "c_call" and what in STEPS) or (event == "call" and frame.f_code in STATEMENTS):
            if left == 0:
                sys.setprofile(None)
                raise Stopped
            left -= 1

    sys.setprofile(look)
    try:
        work()
    except Stopped:
        return True
    finally:
        sys.setprofile(None)
    return False
