"""What most tests stand on: a real PostgreSQL, and fresh databases for each test from a template."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest
from argon2 import PasswordHasher
from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from playwright.sync_api import Browser, sync_playwright
from psycopg.conninfo import make_conninfo

from app.access import accounts
from app.embedded import Embedded, Role
from app.house import House
from app.record.keys import create_kek
from app.record.migrate import migrate
from app.settings import Settings
from tests.databases import Templates, without_waiting_for_the_disk
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
# A password costs a quarter of a second by design; whatever tests a server as it runs pays that too.
vars(accounts)["PasswordHasher"] = partial(PasswordHasher, time_cost=1, memory_cost=8, parallelism=1)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let two workers share as little as they can: a file is one worker's, or several that share a server.

    The longest go first, so that neither waits for the other in the end.
    """
    longest = ("journeys", "server", "faults", "kill", "demo")
    items.sort(key=lambda item: item.path.parent.name not in longest)
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group("-".join(item.path.parts[-2:])))


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
        without_waiting_for_the_disk(embedded)
        yield embedded
        embedded.stop()
        embedded.remove()


@pytest.fixture(scope="session")
def templates(cluster: Embedded) -> Iterator[Templates]:
    """Migrated databases that each test gets a copy of: a school's and a demo's."""
    made = Templates(cluster)
    for kind in ("school", "demo"):
        for part in ("record", "keys"):
            made.create(f"{kind}_{part}")
        migrate(
            _url(cluster, "owner", f"{kind}_record"),
            _url(cluster, "owner", f"{kind}_keys"),
            origin=ORIGIN,
            demo=kind == "demo",
        )
    yield made
    made.close()


@pytest.fixture
def settings(cluster: Embedded, templates: Templates, tmp_path: Path) -> Iterator[Settings]:
    """An empty school: its databases are this test's alone."""
    with fresh(cluster, templates, "school", tmp_path) as made:
        yield made


@pytest.fixture
def demo_settings(cluster: Embedded, templates: Templates, tmp_path: Path) -> Iterator[Settings]:
    """An empty demo, whose facts may be told at invented times."""
    with fresh(cluster, templates, "demo", tmp_path) as made:
        yield made


@pytest.fixture
def house(settings: Settings) -> Iterator[House]:
    """One process's rooms in an empty school."""
    with House(settings) as opened:
        yield opened


@contextmanager
def fresh(cluster: Embedded, templates: Templates, kind: str, folder: Path) -> Iterator[Settings]:
    """An empty school, or a demo, with its files in `folder`."""
    name = f"test_{os.getpid()}_{uuid4().hex[:8]}"
    kek = folder / "kek"
    create_kek(kek)
    with (
        templates.lent(f"{name}_record", f"{kind}_record"),
        templates.lent(f"{name}_keys", f"{kind}_keys"),
    ):
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


def _url(cluster: Embedded, role: Role, database: str) -> str:
    return make_conninfo(cluster.url(role), dbname=database)
