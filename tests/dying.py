"""A child that does some work and may be killed at it, as by a power cut: nothing is tidied up."""

import io
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, Final

_CALLS: Final = frozenset(
    {os.open, os.write, os.fsync, os.truncate, os.link, os.replace, os.rename, os.unlink}
)
_FILES: Final = (io.BufferedWriter, io.BufferedRandom)
# What a buffer holds is on no disk before its flush.
_FLUSHES: Final = frozenset({"flush", "truncate"})
_AT_MOST_SECONDS: Final = 120


def is_killed(work: Callable[[], Any]) -> bool:
    """Whether a child was killed at its work. It must open its own connections: it can't use ours."""
    child = os.fork()
    if child == 0:
        try:
            signal.alarm(_AT_MOST_SECONDS)
            work()
            sys.setprofile(None)
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.waitstatus_to_exitcode(status) == 0, "the work failed by itself"
    return False


def changes_a_file(called: Any) -> bool:
    """Whether this is a call, of those that a profiler is told of, that changes what is on a disk."""
    owner = getattr(called, "__self__", None)
    return called in _CALLS or (isinstance(owner, _FILES) and called.__name__ in _FLUSHES)
