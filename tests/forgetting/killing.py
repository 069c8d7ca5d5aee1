"""Kill a piece of work at its n-th moment: when a statement that may change something is on its way to a
database and nobody is left to hear the answer, or when a call has just changed a file.

Before one moment is after the one before it, and what only looks leaves things as they are: so every state
between two steps is met. The server may still be busy with what it was asked, as after any kill.
"""

import os
import re
import signal
import sys
from collections.abc import Callable, Generator, Sequence
from threading import current_thread, main_thread
from types import FrameType
from typing import Any, Final

import pytest
from psycopg import Connection

from app.record.direct import Statement
from tests.dying import changes_a_file, is_killed

_LOOKS: Final = re.compile(r"\s*(SELECT|LISTEN|SHOW)\b", re.IGNORECASE)
_APPENDS: Final = re.compile(r"\bFROM record\.append")


def killed_at(moment: int, work: Callable[[], Any]) -> bool:
    """Let a child do the work, and kill it at its n-th moment (from 0); whether it had so many.

    The work opens its own connections: a child can't use ours.
    """

    def until_then() -> None:
        _count(moment)
        work()

    return is_killed(until_then)


def _count(left: int) -> None:
    """In a child: end at the moment for which nothing is left to count."""

    def met() -> None:
        nonlocal left
        if current_thread() is main_thread():
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1

    def look(_frame: FrameType, event: str, called: Any) -> None:
        if event == "c_return" and changes_a_file(called):
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

    # Never undone: the child ends.
    patch = pytest.MonkeyPatch()
    patch.setattr(Connection, "wait", waits)
    patch.setattr(Statement, "_exec", sends)
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
