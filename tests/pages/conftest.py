"""A small school with people at their browsers, and the projector at work."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask

from app import create_app
from app.access.person import Person
from app.access.sessions import COOKIE
from app.casework import Done
from app.commands import BY_KEY
from app.forms import today
from app.house import House
from app.project import ProjectorProcess
from app.settings import Settings
from domain.staff import SYSTEM, Role, Staff
from projections.positions import wait_for
from tests.counting import Counting
from tests.pages.browser import Browser, Turns
from tests.scenario import by

PASSWORD = "a-long-password-of-a-test"
STAFF: dict[Role, str] = {
    "coordinator": "Ms Price",
    "dsl": "Ms Hughes",
    "deputy_dsl": "Mr Bevan",
    "referrer": "Mr Okafor",
    "inspector": "Mrs Lloyd",
    "head": "Dr Evans",
    "chair": "Mr Chair",
    "data_officer": "Ms Data",
    "admin": "Mr Admin",
}


@dataclass
class School(Counting):
    """The school, and whoever sits at a browser."""

    app: Flask
    house: House
    people: dict[str, Person] = field(default_factory=dict)
    browsers: dict[str, Browser] = field(default_factory=dict)
    mentors: dict[str, UUID] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.turns = Turns(self.catch_up)

    def catch_up(self) -> None:
        """Wait until the lists show everything that is recorded."""
        newest = self.house.recorder.max_notification_id()
        assert newest is not None
        assert wait_for(self.house.pool, newest, timeout=20)

    def add(self, *people: tuple[str, Role, UUID | None]) -> None:
        """Open accounts: name, role, and the mentor whose account it is."""
        opened = []
        for name, role, mentor_id in people:
            staff = Staff.blank(uuid4())
            staff.open_account(by(SYSTEM), name=name, role=role, email=None, mentor_id=mentor_id)
            opened.append(staff)
            self.house.accounts.open(staff.id, role, [name], None, mentor_id)
            self.people[name] = Person(staff.id, role, name, mentor_id)
        assert wait_for(self.house.pool, self.house.casework.save(opened).position, timeout=20)

    def as_(self, who: str) -> Browser:
        """Somebody's browser, signed in."""
        name = STAFF.get(who, who)  # type: ignore[call-overload]
        if name not in self.browsers:
            client = self.app.test_client()
            client.set_cookie(COOKIE, self.house.sessions.start(self.people[name].account))
            self.browsers[name] = Browser(client, self.turns)
        return self.browsers[name]

    def give_password(self, name: str) -> None:
        """Let somebody sign in by the page. (Hashing takes long: only where needed.)"""
        who = self.people[name]
        self.house.accounts.open(who.account, who.role, [name], PASSWORD, who.mentor_id)

    def do(self, key: str, subject_id: UUID | None = None, by: str = "Ms Price", **said: Any) -> Done:
        """Give a command beside the pages."""
        doing, who = BY_KEY[key], self.people[by]
        command = self.house.casework.key(who, key, str(uuid4()), said)
        done = self.house.casework.run(doing, who, said, key=command, subject_id=subject_id)
        assert wait_for(self.house.pool, done.position, timeout=20)
        return done

    def pupil(self, given: str = "Siân", family: str = "O'Neill", year: int = 7, form: str = "7B") -> UUID:
        """A pupil on the roll."""
        born = date(today().year - year - 5, 2, 27)
        said: dict[str, Any] = {
            "given_name": given,
            "family_name": family,
            "born_on": born,
            "year_group": year,
        }
        return self.do("pupils/enrol", **said, tutor_group=form).subject.id

    def mentor(self, given: str = "Ruby", family: str = "Clarke", year: int = 10) -> UUID:
        """A mentor who can take cases, with an account."""
        mentor = self.do(
            "mentors/apply", pupil_id=self.pupil(given, family, year, f"{year}A"), statement="I listen."
        )
        mentor_id, then = mentor.subject.id, today() - timedelta(days=90)
        self.do("mentors/interview", mentor_id, held_on=then, panel="Ms Price", notes="Calm.")
        self.do("mentors/select", mentor_id, reason="Listens well.", happened_on=then)
        self.do("mentors/train", mentor_id, course="Peer mentoring", completed_on=then)
        self.do("mentors/sign-agreement", mentor_id, signed_on=then, agreement_version="September")
        self.mentors[f"{given} {family}"] = mentor_id
        self.add((f"{given} {family}", "mentor", mentor_id))
        return mentor_id

    def case(self, **more: Any) -> UUID:
        """A case that waits for a mentor."""
        said: dict[str, Any] = {
            "route": "staff",
            "reasons": ("friendships",),
            "words": "Often alone.",
            "referred_by": "Mr Okafor",
        }
        more.setdefault("happened_on", today() - timedelta(days=60))
        if "pupil_in_words" not in more:
            more.setdefault("pupil_id", self.pupil())
        return self.do("cases/refer", **said, **more).subject.id

    def matched(self, sessions: int = 0) -> UUID:
        """A case that Ruby Clarke mentors, with some sessions held."""
        mentor_id = self.mentors.get("Ruby Clarke") or self.mentor()
        case_id, then = self.case(), today() - timedelta(days=50)
        self.do("cases/match", case_id, mentor_id=mentor_id, reason=None, happened_on=then)
        for number in range(sessions):
            held_on = then + timedelta(days=7 * number)
            said: dict[str, Any] = {
                "held_on": held_on,
                "minutes": 30,
                "focus": f"Focus {number + 1}",
                "notes": "Talked.",
            }
            self.do("cases/hold-session", case_id, **said, friend_came=False)
        return case_id

    def concern(self, concern_id: UUID) -> Any:
        """The first fact of a concern."""
        return self.house.casework.mapper.to_domain_events(self.house.recorder.rows(concern_id))[0]


@pytest.fixture
def school(settings: Settings, house: House) -> Iterator[School]:
    """A school with one person in each staff role."""
    process = ProjectorProcess(house.pool, house.recorder, house.mapper)
    process.start()
    try:
        made = School(create_app(settings, house), house)
        made.add(*((name, role, None) for role, name in STAFF.items()))
        yield made
    finally:
        process.stop()
