"""Who has an account, in which role, and what are they called? Names in clear: the table is unlogged."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from psycopg_pool import ConnectionPool

from domain.staff import AccountOpened, Corrected, Role
from domain.staff import Staff as Subject
from projections.read_model import ReadModel, uuids


@dataclass(frozen=True)
class Account:
    """One person with an account; `mentor_id` is theirs when they are a peer mentor."""

    account_id: UUID
    number: int
    version: int
    name: str
    role: Role
    email: str | None
    mentor_id: UUID | None
    ended: bool


class _Account(Subject):
    def begin(self) -> None:
        super().begin()
        self.name = ""
        self.role: Role = "referrer"
        self.email: str | None = None
        self.mentor_id: UUID | None = None

    def on_account_opened(self, fact: AccountOpened) -> None:
        self.name, self.role, self.email, self.mentor_id = fact.name, fact.role, fact.email, fact.mentor_id

    def on_corrected(self, fact: Corrected) -> None:
        if self.erased or fact.version != 1:
            return
        value = fact.value.strip()
        if fact.field == "name" and value:
            self.name = value
        elif fact.field == "email":
            self.email = value or None


STAFF: Final = ReadModel(
    name="staff",
    kind="staff",
    key="account_id",
    subject=_Account,
    columns={
        "name": "text NOT NULL",
        "role": "text NOT NULL",
        "email": "text",
        "mentor_id": "uuid",
        "ended": "boolean NOT NULL",
    },
    indexes=("(role, number)", "(mentor_id)"),
    unlogged=True,
)

PAGE: Final = 50


class Staff:
    """The questions, each answered from the list as it is now."""

    def __init__(self, pool: ConnectionPool[Any]) -> None:
        self._ask = STAFF.asking(pool, Account)

    def accounts(self, after: int = 0, limit: int = PAGE) -> list[Account]:
        """Every account, ended ones too, oldest first; the next page comes after the last one's `number`."""
        clause = "WHERE number > %(after)s ORDER BY number LIMIT %(limit)s"
        return self._ask(clause, {"after": after, "limit": limit})

    def by_ids(self, ids: Iterable[UUID]) -> dict[UUID, Account]:
        """Accounts by their ids; an id that isn't an account is left out."""
        found = self._ask("WHERE account_id = ANY(%(ids)s::uuid[])", {"ids": uuids(ids)})
        return {account.account_id: account for account in found}

    def names(self, ids: Iterable[UUID]) -> dict[UUID, str]:
        """The names of accounts; Casebook's own account has none."""
        return {account_id: account.name for account_id, account in self.by_ids(ids).items()}

    def by_role(self, *roles: Role) -> list[Account]:
        """The accounts in these roles that haven't ended, oldest first."""
        clause = "WHERE role = ANY(%(roles)s) AND NOT ended ORDER BY number"
        return self._ask(clause, {"roles": list(roles)})

    def lead(self) -> Account | None:
        """The safeguarding lead: the longest-serving account in that role; None while there is none."""
        return next(iter(self.by_role("dsl")), None)

    def of_mentor(self, mentor_id: UUID) -> list[Account]:
        """The accounts of a peer mentor that haven't ended, oldest first."""
        clause = "WHERE mentor_id = %(mentor)s AND NOT ended ORDER BY number"
        return self._ask(clause, {"mentor": mentor_id})

    def ever_of_mentor(self, mentor_id: UUID) -> list[Account]:
        """Every account that a peer mentor ever had, ended ones too, oldest first."""
        return self._ask("WHERE mentor_id = %(mentor)s ORDER BY number", {"mentor": mentor_id})
