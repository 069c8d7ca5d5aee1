"""What a school of chance stands on: a day, people who record, and the subjects that there are."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date, timedelta
from random import Random
from typing import Any, Final, TypeVar
from uuid import UUID

from domain.erasure import KeyDestroyed
from domain.fact import By, Refused, Subject, said_fields
from domain.policy import Policy

S = TypeVar("S", bound=Subject)
Happening = Callable[[], Any]
BEGAN: Final = date(2025, 9, 1)
NAMES: Final = (
    *("Siân", "Zoë", "Anne-Marie", "Łukasz", "O'Neill"),
    *("de Souza", "Ng", "Brontë", "İpek", "Mac Aodha"),
)
# What lists take from a correction, as people type it: also what can't be understood.
CORRECTED: Final[dict[str, Sequence[str]]] = {
    "given_name": NAMES,
    "family_name": NAMES,
    "known_as": ("", "Ziggy"),
    "upn": ("", "A823456789012"),
    "born_on": ("2012-02-29", "1/9/2011", "soon"),
    "year_group": ("9", "Year 8", "99"),
    "tutor_group": ("7X", ""),
    "name": ("Ms Hughes", ""),
    "email": ("hughes@school.example", ""),
    "due_on": ("2026-01-31", "1 May 2026", "soon"),
}


class Chances:
    """Chance decides, never against the rules; `something` lets one thing happen."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.subjects: list[Subject] = []
        self.day = 0

    def something(self) -> None:
        """Let one thing happen. Raises Refused where a rule says no, IndexError where nobody is there."""
        raise NotImplementedError

    def facts(
        self, count: int, save: Callable[..., Any], destroy: Callable[[UUID], Any] | None = None
    ) -> None:
        """Let things happen until so many facts are told, saving each as it happens.

        With `destroy` the keys of what is erased go, just before that is told, and nobody adds anything to
        it. Without it the keys stay, as with a process that remembers one, and things go on happening.
        """
        told = 0
        while told < count:
            self.day += self.chance.random() < 0.1
            with suppress(Refused, IndexError):
                self.something()
            changed = [subject for subject in self.subjects if subject.pending_events]
            facts = [fact for subject in changed for fact in subject.pending_events]
            for fact in facts:
                if destroy is not None and isinstance(fact, KeyDestroyed):
                    destroy(fact.target)
                    self.subjects = [s for s in self.subjects if s.id != fact.target]
            told += len(facts)
            if changed:
                save(*changed)

    @property
    def today(self) -> date:
        return BEGAN + timedelta(days=self.day)

    @property
    def policy(self) -> Policy:
        return Policy(sessions=2, caseload=5)

    def by(self) -> By:
        earlier = self.today - timedelta(days=self.chance.randrange(0, 20))
        return By(
            account=self.an_id(),
            command_id=self.an_id(),
            today=self.today,
            happened_on=earlier if self.chance.random() < 0.15 else None,
            policy=self.policy,
        )

    def second_thoughts(self) -> None:
        """Somebody corrects or disputes an entry, mostly one that a list takes notice of."""
        kinds = sorted({type(s) for s in self.subjects if s.version}, key=lambda kind: kind.__name__)
        subject = self.some(self.chance.choice(kinds))
        entries = [
            (version, field) for version, told in enumerate(subject.told, 1) for field in said_fields(told)
        ]
        noticed = [entry for entry in entries if entry[1] in CORRECTED or entry[1] == "pupil_id"]
        often = noticed and self.chance.random() < 0.8
        version, field = self.chance.choice(noticed if often else entries)
        if self.chance.random() < 0.3:
            subject.dispute(self.by(), version=version, words="That's not what I said.")
        else:
            value = self.typed(field)
            subject.correct(self.by(), version=version, field=field, value=value, reason="typo")

    def typed(self, field: str) -> str:
        return self.chance.choice(CORRECTED.get(field, ("something else",)))

    def one_of(self, *happenings: tuple[float, Happening]) -> None:
        """Let one of them happen; the numbers say how likely each is."""
        weights, commands = zip(*happenings, strict=True)
        self.chance.choices(commands, weights)[0]()

    def an_id(self) -> UUID:
        return UUID(int=self.chance.getrandbits(128), version=4)

    def new(self, kind: type[S], subject_id: UUID | None = None) -> S:
        subject = kind.blank(subject_id or self.an_id())
        self.subjects.append(subject)
        return subject

    def all(self, kind: type[S]) -> list[S]:
        return [s for s in self.subjects if isinstance(s, kind) and s.version]

    def some(self, kind: type[S]) -> S:
        return self.chance.choice(self.all(kind))

    def with_id(self, kind: type[S], subject_id: UUID | None) -> S | None:
        return next((s for s in self.all(kind) if s.id == subject_id), None)
