"""The names that one reader may see in a history, looked up once.

An inspector reads by codes: a pupil has the same one everywhere, and no name.
"""

from collections.abc import Iterable
from typing import Protocol
from uuid import UUID

from psycopg.errors import UndefinedTable
from psycopg_pool import ConnectionPool

from app.wording.common import _, titles
from app.wording.names import Called, Names, mentioned
from domain.fact import Fact
from domain.policy import Policy
from projections.mentors import Mentors
from projections.roll import Roll
from projections.staff import Account, Staff


class Lists(Protocol):
    """Where names are looked up."""

    @property
    def pool(self) -> ConnectionPool:
        """The connections of this process."""


def pupil_code(pupil_id: UUID) -> str:
    """What stands for a pupil's name where the name isn't needed."""
    return _("Pupil {code}").format(code=pupil_id.hex[:6].upper())


def mentor_code(pupil_id: UUID | None) -> str:
    """The same for a mentor, who is a pupil too."""
    return _("Peer mentor {code}").format(code=pupil_id.hex[:6].upper() if pupil_id else "").strip()


def names_for(
    lists: Lists,
    role: str,
    policy: Policy,
    facts: Iterable[Fact] = (),
    accounts: Iterable[UUID] = (),
) -> Names:
    """Everybody whom these facts mention, and these accounts, as far as this role may know them.

    Lists that aren't there yet hide no history: then everybody is called by what they are.
    """
    try:
        return _looked_up(lists, role, policy, facts, accounts)
    except UndefinedTable:
        return Names(titles=titles(policy))


def _looked_up(
    lists: Lists, role: str, policy: Policy, facts: Iterable[Fact], accounts: Iterable[UUID]
) -> Names:
    found = mentioned(facts)
    coded = role == "inspector"
    people = Staff(lists.pool).by_ids(found.accounts | frozenset(accounts))
    of_mentors = {a.mentor_id for a in people.values() if a.mentor_id} if coded else set()
    mentors = Mentors(lists.pool).by_ids(found.mentors | of_mentors) if found.mentors or of_mentors else {}
    on_roll = found.pupils | {mentor.pupil_id for mentor in mentors.values()}
    if coded:
        pupils = {pupil: pupil_code(pupil) for pupil in on_roll}
        mentor_names = {m.mentor_id: mentor_code(m.pupil_id) for m in mentors.values()}
    else:
        pupils = Roll(lists.pool).names(on_roll) if on_roll else {}
        mentor_names = {m.mentor_id: pupils[m.pupil_id] for m in mentors.values() if m.pupil_id in pupils}

    def called(account: Account) -> Called:
        if coded and account.role == "mentor":
            code = mentor_names.get(account.mentor_id) if account.mentor_id else None
            return Called(code or mentor_code(None), account.role)
        return Called(account.name, account.role)

    return Names(
        {account.account_id: called(account) for account in people.values()},
        pupils,
        mentor_names,
        titles(policy),
    )
