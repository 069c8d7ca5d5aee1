"""What a command asks for, as one marshmallow schema for page and API, derived from the fact that it records.

Where form and fact differ, the schema is written by hand below, once for both.
"""

import json
import re
import types
from dataclasses import MISSING, is_dataclass
from dataclasses import fields as dataclass_fields
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID
from zoneinfo import ZoneInfo

from marshmallow import Schema, ValidationError, fields, validate

from domain.concern_facts import Raised
from domain.fact import CorrectedFact, Fact, Mark, marks, required_fields, said_fields

LONDON: Final = ZoneInfo("Europe/London")
LONGEST_TEXT: Final = 10_000
LONGEST_NAME: Final = 200
_NAMES: Final = frozenset({"given_name", "family_name", "known_as", "tutor_group", "upn", "name"})
"""Fields that stand in lines and lists: no name fills a page."""
MOST_ITEMS: Final = 50
MAY_BE_BLANK: Final = frozenset({"notes", "childs_words"})
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


def today() -> date:
    """The day in the school's time zone."""
    return datetime.now(LONDON).date()


def storable(text: str) -> None:
    """Refuse what no database or file could give back."""
    if _UNSTORABLE.search(text):
        raise ValidationError("This has characters that can't be stored. Type it again.")


def at_most(longest: int) -> validate.Length:
    """Refuse a text of more characters."""
    return validate.Length(max=longest, error="This is too long: it can have {max} characters.")


def not_blank(text: str) -> None:
    """Refuse a text of spaces alone."""
    if not text.strip():
        raise ValidationError("This can't be empty.")


def not_future(when: date) -> None:
    """Refuse a day or time that hasn't come yet."""
    late = when > datetime.now(UTC) if isinstance(when, datetime) else when > today()
    if late:
        raise ValidationError("This is in the future. Give the day on which it happened.")


class Day(fields.Date):
    """A date as YYYY-MM-DD and in no other of ISO 8601's ways."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
            raise ValidationError("Give a date like 2026-09-14.")
        try:
            found = date.fromisoformat(value)
        except ValueError:
            raise ValidationError("There is no such date.") from None
        if found.year < 1900:
            raise ValidationError("Check the year.")
        return found


class Moment(fields.AwareDateTime):
    """An instant with its offset, kept in UTC."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        if not isinstance(value, str) or not re.match(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}", value):
            raise ValidationError("Give a time like 2026-09-14T13:05:00Z.")
        try:
            return super()._deserialize(value, attr, data, **kwargs).astimezone(UTC)
        except (OverflowError, ValueError):
            raise ValidationError("There is no such time.") from None


class Whole(fields.Integer):
    """A whole number; `true` isn't one."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) > 1_000_000:
            raise ValidationError("Give a whole number.")
        return value


class Flag(fields.Boolean):
    """true or false, nothing that resembles them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("Give true or false.")
        return value


class YesNoOrWords(fields.String):
    """true, false, or words."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if isinstance(value, bool):
            return "yes" if value else "no"
        return str(super()._deserialize(value, attr, data, **kwargs))


class AsText(fields.String):
    """Text, or a number, flag or list that is kept as the text a person would read in the JSON."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        return str(super()._deserialize(text, attr, data, **kwargs))


def _field(name: str, annotation: Any, required: bool, default: Any) -> fields.Field[Any]:
    if Mark.WORLD in marks(annotation):
        checks: list[Any] = [not_future]
    else:
        checks = []
    kind, optional = _unwrap(annotation)
    settings: dict[str, Any] = {"required": required}
    if not required:
        settings["load_default"] = default
    if optional:
        settings["allow_none"] = True
    origin = get_origin(kind)
    if origin is Literal:
        return fields.String(validate=validate.OneOf(get_args(kind)), **settings)
    if origin is tuple:
        item = _field(name, get_args(kind)[0], True, None)
        return Tuple(item, validate=validate.Length(max=MOST_ITEMS), **settings)
    if is_dataclass(kind) and isinstance(kind, type):
        return Nested(kind, **settings)
    if kind is str:
        checks = [at_most(LONGEST_NAME if name in _NAMES else LONGEST_TEXT), storable]
        if name not in MAY_BE_BLANK and not optional:
            checks.append(not_blank)
    plain: dict[Any, type[fields.Field[Any]]] = {
        str: fields.String, int: Whole, bool: Flag, date: Day, datetime: Moment, UUID: fields.UUID,
    }  # fmt: skip
    return plain[kind](validate=checks, **settings)


class Tuple(fields.List[Any]):
    """A list whose loaded value can't change."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return tuple(super()._deserialize(value, attr, data, **kwargs))


class Nested(fields.Nested):
    """An object that loads into a dataclass."""

    def __init__(self, kind: type, **settings: Any) -> None:
        self.kind = kind
        super().__init__(_schema_of_dataclass(kind), **settings)

    def _deserialize(self, value: Any, attr: str | None, data: Any, *args: Any, **kwargs: Any) -> Any:
        return self.kind(**super()._deserialize(value, attr, data, *args, **kwargs))


@cache
def _schema_of_dataclass(kind: type) -> type[Schema]:
    hints = get_type_hints(kind, include_extras=True)
    made = {}
    for item in dataclass_fields(kind):
        required = item.default is MISSING
        made[item.name] = _field(item.name, hints[item.name], required, None if required else item.default)
    return Schema.from_dict(made, name=kind.__name__)


def _unwrap(annotation: Any) -> tuple[Any, bool]:
    """The type under the marks, and whether None is allowed too."""
    kind = annotation.__origin__ if hasattr(annotation, "__metadata__") else annotation
    if get_origin(kind) in (Union, types.UnionType):
        rest = [a for a in get_args(kind) if a is not type(None)]
        return _unwrap(rest[0])[0], True
    return kind, False


@cache
def schema_for(fact_class: type[Fact], name: str) -> Schema:
    """The schema of a command, named for the API's document: the fact's own fields and `happened_on`.

    There is one for all who load by it, because making one copies every field.
    """
    required = required_fields(fact_class)
    defaults = {f.name: f.default for f in dataclass_fields(fact_class)}
    made: dict[str, fields.Field[Any]] = {
        field: _field(field, annotation, field in required, defaults[field])
        for field, annotation in said_fields(fact_class).items()
    }
    made["happened_on"] = Day(validate=[not_future], load_default=None, allow_none=True)
    if issubclass(fact_class, CorrectedFact):
        made["value"] = AsText(required=True, validate=[at_most(LONGEST_TEXT), storable])
    if issubclass(fact_class, Raised):
        made.update(_telling())
        for field in made.values():
            # A program says null of what it doesn't know, and that is no reason to refuse somebody who tells.
            field.allow_none = True
    return Schema.from_dict(made, name=name)()


def _telling() -> dict[str, fields.Field[Any]]:
    """Raising a concern: a day that can't be right is kept for the lead to ask about, and never refused."""
    text: list[Any] = [at_most(LONGEST_TEXT), storable]
    return {
        "disclosed_at": fields.String(validate=text, load_default=None, allow_none=True),
        "mentee_informed": YesNoOrWords(validate=text, load_default=None, allow_none=True),
        "happened_on": Day(load_default=None, allow_none=True),
    }


def why_not_a_value(fact_class: type[Fact], field: str, value: str) -> str | None:
    """Why a correction's text can't stand in that field, in a sentence; None when it can."""
    kind, _ = _unwrap(said_fields(fact_class)[field])
    said: Any = value
    if kind not in (str, date, datetime, UUID) and get_origin(kind) is not Literal:
        try:
            said = json.loads(value)
        except (ValueError, RecursionError):
            said = value
    try:
        _field(field, said_fields(fact_class)[field], True, None).deserialize(said)
    except ValidationError as error:
        messages = error.messages
        return str(messages[0]) if isinstance(messages, list) else "Check this value."
    return None
