"""Kill a piece of work at its n-th moment: when a statement that may change something is on its way to a
database and nobody is left to hear the answer, or when a call has just changed a file.

Before one moment is after the one before it, and what only looks leaves things as they are: so every state
between two steps is met. The server may still be busy with what it was asked, as after any kill.
"""

import io
import os
import re
import signal
import sys
from collections.abc import Callable, Generator, Sequence
from threading import current_thread, main_thread
from types import FrameType
from typing import Any, Final

from psycopg import Connection

from app.record.direct import Statement

_CALLS: Final = frozenset(
    {os.open, os.write, os.fsync, os.truncate, os.link, os.replace, os.rename, os.unlink}
)
_FILES: Final = (io.BufferedWriter, io.BufferedRandom)
# What a buffer holds is on no disk before its flush.
_FLUSHES: Final = frozenset({"flush", "truncate"})
_LOOKS: Final = re.compile(r"\s*(SELECT|LISTEN|SHOW)\b", re.IGNORECASE)
_APPENDS: Final = re.compile(r"\bFROM record\.append")
_AT_MOST_SECONDS: Final = 120


def killed_at(moment: int, work: Callable[[], Any]) -> bool:
    """Let a child do the work, and kill it at its n-th moment (from 0); whether it had so many.

    The work opens its own connections: a child can't use ours.
    """
    child = os.fork()
    if child == 0:
        try:
            signal.alarm(_AT_MOST_SECONDS)
            _count(moment)
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


def _count(left: int) -> None:
    """In a child: end at the moment for which nothing is left to count."""

    def met() -> None:
        nonlocal left
        if current_thread() is main_thread():
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1

    def look(_frame: FrameType, event: str, called: Any) -> None:
        if event == "c_return" and _changes_a_file(called):
            met()

    wait, execute = Connection.wait, Statement._exec

    def waits(self: Connection, asking: Any, *more: Any, **said: Any) -> Any:
        # What begins and ends a transaction is asked without a query.
        changes = _may_change(str(sys._getframe(1).f_locals.get("query", "")))
        return wait(self, _sent(asking, met) if changes else asking, *more, **said)

    def sends(self: Statement, connection: Connection, values: Sequence[bytes | None]) -> Any:
        if not _may_change(self._query.decode()):
            return execute(self, connection, values)
        server = connection.pgconn
        server.send_query_prepared(self._name, values, [1] * len(values), 1)
        while server.flush():
            pass
        met()
        answer = server.get_result()
        while server.get_result() is not None:
            pass
        return answer

    Connection.wait = waits  # type: ignore[assignment, method-assign]
    Statement._exec = sends  # type: ignore[method-assign]
    sys.setprofile(look)


def _sent(asking: Generator[Any, Any, Any], met: Callable[[], None]) -> Generator[Any, Any, Any]:
    """The same conversation; each time that it waits for an answer is a moment."""
    try:
        wanted = next(asking)
        while True:
            met()
            wanted = asking.send((yield wanted))
    except StopIteration as ended:
        return ended.value


def _may_change(query: str) -> bool:
    return not _LOOKS.match(query) or bool(_APPENDS.search(query))


def _changes_a_file(called: Any) -> bool:
    owner = getattr(called, "__self__", None)
    return called in _CALLS or (isinstance(owner, _FILES) and called.__name__ in _FLUSHES)
