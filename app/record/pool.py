"""How the run-time role connects: one pool for each database, shared by everything in a process."""

from collections.abc import Callable
from select import POLLIN, poll
from time import monotonic
from typing import TypeVar

from psycopg import Connection, InterfaceError, OperationalError
from psycopg_pool import ConnectionPool

Answer = TypeVar("Answer")

_LOST = ("57P01", "57P02", "57P03")


class _Pool(ConnectionPool):
    """Hands out no connection that its server has ended, as a restart ends all idle ones.

    The pool's own `check` would ask the server each time, and wait a second after each that failed.
    """

    def getconn(self, timeout: float | None = None) -> Connection:
        deadline = monotonic() + (self.timeout if timeout is None else timeout)
        while True:
            connection = super().getconn(max(deadline - monotonic(), 0.001))
            if _is_quiet(connection):
                return connection
            connection.close()
            self.putconn(connection)


def open_pool(
    url: str,
    *,
    min_size: int = 1,
    max_size: int = 8,
    statement_timeout_ms: int = 8000,
    wait: bool = False,
) -> ConnectionPool:
    """Open a pool of autocommit connections whose clock is UTC.

    Open it after forking: its threads don't survive a fork. With `wait` it raises PoolTimeout when the
    database isn't there within ten seconds; without, it goes on trying in the background. Close it at the
    end.
    """

    def configure(connection: Connection) -> None:
        connection.execute("SELECT set_config('TimeZone', 'UTC', false)")
        connection.execute("SELECT set_config('statement_timeout', %s, false)", [str(statement_timeout_ms)])

    pool = _Pool(
        url,
        min_size=min_size,
        max_size=max_size,
        timeout=5,
        # Its tries come later and later; who gave up begins anew with the next request, and isn't late by
        # half a minute when the database is back.
        reconnect_timeout=3,
        kwargs={
            "autocommit": True,
            "connect_timeout": 3,
            "tcp_user_timeout": 8000,
            "application_name": "casebook",
        },
        configure=configure,
        open=True,
    )
    if wait:
        try:
            pool.wait(10)
        except BaseException:
            pool.close()
            raise
    return pool


def on_a_connection(
    pool: ConnectionPool,
    work: Callable[[Connection], Answer],
    *,
    seconds: float = 8.0,
    attempts: int = 3,
) -> Answer:
    """Do `work` on a pooled connection; when that connection is lost, do it again on a fresh one.

    `work` must be safe to do again, since what it did before the loss may have been committed. Waits no
    longer than about `seconds` for connections, over at most `attempts`. Raises what psycopg raised last.
    """
    deadline = monotonic() + seconds
    while True:
        attempts -= 1
        try:
            with pool.connection(timeout=max(deadline - monotonic(), 0.001)) as connection:
                return work(connection)
        except (OperationalError, InterfaceError) as error:
            if attempts <= 0 or monotonic() >= deadline or not _is_lost(error):
                raise
        # A server that was restarted has ended every idle connection: the next attempt must not meet another
        # one.
        pool.check()


def _is_quiet(connection: Connection) -> bool:
    """Whether nothing waits to be read: to an idle connection a server speaks only to end it."""
    waiting = poll()
    waiting.register(connection.fileno(), POLLIN)
    return not waiting.poll(0)


def _is_lost(error: Exception) -> bool:
    state = getattr(error, "sqlstate", None)
    return state is None or state in _LOST or state.startswith("08")
