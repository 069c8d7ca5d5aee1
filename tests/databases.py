"""Databases as they are after migrating, for one test after the other.

Making one anew takes a quarter of a second, which is more than most tests take: so what a test leaves behind
is emptied instead, under a new name, unless the test changed more than rows.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import LiteralString
from uuid import uuid4

import psycopg
from psycopg import Connection, sql
from psycopg.conninfo import make_conninfo

from app.embedded import Embedded

# All but rows: whatever was created, replaced, switched off, granted or set, by when that was done. Lists are
# made and dropped by whoever keeps them.
_SHAPE = """
    SELECT md5(string_agg(entry, ',' ORDER BY entry)) FROM (
        SELECT format('p %s %s', oid, xmin) FROM pg_proc WHERE oid >= 16384
        UNION ALL SELECT format('t %s %s %s', oid, tgenabled, pg_get_triggerdef(oid)) FROM pg_trigger
                   WHERE oid >= 16384
        UNION ALL SELECT format('c %s %s', c.oid, c.xmin) FROM pg_constraint c
                   WHERE c.oid >= 16384 AND connamespace <> to_regnamespace('views')
        UNION ALL SELECT format('n %s %s', oid, xmin) FROM pg_namespace WHERE oid >= 16384
        UNION ALL SELECT format('e %s %s', oid, xmin) FROM pg_extension
        UNION ALL SELECT format('s %s %s', setrole, setconfig) FROM pg_db_role_setting s
                    JOIN pg_database d ON d.oid = setdatabase WHERE datname = current_database()
        UNION ALL SELECT format('r %s %s %s %s %s', c.oid, relname, relpersistence, relowner, relacl)
                    FROM pg_class c WHERE c.oid >= 16384 AND relnamespace <> to_regnamespace('views')
                     AND relnamespace <> 'pg_toast'::regnamespace
        UNION ALL SELECT format('a %s %s %s', attrelid, attnum, a.xmin) FROM pg_attribute a
                    JOIN pg_class c ON c.oid = attrelid WHERE attrelid >= 16384 AND relkind = 'r'
                     AND relnamespace <> to_regnamespace('views')
    ) shape (entry)
"""
_TABLES = """
    SELECT nspname, relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
     WHERE relkind = 'r' AND c.oid >= 16384 AND nspname <> 'pg_toast'
"""
# What even a replica's rows meet: the guards that refuse changes.
_GUARDS = """
    SELECT nspname, relname, tgname FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
      JOIN pg_namespace n ON n.oid = relnamespace WHERE tgenabled = 'A'
"""
_OTHERS = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


class Templates:
    """Copies of template databases of one cluster. Close it before the cluster stops."""

    def __init__(self, cluster: Embedded) -> None:
        self._cluster = cluster
        self._postgres = self._in("postgres")
        self._free: dict[str, list[str]] = defaultdict(list)
        self._shapes: dict[str, str] = {}
        self._rows: dict[str, dict[tuple[str, str], bytes]] = {}

    def close(self) -> None:
        """Lend no more."""
        self._postgres.close()

    def create(self, name: str, template: str = "template1") -> None:
        """A new one."""
        self._run("CREATE DATABASE {} OWNER casebook_owner TEMPLATE {}", name, template)

    @contextmanager
    def lent(self, name: str, template: str) -> Iterator[None]:
        """One that nobody else has, called `name`, as the template is."""
        if self._free[template]:
            self._run("ALTER DATABASE {} RENAME TO {}", self._free[template].pop(), name)
        else:
            self.create(name, template)
        yield
        if self._emptied(name, template):
            later = f"free_{uuid4().hex}"
            self._run("ALTER DATABASE {} RENAME TO {}", name, later)
            self._free[template].append(later)
        else:
            self._run("DROP DATABASE {} WITH (FORCE)", name)

    def _emptied(self, name: str, template: str) -> bool:
        """Whether it is now as the template is."""
        if template not in self._rows:
            with self._in(template) as connection:
                self._shapes[template] = _shape(connection)
                self._rows[template] = {
                    table: rows for table in _tables(connection) if (rows := _copied(connection, table))
                }
        with self._in(name) as connection:
            connection.execute(_OTHERS)
            if _shape(connection) != self._shapes[template]:
                return False
            connection.execute("SET session_replication_role = replica")
            with connection.transaction(), _unguarded(connection):
                for table in _tables(connection):
                    keeps = table[0] != "views"
                    words = "DELETE FROM {}" if keeps else "DROP TABLE {} CASCADE"
                    connection.execute(sql.SQL(words).format(sql.Identifier(*table)))
                    if keeps and table in self._rows[template]:
                        _copy_in(connection, table, self._rows[template][table])
            return True

    def _run(self, words: LiteralString, *names: str) -> None:
        self._postgres.execute(sql.SQL(words).format(*map(sql.Identifier, names)))

    def _in(self, database: str) -> Connection:
        return psycopg.connect(
            make_conninfo(self._cluster.url("superuser"), dbname=database), autocommit=True
        )


def _shape(connection: Connection) -> str:
    row = connection.execute(_SHAPE).fetchone()
    return str(row and row[0])


@contextmanager
def _unguarded(connection: Connection) -> Iterator[None]:
    guards = connection.execute(_GUARDS).fetchall()

    def alter(words: LiteralString) -> None:
        for schema, table, name in guards:
            names = {"table": sql.Identifier(schema, table), "guard": sql.Identifier(name)}
            connection.execute(sql.SQL(words).format(**names))

    alter("ALTER TABLE {table} DISABLE TRIGGER {guard}")
    yield
    alter("ALTER TABLE {table} ENABLE ALWAYS TRIGGER {guard}")


def _tables(connection: Connection) -> list[tuple[str, str]]:
    return [(schema, name) for schema, name in connection.execute(_TABLES)]


def _copied(connection: Connection, table: tuple[str, str]) -> bytes:
    words = sql.SQL("COPY (SELECT * FROM {}) TO STDOUT").format(sql.Identifier(*table))
    with connection.cursor().copy(words) as copy:
        return b"".join(bytes(block) for block in copy)


def _copy_in(connection: Connection, table: tuple[str, str], rows: bytes) -> None:
    words = sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(*table))
    with connection.cursor().copy(words) as copy:
        copy.write(rows)


def without_waiting_for_the_disk(cluster: Embedded) -> None:
    """What these tests write needn't survive a power cut; tests of that run servers of their own."""
    with psycopg.connect(cluster.url("superuser"), autocommit=True) as connection:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        connection.execute("SELECT pg_reload_conf()")
