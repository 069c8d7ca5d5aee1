"""What the API answers: each thing as a dataclass, from which its JSON and its description are derived."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from app.access.person import Person
from app.access.relation import may_see_case, may_see_concern
from app.casework import NotFound, Told
from app.next_actions import concern_actions, mentor_actions, next_actions
from domain.concern import ActionAssigned, ActionCompleted, Involved, PassedOn, Raised
from domain.mentee_case import SessionArranged, State
from domain.mentor import Standing
from domain.policy import Policy
from projections import caseload, concerns, mentors, roll


@dataclass(frozen=True)
class Meeting:
    """The next meeting. Lists don't say where."""

    at: datetime
    place: str | None


@dataclass(frozen=True)
class Case:
    """A mentee's case. `next_actions` are the verbs that this reader may give now."""

    id: UUID
    state: State
    on_hold: bool
    pupil_id: UUID | None
    mentor_id: UUID | None
    sessions_held: int
    sessions_planned: int
    referred_on: date
    matched_on: date | None
    next_meeting: Meeting | None
    more_asked_for: bool
    next_actions: list[str]
    policy_version: int
    version: int


@dataclass(frozen=True)
class Pupil:
    """A pupil on the roll, with corrections."""

    id: UUID
    given_name: str
    family_name: str
    known_as: str | None
    born_on: date
    year_group: int
    tutor_group: str
    upn: str | None
    left: bool
    version: int


@dataclass(frozen=True)
class PossibleDuplicate:
    """Somebody on the roll who may be the same pupil."""

    id: UUID
    year_group: int
    tutor_group: str


@dataclass(frozen=True)
class Enrolled(Pupil):
    """A pupil who was put on the roll just now, and who else they may be."""

    possible_duplicates: list[PossibleDuplicate]


@dataclass(frozen=True)
class Mentor:
    """A peer mentor. `free` says whether they can take one more case under the rules in force."""

    id: UUID
    pupil_id: UUID
    standing: Standing
    interviewed: bool
    trained: bool
    signed: bool
    free: bool
    cases: list[UUID]
    tutor_group: str | None
    last_supervised_on: date | None
    next_actions: list[str]
    version: int


@dataclass(frozen=True)
class ConcernInList:
    """A concern with its clocks: when each step was recorded."""

    id: UUID
    state: concerns.State
    about: concerns.About
    case_id: UUID | None
    pupil_id: UUID | None
    immediate_danger: bool | None
    raised_by: UUID
    raised_at: datetime
    alerts: int
    last_alert_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: UUID | None
    decided_at: datetime | None
    decision: str | None
    closed_at: datetime | None
    next_actions: list[str]
    version: int


@dataclass(frozen=True)
class Action:
    """Something to do. `version` names it when it is completed."""

    version: int
    action: str
    owner: str
    due_on: date
    done: bool


@dataclass(frozen=True)
class Concern(ConcernInList):
    """A concern with what was told, as it was told; `gaps` is what to ask about."""

    childs_words: str
    facts: str | None
    opinion: str | None
    disclosed_at: datetime | None
    passed_on: list[PassedOn]
    basis: str | None
    mentee_informed: str | None
    about_words: str | None
    involved: list[Involved]
    gaps: list[str]
    actions: list[Action]


@dataclass(frozen=True)
class Receipt:
    """All that whoever sent a mentoring referral gets."""

    reference: str
    received_at: datetime


@dataclass(frozen=True)
class Received:
    """All that whoever raised a concern gets."""

    id: UUID
    state: Literal["received"]
    received_at: datetime


@dataclass(frozen=True)
class ToldTheLead:
    """The concern that was opened. For those who may see the case, its fields stand beside these."""

    concern_id: UUID
    received_at: datetime


@dataclass(frozen=True)
class MyConcern:
    """What became of a concern, for the person who raised it."""

    id: UUID
    state: concerns.State
    received_at: datetime


@dataclass(frozen=True)
class Someone:
    """Somebody with an account."""

    id: UUID
    name: str
    role: str | None


@dataclass(frozen=True)
class Reader:
    """One look at a case."""

    read_at: datetime
    account: Someone
    route: str
    shown: str | None
    reason: str | None
    break_glass: bool | None


@dataclass(frozen=True)
class Me:
    """Whose token this is."""

    account: UUID
    role: str
    name: str
    mentor_id: UUID | None


def case_of(row: caseload.Case, person: Person, place: str | None = None) -> Case:
    """A case for this reader."""
    return Case(
        id=row.case_id,
        state=row.state,
        on_hold=row.on_hold,
        pupil_id=row.pupil_id,
        mentor_id=row.mentor_id,
        sessions_held=row.sessions_held,
        sessions_planned=row.sessions_planned,
        referred_on=row.referred_on,
        matched_on=row.matched_on,
        next_meeting=Meeting(row.next_at, place) if row.next_at else None,
        more_asked_for=row.more_asked_for,
        next_actions=next_actions(row, person.role),
        policy_version=row.policy_version,
        version=row.version,
    )


def case_in(told: Sequence[Told], person: Person) -> Case:
    """A case from its stream. Raises NotFound when it isn't there, or not this reader's."""
    row = caseload.CASELOAD.shown(told, caseload.Case)
    if row is None or not may_see_case(person, row.mentor_id):
        raise NotFound
    arranged = [one.fact for one in told if isinstance(one.fact, SessionArranged)]
    return case_of(row, person, arranged[-1].place if arranged else None)


def pupil_of(row: roll.Pupil) -> Pupil:
    """A pupil, for whoever may see the roll."""
    return Pupil(
        id=row.pupil_id,
        given_name=row.given_name,
        family_name=row.family_name,
        known_as=row.known_as,
        born_on=row.born_on,
        year_group=row.year_group,
        tutor_group=row.tutor_group,
        upn=row.upn,
        left=row.left,
        version=row.version,
    )


def pupil_in(told: Sequence[Told]) -> Pupil:
    """A pupil from their stream. Raises NotFound."""
    return pupil_of(_found(roll.ROLL.shown(told, roll.Pupil)))


def mentor_of(row: mentors.Mentor, person: Person, policy: Policy) -> Mentor:
    """A mentor for this reader."""
    return Mentor(
        id=row.mentor_id,
        pupil_id=row.pupil_id,
        standing=row.standing,
        interviewed=row.interviewed,
        trained=row.trained,
        signed=row.signed,
        free=row.free_below(policy.caseload),
        cases=row.cases,
        tutor_group=row.tutor_group,
        last_supervised_on=row.last_supervised_on,
        next_actions=mentor_actions(row, person.role),
        version=row.version,
    )


def mentor_in(told: Sequence[Told], person: Person, policy: Policy) -> Mentor:
    """A mentor from their stream. Raises NotFound."""
    return mentor_of(_found(mentors.MENTORS.shown(told, mentors.Mentor)), person, policy)


def concern_of(row: concerns.Concern, person: Person) -> ConcernInList:
    """A concern with its clocks for this reader."""
    return ConcernInList(
        id=row.concern_id,
        state=row.state,
        about=row.about,
        case_id=row.case_id,
        pupil_id=row.pupil_id,
        immediate_danger=row.immediate_danger,
        raised_by=row.raised_by,
        raised_at=row.raised_at,
        alerts=row.alerts,
        last_alert_at=row.last_alert_at,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
        decided_at=row.decided_at,
        decision=row.decision,
        closed_at=row.closed_at,
        next_actions=concern_actions(row, person.role),
        version=row.version,
    )


def concern_in(told: Sequence[Told], person: Person) -> Concern:
    """A concern from its stream. Raises NotFound when it isn't there, or not this reader's."""
    row = concerns.CONCERNS.shown(told, concerns.Concern)
    if row is None or not may_see_concern(person, row.about):
        raise NotFound
    raised: Any = next(one.fact for one in told if isinstance(one.fact, Raised))
    done = {one.fact.action_version for one in told if isinstance(one.fact, ActionCompleted)}
    return Concern(
        **vars(concern_of(row, person)),
        childs_words=raised.childs_words,
        facts=raised.facts,
        opinion=raised.opinion,
        disclosed_at=raised.disclosed_at,
        passed_on=list(raised.passed_on),
        basis=raised.basis,
        mentee_informed=raised.mentee_informed,
        about_words=raised.about_words,
        involved=list(raised.involved),
        gaps=list(raised.gaps),
        actions=[
            Action(f.originator_version, f.action, f.owner, f.due_on, f.originator_version in done)
            for f in (one.fact for one in told)
            if isinstance(f, ActionAssigned)
        ],
    )


def _found(row: Any) -> Any:
    if row is None:
        raise NotFound
    return row
