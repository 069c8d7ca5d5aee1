import os
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg_pool import ConnectionPool

from app.embedded import Embedded, Role
from app.record.keys import KeyStore
from app.record.migrate import migrate
from app.record.pool import open_pool
from app.record.reads import ReadLog
from app.record.recorder import Recorder


@dataclass(frozen=True)
class Databases:
    """The URLs of one record and its keys, for each of those who connect."""

    superuser: str
    owner: str
    app: str
    keys_owner: str
    keys_app: str
    keys_superuser: str


@pytest.fixture(scope="module")
def empty(cluster: Embedded) -> Iterator[Databases]:
    """Two databases that belong to the owner role and have nothing in them."""
    yield from _empty(cluster)


@pytest.fixture
def fresh(cluster: Embedded) -> Iterator[Databases]:
    """As `empty`, for one test alone."""
    yield from _empty(cluster)


def _empty(cluster: Embedded) -> Iterator[Databases]:
    name = f"casebook_{os.getpid()}_{uuid4().hex[:8]}"
    names = (name, f"{name}_keys")
    with psycopg.connect(cluster.url("superuser"), autocommit=True) as connection:
        for database in names:
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER casebook_owner").format(sql.Identifier(database))
            )

    def url(role: Role, database: str) -> str:
        return make_conninfo(cluster.url(role), dbname=database)

    yield Databases(
        superuser=url("superuser", names[0]),
        owner=url("owner", names[0]),
        app=url("app", names[0]),
        keys_owner=url("owner", names[1]),
        keys_app=url("app", names[1]),
        keys_superuser=url("superuser", names[1]),
    )
    with psycopg.connect(cluster.url("superuser"), autocommit=True) as connection:
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
def superuser(databases: Databases) -> Iterator[psycopg.Connection]:
    with psycopg.connect(databases.superuser, autocommit=True) as connection:
        yield connection


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
