"""Who asks casework, and what it answers."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from domain.fact import Fact, Subject
from domain.mentee_case import MenteeCase


class NotFound(Exception):
    """There is no such thing, or it isn't this reader's: nobody learns which."""


class Stale(Exception):
    """Somebody recorded something since this person looked. `version` is the one now."""

    def __init__(self, version: int) -> None:
        super().__init__("This changed since you opened it.")
        self.version = version


class Busy(Exception):
    """Others changed the same things three times in a row."""


class Person(Protocol):
    """Who acts: an account in a role; a mentor's account names the mentor."""

    @property
    def account(self) -> UUID:
        """The account's id."""

    @property
    def role(self) -> str:
        """One of the domain's roles (`Role`)."""

    @property
    def mentor_id(self) -> UUID | None:
        """The mentor that this account belongs to."""


@dataclass(frozen=True)
class Done:
    """What was recorded: the subject as the answer shows it, and how far a list must read to show it too."""

    subject: Subject
    position: int
    replayed: bool = False
    case: MenteeCase | None = None
    recorded_at: datetime | None = None


class Told(NamedTuple):
    """A fact as it stands in its stream, for histories."""

    fact: Fact
    position: int
    recorded_at: datetime
