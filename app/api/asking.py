"""What a request asks for: its body, its query, the version that was seen, its place in a list."""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, cast

from flask import request
from marshmallow import EXCLUDE, Schema, ValidationError
from werkzeug.exceptions import PreconditionRequired, RequestEntityTooLarge, UnsupportedMediaType

from app.casework import Stale
from app.commands import Invalid
from app.security import MOST_BYTES

IDEMPOTENCY: Final = "Idempotency-Key"
LARGEST_POSITION: Final = 2**62
_DEEPEST: Final = 50


@dataclass(frozen=True)
class Sent:
    """A body as it came. `said` is its JSON, or its bytes where it isn't JSON; `fault` says why it isn't."""

    said: Any
    fault: str | None = None

    def load(self, schema: Schema) -> dict[str, Any]:
        """What a command's schema makes of it. Raises UnsupportedMediaType and ValidationError."""
        if request.content_length and request.mimetype != "application/json":
            raise UnsupportedMediaType
        if self.fault:
            raise ValidationError(self.fault)
        return cast("dict[str, Any]", schema.load(self.said))


def sent() -> Sent:
    """The body. Without one it is an empty object. Raises RequestEntityTooLarge."""
    raw = request.get_data()
    if request.content_length is None and len(raw) >= MOST_BYTES:
        # A body that doesn't say its length is cut off at the bound without a word.
        raise RequestEntityTooLarge
    if not raw.strip():
        return Sent({})
    try:
        said = json.loads(raw.decode("utf-8"), parse_constant=_no_number, object_pairs_hook=_each_once)
    except (ValueError, RecursionError):
        return Sent(raw.hex(), "This isn't JSON in which each name comes once.")
    if _depth(said) > _DEEPEST:
        return Sent(raw.hex(), "This is nested too deeply.")
    return Sent(said)


def query(schema: type[Schema]) -> dict[str, Any]:
    """The query's parameters; those that this address doesn't know are ignored. Raises ValidationError."""
    return cast("dict[str, Any]", one_of(schema).load(request.args.to_dict(), unknown=EXCLUDE))


@cache
def one_of(schema: type[Schema]) -> Schema:
    """Making a schema takes longer than most of what it loads."""
    return schema()


def idempotency_key() -> str | None:
    """The key that was sent. Raises Invalid for one that says nothing, and would make a repeated request new.

    What isn't plain text arrives empty.
    """
    sent_key = request.headers.get(IDEMPOTENCY)
    if sent_key is not None and not sent_key.strip():
        raise Invalid(**{IDEMPOTENCY: "Give a key of plain letters and digits, or none."})
    return sent_key


def must_have_seen(version: int) -> None:
    """Check If-Match against the version as it is. Raises PreconditionRequired without it, and Stale.

    `*` names no version that anybody saw, so it is stale.
    """
    if "If-Match" not in request.headers:
        raise PreconditionRequired
    if str(version) not in request.if_match.as_set():
        raise Stale(version)


def errors_of(error: ValidationError) -> dict[str, list[str]]:
    """Sentences by field; of a list or an object, by its path, such as `involved.0.pupil_id`."""
    found: dict[str, list[str]] = {}
    _collect(error.messages, "", found)
    return found


def _collect(messages: Any, path: str, found: dict[str, list[str]]) -> None:
    if isinstance(messages, dict):
        for name, inner in messages.items():
            step = "" if name == "_schema" else str(name)
            _collect(inner, ".".join(filter(None, (path, step))), found)
    else:
        found.setdefault(path or "body", []).extend(str(message) for message in messages)


def cursor_of(place: str) -> str:
    """Where the next page of a list begins, in a form that nobody should take apart."""
    return urlsafe_b64encode(place.encode()).decode().rstrip("=")


def place_of(cursor: str | None, pattern: str) -> str | None:
    """What `cursor_of` was given, or None without a cursor. Raises Invalid."""
    if cursor is None:
        return None
    try:
        place = urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)).decode("ascii")
    except ValueError:
        place = ""
    if not re.fullmatch(pattern, place, re.ASCII):
        raise Invalid(cursor="Take the cursor from the Link of the page before.")
    return place


def _no_number(_: str) -> Any:
    raise ValueError


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of two values under one name nobody can tell which was meant."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _depth(said: Any) -> int:
    deepest, level = 0, [said]
    while level and deepest <= _DEEPEST:
        deepest += 1
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
    return deepest
