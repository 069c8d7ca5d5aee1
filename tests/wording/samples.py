"""One invented fact of any kind, with every field said: for tests that walk all of them."""

import types
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from domain.fact import ENVELOPE, ERASED, CorrectedFact, Fact, Mark, annotations_of, marks

SUBJECT = UUID(int=1)
SOMEBODY = UUID(int=2)
ON = date(2026, 9, 17)
AT = datetime(2026, 9, 17, 12, 5, tzinfo=UTC)


def kind_of(annotation: Any) -> Any:
    """The type under marks and None."""
    kind = annotation.__origin__ if hasattr(annotation, "__metadata__") else annotation
    if get_origin(kind) in (Union, types.UnionType):
        return kind_of(next(one for one in get_args(kind) if one is not type(None)))
    return kind


def value_for(name: str, annotation: Any) -> Any:
    """A value of the field's type; a text names its field."""
    kind = kind_of(annotation)
    if get_origin(kind) is Literal:
        return get_args(kind)[0]
    if get_origin(kind) is tuple:
        return (value_for(name, get_args(kind)[0]),)
    if is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        return kind(**{field.name: value_for(field.name, hints[field.name]) for field in fields(kind)})
    plain: dict[Any, Any] = {
        str: f"the {name}",
        int: 7,
        bool: True,
        date: ON,
        datetime: AT,
        UUID: UUID(int=3),
    }
    return plain[kind]


def fact(fact_class: type[Fact], number: int = 1, /, **said: Any) -> Any:
    """A fact with every field said; `said` says otherwise."""
    values = {name: value_for(name, hint) for name, hint in annotations_of(fact_class).items()}
    values.update(recorded_by=SOMEBODY, happened_on=ON)
    if issubclass(fact_class, CorrectedFact):
        values.update(field="notes", version=1)
    values.update(said)
    return fact_class(originator_id=SUBJECT, originator_version=number, timestamp=AT, **values)


def erased(fact_class: type[Fact]) -> Any:
    """The same fact after its key was destroyed."""
    sealed = [
        name
        for name, hint in annotations_of(fact_class).items()
        if name not in ENVELOPE and Mark.KEPT not in marks(hint)
    ]
    gone: dict[str, Any] = dict.fromkeys(sealed, ERASED)
    return fact(fact_class, **gone)
