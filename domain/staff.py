"""Who was appointed to what: the people with an account. Their sign-in secrets are kept elsewhere.

The names of the facts and of their fields are a storage format and never change.
"""

from typing import Any, Final, Literal
from uuid import UUID

from domain.fact import By, CorrectedFact, DisputedFact, Fact, Kept, Subject, pinned, records

Role = Literal[
    "coordinator",
    "dsl",
    "deputy_dsl",
    "mentor",
    "referrer",
    "inspector",
    "head",
    "chair",
    "data_officer",
    "admin",
]
SYSTEM: Final = UUID("5c4e3e00-0000-4000-8000-000000000002")
"""The account of Casebook itself, for what no person does: sending alerts, importing a roll."""


class AccountOpened(Fact):
    """Somebody can sign in, in one role. A mentor's account names the mentor."""

    name: str
    role: Kept[Role]
    email: str | None = None
    mentor_id: UUID | None = None
    TOPIC = "staff.account-opened"


class TokenIssued(Fact):
    """A program may act for this account."""

    TOPIC = "staff.token-issued"


class AccountEnded(Fact):
    """This person can't sign in any more."""

    reason: str
    TOPIC = "staff.account-ended"


class Corrected(CorrectedFact):
    """An entry was wrong."""

    TOPIC = "staff.corrected"


class Disputed(DisputedFact):
    """Somebody disputes an entry."""

    TOPIC = "staff.disputed"


pinned(AccountOpened, TokenIssued, AccountEnded, Corrected, Disputed)


class Staff(Subject):
    """One person with an account: its id is the account's."""

    corrected = Corrected
    disputed = Disputed

    def begin(self) -> None:
        """Start without an account."""
        super().begin()
        self.ended = False

    @records(AccountOpened)
    def open_account(self, by: By, **said: Any) -> None:
        """Open the account."""
        if self.version:
            self.refuse("This account is already open.")
        self.record(AccountOpened, by, **said)

    @records(TokenIssued)
    def issue_token(self, by: By) -> None:
        """Let a program act for this account."""
        self._must_be_open()
        self.record(TokenIssued, by)

    @records(AccountEnded)
    def end_account(self, by: By, **said: Any) -> None:
        """End the account."""
        self._must_be_open()
        self.record(AccountEnded, by, **said)

    def _must_be_open(self) -> None:
        if not self.version or self.ended:
            self.refuse("There is no such open account.")

    def on_account_ended(self, _: AccountEnded) -> None:
        self.ended = True
