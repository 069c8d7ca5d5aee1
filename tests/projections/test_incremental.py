import pkgutil
from collections import Counter, defaultdict
from functools import cache
from importlib import import_module
from random import Random
from typing import Any

import pytest

import domain
from domain.fact import FACTS, Fact, Subject
from projections.all_models import MODELS
from projections.positions import status, wait_for
from projections.projector import open_rows
from projections.read_model import Told, by_kind
from projections.rebuild import rebuild
from tests.projections.conftest import Record
from tests.projections.school import School
from tests.projections.stops import Stops

SEEDS = range(6)
DAYS = 10
FACTS_A_DAY = 40


def are_destroyed(seed: int) -> bool:
    """Whether the keys of what this stream erases go."""
    return seed % 2 == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_batches_and_stops_make_the_same_rows_as_one_fold_of_everything_and_as_a_rebuild(
    record: Record, seed: int
) -> None:
    school, chance = School(seed), Random(seed)
    stops = Stops(record, chance)
    for _ in range(DAYS):
        school.facts(FACTS_A_DAY, record.save, record.destroy if are_destroyed(seed) else None)
        stops.work_a_while()
        if chance.random() < 0.5:
            stops.rebuild_one()
            stops.work_a_while()
    record.catch_up()
    assert sum(n for how, n in stops.seen.items() if how.startswith(("killed", "cancelled"))) > 3, stops.seen

    rows = record.recorder.rows_after(0, 1_000_000)
    assert [row.topic for row in rows] == [fact.TOPIC for fact in stream(seed)]
    told = open_rows(record.mapper, rows)
    for name, model in MODELS.items():
        live = record.rows(name)
        expected = model.fold([], by_kind(told, {model.kind})[model.kind])
        assert sorted(map(repr, live)) == sorted(repr(tuple(row)) for row in expected.rows)
        rebuild(record.pool, record.recorder.rows_after, record.mapper, model)
        assert record.rows(name) == live


@cache
def stream(seed: int) -> list[Fact]:
    """The facts that are told with this seed, in their order."""
    facts: list[Any] = []
    school = School(seed)

    def save(*subjects: Subject) -> None:
        facts.extend(fact for subject in subjects for fact in subject.collect_events())

    for _ in range(DAYS):
        school.facts(FACTS_A_DAY, save, (lambda _: None) if are_destroyed(seed) else None)
    return facts


def test_every_kind_of_fact_is_told_in_several_of_these_streams() -> None:
    for module in pkgutil.iter_modules(domain.__path__):
        import_module(f"domain.{module.name}")
    told = Counter(topic for seed in SEEDS for topic in {fact.TOPIC for fact in stream(seed)})
    assert {topic: told[topic] for topic in FACTS if told[topic] < 2} == {}


def test_every_column_of_every_list_is_set_in_these_streams() -> None:
    found: dict[tuple[str, int], set[str]] = defaultdict(set)
    for seed in SEEDS:
        told = [Told(fact, n, fact.timestamp) for n, fact in enumerate(stream(seed), 1)]
        for name, model in MODELS.items():
            for row in model.fold([], by_kind(told, {model.kind})[model.kind]).rows:
                for column, value in enumerate(row):
                    found[name, column].add(repr(value))
    assert [place for place, values in found.items() if len(values) < 2] == []


def test_every_list_stands_at_the_end_of_the_record_without_a_fault(record: Record) -> None:
    School(1).facts(30, record.save)
    record.catch_up()
    assert [(s.name, s.position, s.lag, s.fault) for s in status(record.pool)] == [
        (name, record.newest, 0, None) for name in sorted(MODELS)
    ]


@pytest.mark.parametrize("name", MODELS)
def test_a_rebuild_beside_a_projector_at_work_loses_nothing(record: Record, name: str) -> None:
    school = School(5)
    with record.projecting(batch=10):
        for _ in range(4):
            school.facts(25, record.save)
            rebuild(record.pool, record.recorder.rows_after, record.mapper, MODELS[name], batch=7)
        assert wait_for(record.pool, record.newest, MODELS, timeout=10)
    live = record.rows(name)
    rebuild(record.pool, record.recorder.rows_after, record.mapper, MODELS[name])
    assert record.rows(name) == live
