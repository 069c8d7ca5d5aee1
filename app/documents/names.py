"""The names in a pack, from the record as it stood at the checkpoint.

Nothing comes from lists, which move on: the same pack can be made again years later. Named are staff, and the
pupils whose own entries go with the pack; everybody else is a code.
"""

from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from app.casework.answers import Told
from app.casework.reading import Reading
from app.naming import mentor_code, pupil_code
from app.wording.common import ERASED_TEXT, titles
from app.wording.names import Called, Names, mentioned
from domain.fact import Subject
from domain.mentor import Mentor
from domain.policy import Policy
from domain.pupil import Pupil
from domain.staff import AccountOpened, Staff
from projections import mentors, roll, staff


def names_at(
    casework: Reading,
    size: int,
    policy: Policy,
    told: Iterable[Sequence[Told]],
    accounts: Collection[UUID],
    named: Collection[UUID],
) -> Names:
    """Everybody whom these facts mention, and these accounts; the `named` pupils by name."""
    found = mentioned(one.fact for some in told for one in some)
    at = _At(casework, size)
    pupils = {pupil: pupil_code(pupil) for pupil in found.pupils} | {one: at.pupil(one) for one in named}
    people = {one: called for one in found.accounts | set(accounts) if (called := at.person(one))}
    return Names(people, pupils, {one: at.mentor(one) for one in found.mentors}, titles(policy))


class _At:
    """What the record said at a position, asked of each stream itself."""

    def __init__(self, casework: Reading, size: int) -> None:
        self._casework = casework
        self._size = size
        self._mentors: dict[UUID, str] = {}

    def pupil(self, pupil_id: UUID) -> str:
        row = roll.ROLL.shown(self._stream(Pupil, pupil_id), roll.Pupil)
        return row.name if row else pupil_code(pupil_id)

    def mentor(self, mentor_id: UUID) -> str:
        if mentor_id not in self._mentors:
            row = mentors.MENTORS.shown(self._stream(Mentor, mentor_id), mentors.Mentor)
            self._mentors[mentor_id] = mentor_code(row.pupil_id if row else None)
        return self._mentors[mentor_id]

    def person(self, account: UUID) -> Called | None:
        stream = self._stream(Staff, account)
        row = staff.STAFF.shown(stream, staff.Account)
        if row is None:
            opened = stream[0].fact if stream else None
            return Called(ERASED_TEXT, opened.role) if isinstance(opened, AccountOpened) else None
        if row.role == "mentor":
            return Called(self.mentor(row.mentor_id) if row.mentor_id else mentor_code(None), row.role)
        return Called(row.name, row.role)

    def _stream(self, kind: type[Subject], subject_id: UUID) -> list[Told]:
        return [one for one in self._casework.stream(kind, subject_id) if one.position <= self._size]
