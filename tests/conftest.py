"""What most tests stand on: a real PostgreSQL, and fresh databases for each test from a template."""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import psycopg
import pytest
from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from playwright.sync_api import Browser, sync_playwright
from psycopg import sql
from psycopg.conninfo import make_conninfo

from app.embedded import Embedded, Role
from app.house import House
from app.record.keys import create_kek
from app.record.migrate import migrate
from app.settings import Settings
from tests.journeys.chromium import QUIET, installed_browser
from tests.journeys.glass import Glass

ORIGIN = "casebook.example/tests"


class _Compiled(BytecodeCache):
    """Templates that this process compiled: most tests make an application of their own."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._code:
            bucket.bytecode_from_string(self._code[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key] = bucket.bytecode_to_string()


Flask.jinja_options = {"bytecode_cache": _Compiled()}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The installed browser, else Playwright's: one for all, since a process can drive only one."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=installed_browser(), args=list(QUIET))
        yield started
        started.close()


@pytest.fixture(scope="session")
def glass(browser: Browser) -> Glass:
    """Where pages are looked at."""
    return Glass(browser)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Embedded]:
    """A PostgreSQL that ends with the tests."""
    with TemporaryDirectory(prefix="casebook-tests-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        embedded = Embedded(Path(folder) / "data")
        embedded.start()
        _without_waiting_for_the_disk(embedded)
        yield embedded
        embedded.stop()
        embedded.remove()


@pytest.fixture(scope="session")
def templates(cluster: Embedded) -> dict[str, str]:
    """Migrated databases that each test gets a copy of: a school's and a demo's."""
    made = {}
    for kind in ("school", "demo"):
        for part in ("record", "keys"):
            _create(cluster, f"{kind}_{part}")
        migrate(
            _url(cluster, "owner", f"{kind}_record"),
            _url(cluster, "owner", f"{kind}_keys"),
            origin=ORIGIN,
            demo=kind == "demo",
        )
        made[kind] = kind
    return made


@pytest.fixture
def settings(cluster: Embedded, templates: dict[str, str], tmp_path: Path) -> Iterator[Settings]:
    """An empty school: its databases are this test's alone."""
    yield from _fresh(cluster, "school", tmp_path)


@pytest.fixture
def demo_settings(cluster: Embedded, templates: dict[str, str], tmp_path: Path) -> Iterator[Settings]:
    """An empty demo, whose facts may be told at invented times."""
    yield from _fresh(cluster, "demo", tmp_path)


@pytest.fixture
def house(settings: Settings) -> Iterator[House]:
    """One process's rooms in an empty school."""
    with House(settings) as opened:
        yield opened


def _fresh(cluster: Embedded, kind: str, folder: Path) -> Iterator[Settings]:
    name = f"test_{os.getpid()}_{uuid4().hex[:8]}"
    for part in ("record", "keys"):
        _create(cluster, f"{name}_{part}", template=f"{kind}_{part}")
    kek = folder / "kek"
    create_kek(kek)
    yield Settings(
        database_url=_url(cluster, "app", f"{name}_record"),
        keys_database_url=_url(cluster, "app", f"{name}_keys"),
        migrate_database_url=_url(cluster, "owner", f"{name}_record"),
        migrate_keys_database_url=_url(cluster, "owner", f"{name}_keys"),
        kek_file=kek,
        secret_key="tests-only-" + name,
        origin=ORIGIN,
        data_dir=folder,
        demo=kind == "demo",
    )
    with psycopg.connect(cluster.url("superuser"), autocommit=True) as connection:
        for part in ("record", "keys"):
            database = sql.Identifier(f"{name}_{part}")
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(database))


def _create(cluster: Embedded, name: str, template: str = "template1") -> None:
    with psycopg.connect(cluster.url("superuser"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER casebook_owner TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )


def _url(cluster: Embedded, role: Role, database: str) -> str:
    return make_conninfo(cluster.url(role), dbname=database)


def _without_waiting_for_the_disk(cluster: Embedded) -> None:
    """What these tests write needn't survive a power cut; tests of that run servers of their own."""
    with psycopg.connect(cluster.url("superuser"), autocommit=True) as connection:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        connection.execute("SELECT pg_reload_conf()")
