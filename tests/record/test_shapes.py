"""A fact's fields are written and read by their annotations alone; anything else is refused."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from types import new_class
from typing import Any, Literal
from uuid import UUID

import pytest

from app.record.shapes import FactBroken, FactNotStorable, Shape, shape_of
from domain.fact import ERASED, Fact, Kept

ID = UUID("0b2e9d6c-3c5f-4f0e-8d53-6e2b6f2f6a01")


@dataclass(frozen=True)
class Guest:
    """A part of a fact that has fields of its own."""

    name: str
    born_on: date
    pupil_id: UUID | None = None


class Visited(Fact):
    """Every kind of field that a fact may have."""

    answer: Kept[Literal["yes", "no"]]
    count: Kept[int]
    seen: bool
    words: str
    at: datetime
    by: UUID
    told: tuple[str, ...]
    days: tuple[date, ...]
    guests: tuple[Guest, ...]
    note: str | None = None
    next_on: date | None = None
    TOPIC = "tests.visited"


SHAPE = Shape("tests.visited", Visited)
# In another part of the world, where it is a day later.
AT = datetime(2026, 6, 15, 2, 3, 4, 50, tzinfo=timezone(timedelta(hours=14)))
SAID: dict[str, Any] = {
    "recorded_by": ID,
    "command_id": UUID(int=2),
    "policy_version": 1,
    "happened_on": date(2026, 6, 14),
    "answer": "yes",
    "count": 2,
    "seen": True,
    "words": '{"_type_": "uuid_hex", "_data_": "0"}',
    "at": AT,
    "by": ID,
    "told": ("one", "two"),
    "days": (date(2026, 6, 1), date(1, 1, 1)),
    "guests": (Guest("Ann", date(2012, 2, 29)), Guest("Bo", date(2013, 3, 1), ID)),
    "note": None,
    "next_on": date(2026, 7, 1),
}
READABLE = {
    "recorded_by": "0b2e9d6c-3c5f-4f0e-8d53-6e2b6f2f6a01",
    "command_id": "00000000-0000-0000-0000-000000000002",
    "policy_version": 1,
    "happened_on": "2026-06-14",
    "answer": "yes",
    "count": 2,
}
SEALED = {
    "seen": True,
    "words": '{"_type_": "uuid_hex", "_data_": "0"}',
    "at": "2026-06-14T12:03:04.000050Z",
    "by": "0b2e9d6c-3c5f-4f0e-8d53-6e2b6f2f6a01",
    "told": ["one", "two"],
    "days": ["2026-06-01", "0001-01-01"],
    "guests": [
        {"name": "Ann", "born_on": "2012-02-29", "pupil_id": None},
        {"name": "Bo", "born_on": "2013-03-01", "pupil_id": "0b2e9d6c-3c5f-4f0e-8d53-6e2b6f2f6a01"},
    ],
    "note": None,
    "next_on": "2026-07-01",
}
STORED = READABLE | SEALED


def read(stored: dict[str, Any], erased: tuple[str, ...] = ()) -> dict[str, Any]:
    said = dict(stored)
    SHAPE.decode(said, erased)
    return said


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in STORED.items() if name not in names}


def test_each_kind_of_field_has_one_text_and_is_read_back() -> None:
    assert SHAPE.encode(SAID) == (READABLE, SEALED)
    said = read(STORED)
    assert said == SAID
    assert {name: type(value) for name, value in said.items()} == {n: type(v) for n, v in SAID.items()}
    assert said["at"].tzinfo is UTC


@pytest.mark.parametrize(("name", "value"), [("note", "None"), ("next_on", None)])
def test_what_may_be_left_out_is_written_and_read_whether_it_is_there_or_not(name: str, value: Any) -> None:
    readable, sealed = SHAPE.encode(SAID | {name: value})
    assert (readable, sealed) == (READABLE, SEALED | {name: value})
    assert read(readable | sealed)[name] == value


class Shout(str):
    """A text of a kind of its own."""


class Stranger(Guest):
    """Says more than a guest does."""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("answer", "maybe"),
        ("answer", 1),
        ("answer", Shout("yes")),
        ("answer", ["yes"]),
        ("count", True),
        ("count", 2.0),
        ("seen", 1),
        ("words", Shout("secret")),
        ("words", b"secret"),
        ("words", None),
        ("at", datetime(2026, 6, 14)),  # noqa: DTZ001
        ("at", date(2026, 6, 14)),
        ("at", datetime.max.replace(tzinfo=timezone(timedelta(hours=-1)))),
        ("by", str(ID)),
        ("by", ID.int),
        ("told", ["secret"]),
        ("told", "secret"),
        ("told", ("one", 2)),
        ("days", (date(2026, 6, 1), AT)),
        ("guests", (Guest("secret", date(2012, 2, 29)), {"name": "secret"})),
        ("guests", (Stranger("secret", date(2012, 2, 29)),)),
        ("guests", (Guest("secret", AT),)),
        ("note", 7),
        ("next_on", AT),
        ("happened_on", "2026-06-14"),
    ],
)
def test_a_value_of_another_kind_is_not_written(name: str, value: Any) -> None:
    with pytest.raises(FactNotStorable) as refused:
        SHAPE.encode(SAID | {name: value})
    assert str(refused.value) == f"tests.visited can't be kept: {name} is of the wrong kind."


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("at", "secret"),
        ("at", 7),
        ("at", None),
        ("by", "secret"),
        ("by", 7),
        ("by", ["secret"]),
        ("told", "secret"),
        ("told", {"secret": 1}),
        ("days", ["2026-06-01", "secret"]),
        ("guests", ["secret"]),
        ("guests", [{"name": "secret"}]),
        ("guests", [{"name": "secret", "born_on": "2012-02-29", "colour": "red"}]),
        ("guests", [{"name": "secret", "born_on": "secret"}]),
        ("next_on", "secret"),
        ("happened_on", "2026-06-31"),
    ],
)
def test_what_cannot_be_read_is_refused(name: str, value: Any) -> None:
    with pytest.raises(FactBroken) as refused:
        read(STORED | {name: value})
    assert str(refused.value) == f"tests.visited was stored with something else in {name}."


def test_a_part_of_a_fact_may_lack_what_has_a_default() -> None:
    assert read(STORED | {"guests": [{"name": "Ann", "born_on": "2012-02-29"}]})["guests"] == (
        Guest("Ann", date(2012, 2, 29), None),
    )


def test_a_field_with_a_default_may_be_missing_and_no_other() -> None:
    assert read(without("note", "next_on")) == SAID | {"note": None, "next_on": None}
    for name in without("note", "next_on"):
        with pytest.raises(FactBroken, match=f"^tests.visited was stored without its field {name}.$"):
            read(without(name))


@pytest.mark.parametrize("others", [(), ("note",), ("at", "words")])
def test_a_field_that_the_fact_does_not_have_is_refused(others: tuple[str, ...]) -> None:
    for stored, erased in (({"colour": "secret"}, others), ({}, (*others, "colour"))):
        with pytest.raises(FactBroken) as refused:
            read(without(*others) | stored, erased)
        assert str(refused.value) == "tests.visited was stored with fields that this software doesn't know."


def test_what_is_erased_is_marked_and_the_rest_is_read() -> None:
    names = tuple(SEALED)
    assert read(READABLE, names) == SAID | dict.fromkeys(names, ERASED)
    assert read(without("at", "note"), ("at",)) == SAID | {"at": ERASED, "note": None}
    with pytest.raises(FactBroken, match="without its field at"):
        read(without("at", "words"), ("words",))


def test_what_is_said_to_be_erased_is_not_shown_even_where_it_still_stands() -> None:
    assert read(STORED, ("words", "at"))["words"] is ERASED


def test_each_kind_of_fact_has_one_shape_made_once() -> None:
    shape = shape_of("mentee-case.closed")
    assert shape is not None
    assert shape is shape_of("mentee-case.closed")
    assert shape is not shape_of("mentee-case.reopened")
    assert shape_of("tests.visited") is None, "it isn't on the allow-list"


@pytest.mark.parametrize(
    "annotation",
    [
        float,
        object,
        dict[str, str],
        list[str],
        set[str],
        tuple[int, int],
        tuple[str, str],
        str | int,
        str | int | None,
        tuple[float, ...],
        float | None,
    ],
)
def test_a_fact_that_would_hold_anything_else_cannot_be_declared(annotation: Any) -> None:
    said = {"__annotations__": {"odd": annotation}, "__module__": __name__}
    odd = new_class("Odd", (Fact,), exec_body=lambda body: body.update(said))
    with pytest.raises(TypeError, match=r"^A fact can't have a field of type "):
        Shape("tests.odd", odd)
