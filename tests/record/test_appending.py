"""Appends in company: in one commit, each with its own answer, and none for another's fault."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from eventsourcing.persistence import StoredEvent

from app.record.appending import Together
from app.record.direct import Statement
from app.record.pool import open_pool
from app.record.recorder import (
    Appended,
    CommandKey,
    CommandReused,
    Facts,
    Recorder,
    RecordUnavailable,
    Remembered,
    VersionConflict,
)
from tests.record.conftest import Databases

HEAD = "SELECT FROM record.heads WHERE log = 'events' FOR UPDATE"


def fact(originator_id: UUID, version: int, topic: str = "pupil.enrolled") -> StoredEvent:
    return StoredEvent(originator_id, version, topic, uuid4().bytes)


def command(command_id: UUID, request: bytes = b"request") -> CommandKey:
    return CommandKey(command_id, UUID(int=7), "/cases/{id}/match", request)


Given = Callable[[], Any]


def until(together: Together, *, decided: bool) -> None:
    """Until one append is being recorded, and no more than the next one has been decided."""
    while together._deciding != decided or not together._recording.locked() or together._waiting:
        threading.Event().wait(0.005)


def in_company(recorder: Recorder, superuser: psycopg.Connection, given: list[Given]) -> list[Any]:
    """What each gave or raised, when all but the first waited together: one append was held up, and the next
    one had been decided.
    """
    outcomes: list[Any] = [None] * len(given)

    def give(n: int) -> None:
        try:
            outcomes[n] = given[n]()
        except Exception as error:
            outcomes[n] = error

    with ThreadPoolExecutor(len(given) + 1) as threads:
        with superuser.transaction():
            superuser.execute(HEAD)
            held = []
            for decided in (False, True):
                held.append(threads.submit(recorder.append, [fact(uuid4(), 1)]))
                until(recorder._together, decided=decided)
            jobs = [threads.submit(give, n) for n in range(1, len(given))]
            while len(recorder._together._waiting) < len(jobs):
                threading.Event().wait(0.005)
        assert all(isinstance(one.result(), Appended) for one in held)
        for job in jobs:
            job.result()
    give(0)
    return outcomes


def test_what_waits_together_is_recorded_together_and_answered_apart(
    recorder: Recorder, superuser: psycopg.Connection
) -> None:
    before = recorder.max_notification_id() or 0
    taken, fresh = uuid4(), [uuid4() for _ in range(6)]
    recorder.append([fact(taken, 1)])
    known = uuid4()
    first = recorder.append([fact(fresh[0], 1)], command=command(known))

    def again() -> Appended:
        return recorder.append([fact(fresh[0], 1)], command=command(known))

    def reused() -> Appended:
        return recorder.append([fact(fresh[1], 1)], command=command(known, b"another"))

    def late() -> Appended:
        return recorder.append([fact(fresh[2], 1), fact(taken, 1)], command=command(uuid4()))

    def new(n: int) -> Given:
        return lambda: recorder.append([fact(fresh[n], 1), fact(fresh[n], 2)], command=command(uuid4()))

    outcomes = in_company(recorder, superuser, [lambda: None, new(3), again, reused, late, new(4), new(5)])[
        1:
    ]
    replayed, others = outcomes[1], [outcomes[0], *outcomes[4:]]
    assert (replayed.position, replayed.version, replayed.replayed) == (first.position, 1, True)
    assert isinstance(outcomes[2], CommandReused)
    assert isinstance(outcomes[3], VersionConflict)
    assert all(one.version == 2 and not one.replayed for one in others)
    for one, subject in zip(others, fresh[3:], strict=True):
        assert [row.notification_id for row in recorder.rows(subject)] == [one.position - 1, one.position]
        assert recorder.rows(subject)[-1].recorded_at == one.recorded_at
    assert recorder.rows(fresh[1]) == recorder.rows(fresh[2]) == []
    ids = [row.notification_id for row in recorder.rows_after(before, 1000)]
    assert ids == list(range(before + 1, before + len(ids) + 1))
    assert len(ids) == 2 + 2 + 6


def test_they_share_one_commit(
    recorder: Recorder, superuser: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    ask = Statement.ask

    def counted(self: Statement, *what: Any) -> Any:
        asked.append(self)
        return ask(self, *what)

    monkeypatch.setattr(Statement, "ask", counted)
    subjects = [uuid4() for _ in range(5)]
    keys = [command(uuid4()) if n % 2 else None for n in range(5)]
    appends: list[Given] = [
        partial(recorder.append, [fact(subject, v + 1) for v in range(n + 1)], command=key)
        for n, (subject, key) in enumerate(zip(subjects, keys, strict=True))
    ]
    outcomes = in_company(recorder, superuser, [lambda: None, *appends])[1:]
    assert len(asked) == 3
    for n, (subject, key, one) in enumerate(zip(subjects, keys, outcomes, strict=True)):
        stored = recorder.rows(subject)
        assert [row.notification_id for row in stored] == list(range(one.position - n, one.position + 1))
        assert (one.version, one.recorded_at, one.replayed) == (n + 1, stored[-1].recorded_at, False)
        if key is not None:
            assert recorder.remembered(key) == Remembered(subject, n + 1, one.position)


def test_a_reply_that_all_of_them_lost_is_found_again_for_each(
    recorder: Recorder, superuser: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    ask = Statement.ask

    def loses_the_last(self: Statement, connection: psycopg.Connection, *what: Any) -> Any:
        nonlocal asked
        asked += 1
        answer = ask(self, connection, *what)
        if asked == 3:
            connection.close()
            raise psycopg.OperationalError("the connection was lost")
        return answer

    monkeypatch.setattr(Statement, "ask", loses_the_last)
    subjects = [uuid4() for _ in range(5)]
    keys = [command(uuid4()) if n % 2 else None for n in range(5)]
    appends: list[Given] = [
        partial(recorder.append, [fact(subject, 1), fact(subject, 2)], command=key)
        for subject, key in zip(subjects, keys, strict=True)
    ]
    outcomes = in_company(recorder, superuser, [lambda: None, *appends])[1:]
    assert asked > 3
    for subject, key, one in zip(subjects, keys, outcomes, strict=True):
        stored = recorder.rows(subject)
        assert [row.notification_id for row in stored] == [one.position - 1, one.position]
        assert (one.version, one.recorded_at, one.replayed) == (2, stored[-1].recorded_at, key is not None)


def test_one_command_sent_twice_at_once_is_recorded_once(
    recorder: Recorder, superuser: psycopg.Connection
) -> None:
    subjects, key = [uuid4() for _ in range(3)], command(uuid4())
    appends: list[Given] = [partial(recorder.append, [fact(s, 1)], command=key) for s in subjects]
    outcomes = in_company(recorder, superuser, [lambda: None, *appends])[1:]
    assert sorted(one.replayed for one in outcomes) == [False, True, True]
    assert len({(one.position, one.version, one.recorded_at) for one in outcomes}) == 1
    assert sum(len(recorder.rows(s)) for s in subjects) == 1


def test_what_waits_is_decided_by_whoever_records_and_refused_to_its_own(
    recorder: Recorder, superuser: psycopg.Connection
) -> None:
    subjects, deciders = [uuid4() for _ in range(4)], []

    def in_turn(subject: UUID) -> Given:
        def make() -> Facts:
            deciders.append(threading.get_ident())
            if subject == subjects[1]:
                raise LookupError("not so")
            one = fact(subject, 1)
            return Facts([one], one, command(uuid4()))

        return lambda: recorder.append_in_turn(make)

    outcomes = in_company(recorder, superuser, [lambda: None, *map(in_turn, subjects)])[1:]
    assert len(deciders) == 4
    assert len(set(deciders)) == 1
    assert isinstance(outcomes.pop(1), LookupError)
    assert len({one.position for one in outcomes}) == 3
    assert [len(recorder.rows(subject)) for subject in subjects] == [1, 0, 1, 1]


def test_a_turn_without_facts_holds_nobody_up(recorder: Recorder, superuser: psycopg.Connection) -> None:
    def never() -> Facts:
        raise LookupError("not so")

    subject = uuid4()
    with pytest.raises(LookupError):
        recorder.append_in_turn(never)
    outcomes = in_company(
        recorder,
        superuser,
        [lambda: None, *[lambda: recorder.append_in_turn(never)] * 3],
    )[1:]
    assert [type(one) for one in outcomes] == [LookupError] * 3
    assert recorder.append([fact(subject, 1)]).version == 1


def test_a_fault_of_one_is_only_its_own(recorder: Recorder, superuser: psycopg.Connection) -> None:
    good, bad = uuid4(), uuid4()
    outcomes = in_company(
        recorder,
        superuser,
        [
            lambda: None,
            lambda: recorder.append([fact(good, 1)]),
            lambda: recorder.append([fact(bad, 1, topic="x" * 201)]),
            lambda: recorder.append([fact(bad, 3)]),
        ],
    )
    assert isinstance(outcomes[1], Appended)
    assert isinstance(outcomes[2], psycopg.errors.CheckViolation)
    assert isinstance(outcomes[3], psycopg.errors.CheckViolation)
    assert len(recorder.rows(good)) == 1
    assert recorder.rows(bad) == []


def test_whoever_waits_for_a_record_that_is_out_of_reach_does_not_wait_in_turn(databases: Databases) -> None:
    with open_pool(databases.app, wait=True) as pool:
        recorder = Recorder(pool, patience=0.5)
        pool.close()
        with ThreadPoolExecutor(6) as threads:
            jobs = [threads.submit(recorder.append, [fact(uuid4(), 1)]) for _ in range(6)]
            for job in jobs:
                with pytest.raises(RecordUnavailable):
                    job.result(timeout=5)
        assert not recorder._together._deciding


@pytest.mark.race
def test_many_threads_and_one_subject_leave_no_gap(recorder: Recorder) -> None:
    subject = uuid4()
    recorder.append([fact(subject, 1)])
    before = recorder.max_notification_id() or 0

    def work(n: int) -> int:
        done = 0
        for _ in range(20):
            try:
                recorder.append([fact(subject, len(recorder.rows(subject)) + 1), fact(uuid4(), 1)])
                done += 1
            except VersionConflict:
                recorder.append([fact(uuid4(), 1)])
        return done

    with ThreadPoolExecutor(12) as threads:
        won = sum(threads.map(work, range(12)))
    rows = recorder.rows_after(before, 10_000)
    assert [row.notification_id for row in rows] == list(range(before + 1, before + len(rows) + 1))
    assert [row.originator_version for row in recorder.rows(subject)] == list(range(1, won + 2))
    assert len(rows) == won * 2 + (12 * 20 - won)
