"""Opening and ending people's accounts, and tokens for their programs: a fact first, then access itself."""

from dataclasses import dataclass, field
from secrets import choice
from typing import Final, get_args
from uuid import UUID, uuid4

from app.access.accounts import Accounts, NameTaken
from app.casework import Casework
from domain.fact import By
from domain.mentor import Mentor
from domain.staff import SYSTEM, Role, Staff

ROLES: Final[tuple[Role, ...]] = get_args(Role)
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # none that look alike on a slip of paper
_BECAUSE_TAKEN: Final = "The sign-in name was taken, so this account was never used."


class OfficeRefused(Exception):
    """The account can't be opened or isn't there; the message is a sentence for an administrator."""


@dataclass(frozen=True)
class Opened:
    """A new account. The password is shown once and kept nowhere."""

    account: UUID
    password: str | None = field(repr=False)
    position: int


class StaffOffice:
    """Accounts, from the administrator's desk. `by` is who acts: Casebook itself if nobody else is known."""

    def __init__(self, casework: Casework, accounts: Accounts, by: UUID = SYSTEM) -> None:
        self._casework = casework
        self._accounts = accounts
        self._by_account = by

    def add(
        self,
        name: str,
        role: Role,
        *,
        email: str | None = None,
        mentor_id: UUID | None = None,
        password: str | None = None,
        sign_in_names: tuple[str, ...] = (),
        can_sign_in: bool = True,
    ) -> Opened:
        """Open an account: people sign in with `name`, the e-mail address or one of `sign_in_names`.

        A mentor's account without `mentor_id` sees no case, and can still raise a concern. Without `password`
        one is made up. `can_sign_in=False` opens an account without one. Raises
        OfficeRefused when a name is taken, the role doesn't fit, or the mentor isn't there.
        """
        names = list(dict.fromkeys(n for n in (name, email, *sign_in_names) if n))
        self._check(name, role, email, mentor_id)
        if any(self._accounts.find(n) for n in names):
            raise OfficeRefused("Somebody already signs in with this name or address. Add more to the name.")
        staff = Staff.blank(uuid4())
        staff.open_account(self._by(), name=name, role=role, email=email, mentor_id=mentor_id)
        position = self._casework.save([staff]).position
        chosen = (password or new_password()) if can_sign_in else None
        try:
            self._accounts.open(staff.id, role, names, chosen, mentor_id)
        except NameTaken:
            staff.end_account(self._by(), reason=_BECAUSE_TAKEN)
            self._casework.save([staff])
            raise OfficeRefused("Somebody already used this name or address. Add more to the name.") from None
        return Opened(staff.id, chosen, position)

    def end(self, name: str, reason: str) -> int:
        """End an account with its sessions and tokens, at once. Gives the fact's position."""
        account = self.find(name)
        self._accounts.end(account)
        staff = self._staff(account)
        staff.end_account(self._by(), reason=reason)
        return int(self._casework.save([staff]).position)

    def issue_token(self, name: str) -> tuple[str, int]:
        """A bearer token for somebody's program, and the position of the fact that says so."""
        account = self.find(name)
        staff = self._staff(account)
        staff.issue_token(self._by())
        position = self._casework.save([staff]).position
        return self._accounts.issue_token(account), position

    def find(self, name: str) -> UUID:
        """The account with this sign-in name. Raises OfficeRefused."""
        account = self._accounts.find(name)
        if account is None:
            raise OfficeRefused("Nobody signs in with this name. `casebook staff list` shows the names.")
        return account

    def _check(self, name: str, role: Role, email: str | None, mentor_id: UUID | None) -> None:
        if not name.strip() or not name.isprintable() or len(name) > 200:
            raise OfficeRefused("Give a name of at most 200 printable characters.")
        if role not in ROLES:
            raise OfficeRefused(f"The roles are {', '.join(ROLES)}.")
        if email is not None and (email.count("@") != 1 or not email.isprintable() or " " in email):
            raise OfficeRefused("That isn't an e-mail address.")
        if mentor_id is not None and role != "mentor":
            raise OfficeRefused("Only a mentor's account names a mentor.")
        if mentor_id is not None and self._casework.load(Mentor, mentor_id) is None:
            raise OfficeRefused("There is no mentor with this id.")

    def _staff(self, account: UUID) -> Staff:
        staff = self._casework.load(Staff, account)
        if staff is None:
            raise OfficeRefused("The record knows nothing of this account.")
        return staff

    def _by(self) -> By:
        casework = self._casework
        return By(self._by_account, uuid4(), casework.today(), policy=casework.policy())


def new_password() -> str:
    """A password that can be read out: four groups of four, about 79 bits."""
    return "-".join("".join(choice(_LETTERS) for _ in range(4)) for _ in range(4))
