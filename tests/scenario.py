"""Given past facts, when one command is given, then new facts or a refusal. Needs no database."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Generic, Self, TypeVar
from uuid import UUID, uuid4

from domain.fact import By, Fact, Refused, Subject

TODAY = date(2026, 11, 20)
COORDINATOR = UUID(int=1)
S = TypeVar("S", bound=Subject)


def by(account: UUID = COORDINATOR, **changes: Any) -> By:
    """A coordinator's command on 20 November 2026."""
    return By(account=account, command_id=uuid4(), today=TODAY)._replace(**changes)


@dataclass
class Scenario(Generic[S]):
    """One subject with its past, and what came of a command."""

    subject: S
    before: int
    refusal: Refused | None = None

    def when(self, command: Callable[[S], None]) -> Self:
        """Give one command."""
        try:
            command(self.subject)
        except Refused as refused:
            self.refusal = refused
        return self

    def then(self, *expected: tuple[type[Fact], dict[str, Any]]) -> S:
        """Exactly these facts followed, with at least these fields."""
        assert self.refusal is None, self.refusal
        new = self.subject.collect_events()
        assert [type(fact) for fact in new] == [kind for kind, _ in expected]
        for fact, (_, said) in zip(new, expected, strict=True):
            assert {name: getattr(fact, name) for name in said} == said
        return self.subject

    def refused(self, words: str) -> Refused:
        """The command was refused with a sentence that has these words, and nothing was recorded."""
        assert self.refusal is not None, f"nothing refused; recorded {self.subject.pending_events}"
        assert words in self.refusal.sentence
        assert self.refusal.sentence.endswith(".")
        assert not self.subject.pending_events
        assert self.subject.version == self.before
        return self.refusal


def given(kind: type[S], *past: tuple[type[Fact], dict[str, Any]]) -> Scenario[S]:
    """A subject with these past facts; each is told on its `happened_on`, else on 1 November 2026."""
    subject = kind.blank(uuid4())
    for version, (fact_class, said) in enumerate(past, start=1):
        envelope: dict[str, Any] = {
            "recorded_by": COORDINATOR,
            "command_id": uuid4(),
            "policy_version": 1,
            "happened_on": date(2026, 11, 1),
        }
        fact = fact_class(
            originator_id=subject.id,
            originator_version=version,
            timestamp=datetime(2026, 11, 1, tzinfo=UTC),
            **(envelope | said),
        )
        fact.mutate(subject)
    return Scenario(subject, len(past))


def fact(kind: type[Fact], **said: Any) -> tuple[type[Fact], dict[str, Any]]:
    """A fact and the fields that matter here."""
    return kind, said


__all__ = ["COORDINATOR", "TODAY", "Scenario", "by", "fact", "given"]
