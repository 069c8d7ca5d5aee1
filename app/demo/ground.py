"""The databases of a demo: its own or the environment's, told to the end or begun again."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg

from app.alerts import LEADER_LOCK
from app.cli.surroundings import demo_settings, embedded_settings, names_databases, owner_urls
from app.embedded import Embedded
from app.house import House
from app.record.migrate import migrate
from app.settings import Settings

_SCHEMAS: Final = "DROP SCHEMA IF EXISTS views, access, record CASCADE"
_LOCK_TIMEOUT: Final = "20s"
_KEYS: Final = "DROP SCHEMA IF EXISTS keys CASCADE"


class DemoFailed(Exception):
    """The demo can't run; the message says why and what to do."""


class Ground:
    """The databases. `embedded` is None where the environment names others."""

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._say = say
        self.embedded = None if names_databases() else Embedded(folder)

    def prepare(self, *, fresh: bool) -> Settings:
        """Start and migrate the databases; with `fresh`, empty. Raises DemoFailed, EmbeddedError."""
        settings = self._start(fresh)
        self._migrate(settings)
        if not _is_demo(settings):
            raise DemoFailed("These databases hold a school's own record. A demo needs databases of its own.")
        if fresh and not self.embedded:
            self.begin_again(settings)
        return settings

    def begin_again(self, settings: Settings) -> None:
        """Forget everything in a demo's databases, and make them anew."""
        record, keys = owner_urls(settings)
        if not _is_demo(settings):
            raise DemoFailed("Only a demo can be begun again.")
        for url, statement in ((record, _SCHEMAS), (keys, _KEYS)):
            with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
                connection.execute(statement)
        self._forget_proofs()
        self._migrate(settings)

    def keep_running(self) -> None:
        """Start the database again when somebody ended it."""
        if self.embedded and not self.embedded.is_running():
            self.embedded.start()

    def stop(self) -> None:
        """End the database, where it is ours."""
        if self.embedded:
            self.embedded.stop()

    def _start(self, fresh: bool) -> Settings:
        if not self.embedded:
            return demo_settings(self._folder, os.environ)
        self._say("Starting the database")
        if fresh:
            self.embedded.remove()
            self._forget_proofs()
        self.embedded.start()
        return embedded_settings(self.embedded)

    def _forget_proofs(self) -> None:
        """Checkpoints of what is forgotten fit nothing else."""
        for name in ("checkpoints.txt", "destroyed-keys.txt"):
            (self._folder / name).unlink(missing_ok=True)

    def _migrate(self, settings: Settings) -> None:
        record, keys = owner_urls(settings)
        migrate(record, keys, origin=settings.origin, demo=True)


@contextmanager
def without_alerts(settings: Settings) -> Iterator[None]:
    """Let no process ring for what is being told: an alert has today's time, and no fact after it less.

    Raises DemoFailed where another process rings for these databases already.
    """
    with psycopg.connect(settings.database_url, autocommit=True, connect_timeout=10) as connection:
        connection.execute("SELECT set_config('lock_timeout', %s, false)", [_LOCK_TIMEOUT])
        try:
            connection.execute("SELECT pg_advisory_lock(%s)", [LEADER_LOCK])
        except psycopg.errors.LockNotAvailable:
            raise DemoFailed("Another Casebook sends alerts for these databases. End it first.") from None
        yield


def is_empty(house: House) -> bool:
    """Whether nothing was ever recorded."""
    return house.recorder.max_notification_id() is None


def _is_demo(settings: Settings) -> bool:
    with psycopg.connect(settings.database_url, connect_timeout=10) as connection:
        return connection.execute("SELECT demo FROM record.origin").fetchone() == (True,)
