"""Hears, in each process, that a key was destroyed somewhere, so that nothing here lives on under it.

A promise with a time on it: what a process remembers of keys it uses only for `LEASE_SECONDS` after it last
heard from the key store. Whoever destroys a key and then waits for that long knows that every process has
either forgotten it or doesn't use what it remembers, also one that was cut off.
"""

import os
from collections.abc import Callable
from contextlib import closing
from select import select
from threading import Lock, Thread
from time import monotonic
from typing import Any, Final

import psycopg
from psycopg import Connection

LEASE_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 1.0
_AGAIN_SECONDS: Final = 0.5


class KeyWatch:
    """Calls `forget` when a key was destroyed, in a thread of its own that begins when it is first needed.

    It has a connection of its own to the key store: not through a pooler in transaction mode, for which the
    look every second must do.
    """

    def __init__(self, url: str, forget: Callable[[], None], *, lease: float = LEASE_SECONDS) -> None:
        self._url = url
        self._forget = forget
        self._lease = lease
        self._until = float("-inf")
        self._lock = Lock()
        self._thread: Thread | None = None
        self._ended = False
        self._wake: tuple[int, int] | None = None

    def fresh(self) -> bool:
        """Whether what is remembered of keys may be used just now."""
        if monotonic() < self._until:
            return True
        if self._thread is None:
            self._begin()
        return False

    def close(self) -> None:
        """End the thread. What is remembered isn't used any more."""
        with self._lock:
            self._ended = True
            if self._wake is None or self._thread is None:
                return
            os.write(self._wake[1], b"x")
            self._thread.join()
            for end in self._wake:
                os.close(end)
            self._wake, self._until = None, float("-inf")

    def _begin(self) -> None:
        with self._lock:
            if self._thread is None and not self._ended:
                self._wake = os.pipe()
                self._thread = Thread(target=self._run, args=self._wake[:1], name="key-watch", daemon=True)
                self._thread.start()

    def _run(self, wake: int) -> None:
        while not self._ended:
            try:
                with closing(_connect(self._url)) as connection:
                    self._listen(connection, wake)
            except (psycopg.Error, OSError):
                # Until it is back, what is remembered goes out of use by itself.
                select([wake], [], [], _AGAIN_SECONDS)

    def _listen(self, connection: Connection[Any], wake: int) -> None:
        known = None
        connection.execute("LISTEN casebook_keys")
        while not self._ended:
            asked = monotonic()
            found = connection.execute("SELECT n FROM keys.forgotten").fetchone()
            if found != known:
                self._forget()
                known = found
            self._until = asked + self._lease
            select([connection.fileno(), wake], [], [], _LOOK_SECONDS)
            for _ in connection.notifies(timeout=0):
                pass


def _connect(url: str) -> Connection[Any]:
    return psycopg.connect(
        url,
        autocommit=True,
        connect_timeout=3,
        tcp_user_timeout=3000,
        keepalives_idle=2,
        keepalives_interval=1,
        keepalives_count=2,
        options="-c statement_timeout=3000",
        application_name="casebook keys",
    )
