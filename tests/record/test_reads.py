import threading
from uuid import UUID, uuid4

import psycopg
import pytest
from eventsourcing.persistence import StoredEvent
from psycopg_pool import ConnectionPool

from app.record.keys import KeyStore
from app.record.pool import open_pool
from app.record.reads import ReadLog
from app.record.recorder import Recorder, RecordUnavailable
from tests.record.conftest import Databases

HISTORY = "/cases/{id}/history"


def looked(reads: ReadLog, account: UUID, *subjects: UUID, reason: str | None = None) -> int:
    return reads.log(account, HISTORY, subjects, role="dsl", field_class="story", reason=reason, position=7)


def test_a_read_is_committed_before_anything_is_shown(reads: ReadLog, databases: Databases) -> None:
    account, case = uuid4(), uuid4()
    number = looked(reads, account, case, reason="canary-7731")
    with psycopg.connect(databases.app) as other:
        row = other.execute("SELECT * FROM record.reads WHERE id = %s", [number]).fetchone()
    assert row is not None
    assert (row[2], row[3], row[4]) == (account, HISTORY, [case])
    assert b"canary" not in row[5]


def test_who_looked_can_be_asked_by_subject(reads: ReadLog) -> None:
    account, case, other = uuid4(), uuid4(), uuid4()
    first = looked(reads, account, case, other, reason="Child protection conference")
    second = reads.log(
        account,
        "/concerns",
        [case],
        role="inspector",
        field_class="skeleton",
        break_glass=True,
        position=None,
    )
    looked(reads, account, other)
    found = reads.readers(case)
    assert [read.id for read in found] == [second, first]
    newest, oldest = found
    assert (oldest.account, oldest.route, oldest.role, oldest.field_class) == (
        account,
        HISTORY,
        "dsl",
        "story",
    )
    assert (oldest.reason, oldest.break_glass, oldest.position) == ("Child protection conference", False, 7)
    assert (newest.role, newest.reason, newest.break_glass, newest.position) == (
        "inspector",
        None,
        True,
        None,
    )
    assert oldest.read_at <= newest.read_at
    assert reads.readers(case, limit=1) == [newest]
    assert reads.readers(case, before=second) == [oldest]
    assert reads.readers(uuid4()) == []


def test_a_history_is_read_and_logged_in_one_commit(reads: ReadLog, recorder: Recorder) -> None:
    account, case = uuid4(), uuid4()
    recorder.append([StoredEvent(case, version, "mentee-case.referred", b"x") for version in (1, 2, 3)])
    position = recorder.max_notification_id()
    assert position is not None
    shown = reads.log_and_rows(account, HISTORY, [case], case, role="dsl", field_class="story")
    assert shown == recorder.rows(case)
    assert [read.position for read in reads.readers(case)] == [position]
    earlier = reads.log_and_rows(
        account, HISTORY, [case], case, role="dsl", field_class="story", position=position - 1
    )
    assert [row.originator_version for row in earlier] == [1, 2]
    assert [read.position for read in reads.readers(case)] == [position - 1, position]


def test_a_list_without_anybody_on_it_is_logged_too(reads: ReadLog) -> None:
    assert looked(reads, uuid4()) > 0


@pytest.mark.race
def test_reads_are_numbered_without_a_gap(reads: ReadLog, databases: Databases) -> None:
    threads = [
        threading.Thread(target=lambda: [looked(reads, uuid4(), uuid4()) for _ in range(20)])
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with psycopg.connect(databases.app) as connection:
        numbers = [row[0] for row in connection.execute("SELECT id FROM record.reads ORDER BY id")]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 120


def test_nothing_is_shown_when_the_log_is_out_of_reach(keys: KeyStore) -> None:
    with open_pool("host=/nonexistent dbname=none", max_size=1) as pool:
        reads = ReadLog(pool, keys, patience=0.2)
        with pytest.raises(RecordUnavailable, match="nothing is shown"):
            looked(reads, uuid4(), uuid4())
        with pytest.raises(RecordUnavailable, match="nothing is shown"):
            reads.log_and_rows(uuid4(), HISTORY, [], uuid4(), role="dsl", field_class="story")


def test_nothing_is_shown_when_the_keys_are_out_of_reach(pool: ConnectionPool) -> None:
    with open_pool("host=/nonexistent dbname=none", max_size=1) as nowhere:
        reads = ReadLog(pool, KeyStore(nowhere, bytes(32), patience=0.2))
        with pytest.raises(RecordUnavailable, match="nothing is shown"):
            looked(reads, uuid4(), uuid4())


def test_nothing_is_shown_when_the_entry_is_refused(reads: ReadLog) -> None:
    with pytest.raises(RecordUnavailable, match="nothing is shown"):
        reads.log(uuid4(), "", [uuid4()], role="dsl", field_class="story", position=1)
    with pytest.raises(RecordUnavailable, match="nothing is shown"):
        looked(reads, uuid4(), uuid4(), reason="\ud800")


def test_after_an_account_is_forgotten_its_reads_still_stand(
    reads: ReadLog, keys_pool: ConnectionPool, pool: ConnectionPool
) -> None:
    account, case = uuid4(), uuid4()
    number = looked(reads, account, case, reason="canary")
    with keys_pool.connection() as connection:
        connection.execute(
            "UPDATE keys.data_keys SET wrapped = NULL, destroyed_at = now() WHERE originator_id = %s",
            [account],
        )
    fresh = ReadLog(pool, KeyStore(keys_pool, bytes(range(32))))
    (read,) = fresh.readers(case)
    assert (read.id, read.account, read.role, read.reason) == (number, account, None, None)
    with pytest.raises(RecordUnavailable):
        looked(fresh, account, case)


def test_an_entry_that_cant_be_opened_says_so_and_hides_no_other(
    reads: ReadLog, databases: Databases
) -> None:
    """As the web server's password is enough to add: moved to another account, or of one without a key."""
    account, thief, case = uuid4(), uuid4(), uuid4()
    number = looked(reads, account, case, reason="inspection")
    looked(reads, thief, uuid4())
    with psycopg.connect(databases.app, autocommit=True) as connection:
        for whose in (thief, uuid4()):
            connection.execute(
                "INSERT INTO record.reads (account, route, subjects, state)"
                " SELECT %s, route, ARRAY[%s::uuid], state FROM record.reads WHERE id = %s",
                [whose, case, number],
            )
    *forged, first = reads.readers(case)
    assert [(one.broken, one.role, one.reason) for one in forged] == [(True, None, None)] * 2
    assert (first.account, first.reason, first.broken) == (account, "inspection", False)
