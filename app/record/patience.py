"""How long one request may wait for the databases, all in all, and what ends a wait that has no end.

A request that meets a lock or a lost database waits in several places: for who asks, for what is shown, and
once more for the error page's frame. Each wait has a limit; this one is for all of them together. Programs
that run on by themselves, such as the projector, have patience without end and don't use it.
"""

import os
import socket
from collections.abc import Callable
from threading import Event, Lock, Thread, local
from time import monotonic
from types import TracebackType
from typing import Final

from psycopg import Connection, OperationalError
from psycopg.pq import TransactionStatus

PATIENCE: Final = 5.0
"""Seconds that one request waits in vain; after them it gets an answer, if only that there is none."""
GRACE: Final = 1.0
"""Seconds that somebody who wants to have something recorded gets whatever came before."""
STUCK_SECONDS: Final = 6.5
"""Longer than an append may wait for its lock: then the database doesn't answer, and won't."""
_LOOK_EVERY: Final = 0.5


class _Thread(local):
    """What this thread's request may still wait. Many threads serve none: for these it is there, too."""

    left: float | None = None


_thread = _Thread()


def begin() -> None:
    """This thread serves a new request."""
    _thread.left = PATIENCE


def end() -> None:
    """This thread serves no request any more."""
    _thread.left = None


def left() -> float | None:
    """The seconds that this thread's request may still wait in vain; None outside of requests."""
    return _thread.left


def spend(seconds: float) -> None:
    """So long this thread's request has waited, and got nothing."""
    now = left()
    if now is not None:
        _thread.left = now - seconds


class Waiting:
    """Counts what happens inside as waited in vain when it ends in an error."""

    def __enter__(self) -> None:
        self._before, self._began = left(), monotonic()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        now = left()
        if isinstance(error, Exception) and self._before is not None and now is not None:
            # What was counted further inside isn't counted again.
            _thread.left = min(now, self._before - (monotonic() - self._began))


def has_waited() -> bool:
    """Whether this thread's request has waited in vain for so long that trying anew would be too much."""
    now = left()
    return now is not None and now < PATIENCE - GRACE


def be_patient_again() -> None:
    """Let a request that has waited in vain try once more: for what somebody wants to have recorded."""
    now = left()
    if now is not None:
        _thread.left = max(now, GRACE)


class Watch:
    """Breaks connections off on which a request waits for a database that has fallen silent.

    A server that runs ends its own slow statements; this is for a network, a disk or a machine that stands
    still without closing anything. `stuck` is called after connections were broken off.
    """

    def __init__(self, stuck: Callable[[], None]) -> None:
        self._stuck = stuck
        self._lock = Lock()
        self._since: dict[Connection, float] = {}
        self._ended = Event()
        self._thread: Thread | None = None

    def begin(self, connection: Connection) -> None:
        """A request has this connection now."""
        with self._lock:
            self._since[connection] = monotonic()
            if self._thread is None:
                self._thread = Thread(target=self._look, name="watch", daemon=True)
                self._thread.start()

    def end(self, connection: Connection) -> None:
        """The request gives it back."""
        with self._lock:
            self._since.pop(connection, None)

    def close(self) -> None:
        """Watch no longer."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(_LOOK_EVERY):
            # With the lock held nobody gives a connection back: none but the silent one is broken off.
            with self._lock:
                long_ago = monotonic() - STUCK_SECONDS
                silent = [c for c, since in self._since.items() if since < long_ago and _waits(c)]
                for connection in silent:
                    self._since.pop(connection)
                    _break_off(connection)
            if silent:
                self._stuck()


def _waits(connection: Connection) -> bool:
    return connection.pgconn.transaction_status == TransactionStatus.ACTIVE


def _break_off(connection: Connection) -> None:
    """Whoever waits on it hears at once that it is lost. It stays theirs to close."""
    try:
        with socket.socket(fileno=os.dup(connection.fileno())) as same:
            same.shutdown(socket.SHUT_RDWR)
    except (OSError, OperationalError):
        # It has ended by itself meanwhile.
        return
