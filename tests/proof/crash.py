"""Kill work at its n-th step: each statement that changes a database, each call that changes a file.

A child of this process does the work and ends by SIGKILL before that step, so that nothing is tidied up: what
was done stays, and what a buffer held is gone.
"""

import os
import re
import signal
import sys
from collections.abc import Callable, Iterable
from types import CodeType, FrameType
from typing import Any, Final

from psycopg import Connection

from tests.dying import changes_a_file, is_killed

_STATEMENT: Final = Connection.execute.__code__
_LOOKS: Final = re.compile(r"\s*(SELECT|COPY|LISTEN|SET|SHOW|BEGIN)\b", re.IGNORECASE)


def killed_at(step: int, work: Callable[[], Any], more: Iterable[CodeType] = ()) -> bool:
    """Let a child do the work, and kill it before its n-th step (from 0); whether it had so many.

    Calls of `more` are steps too. The work must open its own connections: a child can't use ours.
    """
    steps = frozenset(more)

    def until_then() -> None:
        sys.setprofile(_killing(step, steps))
        work()

    return is_killed(until_then)


def _killing(left: int, more: frozenset[CodeType]) -> Callable[[FrameType, str, Any], None]:
    def look(frame: FrameType, event: str, what: Any) -> None:
        nonlocal left
        if (event == "c_call" and changes_a_file(what)) or (event == "call" and _changes(frame, more)):
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1

    return look


def _changes(frame: FrameType, more: frozenset[CodeType]) -> bool:
    if frame.f_code is _STATEMENT:
        return not _LOOKS.match(str(frame.f_locals["query"]))
    return frame.f_code in more
