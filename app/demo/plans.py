"""One case of the invented year on paper."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from uuid import UUID

from app.access.person import Person
from app.demo.people import STAFF, Pupil
from app.demo.recruits import Recruit
from app.demo.tales import Session, Tale, say

NEVER: Final = date.max


@dataclass
class Meeting:
    """A day on which they were to meet. `session` is None when they didn't; then `missed` says why."""

    starts: datetime
    minutes: int
    recorded: datetime
    session: Session | None
    missed: str = ""
    misread: int = 0
    """The minutes that the mentor typed first, where they were wrong."""
    place: str = ""


@dataclass
class Second:
    """Another mentor takes over, `after` the meeting of that number."""

    after: int
    ended: datetime
    matched: datetime
    mentor: Recruit
    why: str
    match_reason: str = ""


@dataclass
class Plan:
    """One case. What is filled in by the telling: `case_id` and the mentor's account."""

    tale: Tale
    pupil: Pupil
    referred: datetime
    referred_by: str
    coordinator: str
    matched: datetime | None = None
    meetings: list[Meeting] = field(default_factory=list)
    asked: datetime | None = None
    extended: datetime | None = None
    ended: datetime | None = None
    """When it is closed or declined; None: not for as long as the story goes."""
    mentor: Recruit | None = None
    match_reason: str = ""
    expectations: str = ""
    place: str = ""
    """Where they meet when nothing else was agreed."""
    letters: tuple[str, str] = ("", "")
    """What the letters home at the match and at the end are about."""
    referrer: Recruit | None = None
    """The mentor who asked, where it was one; somebody else is matched."""
    letter: bool = True
    """Whether anybody thought of writing home at the match."""
    second: Second | None = None
    stops_before: int | None = None
    """The meeting from which on nothing more is recorded, although it was arranged."""
    case_id: UUID | None = None
    mentor_person: Person | None = field(default=None, repr=False)

    def say(self, words: str) -> str:
        """Words about this mentee."""
        coordinator = next(one.name for one in STAFF if one.sign_in == self.coordinator)
        return say(words, self.pupil, self.mentor.pupil.called if self.mentor else "", coordinator)

    @property
    def span(self) -> tuple[date, date]:
        """From the match to the end: the time for which the mentor has this mentee."""
        begins = self.matched.date() if self.matched else NEVER
        return begins, self.ended.date() if self.ended else NEVER
