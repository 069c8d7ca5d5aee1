import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from eventsourcing.persistence import IntegrityError, StoredEvent

from app.record.direct import Statement
from app.record.pool import open_pool
from app.record.recorder import (
    Appended,
    CommandKey,
    CommandReused,
    Recorder,
    RecordUnavailable,
    VersionConflict,
)
from tests.record.conftest import Databases


def fact(originator_id: UUID, version: int, topic: str = "pupil.enrolled") -> StoredEvent:
    return StoredEvent(originator_id, version, topic, uuid4().bytes)


def command(request: bytes = b"request") -> CommandKey:
    return CommandKey(uuid4(), uuid4(), "/cases/{id}/match", request)


def at_once(count: int, work: Callable[[], object]) -> None:
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def end_connections(superuser: psycopg.Connection) -> None:
    superuser.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'casebook_app'")


def test_facts_come_back_as_they_were_recorded(recorder: Recorder) -> None:
    case, mentor = uuid4(), uuid4()
    facts = [fact(case, 1), fact(mentor, 1), fact(case, 2)]
    before = recorder.max_notification_id() or 0
    appended = recorder.append(facts, answer=mentor)
    assert (appended.position, appended.version, appended.replayed) == (before + 3, 1, False)
    assert recorder.max_notification_id() == before + 3
    rows = recorder.rows_after(before, 10)
    assert [(row.originator_id, row.originator_version, row.topic, row.state) for row in rows] == [
        (event.originator_id, event.originator_version, event.topic, event.state) for event in facts
    ]
    assert [row.notification_id for row in rows] == [before + 1, before + 2, before + 3]
    assert rows[-1].recorded_at == appended.recorded_at
    assert appended.recorded_at.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - appended.recorded_at) < timedelta(minutes=1)
    assert recorder.rows(case) == [rows[0], rows[2]]
    assert recorder.rows(case, upto=before + 2) == [rows[0]]
    assert recorder.rows(uuid4()) == []
    assert recorder.rows_after(before, 2) == rows[:2]


def test_the_library_reads_and_writes_through_it(recorder: Recorder) -> None:
    case = uuid4()
    ids = recorder.insert_events([fact(case, 1), fact(case, 2), fact(case, 3, "pupil.left")])
    assert list(ids) == [ids[0], ids[0] + 1, ids[0] + 2]
    assert recorder.insert_events([]) == []

    def versions(rows: Sequence[StoredEvent]) -> list[int]:
        return [row.originator_version for row in rows]

    assert versions(recorder.select_events(case)) == [1, 2, 3]
    assert versions(recorder.select_events(case, gt=1)) == [2, 3]
    assert versions(recorder.select_events(case, lte=2)) == [1, 2]
    assert versions(recorder.select_events(case, desc=True, limit=2)) == [3, 2]
    assert versions(recorder.select_events(case, gt=1, lte=2, limit=5)) == [2]
    assert versions(recorder.select_events(str(case), limit=1)) == [1]
    start = ids[0]
    assert versions(recorder.select_notifications(start, 10)) == [1, 2, 3]
    assert versions(recorder.select_notifications(start, 10, inclusive_of_start=False)) == [2, 3]
    assert versions(recorder.select_notifications(start, 10, stop=start + 1)) == [1, 2]
    assert versions(recorder.select_notifications(start, 1)) == [1]
    assert versions(recorder.select_notifications(start, 10, topics=["pupil.left"])) == [3]
    assert recorder.select_notifications(None, 1)[0].id == 1
    with pytest.raises(TypeError, match="append"):
        recorder.insert_events([fact(uuid4(), 1)], command=command())


def test_a_subscription_hears_what_is_recorded_later_and_stops(recorder: Recorder) -> None:
    before = recorder.max_notification_id() or 0
    case = uuid4()
    recorder.append([fact(case, 1)])
    heard: list[int] = []
    with recorder.subscribe(gt=before) as subscription:
        thread = threading.Thread(target=lambda: heard.extend(row.originator_version for row in subscription))
        thread.start()
        recorder.append([fact(case, 2), fact(case, 3)])
        deadline = time.monotonic() + 5
        while len(heard) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
    thread.join(5)
    assert not thread.is_alive()
    assert heard == [1, 2, 3]


def test_a_fact_on_a_version_that_is_taken_is_refused_whole(recorder: Recorder) -> None:
    case, other = uuid4(), uuid4()
    recorder.append([fact(case, 1)])
    with pytest.raises(VersionConflict) as caught:
        recorder.append([fact(other, 1), fact(case, 1)])
    assert isinstance(caught.value, IntegrityError)
    assert recorder.rows(other) == []


def test_the_same_command_again_is_answered_and_not_done_again(recorder: Recorder) -> None:
    case, mentor, key = uuid4(), uuid4(), command()
    assert recorder.remembered(key) is None
    first = recorder.append([fact(case, 1), fact(case, 2), fact(mentor, 1)], command=key, answer=case)
    recorder.append([fact(case, 3)])
    again = recorder.append([fact(case, 4)], command=key, answer=case)
    assert again == Appended(first.position, 2, first.recorded_at, replayed=True)
    assert len(recorder.rows(case)) == 3
    remembered = recorder.remembered(key)
    assert remembered is not None
    assert (remembered.originator_id, remembered.version, remembered.position) == (case, 2, first.position)


def test_a_command_id_belongs_to_one_account_and_one_route(recorder: Recorder) -> None:
    key, case = command(), uuid4()
    recorder.append([fact(case, 1)], command=key)
    others = [
        CommandKey(key.command_id, uuid4(), key.route, key.request_hmac),
        CommandKey(key.command_id, key.account, "/cases/{id}/close", key.request_hmac),
    ]
    for version, other in enumerate(others, 2):
        assert not recorder.append([fact(case, version)], command=other).replayed


def test_another_request_under_the_same_command_id_is_refused(recorder: Recorder) -> None:
    key, case = command(), uuid4()
    recorder.append([fact(case, 1)], command=key)
    other = CommandKey(key.command_id, key.account, key.route, b"another request")
    with pytest.raises(CommandReused):
        recorder.append([fact(case, 2)], command=other)
    with pytest.raises(CommandReused):
        recorder.remembered(other)
    assert len(recorder.rows(case)) == 1


def test_a_refused_command_is_not_remembered(recorder: Recorder) -> None:
    key, case = command(), uuid4()
    recorder.append([fact(case, 1)])
    with pytest.raises(VersionConflict):
        recorder.append([fact(case, 1)], command=key)
    assert recorder.remembered(key) is None


def test_listeners_hear_that_something_was_recorded_and_nothing_about_it(
    recorder: Recorder, databases: Databases
) -> None:
    with psycopg.connect(databases.app, autocommit=True) as listener:
        listener.execute("LISTEN casebook")
        key, case = command(), uuid4()
        recorder.append([fact(case, 1), fact(case, 2)], command=key)
        recorder.append([fact(case, 3)], command=key)
        with pytest.raises(VersionConflict):
            recorder.append([fact(case, 1)])
        heard = [notify.payload for notify in listener.notifies(timeout=0.3)]
    assert heard == [""]


@pytest.mark.race
def test_one_command_sent_fifty_times_at_once_is_done_once(recorder: Recorder) -> None:
    key, case = command(), uuid4()
    answers: list[Appended] = []
    at_once(50, lambda: answers.append(recorder.append([fact(case, 1)], command=key)))
    assert len(answers) == 50
    assert len({(answer.position, answer.version, answer.recorded_at) for answer in answers}) == 1
    assert [answer.replayed for answer in answers].count(False) == 1
    assert len(recorder.rows(case)) == 1


@pytest.mark.race
def test_of_those_who_decide_on_the_same_version_one_succeeds(recorder: Recorder) -> None:
    case, mentor = uuid4(), uuid4()
    recorder.append([fact(mentor, 1)])
    outcomes: list[str] = []

    def match() -> None:
        try:
            recorder.append([fact(uuid4(), 1), fact(mentor, 2)])
            outcomes.append("matched")
        except VersionConflict:
            outcomes.append("refused")

    at_once(12, match)
    assert sorted(outcomes) == ["matched"] + ["refused"] * 11
    assert recorder.rows(case) == []
    rows = recorder.rows_after(0, 10_000)
    assert [row.notification_id for row in rows] == list(range(1, len(rows) + 1))


def test_connections_that_were_ended_are_replaced_unnoticed(
    databases: Databases, superuser: psycopg.Connection
) -> None:
    with open_pool(databases.app, min_size=4, max_size=4, wait=True) as pool:
        recorder = Recorder(pool)
        case = uuid4()
        recorder.append([fact(case, 1)])
        end_connections(superuser)
        assert len(recorder.rows(case)) == 1
        end_connections(superuser)
        assert recorder.append([fact(case, 2)], command=command()).version == 2
        end_connections(superuser)
        assert recorder.append([fact(case, 3)]).version == 3


@pytest.mark.parametrize("with_command", [True, False])
def test_a_reply_that_is_lost_after_the_commit_does_not_record_twice(
    databases: Databases, with_command: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = 0
    ask = Statement.ask

    def loses_its_reply(self: Statement, connection: psycopg.Connection, values: Any) -> Any:
        nonlocal lost
        answer = ask(self, connection, values)
        if not lost:
            lost += 1
            connection.close()
            raise psycopg.OperationalError("the connection was lost")
        return answer

    with open_pool(databases.app, wait=True) as pool:
        recorder = Recorder(pool)
        case = uuid4()
        key = command() if with_command else None
        before = recorder.max_notification_id() or 0
        monkeypatch.setattr(Statement, "ask", loses_its_reply)
        appended = recorder.append([fact(case, 1), fact(case, 2)], command=key)
        assert lost == 1
        assert (appended.position, appended.version) == (before + 2, 2)
        assert appended.replayed is with_command
        assert recorder.max_notification_id() == before + 2


def test_a_connection_that_forgot_what_was_prepared_is_told_again(databases: Databases) -> None:
    with open_pool(databases.app, min_size=1, max_size=1, wait=True) as pool:
        recorder = Recorder(pool)
        case = uuid4()
        recorder.append([fact(case, 1)])
        with pool.connection() as connection:
            connection.execute("DEALLOCATE ALL")
        assert recorder.append([fact(case, 2)]).version == 2
        assert [row.originator_version for row in recorder.rows(case)] == [1, 2]


def test_a_record_that_is_locked_too_long_is_unavailable(
    recorder: Recorder, superuser: psycopg.Connection
) -> None:
    started = time.monotonic()
    with superuser.transaction():
        superuser.execute("SELECT FROM record.heads WHERE log = 'events' FOR UPDATE")
        with pytest.raises(RecordUnavailable):
            recorder.append([fact(uuid4(), 1)], command=command())
    assert 4 < time.monotonic() - started < 20
    assert recorder.append([fact(uuid4(), 1)]).version == 1


def test_a_record_out_of_reach_is_unavailable_and_says_nothing_of_the_fact() -> None:
    with open_pool("host=/nonexistent dbname=none", max_size=1) as pool:
        recorder = Recorder(pool, patience=0.2)
        with pytest.raises(RecordUnavailable, match=r"^The record can't be reached just now\.$"):
            recorder.append([fact(uuid4(), 1)])
        with pytest.raises(RecordUnavailable):
            recorder.rows(uuid4())


def test_a_demo_tells_its_facts_at_invented_times_in_order(recorder: Recorder) -> None:
    # After whatever time this record has reached: it never runs backwards, even in a demo.
    moment = datetime(2040, 3, 1, 13, 1, 0, 123456, tzinfo=UTC)
    case = uuid4()
    assert recorder.append([fact(case, 1)], demo_time=moment).recorded_at == moment
    earlier = recorder.append([fact(case, 2)], demo_time=moment - timedelta(days=9))
    assert earlier.recorded_at == moment
    assert recorder.append([fact(case, 3)]).recorded_at == moment


def test_an_append_must_make_sense(recorder: Recorder) -> None:
    with pytest.raises(ValueError, match="nothing to record"):
        recorder.append([])
    with pytest.raises(ValueError, match="one of the aggregates"):
        recorder.append([fact(uuid4(), 1)], answer=uuid4())
    with pytest.raises(ValueError, match="time zone"):
        recorder.append([fact(uuid4(), 1)], demo_time=datetime(2026, 1, 1))  # noqa: DTZ001
