"""How each kind of fact is written and read, by the annotations of its fields alone.

Names are looked up on the allow-list (`domain.fact.FACTS`), and only flat, declared types are read: whatever
a person typed, `{"_type_": …}` included, is text. The codecs of each kind of fact are made on first use.
"""

from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from types import NoneType, UnionType
from typing import Any, Final, Literal, cast, get_args, get_origin, get_type_hints
from uuid import UUID

from eventsourcing.persistence import MapperDeserialisationError

from domain import concern, erasure, mentee_case, mentor, pupil, scheme, staff
from domain.fact import ERASED, FACTS, Fact, annotations_of, kept_fields

FACT_MODULES: Final = (concern, erasure, mentee_case, mentor, pupil, scheme, staff)
"""Every module that pins facts; importing them here fills the allow-list."""

Codec = Callable[[Any], Any]


class FactBroken(MapperDeserialisationError):
    """A stored fact can't be read by this software. Names fact and field, never what they hold."""


class FactNotStorable(TypeError):
    """A field of a new fact holds something else than its annotation says. Names the field alone."""


class Shape:
    """How one kind of fact is written and read."""

    def __init__(self, topic: str, fact_class: type[Fact]) -> None:
        self.topic = topic
        self.fact_class = fact_class
        codecs = {name: _codec(annotation) for name, annotation in annotations_of(fact_class).items()}
        kept = kept_fields(fact_class)
        self._kept = [(name, encode) for name, (encode, _) in codecs.items() if name in kept]
        self._sealed = [(name, encode) for name, (encode, _) in codecs.items() if name not in kept]
        self._decoded = [(name, decode) for name, (_, decode) in codecs.items() if decode is not None]
        self._names = frozenset(codecs)
        self._unless_said = {f.name: f.default for f in fields(fact_class) if f.name in codecs}

    def encode(self, said: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """The fields that stay readable, and those to be sealed, as JSON values."""
        pub: dict[str, Any] = {}
        priv: dict[str, Any] = {}
        name = ""
        try:
            for name, encode in self._kept:
                pub[name] = encode(said[name])
            for name, encode in self._sealed:
                priv[name] = encode(said[name])
        except _Unfit:
            raise FactNotStorable(f"{self.topic} can't be kept: {name} is of the wrong kind.") from None
        return pub, priv

    def decode(self, stored: dict[str, Any], erased: Iterable[str] = ()) -> None:
        """Turn JSON values into the fact's fields, in place; one that older facts lack takes its default."""
        readers = self._decoded
        missing = dict.fromkeys(erased, ERASED)
        if missing or stored.keys() != self._names:
            missing |= self._defaults(stored.keys() | missing)
            readers = [reader for reader in readers if reader[0] not in missing]
        name = ""
        try:
            for name, decode in readers:
                stored[name] = decode(stored[name])
        except (_Unfit, ValueError, TypeError, AttributeError):
            raise FactBroken(f"{self.topic} was stored with something else in {name}.") from None
        if missing:
            stored.update(missing)

    def _defaults(self, stored: Set[str]) -> dict[str, Any]:
        if not self._names.issuperset(stored):
            raise FactBroken(f"{self.topic} was stored with fields that this software doesn't know.")
        missing = {}
        for name, default in self._unless_said.items():
            if name not in stored:
                if default is MISSING:
                    raise FactBroken(f"{self.topic} was stored without its field {name}.")
                missing[name] = default
        return missing


_SHAPES: Final[dict[str, Shape]] = {}


def shape_of(topic: str) -> Shape | None:
    """How facts of this name are written; None for a name that isn't on the allow-list."""
    shape = _SHAPES.get(topic)
    if shape is None and topic in FACTS:
        shape = _SHAPES[topic] = Shape(topic, FACTS[topic])
    return shape


class _Unfit(Exception):
    """A value isn't of its annotation's type."""


def _codec(annotation: Any) -> tuple[Codec, Codec | None]:
    """Writer and reader for one annotation; a reader of None takes the JSON value as it is."""
    origin = get_origin(annotation)
    if hasattr(annotation, "__metadata__"):
        return _codec(annotation.__origin__)
    if origin is UnionType:
        return _optional([a for a in get_args(annotation) if a is not NoneType], annotation)
    if origin is Literal:
        return _one_of(frozenset(get_args(annotation))), None
    if origin is tuple:
        inner, ellipsis = get_args(annotation)
        if ellipsis is ...:
            return _list(*_codec(inner))
    if annotation in _LEAVES:
        return _LEAVES[annotation]
    if is_dataclass(annotation):
        return _object(cast(type, annotation))
    raise TypeError(f"A fact can't have a field of type {annotation}.")


def _checked(kind: type) -> Codec:
    def check(value: Any) -> Any:
        if type(value) is not kind:
            raise _Unfit
        return value

    return check


def _one_of(choices: frozenset[str]) -> Codec:
    # Codes stay readable after erasure, so that no other text may slip in as one.
    def check(value: Any) -> Any:
        if type(value) is not str or value not in choices:
            raise _Unfit
        return value

    return check


def _optional(inner: Sequence[Any], annotation: Any) -> tuple[Codec, Codec | None]:
    if len(inner) != 1:
        raise TypeError(f"A fact can't have a field of type {annotation}.")
    encode, decode = _codec(inner[0])
    read = None if decode is None else lambda value: None if value is None else decode(value)
    return lambda value: None if value is None else encode(value), read


def _list(encode: Codec, decode: Codec | None) -> tuple[Codec, Codec]:
    def write(value: Any) -> list[Any]:
        if type(value) is not tuple:
            raise _Unfit
        return [encode(item) for item in value]

    def read(value: Any) -> tuple[Any, ...]:
        if type(value) is not list:
            raise _Unfit
        return tuple(value if decode is None else map(decode, value))

    return write, read


def _object(kind: type) -> tuple[Codec, Codec]:
    """A small frozen dataclass inside a fact, as an object with the same names."""
    hints = get_type_hints(kind)
    codecs = {f.name: _codec(hints[f.name]) for f in fields(kind)}

    def write(value: Any) -> dict[str, Any]:
        if type(value) is not kind:
            raise _Unfit
        return {name: encode(getattr(value, name)) for name, (encode, _) in codecs.items()}

    def read(value: Any) -> Any:
        said = {}
        for name, stored in value.items():
            if name not in codecs:
                raise _Unfit
            decode = codecs[name][1]
            said[name] = stored if decode is None else decode(stored)
        return kind(**said)

    return write, read


def _write_uuid(value: Any) -> str:
    if type(value) is not UUID:
        raise _Unfit
    return str(value)


def _write_date(value: Any) -> str:
    if type(value) is not date:
        raise _Unfit
    return value.isoformat()


def _write_instant(value: Any) -> str:
    if type(value) is not datetime or value.tzinfo is None:
        raise _Unfit
    try:
        return value.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"
    except OverflowError:
        raise _Unfit from None


# The same accounts, mentors and cases come again and again.
_read_uuid: Codec = lru_cache(maxsize=8192)(UUID)

_LEAVES: Final[dict[Any, tuple[Codec, Codec | None]]] = {
    str: (_checked(str), None),
    int: (_checked(int), None),
    bool: (_checked(bool), None),
    UUID: (_write_uuid, _read_uuid),
    date: (_write_date, date.fromisoformat),
    datetime: (_write_instant, datetime.fromisoformat),
}
