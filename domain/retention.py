"""How long each part of the record is kept, by the school's own rules. It reckons, and asks no record.

Concerns are kept until long after birth and then looked at by a person. What is mentoring alone, and a
mentor's own record, goes sooner. Whoever has no leaving day on the roll has left school on the 31 August
after their 18th birthday at the latest.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal
from uuid import UUID

from domain.policy import Policy

Scope = Literal["identity", "narrative", "mentor"]
SCHOOL_ENDS_AT: Final = 18
_AUGUST_31: Final = (8, 31)


@dataclass(frozen=True)
class Person:
    """What the clocks ask of one pupil. `kept_until` is a person's decision to keep everything longer."""

    born_on: date
    left_on: date | None = None
    held: bool = False
    kept_until: date | None = None


@dataclass(frozen=True)
class Matter:
    """What would be erased together, and what speaks against it.

    `targets` are the aggregates whose keys would go; `keep_until` is the last clock's day; `kept_until` the
    day to which somebody decided to keep it; `still_open` says in a sentence what must end first.
    """

    scope: Scope
    subject_id: UUID
    pupil_id: UUID | None
    targets: tuple[UUID, ...]
    people: tuple[UUID, ...]
    keep_until: date
    kept_until: date | None = None
    held: bool = False
    with_concern: bool = False
    still_open: str | None = None


def years_after(day: date, years: int) -> date:
    """The same day so many years later; for 29 February the 1 March of a year without one."""
    try:
        return day.replace(year=min(day.year + years, date.max.year))
    except ValueError:
        return date(day.year + years, 3, 1)


def left_school(person: Person) -> date:
    """When this pupil left, or will have left at the latest."""
    if person.left_on is not None:
        return person.left_on
    grown_up = years_after(person.born_on, SCHOOL_ENDS_AT)
    august = date(grown_up.year, *_AUGUST_31)
    return august if grown_up <= august else date(grown_up.year + 1, *_AUGUST_31)


def concerns_until(policy: Policy, people: Iterable[Person], ended_on: date | None) -> date:
    """Until when a concern is kept: for the youngest of those in it. With nobody known, as for a newborn."""
    years = policy.keep_concerns_until_age
    clocks = [years_after(person.born_on, years) for person in people]
    if not clocks and ended_on is not None:
        clocks = [years_after(ended_on, years)]
    return max(clocks, default=date.min)


def mentoring_until(policy: Policy, person: Person | None, ended_on: date | None) -> date:
    """Until when a case without any concern is kept: so long after school, and after the case ended."""
    return _after_school(policy.keep_mentoring_years, person, ended_on)


def mentors_until(policy: Policy, person: Person | None, ended_on: date | None) -> date:
    """Until when a mentor's own record is kept."""
    return _after_school(policy.keep_mentors_years, person, ended_on)


def _after_school(years: int, person: Person | None, ended_on: date | None) -> date:
    begins = [left_school(person)] if person is not None else []
    if ended_on is not None:
        begins.append(ended_on)
    return years_after(max(begins), years) if begins else date.min
