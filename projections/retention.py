"""How long is each thing kept, and what is due to be looked at? With birth dates: the table is unlogged."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from psycopg_pool import ConnectionPool

from domain.policy import Policy
from domain.pupil import Corrected, KeptLonger, Left, Pupil
from domain.retention import (
    Matter,
    Person,
    Scope,
    concerns_until,
    left_school,
    mentoring_until,
    mentors_until,
)
from projections.caseload import CASELOAD, Case
from projections.concerns import CONCERNS, Concern
from projections.mentors import MENTORS, Mentor
from projections.read_model import ReadModel, uuids
from projections.roll import day_typed


@dataclass(frozen=True)
class Keeping:
    """What the clocks ask of one pupil, corrections included."""

    pupil_id: UUID
    number: int
    version: int
    born_on: date
    left_on: date | None
    held: bool
    kept_until: date | None

    @property
    def person(self) -> Person:
        """The same, as the rules take it."""
        return Person(self.born_on, self.left_on, self.held, self.kept_until)


class _Pupil(Pupil):
    def begin(self) -> None:
        super().begin()
        self.left_on: date | None = None
        self.kept_until: date | None = None

    def resumed(self) -> None:
        self.left = self.left_on is not None

    def on_left(self, fact: Left) -> None:
        super().on_left(fact)
        self.left_on = fact.left_on

    def on_kept_longer(self, fact: KeptLonger) -> None:
        self.kept_until = fact.until

    def on_corrected(self, fact: Corrected) -> None:
        if not self.erased and fact.version == 1 and fact.field == "born_on":
            self.born_on = day_typed(fact.value.strip()) or self.born_on


RETENTION: Final = ReadModel(
    name="retention",
    kind="pupil",
    key="pupil_id",
    subject=_Pupil,
    columns={
        "born_on": "date NOT NULL",
        "left_on": "date",
        "held": "boolean NOT NULL",
        "kept_until": "date",
    },
    indexes=("(number) WHERE held",),
    unlogged=True,
)

PAGE: Final = 50
People = Mapping[UUID, Keeping]


class Retention:
    """The questions, each answered from the lists as they are now."""

    def __init__(self, pool: ConnectionPool[Any]) -> None:
        self._ask = RETENTION.asking(pool, Keeping)
        self._cases = CASELOAD.asking(pool, Case)
        self._concerns = CONCERNS.asking(pool, Concern)
        self._mentors = MENTORS.asking(pool, Mentor)

    def by_ids(self, ids: Iterable[UUID]) -> dict[UUID, Keeping]:
        """Pupils by their ids; an erased one is left out."""
        return {
            k.pupil_id: k for k in self._ask("WHERE pupil_id = ANY(%(ids)s::uuid[])", {"ids": uuids(ids)})
        }

    def held(self, limit: int = PAGE) -> list[Keeping]:
        """Pupils under a legal hold, oldest entry on the roll first."""
        return self._ask("WHERE held ORDER BY number LIMIT %(limit)s", {"limit": limit})

    def due(self, policy: Policy, today: date) -> list[Matter]:
        """Everything whose time is over and that nothing keeps, longest due first.

        The rules are the domain's own, so every row is looked at: a school's lists are small.
        """
        people = {k.pupil_id: k for k in self._ask("", {})}
        cases, concerns = self._cases("", {}), self._concerns("", {})
        mentors = self._mentors("", {})
        found = [
            *narratives(policy, cases, concerns, people),
            *(of_mentor(policy, mentor, people) for mentor in mentors),
        ]
        by_pupil: dict[UUID, list[Matter]] = {}
        for matter in found:
            for person in matter.people:
                by_pupil.setdefault(person, []).append(matter)
        found += [of_pupil(policy, one, by_pupil.get(one.pupil_id, ()), today) for one in people.values()]
        due = [m for m in found if m.keep_until <= today and not m.still_open and not is_kept(m, today)]
        return sorted(due, key=lambda matter: (matter.keep_until, matter.subject_id))


def is_kept(matter: Matter, today: date) -> bool:
    """Whether a hold, or a person's decision, keeps what would be due."""
    return matter.held or (matter.kept_until is not None and matter.kept_until > today)


def narratives(
    policy: Policy, cases: Iterable[Case], concerns: Iterable[Concern], people: People
) -> list[Matter]:
    """Each case with its concerns, and each concern that belongs to none of these cases."""
    cases = list(cases)
    of_cases: dict[UUID | None, list[Concern]] = {case.case_id: [] for case in cases}
    alone: list[Concern] = []
    for concern in concerns:
        of_cases.get(concern.case_id, alone).append(concern)
    return [
        *(of_case(policy, case, of_cases[case.case_id], people) for case in cases),
        *(of_concern(policy, concern, people) for concern in alone),
    ]


def of_case(policy: Policy, case: Case, concerns: Sequence[Concern], people: People) -> Matter:
    """A case and the concerns that it led to: one story."""
    ids = _in_it([case.pupil_id], concerns)
    still_open = None
    if case.state not in ("closed", "declined"):
        still_open = "This case is still open. Close it first."
    elif any(concern.state != "closed" for concern in concerns):
        still_open = "A concern in this is still open. It is closed first."
    if concerns:
        keep_until = _concerns_until(policy, concerns, ids, people)
    else:
        own = people.get(case.pupil_id) if case.pupil_id else None
        keep_until = mentoring_until(policy, own.person if own else None, case.closed_on)
    targets = (case.case_id, *(concern.concern_id for concern in concerns))
    return _matter(
        "narrative",
        case.case_id,
        case.pupil_id,
        targets,
        ids,
        people,
        keep_until,
        still_open,
        with_concern=bool(concerns),
    )


def of_concern(policy: Policy, concern: Concern, people: People) -> Matter:
    """A concern that belongs to no case."""
    ids = _in_it([], [concern])
    still_open = None if concern.state == "closed" else "This concern is still open. It is closed first."
    keep_until = _concerns_until(policy, [concern], ids, people)
    subject = concern.concern_id
    return _matter(
        "narrative",
        subject,
        concern.pupil_id,
        (subject,),
        ids,
        people,
        keep_until,
        still_open,
        with_concern=True,
    )


def of_mentor(
    policy: Policy, mentor: Mentor, people: People, accounts: Iterable[tuple[UUID, bool]] = ()
) -> Matter:
    """A mentor's own record. `accounts` are theirs, each with whether it has ended."""
    accounts = list(accounts)
    still_open = None
    if mentor.cases:
        still_open = "This mentor still has mentees. End each match first."
    elif mentor.standing == "selected":
        still_open = "This mentor hasn’t stood down. Record that first."
    elif not all(ended for _account, ended in accounts):
        still_open = "This mentor can still sign in. End their account first."
    own = people.get(mentor.pupil_id)
    keep_until = mentors_until(policy, own.person if own else None, None)
    targets = (mentor.mentor_id, *(account for account, _ended in accounts))
    ids = (mentor.pupil_id,)
    return _matter(
        "mentor",
        mentor.mentor_id,
        mentor.pupil_id,
        targets,
        ids,
        people,
        keep_until,
        still_open,
        with_concern=False,
    )


def of_pupil(policy: Policy, keeping: Keeping, others: Iterable[Matter], today: date) -> Matter:
    """A pupil's names and birth date: kept for as long as anything else that tells of them."""
    others, own = list(others), keeping.pupil_id
    still_open = next((matter.still_open for matter in others if matter.still_open), None)
    if keeping.left_on is None and left_school(keeping.person) > today:
        still_open = "This pupil is still on the roll. Record first that they left."
    clocks = [mentoring_until(policy, keeping.person, None), *(matter.keep_until for matter in others)]
    with_concern = any(matter.with_concern for matter in others)
    people = {own: keeping}
    return _matter(
        "identity", own, own, (own,), (own,), people, max(clocks), still_open, with_concern=with_concern
    )


def _in_it(ids: Iterable[UUID | None], concerns: Sequence[Concern]) -> tuple[UUID, ...]:
    of_concerns = (one for concern in concerns for one in (concern.pupil_id, *concern.involved))
    return tuple(dict.fromkeys(one for one in (*ids, *of_concerns) if one is not None))


def _concerns_until(policy: Policy, concerns: Sequence[Concern], ids: Iterable[UUID], people: People) -> date:
    """Where nobody was ever named the clock is a newborn's; who was erased has no clock any more."""
    closed = [concern.closed_at.date() for concern in concerns if concern.closed_at]
    ids = list(ids)
    known = [people[one].person for one in ids if one in people]
    return concerns_until(policy, known, max(closed, default=None) if not ids else None)


def _matter(
    scope: Scope,
    subject_id: UUID,
    pupil_id: UUID | None,
    targets: tuple[UUID, ...],
    ids: tuple[UUID, ...],
    people: People,
    keep_until: date,
    still_open: str | None,
    *,
    with_concern: bool,
) -> Matter:
    known = [people[one] for one in ids if one in people]
    return Matter(
        scope=scope,
        subject_id=subject_id,
        pupil_id=pupil_id,
        targets=targets,
        people=ids,
        keep_until=keep_until,
        kept_until=max((one.kept_until for one in known if one.kept_until), default=None),
        held=any(one.held for one in known),
        with_concern=with_concern,
        still_open=still_open,
    )
