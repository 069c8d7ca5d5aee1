"""Kill work at its n-th step: each statement that changes a database, each call that changes a file.

A child of this process does the work and ends by SIGKILL before that step, so that nothing is tidied up: what
was done stays, and what a buffer held is gone.
"""

import io
import os
import re
import signal
import sys
from collections.abc import Callable, Iterable
from types import CodeType, FrameType
from typing import Any, Final

from psycopg import Connection

_CALLS: Final = frozenset(
    {os.open, os.write, os.fsync, os.link, os.truncate, os.replace, os.rename, os.unlink}
)
_FILES: Final = (io.BufferedWriter, io.BufferedRandom)
# What a buffer holds is on no disk: to be killed before a write to it is to be killed before its flush.
_WRITES: Final = frozenset({"flush", "truncate"})
_STATEMENT: Final = Connection.execute.__code__
_LOOKS: Final = re.compile(r"\s*(SELECT|COPY|LISTEN|SET|SHOW|BEGIN)\b", re.IGNORECASE)
_AT_MOST_SECONDS: Final = 60


def killed_at(step: int, work: Callable[[], Any], more: Iterable[CodeType] = ()) -> bool:
    """Let a child do the work, and kill it before its n-th step (from 0); whether it had so many.

    Calls of `more` are steps too. The work must open its own connections: a child can't use ours.
    """
    steps = frozenset(more)
    child = os.fork()
    if child == 0:
        try:
            _work_until(step, work, steps)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.waitstatus_to_exitcode(status) == 0, "the work failed by itself"
    return False


def _work_until(step: int, work: Callable[[], Any], more: frozenset[CodeType]) -> None:
    left = step

    def look(frame: FrameType, event: str, what: Any) -> None:
        nonlocal left
        if (event == "c_call" and _changes_a_file(what)) or (event == "call" and _changes(frame, more)):
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1

    signal.alarm(_AT_MOST_SECONDS)
    sys.setprofile(look)
    work()
    sys.setprofile(None)
    os._exit(0)


def _changes_a_file(called: Any) -> bool:
    owner = getattr(called, "__self__", None)
    return called in _CALLS or (isinstance(owner, _FILES) and called.__name__ in _WRITES)


def _changes(frame: FrameType, more: frozenset[CodeType]) -> bool:
    if frame.f_code is _STATEMENT:
        return not _LOOKS.match(str(frame.f_locals["query"]))
    return frame.f_code in more
