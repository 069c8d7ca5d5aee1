"""What the API answers: each thing as a dataclass, from which its JSON and its description are derived."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from domain.concern_facts import Involved, PassedOn
from domain.mentee_case import State
from domain.mentor import Standing
from projections import concerns


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
    reference: str
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
