"""Somebody else holds a lock and doesn't let go: a forgotten psql, an upgrade that stopped half-way."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest

from app.embedded import Embedded
from tests.faults.school import HEALS_SECONDS, School
from tests.faults.visit import LOOKING, SENDING, Visit, is_told_in_words

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]
LOOKING_AT_LISTS: Final = ("today", "case", "list")


@contextmanager
def held(school: School, lock: str, cluster: Embedded | None = None) -> Iterator[None]:
    """A transaction that was left open."""
    with school.superuser(cluster) as idle, idle.transaction():
        idle.execute(lock)
        yield


def test_while_the_records_lock_is_held_nothing_is_recorded_and_all_is_shown(school: School) -> None:
    visit = Visit(school)
    with school.busy():
        with held(school, "SELECT FROM record.heads WHERE log = 'events' FOR UPDATE"):
            is_told_in_words(visit, visit.all_at_once(), *SENDING)
        visit.everything_works_again(HEALS_SECONDS)


def test_while_looks_cannot_be_noted_nothing_is_shown(school: School) -> None:
    visit = Visit(school)
    with school.busy():
        with held(school, "UPDATE record.heads SET size = size"):
            is_told_in_words(visit, visit.all_at_once(), *LOOKING, *SENDING)
        visit.everything_works_again(HEALS_SECONDS)


def test_while_the_facts_are_locked_each_reader_hears_it_soon(school: School) -> None:
    visit = Visit(school)
    with school.busy():
        with held(school, "LOCK TABLE record.events IN ACCESS EXCLUSIVE MODE"):
            is_told_in_words(visit, visit.all_at_once(), "case", *SENDING, perhaps=(*LOOKING, "box"))
        visit.everything_works_again(HEALS_SECONDS)


def test_while_nobody_can_be_let_in_a_worry_is_kept(school: School) -> None:
    visit = Visit(school)
    with school.busy():
        with held(school, "LOCK TABLE access.accounts IN ACCESS EXCLUSIVE MODE"):
            is_told_in_words(visit, visit.all_at_once(), *LOOKING, "box", *SENDING)
        visit.everything_works_again(HEALS_SECONDS)


def test_a_list_that_is_locked_keeps_nobody_from_telling(school: School) -> None:
    visit = Visit(school)
    with school.busy():
        with held(school, "LOCK TABLE views.caseload, views.staff IN ACCESS EXCLUSIVE MODE"):
            is_told_in_words(visit, visit.all_at_once(), *LOOKING_AT_LISTS)
        visit.everything_works_again(HEALS_SECONDS)
