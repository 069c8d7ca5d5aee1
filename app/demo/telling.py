"""How the invented year is told: through the same commands that people give, at the times of the stories.

A story is a generator that yields the time of its next step. All stories are told together in the order of
time, since the record's own clock never runs backwards; what would happen after now isn't told.
"""

import heapq
from collections.abc import Generator, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from app.access.person import Person
from app.casework import Casework
from app.commands import BY_KEY
from app.demo.terms import Days, at
from domain.concern import Concern
from domain.fact import By, Subject
from domain.staff import SYSTEM

Story = Generator[datetime, None, None]


class Teller:
    """Gives commands in the names of invented people. `now` is the moment up to which the year is told."""

    def __init__(self, casework: Casework, now: datetime, days: Days) -> None:
        self.casework = casework
        self.now = now
        self.today: date = now.date()
        self.day = days.back

    def time(self, back: int, clock: str) -> datetime:
        """A time on that day."""
        return at(self.day(back), clock)

    def tell(self, stories: Iterable[Story]) -> None:
        """Tell all stories up to now, each step at its time."""
        waiting: list[tuple[datetime, int, Story]] = []
        for number, story in enumerate(stories):
            _go_on(waiting, number, story)
        while waiting and waiting[0][0] <= self.now:
            when, number, story = heapq.heappop(waiting)
            self.casework.demo_time = when
            _go_on(waiting, number, story)

    def give(self, person: Person, command: str, subject_id: UUID | None = None, /, **said: Any) -> UUID:
        """Give a command, with values as a program would send them. Gives the subject's id."""
        doing = BY_KEY[command]
        key = self.casework.key(person, doing.rule, str(uuid4()), said)
        loaded = doing.schema.load(said)
        return self.casework.run(doing, person, loaded, key=key, subject_id=subject_id).subject.id

    def worry(self, person: Person, case_id: UUID | None, /, **said: Any) -> UUID:
        """Raise a concern, about a case or not. Gives the concern's id."""
        doing = BY_KEY["cases/break-confidentiality" if case_id else "concerns/raise-concern"]
        key = self.casework.key(person, doing.rule, str(uuid4()), said)
        loaded = doing.schema.load(said)
        return self.casework.raise_concern(person, loaded, key=key, case_id=case_id).subject.id

    def version(self, kind: type[Subject], subject_id: UUID | None) -> int:
        """The number of the newest fact about a subject."""
        subject = self.casework.load(kind, subject_id) if subject_id else None
        if subject is None:
            raise LookupError("Nothing was told about it so far.")
        return subject.version

    def alerted(self, concern_id: UUID, told: Iterable[Person]) -> None:
        """Record an alert that went out now."""
        concern = self.casework.load(Concern, concern_id)
        if concern is None:
            raise LookupError("The concern was raised just now.")
        by = By(SYSTEM, uuid4(), self.casework.today(), policy=self.casework.policy())
        concern.notify(by, told=tuple(person.account for person in told), channel="e-mail")
        self.casework.save([concern])


def _go_on(waiting: list[tuple[datetime, int, Story]], number: int, story: Story) -> None:
    try:
        when = next(story)
    except StopIteration:
        return
    heapq.heappush(waiting, (when.astimezone(UTC), number, story))


class Cast:
    """Who plays in the stories, as they become known: staff by sign-in name, the others by pupil's name."""

    def __init__(self, staff: dict[str, Person]) -> None:
        self.staff = staff
        self.ids: dict[str, UUID] = {}
        self.mentors: dict[str, UUID] = {}
        self.mentor_accounts: dict[str, Person] = {}


def later(when: datetime, minutes: int) -> datetime:
    """So many minutes later."""
    return when + timedelta(minutes=minutes)
