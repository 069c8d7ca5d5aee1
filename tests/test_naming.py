"""Pupils are called as the roll has them now, although it isn't asked again while nothing was recorded."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from psycopg.sql import SQL, Identifier

from app.access.person import Person
from app.naming import names_for
from app.settings import Settings
from domain.policy import Policy
from projections.roll import ROLL
from tests.projections.conftest import Record, opened
from tests.projections.makers import a_pupil, referred
from tests.scenario import by


class Calling:
    """A record with one pupil and the first fact of their case, and how the pupil is called in it."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.pool = record.pool
        self.pupil = a_pupil("Siân", "O'Neill")
        case = referred(1, pupil_id=self.pupil.id)
        self.fact: Any = case.pending_events[0]
        self.newest = record.save(self.pupil, case)

    def rename(self, given_name: str) -> None:
        """Correct the pupil's name."""
        self.pupil.correct(by(), version=1, field="given_name", value=given_name, reason="Misspelt")
        self.newest = self.record.save(self.pupil)

    def called(self, position: int | None, role: str = "coordinator") -> str | None:
        """How somebody sees the pupil called who was let in when `position` was the newest."""
        person = Person(UUID(int=9), role, "Ms Price", position=position)
        return names_for(self, person, Policy(), [self.fact]).pupils.get(self.pupil.id)

    def take_roll_away(self) -> None:
        """Whoever asks the roll now is answered with nothing."""
        with self.pool.connection() as connection:
            connection.execute(SQL("DROP TABLE {}").format(Identifier("views", ROLL.name)))


@pytest.fixture
def calling(settings: Settings) -> Iterator[Calling]:
    with opened(settings) as record:
        found = Calling(record)
        record.catch_up()
        yield found


def test_a_name_holds_until_the_record_has_another_fact(calling: Calling) -> None:
    assert calling.called(calling.newest) == "Siân O'Neill"
    calling.take_roll_away()
    assert calling.called(calling.newest) == "Siân O'Neill"
    assert calling.called(calling.newest + 1) is None
    assert calling.called(None) is None


def test_a_name_that_the_roll_had_before_it_heard_of_another_is_not_kept(calling: Calling) -> None:
    calling.called(calling.newest)
    calling.rename("Sian")
    assert calling.called(calling.newest) == "Siân O'Neill"
    calling.record.catch_up()
    assert calling.called(calling.newest) == "Sian O'Neill"


def test_an_inspector_reads_a_code_whatever_is_known(calling: Calling) -> None:
    assert calling.called(calling.newest) == "Siân O'Neill"
    assert calling.called(calling.newest, "inspector") == f"Pupil {calling.pupil.id.hex[:6].upper()}"
