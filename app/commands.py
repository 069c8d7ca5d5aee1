"""Everything that people may do, one line each: who may, which facts it may record, and what else it touches.

Page and API offer these commands and no others. What a line means is the domain's business; what two
subjects must agree on is decided here, so that both are saved together or neither.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Final, Protocol
from uuid import UUID

from marshmallow import Schema

from app.forms import schema_for, why_not_a_value
from app.history.visible import is_shown
from domain.concern import Concern
from domain.erasure import Erasure
from domain.fact import By, Command, Fact, Subject, said_fields
from domain.mentee_case import MenteeCase
from domain.mentor import Mentor
from domain.pupil import Pupil
from domain.retention import Matter, Scope
from domain.scheme import Scheme

COORDINATOR: Final = frozenset({"coordinator"})
LEADS: Final = frozenset({"dsl", "deputy_dsl"})
ABOUT_STAFF: Final = frozenset({"head", "chair"})
MENTORS: Final = frozenset({"mentor"})
OFFICE: Final = COORDINATOR | LEADS
OFFICERS: Final = frozenset({"head", "data_officer"})
"""Those who answer for the data."""
EVERYBODY: Final = OFFICE | ABOUT_STAFF | OFFICERS | MENTORS | {"referrer", "inspector", "admin"}


class Invalid(Exception):
    """A field's value can't be used: `errors` maps its name to sentences."""

    def __init__(self, **errors: str) -> None:
        super().__init__("The request has errors.")
        self.errors = {name: [sentence] for name, sentence in errors.items()}


class Desk(Protocol):
    """What a decision may ask for: other subjects, loaded afresh, and who is asking."""

    def load(self, kind: type[Subject], subject_id: UUID) -> Subject | None:
        """The subject as it stands, or None."""

    def matter(self, scope: Scope, subject_id: UUID) -> Matter | None:
        """What would be erased with this subject, and what speaks against it; None without such a subject."""

    @property
    def role(self) -> str:
        """The role in which the person acts."""


Decide = Callable[[Desk, Any, By, dict[str, Any]], Sequence[Subject]]


@dataclass(frozen=True)
class Doing:
    """One command: `thing` and `verb` make its address, `roles` may give it; `own` lets the case's mentor."""

    thing: str
    verb: str | None
    kind: type[Subject]
    method: Command
    roles: frozenset[str]
    decide: Decide | None = None
    own: bool = False

    @property
    def fact(self) -> type[Fact]:
        """The fact whose fields it asks for."""
        if self.verb in ("correct", "dispute"):
            return self.kind.corrected if self.verb == "correct" else self.kind.disputed
        return self.method.records  # type: ignore[attr-defined,no-any-return]

    @property
    def key(self) -> str:
        """Its name in wording: `cases/hold-session`; a creation has its method's name."""
        return f"{self.thing}/{self.verb or self.method.__name__.replace('_', '-')}"

    @cached_property
    def schema(self) -> Schema:
        """What it asks for, for page and API."""
        name = "".join(part.capitalize() for part in self.key.replace("/", "-").split("-"))
        return schema_for(self.fact, name)

    @property
    def rule(self) -> str:
        """Its address in the API, as a Flask rule."""
        tail = f"/<uuid:subject_id>/{self.verb}" if self.verb else ""
        return f"/scheme/{self.verb}" if self.thing == "scheme" else f"/{self.thing}{tail}"


def _other(desk: Desk, kind: type[Subject], field: str, subject_id: UUID) -> Any:
    found = desk.load(kind, subject_id)
    if found is None:
        raise Invalid(**{field: "There is no such entry. Choose another."})
    return found


def _refer(desk: Desk, case: MenteeCase, by: By, said: dict[str, Any]) -> Sequence[Subject]:
    pupil_id = said.get("pupil_id")
    if desk.role == "referrer" and pupil_id:
        raise Invalid(pupil_id="Name the pupil in words (pupil_in_words).")
    if pupil_id:
        by = _born(by, _other(desk, Pupil, "pupil_id", pupil_id))
    elif not said.get("pupil_in_words"):
        raise Invalid(pupil_id="Say which pupil this is about.")
    case.refer(by, **said)
    return [case]


def _born(by: By, pupil: Pupil) -> By:
    return by._replace(born_on=pupil.born_on)


def _match(desk: Desk, case: MenteeCase, by: By, said: dict[str, Any]) -> Sequence[Subject]:
    mentor = _other(desk, Mentor, "mentor_id", said["mentor_id"])
    if case.pupil_id is not None and mentor.pupil_id == case.pupil_id:
        mentor.refuse("A pupil can't be their own mentor. Choose another.", "match")
    case.match(by, **said)
    mentor.take_on(by, case_id=case.id)
    return [case, mentor]


def _ending(method: Command) -> Decide:
    """A command after which the mentor no longer has the case."""

    def decide(desk: Desk, case: MenteeCase, by: By, said: dict[str, Any]) -> Sequence[Subject]:
        mentor = desk.load(Mentor, case.mentor_id) if case.mentor_id else None
        method(case, by, **said)
        if not isinstance(mentor, Mentor):
            return [case]
        mentor.hand_back(by, case_id=case.id)
        return [case, mentor]

    return decide


def _hold(desk: Desk, case: MenteeCase, by: By, said: dict[str, Any]) -> Sequence[Subject]:
    if desk.role == "coordinator" and not said.get("reason"):
        raise Invalid(reason="Say what the guardian objects to.")
    case.hold(by, **said)
    return [case]


def _apply(desk: Desk, mentor: Mentor, by: By, said: dict[str, Any]) -> Sequence[Subject]:
    pupil = _other(desk, Pupil, "pupil_id", said["pupil_id"])
    mentor.apply(_born(by, pupil), **said)
    return [mentor]


def _correct(desk: Desk, subject: Subject, by: By, said: dict[str, Any]) -> Sequence[Subject]:
    version, field = said["version"], said["field"]
    fact = _theirs(desk, subject, by, version)
    if fact is not None:
        if desk.role == "mentor" and subject.told_by[version - 1] != by.account:
            subject.refuse("You can correct only what you recorded yourself. Ask your coordinator.")
        if field in said_fields(fact):
            wrong = why_not_a_value(fact, field, said["value"])
            if wrong:
                raise Invalid(value=wrong)
            if field == "pupil_id":
                _other(desk, Pupil, "value", UUID(said["value"]))
    subject.correct(by, **said)
    return [subject]


def _dispute(desk: Desk, subject: Subject, by: By, said: dict[str, Any]) -> Sequence[Subject]:
    _theirs(desk, subject, by, said["version"])
    subject.dispute(by, **said)
    return [subject]


def _theirs(desk: Desk, subject: Subject, by: By, version: int) -> type[Fact] | None:
    """The entry, if it is there. Refuses one that isn't shown to this person, as if it weren't there, and one
    of a kind that their role doesn't record."""
    if not 1 <= version <= len(subject.told):
        return None
    fact = subject.told[version - 1]
    if not is_shown(subject, version, desk.role, by.account):
        subject.refuse(f"There is no entry number {version} in this record.")
    if desk.role not in may_record(fact):
        subject.refuse("Only those who record such entries can correct or dispute them.")
    return fact


def _ask_to_erase(desk: Desk, erasure: Erasure, by: By, said: dict[str, Any]) -> Sequence[Subject]:
    matter = desk.matter(said["scope"], said["subject_id"])
    if matter is None:
        raise Invalid(subject_id="There is no such entry. Choose another.")
    erasure.request(by, matter=matter, grounds=said["grounds"], reason=said["reason"])
    return [erasure]


def _approve_erasure(desk: Desk, erasure: Erasure, by: By, _said: dict[str, Any]) -> Sequence[Subject]:
    asked = erasure.scope and erasure.subject_id and desk.matter(erasure.scope, erasure.subject_id)
    if not asked:
        erasure.refuse("What this was asked for isn’t in the record.")
    erasure.approve(by, matter=asked)
    return [erasure]


def _case(verb: str, method: Command, roles: frozenset[str], **more: Any) -> Doing:
    return Doing("cases", verb, MenteeCase, method, roles, **more)


def _mentor(verb: str, method: Command) -> Doing:
    return Doing("mentors", verb, Mentor, method, COORDINATOR)


def _concern(verb: str, method: Command) -> Doing:
    return Doing("concerns", verb, Concern, method, LEADS | ABOUT_STAFF)


COMMANDS: Final[tuple[Doing, ...]] = (
    Doing("pupils", None, Pupil, Pupil.enrol, OFFICE),
    Doing("pupils", "correct", Pupil, Pupil.correct, OFFICE, _correct),
    Doing("pupils", "dispute", Pupil, Pupil.dispute, OFFICE, _dispute),
    Doing("pupils", "leave", Pupil, Pupil.leave, OFFICE),
    Doing("mentors", None, Mentor, Mentor.apply, COORDINATOR, _apply),
    _mentor("interview", Mentor.interview),
    _mentor("select", Mentor.select),
    _mentor("turn-down", Mentor.turn_down),
    _mentor("train", Mentor.train),
    _mentor("sign-agreement", Mentor.sign_agreement),
    _mentor("qualify", Mentor.qualify),
    _mentor("attach", Mentor.attach),
    _mentor("supervise", Mentor.supervise),
    _mentor("appoint", Mentor.appoint),
    _mentor("stand-down", Mentor.stand_down),
    Doing("mentors", "correct", Mentor, Mentor.correct, COORDINATOR, _correct),
    Doing("mentors", "dispute", Mentor, Mentor.dispute, COORDINATOR, _dispute),
    Doing("cases", None, MenteeCase, MenteeCase.refer, OFFICE | MENTORS | {"referrer"}, _refer),
    _case("decline", MenteeCase.decline, COORDINATOR),
    _case("match", MenteeCase.match, COORDINATOR, decide=_match),
    _case("end-match", MenteeCase.end_match, COORDINATOR, decide=_ending(MenteeCase.end_match)),
    _case("agree-purpose", MenteeCase.agree_purpose, COORDINATOR | MENTORS, own=True),
    _case("send-letter", MenteeCase.send_letter, COORDINATOR),
    _case("arrange-session", MenteeCase.arrange_session, COORDINATOR | MENTORS, own=True),
    _case("hold-session", MenteeCase.hold_session, COORDINATOR | MENTORS, own=True),
    _case("miss-session", MenteeCase.miss_session, COORDINATOR | MENTORS, own=True),
    _case("ask-for-more", MenteeCase.ask_for_more, COORDINATOR | MENTORS, own=True),
    _case("extend", MenteeCase.extend, COORDINATOR),
    _case("close", MenteeCase.close, COORDINATOR, decide=_ending(MenteeCase.close)),
    _case("reopen", MenteeCase.reopen, COORDINATOR),
    _case("hold", MenteeCase.hold, OFFICE, decide=_hold),
    _case("release", MenteeCase.release, LEADS),
    _case("correct", MenteeCase.correct, OFFICE | MENTORS, decide=_correct, own=True),
    _case("dispute", MenteeCase.dispute, OFFICE | MENTORS, decide=_dispute, own=True),
    _concern("acknowledge", Concern.acknowledge),
    _concern("assess", Concern.assess),
    _concern("decide", Concern.decide),
    _concern("refer-out", Concern.refer_out),
    _concern("record-outcome", Concern.record_outcome),
    _concern("share", Concern.share),
    _concern("assign-action", Concern.assign_action),
    _concern("complete-action", Concern.complete_action),
    _concern("inform-child", Concern.inform_child),
    _concern("close", Concern.close),
    _concern("approve-closing", Concern.approve_closing),
    _concern("reopen", Concern.reopen),
    _concern("transfer", Concern.transfer),
    _concern("confirm-receipt", Concern.confirm_receipt),
    Doing("concerns", "correct", Concern, Concern.correct, LEADS | ABOUT_STAFF, _correct),
    Doing("concerns", "dispute", Concern, Concern.dispute, LEADS | ABOUT_STAFF, _dispute),
    Doing("scheme", "adopt", Scheme, Scheme.adopt, COORDINATOR | {"head"}),
)

BREAK_CONFIDENTIALITY: Final = Doing(
    "cases", "break-confidentiality", Concern, Concern.raise_concern, EVERYBODY, own=True
)
"""Its own path through casework: it is never refused and saves a concern with the case."""

RAISE_CONCERN: Final = Doing("concerns", None, Concern, Concern.raise_concern, EVERYBODY)
"""Never refused either."""

FORGETTING: Final[tuple[Doing, ...]] = (
    Doing("pupils", "put-legal-hold", Pupil, Pupil.put_legal_hold, OFFICERS),
    Doing("pupils", "release-legal-hold", Pupil, Pupil.release_legal_hold, OFFICERS),
    Doing("pupils", "keep-longer", Pupil, Pupil.keep_longer, OFFICERS),
    Doing("erasures", None, Erasure, Erasure.request, OFFICERS, _ask_to_erase),
    Doing("erasures", "approve", Erasure, Erasure.approve, OFFICERS, _approve_erasure),
    Doing("erasures", "withdraw", Erasure, Erasure.withdraw, OFFICERS),
)
"""Given on pages and at the server, by people: no program with a token erases anybody."""

FOR_PROGRAMS: Final = (*COMMANDS, BREAK_CONFIDENTIALITY, RAISE_CONCERN)
"""What the API offers."""

BY_KEY: Final[dict[str, Doing]] = {doing.key: doing for doing in (*FOR_PROGRAMS, *FORGETTING)}


@cache
def may_record(fact_class: type[Fact]) -> frozenset[str]:
    """The roles that may record such a fact: everybody, where no command asks for its fields."""
    roles = [
        doing.roles
        for doing in BY_KEY.values()
        if doing.verb not in ("correct", "dispute") and doing.fact is fact_class
    ]
    return frozenset().union(*roles) if roles else EVERYBODY
