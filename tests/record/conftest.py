import os
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import ConnectionPool

from app.record.keys import KeyStore
from app.record.migrate import migrate
from app.record.pool import open_pool
from app.record.reads import ReadLog
from app.record.recorder import Recorder
from tests.record.cluster import superuser_url


@dataclass(frozen=True)
class Databases:
    """The URLs of one record and its keys, for each of those who connect."""

    superuser: str
    owner: str
    app: str
    keys_owner: str
    keys_app: str
    keys_superuser: str


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    with superuser_url() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            for role in ("casebook_owner", "casebook_app"):
                if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
                    connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        yield url


def _url(server: str, database: str, user: str | None = None) -> str:
    changed = {"dbname": database} | ({"user": user} if user else {})
    return make_conninfo("", **(conninfo_to_dict(server) | changed))


@pytest.fixture(scope="module")
def empty(server: str) -> Iterator[Databases]:
    """Two databases that belong to the owner role and have nothing in them."""
    yield from _empty(server)


@pytest.fixture
def fresh(server: str) -> Iterator[Databases]:
    """As `empty`, for one test alone."""
    yield from _empty(server)


def _empty(server: str) -> Iterator[Databases]:
    name = f"casebook_{os.getpid()}_{uuid4().hex[:8]}"
    names = (name, f"{name}_keys")
    with psycopg.connect(server, autocommit=True) as connection:
        for database in names:
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER casebook_owner").format(sql.Identifier(database))
            )
    yield Databases(
        superuser=_url(server, names[0]),
        owner=_url(server, names[0], "casebook_owner"),
        app=_url(server, names[0], "casebook_app"),
        keys_owner=_url(server, names[1], "casebook_owner"),
        keys_app=_url(server, names[1], "casebook_app"),
        keys_superuser=_url(server, names[1]),
    )
    with psycopg.connect(server, autocommit=True) as connection:
        for database in names:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database))
            )


@pytest.fixture(scope="module")
def databases(empty: Databases) -> Databases:
    """A migrated record (a demo, so that tests may set its clock) and its keys."""
    migrate(empty.owner, empty.keys_owner, origin="casebook.example/tests", demo=True)
    return empty


@pytest.fixture
def pool(databases: Databases) -> Iterator[ConnectionPool]:
    with open_pool(databases.app, max_size=8, wait=True) as opened:
        yield opened


@pytest.fixture
def keys_pool(databases: Databases) -> Iterator[ConnectionPool]:
    with open_pool(databases.keys_app, max_size=4, wait=True) as opened:
        yield opened


@pytest.fixture
def keys(keys_pool: ConnectionPool) -> KeyStore:
    return KeyStore(keys_pool, bytes(range(32)))


@pytest.fixture
def recorder(pool: ConnectionPool) -> Recorder:
    return Recorder(pool)


@pytest.fixture
def reads(pool: ConnectionPool, keys: KeyStore) -> ReadLog:
    return ReadLog(pool, keys)
