"""How the run-time role connects: one pool for each database, shared by everything in a process."""

from psycopg import Connection
from psycopg_pool import ConnectionPool


def open_pool(
    url: str, *, min_size: int = 1, max_size: int = 8, statement_timeout_ms: int = 8000, wait: bool = False
) -> ConnectionPool:
    """Open a pool of autocommit connections whose clock is UTC.

    Open it after forking: its threads don't survive a fork. With `wait` it raises PoolTimeout when the
    database isn't there within ten seconds; without, it goes on trying in the background. Close it at the end.
    """

    def configure(connection: Connection) -> None:
        connection.execute("SELECT set_config('TimeZone', 'UTC', false)")
        connection.execute("SELECT set_config('statement_timeout', %s, false)", [str(statement_timeout_ms)])

    pool = ConnectionPool(
        url,
        min_size=min_size,
        max_size=max_size,
        timeout=5,
        reconnect_timeout=60,
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
