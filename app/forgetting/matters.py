"""What belongs together when something is to be erased, and what speaks against it.

Found in the lists, which are first brought up to date: what somebody recorded a moment ago counts.
"""

from collections.abc import Iterable
from uuid import UUID

from psycopg_pool import ConnectionPool

from app.casework.reading import Reading
from domain.concern import Concern
from domain.fact import Refused
from domain.mentee_case import MenteeCase
from domain.mentor import Mentor
from domain.policy import Policy
from domain.pupil import Pupil
from domain.retention import Matter, Scope
from projections import caseload, concerns
from projections.caseload import Caseload
from projections.concerns import Concerns
from projections.mentors import Mentors
from projections.positions import wait_for
from projections.retention import People, Retention, narratives, of_mentor, of_pupil
from projections.staff import Staff

_LISTS = ("caseload", "concerns", "mentors", "retention", "staff")
_KINDS = {"identity": (Pupil,), "narrative": (MenteeCase, Concern), "mentor": (Mentor,)}


class Matters:
    """Finds matters on one record's lists."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        self._cases, self._concerns = Caseload(pool), Concerns(pool)
        self._mentors, self._staff, self._retention = Mentors(pool), Staff(pool), Retention(pool)

    def __call__(self, casework: Reading, policy: Policy, scope: Scope, subject_id: UUID) -> Matter | None:
        """The matter of a pupil (identity), a case or a concern without one (narrative), or a mentor.

        None when there is no such subject; what was erased has nothing that could be. Raises Refused while
        the lists aren't up to date.
        """
        newest = casework.recorder.max_notification_id() or 0
        if not wait_for(self._pool, newest, _LISTS):
            raise Refused("The lists are being brought up to date. Try again in a minute.")
        if scope == "identity":
            found = self._identity(casework, policy, subject_id)
        elif scope == "mentor":
            found = self.mentor(policy, subject_id)
        else:
            found = self.narrative(policy, subject_id)
        if found is None and any(casework.stream(kind, subject_id) for kind in _KINDS[scope]):
            return Matter(scope, subject_id, None, (), (), casework.today())
        return found

    def of_pupil(self, casework: Reading, policy: Policy, pupil_id: UUID) -> list[Matter]:
        """Everything that is kept of a pupil, their identity first; nothing of one who was erased."""
        keeping = self._retention.by_ids([pupil_id]).get(pupil_id)
        if keeping is None:
            return []
        cases, about = self._cases.of_pupil(pupil_id), self._concerns.of_pupil(pupil_id)
        ids = {case.case_id for case in cases}
        others = [one.case_id for one in about if one.case_id is not None and one.case_id not in ids]
        cases += self._cases.by_ids(others).values()
        mentors = [self.mentor(policy, mentor.mentor_id) for mentor in self._mentors.of_pupil(pupil_id)]
        found = [*self._narratives(policy, cases, about), *(mentor for mentor in mentors if mentor)]
        return [of_pupil(policy, keeping, found, casework.today()), *found]

    def narrative(self, policy: Policy, subject_id: UUID) -> Matter | None:
        """A case with its concerns, or a concern with the case that it belongs to, if any."""
        alone = list(self._concerns.by_ids([subject_id]).values())
        case_id = alone[0].case_id if alone and alone[0].case_id else subject_id
        cases = list(self._cases.by_ids([case_id]).values())
        return next(iter(self._narratives(policy, cases, alone)), None)

    def mentor(self, policy: Policy, mentor_id: UUID) -> Matter | None:
        """A mentor's own record with the accounts that were ever theirs."""
        row = self._mentors.by_ids([mentor_id]).get(mentor_id)
        if row is None:
            return None
        accounts = [(one.account_id, one.ended) for one in self._staff.ever_of_mentor(mentor_id)]
        return of_mentor(policy, row, self._retention.by_ids([row.pupil_id]), accounts)

    def _identity(self, casework: Reading, policy: Policy, pupil_id: UUID) -> Matter | None:
        return next(iter(self.of_pupil(casework, policy, pupil_id)), None)

    def _narratives(
        self, policy: Policy, cases: Iterable[caseload.Case], about: Iterable[concerns.Concern]
    ) -> list[Matter]:
        cases = list(cases)
        all_of_them = {c.concern_id: c for case in cases for c in self._concerns.of_case(case.case_id)}
        all_of_them |= {c.concern_id: c for c in about}
        ids = {case.pupil_id for case in cases if case.pupil_id}
        ids |= {c.pupil_id for c in all_of_them.values() if c.pupil_id}
        ids |= {one for c in all_of_them.values() for one in c.involved}
        people: People = self._retention.by_ids(ids)
        return narratives(policy, cases, all_of_them.values(), people)
