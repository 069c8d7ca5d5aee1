"""What every fact carries, how a fact says which of its fields may be kept, and how a command refuses.

A fact's name (`TOPIC`) and its field names are a storage format: a name once used stays for good.
"""

import re
from collections.abc import Callable
from dataclasses import MISSING, fields
from datetime import UTC, date, datetime
from enum import Enum
from functools import cache, partial
from operator import is_
from typing import Annotated, Any, ClassVar, Final, NamedTuple, NoReturn, Self, TypeVar, get_type_hints
from uuid import UUID

from eventsourcing.domain import Aggregate, AggregateEvent

from domain.policy import DEFAULT_POLICY, Policy

T = TypeVar("T")


class Mark(Enum):
    """What a field's annotation says of it, beside its type."""

    KEPT = "stays readable after erasure: a decision code, a count or a plain date, never a subject"
    DERIVED = "worked out by the command, never asked of a person"
    WORLD = "a day or time that the world owns: it can't lie in the future"


Kept = Annotated[T, Mark.KEPT]
Derived = Annotated[T, Mark.DERIVED]
OnDay = Annotated[date, Mark.KEPT, Mark.WORLD]
AtTime = Annotated[datetime, Mark.WORLD]


class Erased(Enum):
    """What a sealed field opens to when its key was destroyed."""

    ERASED = "erased"


ERASED: Final = Erased.ERASED
# By identity: an id would be asked whether it equals the mark, eight times for each fact that is replayed.
_is_erased: Final = partial(is_, ERASED)


class Refused(Exception):
    """A command broke a rule. `sentence` is for staff; `way_out` names the command that would help."""

    def __init__(self, sentence: str, way_out: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.way_out = way_out


class By(NamedTuple):
    """Who records, under which command and policy, and when it happened.

    `today` is the day in the school's time zone; `happened_on` is None when nobody said otherwise;
    `born_on` is the pupil's birth date where it may matter; `lead` names whom to speak to about a hold.
    """

    account: UUID
    command_id: UUID
    today: date
    happened_on: date | None = None
    policy: Policy = DEFAULT_POLICY
    born_on: date | None = None
    lead: str = "the Designated Safeguarding Lead"


class Fact(AggregateEvent):
    """One thing that happened. The library's `timestamp` isn't stored: `recorded_at` is the row's."""

    recorded_by: Kept[UUID]
    command_id: Kept[UUID]
    policy_version: Kept[int]
    happened_on: Kept[date]

    TOPIC: ClassVar[str] = ""

    def apply(self, aggregate: Any) -> None:
        """Tell the subject, which changes its state. Never refuses: this runs again on every replay."""
        aggregate.hear(self)


ENVELOPE: Final = ("recorded_by", "command_id", "policy_version", "happened_on")
_LIBRARY: Final = ("originator_id", "originator_version", "timestamp")


@cache
def annotations_of(fact_class: type[Fact]) -> dict[str, Any]:
    """Every field of a fact with its annotation, the envelope first, the library's own left out."""
    hints = get_type_hints(fact_class, include_extras=True)
    return {f.name: hints[f.name] for f in fields(fact_class) if f.name not in _LIBRARY}


def marks(annotation: Any) -> frozenset[Mark]:
    """The marks on one annotation."""
    return frozenset(m for m in getattr(annotation, "__metadata__", ()) if isinstance(m, Mark))


@cache
def kept_fields(fact_class: type[Fact]) -> frozenset[str]:
    """Names of the fields that stay readable after erasure; every other field is sealed."""
    return frozenset(n for n, a in annotations_of(fact_class).items() if Mark.KEPT in marks(a))


@cache
def said_fields(fact_class: type[Fact]) -> dict[str, Any]:
    """The fields that a person says: neither envelope nor derived."""
    return {
        n: a
        for n, a in annotations_of(fact_class).items()
        if n not in ENVELOPE and Mark.DERIVED not in marks(a)
    }


@cache
def required_fields(fact_class: type[Fact]) -> frozenset[str]:
    """Names of the fields without a default."""
    return frozenset(f.name for f in fields(fact_class) if f.default is MISSING)


FACTS: dict[str, type[Fact]] = {}
"""Every fact by its pinned name: the allow-list that stored names are resolved through."""


def pinned(*fact_classes: type[Fact]) -> None:
    """Put facts on the allow-list. A name can be taken once."""
    for fact_class in fact_classes:
        if not re.fullmatch(r"[a-z-]+\.[a-z-]+", fact_class.TOPIC) or fact_class.TOPIC in FACTS:
            raise ValueError(f"{fact_class.__name__} needs a pinned name of its own")
        FACTS[fact_class.TOPIC] = fact_class


Command = Callable[..., None]
C = TypeVar("C", bound=Command)


def records(fact_class: type[Fact]) -> Callable[[C], C]:
    """Leave on a command which fact it records, so that forms and API can ask for that fact's fields."""

    def mark(method: C) -> C:
        method.records = fact_class  # type: ignore[attr-defined]
        return method

    return mark


@cache
def _handler(fact_class: type[Fact]) -> str:
    return "on_" + re.sub(r"(?<=[a-z])(?=[A-Z])", "_", fact_class.__name__).lower()


class CorrectedFact(Fact):
    """A field of an earlier fact was wrong; the old words stay beside the new ones."""

    version: Kept[int]
    field: str
    value: str
    reason: str


class DisputedFact(Fact):
    """Somebody says that an earlier fact isn't right; it stays, marked."""

    version: Kept[int]
    words: str


class Subject(Aggregate):
    """What facts are recorded about. A new one has version 0; its first fact makes it version 1."""

    corrected: ClassVar[type[CorrectedFact]]
    disputed: ClassVar[type[DisputedFact]]

    @classmethod
    def blank(cls, subject_id: UUID) -> Self:
        """A subject about which nothing is recorded yet."""
        subject = cls.__new__(cls)
        subject.__base_init__(subject_id, 0, datetime(1970, 1, 1, tzinfo=UTC))
        subject.begin()
        return subject

    def begin(self) -> None:
        """Set the state before the first fact."""
        self.told: list[type[Fact]] = []
        self.told_by: list[UUID] = []
        self.erased = False

    def hear(self, fact: Fact) -> None:
        """Change state by one fact: count it, then call `on_<fact_name>` where there is one."""
        self.told.append(type(fact))
        self.told_by.append(fact.recorded_by)
        if not self.erased and any(map(_is_erased, vars(fact).values())):
            self.erased = True
        handler = getattr(self, _handler(type(fact)), None)
        if handler is not None:
            handler(fact)

    def record(self, fact_class: type[Fact], by: By, **said: Any) -> None:
        """Record a fact that the rules allow. Refuses what is erased, in the future or before birth."""
        if self.erased:
            self.refuse("This record has been erased. Nothing can be added to it.")
        happened_on = by.happened_on or _world_day(fact_class, said) or by.today
        if happened_on > by.today:
            self.refuse(f"{day(happened_on)} is in the future. Give the day on which it happened.")
        if by.born_on is not None and happened_on < by.born_on:
            self.refuse(f"{day(happened_on)} is before the pupil was born. Check the year.")
        self.trigger_event(
            fact_class,
            recorded_by=by.account,
            command_id=by.command_id,
            policy_version=by.policy.version,
            happened_on=happened_on,
            **said,
        )

    def refuse(self, sentence: str, way_out: str | None = None) -> NoReturn:
        """Refuse, in a sentence for staff."""
        raise Refused(sentence, way_out)

    @records(CorrectedFact)
    def correct(self, by: By, *, version: int, field: str, value: str, reason: str) -> None:
        """Say what a field of an earlier fact should have been. `value` is text, as a person types it."""
        fact_class = self._fact_at(version)
        if issubclass(fact_class, CorrectedFact | DisputedFact) or field not in said_fields(fact_class):
            self.refuse(f"That entry has no “{field}” that can be corrected.")
        self.record(self.corrected, by, version=version, field=field, value=value, reason=reason)

    @records(DisputedFact)
    def dispute(self, by: By, *, version: int, words: str) -> None:
        """Mark an earlier fact as disputed, with the words of whoever disputes it."""
        self._fact_at(version)
        self.record(self.disputed, by, version=version, words=words)

    def _fact_at(self, version: int) -> type[Fact]:
        if not 1 <= version <= len(self.told):
            self.refuse(f"There is no entry number {version} in this record.")
        return self.told[version - 1]


@cache
def _world_days(fact_class: type[Fact]) -> tuple[str, ...]:
    hints = said_fields(fact_class)
    return tuple(n for n, a in hints.items() if {Mark.WORLD, Mark.KEPT} <= marks(a))


def _world_day(fact_class: type[Fact], said: dict[str, Any]) -> date | None:
    """The day that a fact itself says it happened on, such as `held_on`."""
    return next((said[name] for name in _world_days(fact_class) if said.get(name)), None)


def day(when: date) -> str:
    """A day as people write it: 14 June 2026."""
    return f"{when.day} {when:%B %Y}"
