"""How people are called in sentences: by name for a reader who may know it, else by what they are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, NamedTuple, Protocol
from uuid import UUID

from app.wording.common import ROLES, _
from domain.fact import CorrectedFact, Fact, annotations_of
from domain.staff import SYSTEM

A_PUPIL: Final = _("a pupil")
A_MENTOR: Final = _("a peer mentor")
A_MEMBER_OF_STAFF: Final = _("a member of staff")
CASEBOOK: Final = "Casebook"

_WHERE: Final = ("told", "mentor_id", "pupil_id", "involved")


class Called(NamedTuple):
    """Somebody with an account: name and role."""

    name: str
    role: str


class NamesOf(Protocol):
    """What a sentence asks for. Each answer is text to show, never empty."""

    def person(self, account_id: Any) -> str:
        """Somebody with an account."""

    def role(self, account_id: Any) -> str | None:
        """The role of somebody with an account, where the reader may know it."""

    def title(self, role: str) -> str:
        """What a role is called in this school."""

    def pupil(self, pupil_id: Any) -> str:
        """A pupil on the roll."""

    def mentor(self, mentor_id: Any) -> str:
        """A peer mentor."""


@dataclass(frozen=True)
class Names:
    """The names that one reader may see. What isn't here is called by what it is."""

    people: Mapping[UUID, Called] = field(default_factory=dict)
    pupils: Mapping[UUID, str] = field(default_factory=dict)
    mentors: Mapping[UUID, str] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=lambda: ROLES)

    def person(self, account_id: Any) -> str:
        """Somebody with an account; Casebook itself where no person acted."""
        known = self.people.get(account_id)
        if known:
            return known.name
        return CASEBOOK if account_id == SYSTEM else A_MEMBER_OF_STAFF

    def role(self, account_id: Any) -> str | None:
        """The role of somebody with an account, or None."""
        known = self.people.get(account_id)
        return known.role if known else None

    def title(self, role: str) -> str:
        """What a role is called in this school."""
        return self.titles.get(role, role)

    def pupil(self, pupil_id: Any) -> str:
        """A pupil on the roll."""
        return self.pupils.get(pupil_id, A_PUPIL)

    def mentor(self, mentor_id: Any) -> str:
        """A peer mentor."""
        return self.mentors.get(mentor_id, A_MENTOR)


class Mentioned(NamedTuple):
    """Whose names a history needs: look each set up once."""

    accounts: frozenset[UUID]
    pupils: frozenset[UUID]
    mentors: frozenset[UUID]


def mentioned(facts: Iterable[Fact]) -> Mentioned:
    """Everybody whom these facts mention by id."""
    accounts: set[UUID] = set()
    pupils: set[UUID] = set()
    mentors: set[UUID] = set()
    for fact in facts:
        accounts.add(fact.recorded_by)
        if not _mentions_somebody(type(fact)):
            continue
        said = vars(fact)
        accounts.update(_ids(said.get("told")))
        mentors.update(_ids((said.get("mentor_id"),)))
        pupils.update(_ids((said.get("pupil_id"),)))
        involved = said.get("involved")
        if isinstance(involved, tuple):
            pupils.update(_ids(part.pupil_id for part in involved))
        if isinstance(fact, CorrectedFact) and fact.field == "pupil_id":
            pupils.update(_ids((uuid_in(fact.value),)))
    return Mentioned(frozenset(accounts), frozenset(pupils), frozenset(mentors))


@cache
def _mentions_somebody(fact_class: type[Fact]) -> bool:
    fields = annotations_of(fact_class)
    return issubclass(fact_class, CorrectedFact) or not fields.keys().isdisjoint(_WHERE)


def uuid_in(text: Any) -> UUID | None:
    """The id that somebody typed, or None where the text isn't one."""
    try:
        return UUID(text)
    except (AttributeError, TypeError, ValueError):
        return None


def _ids(found: Any) -> Iterable[UUID]:
    return (one for one in found if isinstance(one, UUID)) if isinstance(found, Iterable) else ()
