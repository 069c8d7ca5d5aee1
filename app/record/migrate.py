"""Bring the record's database and the keys' database to the shape that this software expects.

Migrations are numbered plain SQL files. Each runs once, as the owner role, and its SHA-256 is kept: history
must not be rewritten by editing a file that was already applied.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from typing import LiteralString

import psycopg
from psycopg import sql

APP_ROLE = "casebook_app"
"""The role that `casebook serve` and `casebook project` connect as. It may add to the record and read it."""

_LOCK = 4849336204517376


class MigrationRefused(Exception):
    """The database and this software don't fit together; the message tells an administrator why."""


@dataclass(frozen=True)
class _Migration:
    name: str
    text: bytes

    @property
    def digest(self) -> bytes:
        return sha256(self.text).digest()


@dataclass(frozen=True)
class _Database:
    """One of the two databases, by the schema that holds its history."""

    schema: LiteralString
    folder: str

    def migrations(self) -> list[_Migration]:
        found = files(__package__).joinpath(self.folder).iterdir()
        return [
            _Migration(f"{self.schema}/{entry.name.removesuffix('.sql')}", entry.read_bytes())
            for entry in sorted(found, key=lambda entry: entry.name)
            if entry.name.endswith(".sql")
        ]

    def pending(self, connection: psycopg.Connection) -> list[_Migration]:
        """What is still to apply.

        Raises MigrationRefused if an applied file was edited, or is unknown to this software.
        """
        migrations = self.migrations()
        applied = self._applied(connection)
        unknown = sorted(applied.keys() - {migration.name for migration in migrations})
        if unknown:
            raise MigrationRefused(
                f"The database is newer than this software: it has {unknown[0]}. Install the newer version."
            )
        for migration in migrations:
            if applied.get(migration.name, migration.digest) != migration.digest:
                raise MigrationRefused(
                    f"{migration.name} was applied to this database and its file has been edited since. "
                    "Put the file back as it was and write a new migration."
                )
        return [migration for migration in migrations if migration.name not in applied]

    def apply(self, connection: psycopg.Connection) -> list[str]:
        """Apply what is pending, all of it or nothing."""
        history = sql.Identifier(self.schema, "migrations")
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            pending = self.pending(connection)
            if not pending:
                return []
            _ensure_app_role(connection)
            connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(self.schema)))
            connection.execute(
                sql.SQL(
                    "CREATE TABLE IF NOT EXISTS {} (name text PRIMARY KEY, sha256 bytea NOT NULL,"
                    " applied_at timestamptz NOT NULL DEFAULT clock_timestamp())"
                ).format(history)
            )
            for migration in pending:
                connection.execute(migration.text)
                connection.execute(
                    sql.SQL("INSERT INTO {} (name, sha256) VALUES (%s, %s)").format(history),
                    [migration.name, migration.digest],
                )
        return [migration.name for migration in pending]

    def _applied(self, connection: psycopg.Connection) -> dict[str, bytes]:
        if not _has_table(connection, self.schema, "migrations"):
            return {}
        rows = connection.execute(
            sql.SQL("SELECT name, sha256 FROM {}").format(sql.Identifier(self.schema, "migrations"))
        )
        return dict(rows.fetchall())

    def apply_again_if_dropped(self, connection: psycopg.Connection, schema: str) -> list[str]:
        """Make a schema anew that was thrown away, as may be done with one that holds nothing of its own."""
        if connection.execute("SELECT to_regnamespace(%s)", [schema]).fetchone() != (None,):
            return []
        [made_by] = [one for one in self.migrations() if one.name.endswith(f"_{schema}")]
        connection.execute(made_by.text)
        return [made_by.name]


_RECORD = _Database("record", "migrations")
_KEYS = _Database("keys", "keys_migrations")


def migrate(database_url: str, keys_url: str, *, origin: str, demo: bool = False) -> list[str]:
    """Apply all pending migrations to both databases and give the record its origin.

    `origin` names the record to verifiers for good, for example `casebook.school.example/record`. With `demo`
    it ends in `/demo` (added if it isn't there) and the database takes invented times; neither can be changed
    later. Connects as the owner of each database. Returns the names of the migrations that were applied, in
    order. Raises MigrationRefused when the database belongs to another origin, is a demo and should not be
    (or the other way round), is newer than this software, or an applied file was edited; psycopg.Error when
    out of reach.
    """
    if demo and not origin.endswith("/demo"):
        origin += "/demo"
    if not demo and origin.endswith("/demo"):
        raise MigrationRefused("Only a demo's origin ends in /demo.")
    with _owner(database_url) as record, _owner(keys_url) as keys:
        with record.transaction():
            _check_origin(record, origin)
            applied = _RECORD.apply(record) + _RECORD.apply_again_if_dropped(record, "views")
            record.execute(
                "INSERT INTO record.origin (origin, demo) VALUES (%s, %s) ON CONFLICT DO NOTHING",
                [origin, demo],
            )
            # Again, now that a migration at the same moment would have committed its own.
            _check_origin(record, origin)
        return applied + _KEYS.apply(keys)


def pending(database_url: str, keys_url: str) -> list[str]:
    """The names of the migrations that are still to apply, for `casebook status` and for start-up checks.

    The run-time role may ask. Raises MigrationRefused as `migrate` does, and psycopg.Error when out of reach.
    """
    with _owner(database_url) as record, _owner(keys_url) as keys:
        return pending_on(record, keys)


def pending_on(record: psycopg.Connection, keys: psycopg.Connection) -> list[str]:
    """As `pending`, on connections that are there already."""
    return [migration.name for migration in _RECORD.pending(record) + _KEYS.pending(keys)]


@contextmanager
def _owner(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
        yield connection


def _has_table(connection: psycopg.Connection, schema: str, table: str) -> bool:
    # to_regclass would raise for a role that may not use the schema.
    row = connection.execute(
        "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = %s AND c.relname = %s",
        [schema, table],
    ).fetchone()
    return row is not None


def _check_origin(connection: psycopg.Connection, origin: str) -> None:
    if not _has_table(connection, "record", "origin"):
        return
    row = connection.execute("SELECT origin FROM record.origin").fetchone()
    if row is not None and row[0] != origin:
        raise MigrationRefused(
            f"This database belongs to {row[0]}, not to {origin}. "
            "A record keeps its origin, and a demo stays a demo."
        )


def _ensure_app_role(connection: psycopg.Connection) -> None:
    if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [APP_ROLE]).fetchone():
        return
    try:
        with connection.transaction():
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(APP_ROLE)))
    except psycopg.errors.InsufficientPrivilege:
        raise MigrationRefused(
            f"The role {APP_ROLE} is missing and this role may not create it. "
            f"As an administrator run: CREATE ROLE {APP_ROLE} LOGIN"
        ) from None
    except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
        # Another database of the same cluster is being migrated at this moment: roles are shared.
        return
