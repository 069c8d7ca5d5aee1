"""A dataclass as JSON, and as the JSON Schema that describes it."""

import json
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

_PLAIN: Final[dict[type, dict[str, str]]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    UUID: {"type": "string", "format": "uuid"},
    date: {"type": "string", "format": "date"},
    datetime: {"type": "string", "format": "date-time"},
}


def text_of(value: Any) -> str:
    """The text of an answer: ids and days as text, instants as RFC 3339 in UTC."""
    return json.dumps(value, default=_as_json, allow_nan=False, separators=(",", ":"))


def _as_json(value: Any) -> Any:
    """What the encoder, which knows texts, numbers, lists and dictionaries, asks about."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if is_dataclass(value):
        return vars(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no place in an answer")


def schema_of(annotation: Any) -> dict[str, Any]:
    """The JSON Schema of an annotation. Dataclasses become references: see `components`."""
    if annotation in _PLAIN:
        return dict(_PLAIN[annotation])
    if annotation is Any:
        return {}
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return {"type": "string", "enum": list(arguments)}
    if origin in (list, tuple):
        return {"type": "array", "items": schema_of(arguments[0])}
    if origin in (Union, types.UnionType):
        inner = schema_of(next(one for one in arguments if one is not type(None)))
        if "enum" in inner:
            return {**inner, "type": ["string", "null"], "enum": [*inner["enum"], None]}
        return {**inner, "type": [inner["type"], "null"]} if "type" in inner else _or_null(inner)
    return {"$ref": f"#/components/schemas/{annotation.__name__}"}


def components(*shapes: type) -> dict[str, dict[str, Any]]:
    """The schemas of these dataclasses and of those inside them, by name."""
    found: dict[str, dict[str, Any]] = {}
    waiting = list(shapes)
    while waiting:
        shape = waiting.pop()
        if shape.__name__ in found:
            continue
        hints = get_type_hints(shape)
        names = [field.name for field in fields(shape)]
        found[shape.__name__] = {
            "type": "object",
            "description": (shape.__doc__ or "").strip(),
            "properties": {name: schema_of(hints[name]) for name in names},
            "required": names,
        }
        waiting += [inner for name in names for inner in _dataclasses(hints[name])]
    return found


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _dataclasses(annotation: Any) -> list[type]:
    if isinstance(annotation, type) and is_dataclass(annotation):
        return [annotation]
    return [inner for one in get_args(annotation) for inner in _dataclasses(one)]
