"""The names that one reader may see in a history, looked up once.

An inspector reads by codes: a pupil has the same one everywhere, and no name. Pupils' names are always as
the roll has them now: they are looked up again as soon as the record has a fact that it hadn't then. Who has
an account, and which pupil a mentor is, may be ten seconds old.
"""

from collections.abc import Callable, Iterable, Mapping
from math import inf
from time import monotonic
from typing import Final, Generic, Protocol, TypeVar
from uuid import UUID
from weakref import WeakKeyDictionary

from psycopg.errors import UndefinedTable
from psycopg_pool import ConnectionPool

from app.access.person import Person
from app.wording.common import _, titles
from app.wording.names import Called, Names, mentioned
from domain.fact import Fact
from domain.policy import Policy
from projections.mentors import Mentor, Mentors
from projections.roll import Roll
from projections.staff import Account, Staff

SECONDS: Final = 10.0
MOST: Final = 5_000

T = TypeVar("T")


class Lists(Protocol):
    """Where names are looked up."""

    @property
    def pool(self) -> ConnectionPool:
        """The connections of this process."""


class _Known(Generic[T]):
    """Rows by id, each with the time or the position until which it holds. What isn't found is never kept."""

    def __init__(self) -> None:
        self._rows: dict[UUID, tuple[float, T]] = {}

    def by_ids(
        self, ids: Iterable[UUID], now: float, ask: Callable[[list[UUID]], tuple[dict[UUID, T], float]]
    ) -> dict[UUID, T]:
        known = {one: row[1] for one in ids if (row := self._rows.get(one)) and row[0] >= now}
        missing = [one for one in ids if one not in known]
        if missing:
            found, until = ask(missing)
            if len(self._rows) > MOST:
                self._rows.clear()
            self._rows.update({one: (until, row) for one, row in found.items()})
            known |= found
        return known


class _Lists:
    def __init__(self) -> None:
        self.staff: _Known[Account] = _Known()
        self.mentors: _Known[Mentor] = _Known()
        self.pupils: _Known[str] = _Known()


_lists: WeakKeyDictionary[ConnectionPool, _Lists] = WeakKeyDictionary()


def _known_to(pool: ConnectionPool) -> _Lists:
    return _lists.setdefault(pool, _Lists())


def forget() -> None:
    """Look everybody up again: somebody may have been erased."""
    _lists.clear()


def pupil_code(pupil_id: UUID) -> str:
    """What stands for a pupil's name where the name isn't needed."""
    return _("Pupil {code}").format(code=pupil_id.hex[:6].upper())


def mentor_code(pupil_id: UUID | None) -> str:
    """The same for a mentor, who is a pupil too."""
    return _("Peer mentor {code}").format(code=pupil_id.hex[:6].upper() if pupil_id else "").strip()


def names_for(
    lists: Lists,
    person: Person,
    policy: Policy,
    facts: Iterable[Fact] = (),
    accounts: Iterable[UUID] = (),
) -> Names:
    """Everybody whom these facts mention, and these accounts, as far as this person may know them.

    Lists that aren't there yet hide no history: then everybody is called by what they are.
    """
    try:
        return _looked_up(lists, person, policy, facts, accounts)
    except UndefinedTable:
        return Names(titles=titles(policy))


def _looked_up(
    lists: Lists, person: Person, policy: Policy, facts: Iterable[Fact], accounts: Iterable[UUID]
) -> Names:
    found = mentioned(facts)
    coded = reads_codes(person)
    known = _known_to(lists.pool)
    now = monotonic()
    people = known.staff.by_ids(
        found.accounts | frozenset(accounts), now, lambda ids: (Staff(lists.pool).by_ids(ids), now + SECONDS)
    )
    wanted = found.mentors | mentors_of(people.values()) if coded else found.mentors
    mentors = known.mentors.by_ids(wanted, now, lambda ids: (Mentors(lists.pool).by_ids(ids), now + SECONDS))
    on_roll = found.pupils | {mentor.pupil_id for mentor in mentors.values()}
    if coded:
        return coded_names(policy, people, mentors, on_roll)
    newest = inf if person.position is None else person.position
    pupils = known.pupils.by_ids(on_roll, newest, Roll(lists.pool).names)
    return names(policy, people, mentors, pupils)


def reads_codes(person: Person) -> bool:
    """Whether this person reads of pupils by codes."""
    return person.role == "inspector"


def mentors_of(people: Iterable[Account]) -> frozenset[UUID]:
    """The mentors who have these accounts: by their codes a reader of codes knows them."""
    return frozenset(account.mentor_id for account in people if account.mentor_id)


def names(
    policy: Policy,
    people: Mapping[UUID, Account],
    mentors: Mapping[UUID, Mentor],
    pupils: Mapping[UUID, str],
) -> Names:
    """Names for whoever may know them. `pupils` are the names on the roll."""
    called = {account.account_id: Called(account.name, account.role) for account in people.values()}
    of_mentors = {m.mentor_id: pupils[m.pupil_id] for m in mentors.values() if m.pupil_id in pupils}
    return Names(called, pupils, of_mentors, titles(policy))


def coded_names(
    policy: Policy,
    people: Mapping[UUID, Account],
    mentors: Mapping[UUID, Mentor],
    pupils: Iterable[UUID],
) -> Names:
    """Codes for pupils and mentors, and the names of adults."""
    of_mentors = {mentor.mentor_id: mentor_code(mentor.pupil_id) for mentor in mentors.values()}

    def called(account: Account) -> Called:
        if account.role != "mentor":
            return Called(account.name, account.role)
        code = of_mentors.get(account.mentor_id) if account.mentor_id else None
        return Called(code or mentor_code(None), account.role)

    return Names(
        {account.account_id: called(account) for account in people.values()},
        {pupil_id: pupil_code(pupil_id) for pupil_id in pupils},
        of_mentors,
        titles(policy),
    )
