"""A small school in which something is due, with a place for the list of destroyed keys."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from app import create_app
from app.access.person import Person
from app.casework import Done
from app.commands import BY_KEY, RAISE_CONCERN
from app.embedded import Embedded
from app.forgetting.destroying import Forgetting
from app.forms import today
from app.house import House
from app.project import ProjectorProcess
from app.proof.checkpoints import CheckpointFile
from app.proof.log_key import create_log_key
from app.settings import Settings
from domain.staff import Role
from projections.positions import wait_for
from tests.counting import Counting
from tests.pages.conftest import STAFF, School
from tests.proof.conftest import Proven

LEASE = 0.3


@dataclass
class Office(Counting):
    """The school's house, its projector at work, and one account in each role that matters here."""

    house: House
    people: dict[str, Person] = field(default_factory=dict)

    def who(self, role: Role) -> Person:
        """Somebody with an account in this role."""
        return self.people.setdefault(role, Person(uuid4(), role, role, None))

    def do(self, key: str, by: Role, subject: UUID | None = None, /, **said: Any) -> Done:
        """Give a command, and wait until the lists show it."""
        person = self.who(by)
        command = self.house.casework.key(person, key, str(uuid4()), said)
        done = self.house.casework.run(BY_KEY[key], person, said, key=command, subject_id=subject)
        return self.shown(done)

    def shown(self, done: Done) -> Done:
        """The same, when the lists show it."""
        assert wait_for(self.house.pool, done.position, timeout=20)
        return done

    def pupil(
        self,
        given: str = "Siân",
        family: str = "O'Neill",
        born_on: date = date(1990, 5, 1),
        left: bool = True,
    ) -> UUID:
        """A pupil, who left long ago."""
        done = self.do(
            *("pupils/enrol", "coordinator"),
            given_name=given,
            family_name=family,
            born_on=born_on,
            year_group=7,
            tutor_group="7B",
        )
        if left:
            left_on = date(2008, 7, 20) if born_on.year < 2000 else today()
            self.do("pupils/leave", "coordinator", done.subject.id, left_on=left_on)
        return done.subject.id

    def case(self, pupil_id: UUID, *, words: str = "Often alone.", close: bool = True) -> UUID:
        """A case that was declined, and so is over."""
        said: dict[str, Any] = {"route": "staff", "reasons": ("friendships",), "referred_by": "Mr Okafor"}
        case = self.do("cases/refer", "coordinator", **said, words=words, pupil_id=pupil_id).subject.id
        if close:
            self.do("cases/decline", "coordinator", case, reason="Other help.")
        return case

    def concern(self, case_id: UUID | None, *, words: str = "He hits me.", close: bool = True) -> UUID:
        """A concern, dealt with and closed, and its case released."""
        casework, person = self.house.casework, self.who("coordinator")
        key = casework.key(person, RAISE_CONCERN.key, str(uuid4()), {})
        done = self.shown(casework.raise_concern(person, {"childs_words": words}, key=key, case_id=case_id))
        if close:
            self.close(done.subject.id)
        return done.subject.id

    def close(self, concern_id: UUID) -> None:
        """Deal with a concern, and close it."""
        decided = {"decision": "monitor", "rationale": "Watch.", "alternatives": None}
        self.do("concerns/decide", "dsl", concern_id, **decided)
        self.do("concerns/close", "dsl", concern_id, outcome="Safe.", rationale="Settled.")

    def story(self, born_on: date = date(1990, 5, 1)) -> tuple[UUID, UUID, UUID]:
        """A pupil with a case and its concern, all over and long due."""
        pupil = self.pupil(born_on=born_on)
        case = self.case(pupil)
        return pupil, case, self.concern(case)

    def ask(self, scope: str, subject_id: UUID, by: Role = "data_officer", **more: Any) -> UUID:
        """Ask for an erasure."""
        said = {
            "scope": scope,
            "subject_id": subject_id,
            "grounds": "retention",
            "reason": "Time is over.",
        }
        return self.do("erasures/request", by, **said | more).subject.id

    def order(self, scope: str, subject_id: UUID, **more: Any) -> UUID:
        """Ask for an erasure, and approve it as the head."""
        erasure = self.ask(scope, subject_id, **more)
        self.do("erasures/approve", "head", erasure)
        return erasure

    def erase(self, scope: str, subject_id: UUID, **more: Any) -> UUID:
        """Ask, approve and carry it out."""
        erasure = self.order(scope, subject_id, **more)
        assert Forgetting(self.house).finish().completed == [erasure]
        self.caught_up()
        return erasure

    def caught_up(self) -> None:
        """Wait until the lists show everything that is recorded."""
        newest = self.house.recorder.max_notification_id() or 0
        assert wait_for(self.house.pool, newest, timeout=20)


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """With a list of destroyed keys, and places for the anchor's key and checkpoints."""
    return replace(
        settings,
        destroyed_file=tmp_path / "destroyed.jsonl",
        log_key_file=tmp_path / "log-key",
        checkpoint_file=tmp_path / "checkpoints",
    )


@pytest.fixture
def house(settings: Settings) -> Iterator[House]:
    """One process's rooms, whose memory is used only a moment without word from the key store."""
    with House(settings, lease=LEASE) as opened:
        yield opened


@pytest.fixture
def office(house: House) -> Iterator[Office]:
    """The school with its projector."""
    with ProjectorProcess(house.pool, house.recorder, house.mapper):
        yield Office(house)


@pytest.fixture
def school(settings: Settings, house: House) -> Iterator[School]:
    """A school with one person in each staff role, whose browsers open pages."""
    with ProjectorProcess(house.pool, house.recorder, house.mapper):
        made = School(create_app(settings, house), house)
        made.add(*((name, role, None) for role, name in STAFF.items()))
        yield made


@pytest.fixture
def proven(house: House, cluster: Embedded) -> Proven:
    """The school's record with its anchor."""
    settings = house.settings
    assert settings.log_key_file is not None
    assert settings.checkpoint_file is not None
    key = create_log_key(settings.log_key_file, settings.origin)
    database = conninfo_to_dict(settings.database_url)["dbname"]
    superuser = make_conninfo(cluster.url("superuser"), dbname=database)
    return Proven(house, settings, key, CheckpointFile(settings.checkpoint_file), superuser)
