"""While a list is made anew, people read it and others record."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event
from uuid import UUID

import pytest

from domain.fact import Subject
from domain.mentee_case import MenteeCase
from domain.pupil import Pupil
from projections.all_models import MODELS
from projections.caseload import Caseload
from projections.positions import wait_for
from projections.rebuild import rebuild
from projections.roll import Roll
from tests.projections.conftest import Record, until
from tests.projections.makers import a_pupil, day, on, referred

Shown = Callable[[], dict[UUID, int]]
ALL = 100_000


def cases(record: Record) -> Shown:
    caseload = Caseload(record.pool)
    return lambda: {case.case_id: case.version for case in caseload.cases(limit=ALL)}


def pupils(record: Record) -> Shown:
    roll = Roll(record.pool)
    return lambda: {pupil.pupil_id: pupil.version for pupil in roll.pupils(left=True, limit=ALL)}


def reading(shown: Shown, stop: Event) -> int:
    """Read until told to stop: whoever was there stays, as far on as before. Gives how often it was read."""
    before, times = shown(), 0
    assert len(before) >= 40
    while not stop.is_set():
        now = shown()
        assert {one: now.get(one) for one, version in before.items() if now.get(one, 0) < version} == {}
        before, times = now, times + 1
    return times


def recording(record: Record, stop: Event) -> list[Subject]:
    """Record until told to stop, of old subjects and new ones. Gives all of them."""
    recorded: list[tuple[MenteeCase, Pupil]] = []
    while not stop.is_set():
        recorded.append((referred(0), a_pupil("Siân", "O'Neill")))
        record.save(*recorded[-1])
        case, pupil = recorded[len(recorded) // 2]
        case.send_letter(on(1), kind="Mentoring begins", sent_on=day(1))
        pupil.move_up(on(1), year_group=9, tutor_group="9C")
        record.save(case, pupil)
    return [subject for both in recorded for subject in both]


@pytest.mark.parametrize(
    ("name", "asked", "kind"), [("caseload", cases, MenteeCase), ("roll", pupils, Pupil)]
)
def test_readers_see_no_gap_and_appends_go_on(
    record: Record, name: str, asked: Callable[[Record], Shown], kind: type[Subject]
) -> None:
    for _ in range(40):
        record.save(referred(0), a_pupil("Tom", "Ng"))
    record.catch_up()
    shown, stop = asked(record), Event()
    with ThreadPoolExecutor(3) as threads:
        readers = [threads.submit(reading, shown, stop) for _ in range(2)]
        writer = threads.submit(recording, record, stop)

        def has_gone_on(position: int) -> bool:
            return writer.done() or record.newest >= position

        try:
            with record.projecting(batch=20):
                for _ in range(6):
                    goal = record.newest + 5
                    until(partial(has_gone_on, goal))
                    rebuild(record.pool, record.recorder.rows_after, record.mapper, MODELS[name], batch=20)
                stop.set()
                writer.exception()
                assert wait_for(record.pool, record.newest, MODELS, timeout=10)
        finally:
            stop.set()
    assert min(reader.result() for reader in readers) > 20
    recorded = {one.id: one.version for one in writer.result() if isinstance(one, kind)}
    assert recorded.items() <= shown().items()
