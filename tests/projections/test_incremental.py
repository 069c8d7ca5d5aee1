from collections import Counter
from random import Random

import pytest

from projections.all_models import MODELS
from projections.positions import status, wait_for
from projections.projector import open_rows
from projections.read_model import by_kind
from projections.rebuild import rebuild
from tests.projections.conftest import Record
from tests.projections.school import School


@pytest.mark.parametrize("seed", range(6))
def test_batches_and_stops_make_the_same_rows_as_one_fold_of_everything_and_as_a_rebuild(
    record: Record, seed: int
) -> None:
    school, chance = School(seed), Random(seed)
    for size in (1, chance.randrange(2, 60), chance.randrange(2, 60)):
        school.facts(40, record.save)
        newest = record.recorder.max_notification_id() or 0
        with record.projecting(batch=size):
            assert wait_for(record.pool, chance.randrange(newest), MODELS, timeout=6)
    record.catch_up()

    told = open_rows(record.mapper, record.recorder.rows_after(0, 1_000_000))
    for name, model in MODELS.items():
        live = record.rows(name)
        expected = model.fold([], by_kind(told, {model.kind})[model.kind])
        assert sorted(map(repr, live)) == sorted(repr(tuple(row)) for row in expected.rows)
        rebuild(record.pool, record.recorder.rows_after, record.mapper, model)
        assert record.rows(name) == live


def test_chance_reaches_every_kind_of_row() -> None:
    school, told = School(3), Counter[str]()
    school.facts(3000, lambda *subjects: told.update(f.TOPIC for s in subjects for f in s.collect_events()))
    kinds = {topic.partition(".")[0] for topic in told}
    assert kinds == {model.kind for model in MODELS.values()}
    assert {"mentee-case.extended", "mentee-case.reopened", "mentor.handed-back", "concern.reopened"} <= set(
        told
    )


def test_every_list_stands_at_the_end_of_the_record_without_a_fault(record: Record) -> None:
    School(1).facts(30, record.save)
    record.catch_up()
    newest = record.recorder.max_notification_id()
    assert [(s.name, s.position, s.lag, s.fault) for s in status(record.pool)] == [
        (name, newest, 0, None) for name in sorted(MODELS)
    ]


@pytest.mark.parametrize("name", MODELS)
def test_a_rebuild_beside_a_projector_at_work_loses_nothing(record: Record, name: str) -> None:
    school = School(5)
    with record.projecting(batch=10):
        for _ in range(4):
            school.facts(25, record.save)
            rebuild(record.pool, record.recorder.rows_after, record.mapper, MODELS[name], batch=7)
        newest = record.recorder.max_notification_id() or 0
        assert wait_for(record.pool, newest, MODELS, timeout=10)
    live = record.rows(name)
    rebuild(record.pool, record.recorder.rows_after, record.mapper, MODELS[name])
    assert record.rows(name) == live
