"""How each thing is put together for one reader: from a list's row, or from the record itself."""

from collections.abc import Sequence
from typing import Any

from app.access.person import Person
from app.access.relation import may_see_case, may_see_concern
from app.api.things import Action, Case, Concern, ConcernInList, Meeting, Mentor, Pupil
from app.casework import NotFound, Told
from app.next_actions import concern_actions, mentor_actions, next_actions
from domain.concern_facts import ActionAssigned, ActionCompleted, Raised
from domain.mentee_case_facts import SessionArranged
from domain.policy import Policy
from projections import caseload, concerns, mentors, roll


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
