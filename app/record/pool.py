"""How the run-time role connects: one pool for each database, shared by everything in a process."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from select import POLLIN, poll
from time import monotonic
from types import TracebackType
from typing import Any, Final, TypeVar

from psycopg import Connection, InterfaceError, OperationalError
from psycopg.pq import TransactionStatus
from psycopg_pool import ConnectionPool, PoolTimeout

from app.record.patience import PATIENCE, Watch, left, spend

Answer = TypeVar("Answer")

LOCK_SECONDS: Final = 2.0
"""Nothing but an append waits for others as a rule: whoever locks a table keeps every reader waiting."""
TIRED_SECONDS: Final = 0.5
"""How long the next one waits for a connection after somebody waited in vain."""

_LOST = ("57P01", "57P02", "57P03")


class _Lent:
    """A connection in somebody's hands. A request waits for it no longer than it has patience for; `watch` is
    None for whoever has patience without end.
    """

    def __init__(self, pool: "_Pool", watch: Watch | None, wait: float) -> None:
        self._pool, self._watch, self._wait = pool, watch, wait

    def __enter__(self) -> Connection:
        self._began = monotonic()
        if self._wait <= 0:
            raise PoolTimeout("this request has waited long enough")
        try:
            self._connection = self._pool.getconn(self._wait)
        except PoolTimeout:
            spend(monotonic() - self._began)
            raise
        if self._watch is not None:
            self._watch.begin(self._connection)
        return self._connection

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._watch is not None:
            self._watch.end(self._connection)
        try:
            # The connection's own end of a block commits: where each statement did, that costs for nothing.
            if error is not None or self._connection.pgconn.transaction_status != TransactionStatus.IDLE:
                self._connection.__exit__(kind, error, trace)
        finally:
            self._pool.putconn(self._connection)
        if isinstance(error, OperationalError | InterfaceError):
            spend(monotonic() - self._began)


class _Pool(ConnectionPool):
    """Hands out no connection that its server has ended, as a restart ends all idle ones.

    The pool's own `check` would ask the server each time, and wait a second after each that failed. Whoever
    serves a request waits no longer, for connections and answers together, than a reader should.
    """

    _tired = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.watch = Watch(self._start_afresh)
        super().__init__(*args, **kwargs)

    def getconn(self, timeout: float | None = None) -> Connection:
        wait = self.timeout if timeout is None else timeout
        deadline = monotonic() + (min(wait, TIRED_SECONDS) if self._tired else wait)
        while True:
            try:
                connection = super().getconn(max(deadline - monotonic(), 0.001))
            except PoolTimeout:
                self._tired = True
                raise
            if _is_quiet(connection):
                self._tired = False
                return connection
            connection.close()
            self.putconn(connection)

    # Not a generator as the pool's own: that costs more than all the rest of it. To callers it is the same
    # context; only the declared type differs.
    def connection(  # type: ignore[override]
        self, timeout: float | None = None
    ) -> AbstractContextManager[Connection]:
        may_wait, wait = left(), self.timeout if timeout is None else timeout
        if may_wait is None:
            return _Lent(self, None, wait)
        return _Lent(self, self.watch, min(may_wait, wait))

    def _start_afresh(self) -> None:
        """What one request waited for in vain, none of the others should wait for as long."""
        self._tired = True
        self.drain()

    def close(self, timeout: float = 5.0) -> None:
        self.watch.close()
        super().close(timeout)


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
        connection.execute(
            "SELECT set_config('TimeZone', 'UTC', false), set_config('statement_timeout', %s, false),"
            " set_config('lock_timeout', %s, false)",
            [str(statement_timeout_ms), str(int(LOCK_SECONDS * 1000))],
        )

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
            # A machine that vanished is noticed while something is sent to it, and while it is waited for.
            "tcp_user_timeout": 8000,
            "keepalives_idle": 4,
            "keepalives_interval": 2,
            "keepalives_count": 2,
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
    seconds: float = PATIENCE,
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
    if isinstance(error, PoolTimeout):
        return False
    state = getattr(error, "sqlstate", None)
    return state is None or state in _LOST or state.startswith("08")
