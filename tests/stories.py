"""A school's people and a case with a disclosure, for tests of what a history shows to whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from app.history import Entry
from app.wording.names import Called, Names
from domain.fact import Fact
from domain.mentee_case_facts import (
    ConfidentialityBroken,
    HoldReleased,
    Matched,
    PutOnHold,
    Referred,
    SessionHeld,
)
from tests.wording.samples import fact

PRICE, LEE, HUGHES, AMY_SIGNS_IN, BEN_SIGNS_IN = (UUID(int=n) for n in range(21, 26))
AMY, BEN, CAL = (UUID(int=n) for n in range(31, 34))
NAMES = Names(
    {
        PRICE: Called("Ms Price", "coordinator"),
        LEE: Called("Mr Lee", "coordinator"),
        HUGHES: Called("Ms Hughes", "dsl"),
        AMY_SIGNS_IN: Called("Amy Jones", "mentor"),
    },
    {CAL: "Cal Evans"},
    {AMY: "Amy Jones", BEN: "Ben Ali"},
)
START = datetime(2026, 9, 17, 12, 5, tzinfo=UTC)
HOLD = "This case was put on hold."


@dataclass(frozen=True)
class Reading:
    role: str
    account: UUID
    mentor_id: UUID | None = None


DSL = Reading("dsl", HUGHES)
COORDINATOR = Reading("coordinator", PRICE)
MENTOR = Reading("mentor", AMY_SIGNS_IN, AMY)


def story(*facts: Any) -> list[tuple[Fact, int, datetime]]:
    """Facts as the record gives them: one an hour, among other people's."""
    return [(one, 100 + 3 * n, START + timedelta(hours=n)) for n, one in enumerate(facts)]


def case(*kinds: tuple[type[Fact], dict[str, Any]]) -> list[tuple[Fact, int, datetime]]:
    """A case from kinds of facts, numbered, recorded by Ms Price unless said otherwise."""
    return story(
        *(fact(kind, n, **{"recorded_by": PRICE, **said}) for n, (kind, said) in enumerate(kinds, 1))
    )


def names_of(found: Sequence[Entry]) -> list[str]:
    return [entry.name for entry in found]


DISCLOSURE = case(
    (Referred, {}),
    (Matched, {"mentor_id": AMY}),
    (SessionHeld, {"recorded_by": AMY_SIGNS_IN}),
    (ConfidentialityBroken, {"recorded_by": AMY_SIGNS_IN}),
    (PutOnHold, {"recorded_by": AMY_SIGNS_IN, "reason": "a worry"}),
    (HoldReleased, {"recorded_by": HUGHES, "reason": "settled at home"}),
)
