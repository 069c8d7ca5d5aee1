"""Connections that the server ended while nobody used them."""

from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from app.embedded import Embedded
from app.record.pool import open_pool
from app.settings import Settings


@pytest.fixture
def pool(settings: Settings) -> Iterator[ConnectionPool]:
    with open_pool(settings.database_url, max_size=4) as opened:
        yield opened


def test_nobody_is_handed_a_connection_that_a_restart_has_ended(
    pool: ConnectionPool, settings: Settings, cluster: Embedded
) -> None:
    with ExitStack() as busy:
        for _ in range(4):
            busy.enter_context(pool.connection())
    with psycopg.connect(cluster.url("superuser"), autocommit=True) as superuser:
        superuser.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE usename = 'casebook_app' AND datname = %s",
            [psycopg.conninfo.conninfo_to_dict(settings.database_url)["dbname"]],
        )
    for _ in range(8):
        with pool.connection() as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
