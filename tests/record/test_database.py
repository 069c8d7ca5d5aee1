"""What the database itself refuses, numbers and stamps, whoever asks."""

import itertools
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from eventsourcing.persistence import StoredEvent
from psycopg import sql

from app.record import migrate as migrations
from app.record.migrate import MigrationRefused, migrate, pending
from app.record.pool import open_pool
from app.record.recorder import CommandKey, Recorder, RecordError
from tests.record.conftest import Databases
from tests.record.vectors import EVENTS, VECTORS, place_of

ALL = [
    "record/0001_record",
    "record/0002_reads",
    "record/0003_views",
    "record/0004_access",
    "record/0005_append_together",
    "record/0006_checkpoints",
    "record/0008_epochs",
    "record/0009_refusals",
    "record/0010_append_in_one_statement",
    "record/0011_false_rows",
    "record/0012_reads_in_one_statement",
    "keys/0001_keys",
    "keys/0002_forgetting",
]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INSERT = (
    "INSERT INTO record.events (originator_id, originator_version, topic, state)"
    " VALUES (%s, %s, 'pupil.enrolled', 'x') RETURNING notification_id"
)


def microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


@pytest.fixture
def app(databases: Databases) -> Iterator[psycopg.Connection]:
    with psycopg.connect(databases.app, autocommit=True) as connection:
        yield connection


@pytest.fixture
def superuser(databases: Databases) -> Iterator[psycopg.Connection]:
    with psycopg.connect(databases.superuser, autocommit=True) as connection:
        yield connection


def test_migrations_run_once(fresh: Databases) -> None:
    assert pending(fresh.owner, fresh.keys_owner) == ALL
    assert migrate(fresh.owner, fresh.keys_owner, origin="school.example/record") == ALL
    assert migrate(fresh.owner, fresh.keys_owner, origin="school.example/record") == []
    assert pending(fresh.app, fresh.keys_app) == []


def test_two_who_migrate_at_once_do_it_once(fresh: Databases) -> None:
    applied: list[list[str]] = []
    threads = [
        threading.Thread(
            target=lambda: applied.append(migrate(fresh.owner, fresh.keys_owner, origin="a.example"))
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(applied) == 4
    assert sorted(name for names in applied for name in names) == sorted(ALL)


def test_an_edited_file_that_was_applied_is_refused(
    fresh: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(fresh.owner, fresh.keys_owner, origin="a.example")
    whole = migrations._Database.migrations
    monkeypatch.setattr(
        migrations._Database,
        "migrations",
        lambda self: [migrations._Migration(found.name, found.text + b"\n") for found in whole(self)],
    )
    with pytest.raises(MigrationRefused, match=r"record/0001_record .* edited"):
        migrate(fresh.owner, fresh.keys_owner, origin="a.example")
    monkeypatch.setattr(migrations._Database, "migrations", lambda self: whole(self)[:-1])
    with pytest.raises(MigrationRefused, match="newer than this software"):
        pending(fresh.owner, fresh.keys_owner)


def test_a_migration_that_fails_leaves_nothing_behind(
    fresh: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = migrations._Database.migrations
    monkeypatch.setattr(
        migrations._Database,
        "migrations",
        lambda self: [*whole(self), migrations._Migration(f"{self.schema}/9999_wrong", b"SELECT 1/0")],
    )
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(fresh.owner, fresh.keys_owner, origin="a.example")
    monkeypatch.undo()
    assert pending(fresh.owner, fresh.keys_owner) == ALL


@pytest.mark.parametrize(("first", "then"), [(True, False), (False, True)])
def test_a_demo_stays_a_demo_and_a_record_stays_a_record(fresh: Databases, first: bool, then: bool) -> None:
    migrate(fresh.owner, fresh.keys_owner, origin="a.example", demo=first)
    with pytest.raises(MigrationRefused, match="a demo stays a demo"):
        migrate(fresh.owner, fresh.keys_owner, origin="a.example", demo=then)
    with psycopg.connect(fresh.superuser, autocommit=True) as connection:
        assert connection.execute("SELECT origin, demo FROM record.origin").fetchone() == (
            ("a.example/demo", True) if first else ("a.example", False)
        )
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="never changed"):
            connection.execute("UPDATE record.origin SET demo = NOT demo")


def test_only_a_demo_is_called_one(fresh: Databases) -> None:
    with pytest.raises(MigrationRefused, match="Only a demo"):
        migrate(fresh.owner, fresh.keys_owner, origin="a.example/demo")


def test_a_real_record_takes_no_invented_time(fresh: Databases) -> None:
    migrate(fresh.owner, fresh.keys_owner, origin="a.example")
    with psycopg.connect(fresh.app, autocommit=True) as connection:
        connection.execute("SET casebook.demo_time = '2020-01-01T00:00:00Z'")
        connection.execute(INSERT, [uuid4(), 1])
        found = connection.execute("SELECT now() - recorded_at < '1 minute' FROM record.events").fetchone()
        assert found == (True,)
    with open_pool(fresh.app, wait=True) as pool:
        recorder = Recorder(pool)
        for command in (None, CommandKey(uuid4(), uuid4(), "bench", b"request")):
            with pytest.raises(RecordError, match="Only a demo"):
                recorder.append([StoredEvent(uuid4(), 1, "a.b", b"x")], command=command, demo_time=EPOCH)
        assert recorder.max_notification_id() == 1


def test_each_example_gets_its_leaf_from_the_database(fresh: Databases) -> None:
    migrate(fresh.owner, fresh.keys_owner, origin=VECTORS["origin"], demo=True)
    with psycopg.connect(fresh.app, autocommit=True) as connection:
        for event in EVENTS:
            moment = EPOCH + timedelta(microseconds=event["recorded_at_us"])
            with connection.transaction():
                connection.execute("SELECT set_config('casebook.demo_time', %s, true)", [moment.isoformat()])
                row = connection.execute(
                    "INSERT INTO record.events (originator_id, originator_version, topic, state)"
                    " VALUES (%s, %s, %s, %s) RETURNING notification_id, recorded_at, leaf_hash",
                    [*place_of(event), event["state"].encode()],
                ).fetchone()
            assert row is not None
            assert (row[0], microseconds(row[1])) == (event["notification_id"], event["recorded_at_us"])
            assert row[2].hex() == event["leaf_hash"]
            assert sha256(b"\0" + bytes.fromhex(event["leaf_data"])).digest() == row[2]


def test_the_example_of_a_read_gets_its_leaf_from_the_database(fresh: Databases) -> None:
    read: dict[str, Any] = VECTORS["read"]
    migrate(fresh.owner, fresh.keys_owner, origin=VECTORS["origin"], demo=True)
    moment = EPOCH + timedelta(microseconds=read["read_at_us"])
    subjects = [UUID(subject) for subject in read["subjects"]]
    with psycopg.connect(fresh.app, autocommit=True) as connection, connection.transaction():
        connection.execute("SELECT set_config('casebook.demo_time', %s, true)", [moment.isoformat()])
        connection.execute(
            "INSERT INTO record.reads (account, route, subjects, state) VALUES (%s, %s, %s, %s)",
            [UUID(read["account"]), read["route"], subjects, read["state"].encode()],
        )
        assert connection.execute("SELECT id, encode(leaf_hash, 'hex') FROM record.reads").fetchone() == (
            read["id"],
            read["leaf_hash"],
        )


@pytest.mark.parametrize("table", ["events", "commands", "reads"])
@pytest.mark.parametrize("replica", [False, True])
def test_facts_are_never_changed_even_by_a_superuser(
    superuser: psycopg.Connection, table: str, replica: bool
) -> None:
    if replica:
        superuser.execute("SET session_replication_role = replica")
    name = sql.Identifier("record", table)
    for statement in ("UPDATE {} SET account = account", "DELETE FROM {}", "TRUNCATE {}"):
        change = statement.replace("account", "state") if table == "events" else statement
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="never changed or deleted"):
            superuser.execute(sql.SQL(change).format(name))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE record.heads SET size = 0",
        "UPDATE record.events SET topic = 'x'",
        "DELETE FROM record.events",
        "TRUNCATE record.reads",
        "INSERT INTO record.origin VALUES (true, 'x/demo', true)",
        "ALTER TABLE record.events DISABLE TRIGGER ALL",
        "CREATE TABLE record.mine (a int)",
        "CREATE TABLE access.mine (a int)",
        "SET ROLE casebook_owner",
        "SELECT * FROM record.events FOR UPDATE",
    ],
)
def test_the_run_time_role_may_add_and_read_and_nothing_else(app: psycopg.Connection, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute(statement)


def test_projections_make_and_swap_their_own_tables(app: psycopg.Connection) -> None:
    app.execute("CREATE UNLOGGED TABLE views.trial (a int)")
    app.execute("ALTER TABLE views.trial RENAME TO trial_old")
    app.execute("DROP TABLE views.trial_old")


def test_versions_follow_without_gap_or_double(app: psycopg.Connection) -> None:
    case = uuid4()
    app.execute(INSERT, [case, 1])
    with pytest.raises(psycopg.errors.UniqueViolation) as double:
        app.execute(INSERT, [case, 1])
    assert double.value.diag.constraint_name == "events_pkey"
    for version in (3, 99):
        with pytest.raises(psycopg.errors.CheckViolation, match="has no version before it"):
            app.execute(INSERT, [case, version])
    for version in (0, -1):
        with pytest.raises(psycopg.errors.CheckViolation):
            app.execute(INSERT, [case, version])


@pytest.mark.race
def test_positions_have_no_gap_and_time_never_runs_backwards(databases: Databases) -> None:
    def write() -> None:
        with psycopg.connect(databases.app, autocommit=True) as connection:
            for turn in range(40):
                case = uuid4()
                connection.execute(INSERT, [case, 1])
                if turn % 4 == 0:
                    with pytest.raises(psycopg.errors.CheckViolation):
                        connection.execute(INSERT, [case, 7])

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with psycopg.connect(databases.app, autocommit=True) as connection:
        rows = connection.execute(
            "SELECT notification_id, recorded_at FROM record.events ORDER BY 1"
        ).fetchall()
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    assert len(rows) >= 240
    assert all(earlier[1] <= later[1] for earlier, later in itertools.pairwise(rows))


def test_keys_are_never_removed_and_destroying_one_is_for_good(databases: Databases) -> None:
    with psycopg.connect(databases.keys_superuser, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO keys.data_keys (kid, originator_id, kek_id, wrapped) VALUES (%s, %s, %s, %s)",
            [uuid4().bytes, uuid4(), "0" * 16, bytes(40)],
        )
        connection.execute("UPDATE keys.data_keys SET kek_id = '1111111111111111'")
        for refused in (
            "DELETE FROM keys.data_keys",
            "TRUNCATE keys.data_keys",
            "UPDATE keys.data_keys SET originator_id = gen_random_uuid()",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(refused)
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute("UPDATE keys.data_keys SET destroyed_at = now()")
        connection.execute("UPDATE keys.data_keys SET destroyed_at = now(), wrapped = NULL")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="stays destroyed"):
            connection.execute(
                "UPDATE keys.data_keys SET destroyed_at = NULL, wrapped = decode(repeat('00', 40), 'hex')"
            )
