"""The OpenAPI document: what each address asks and answers, from the same tables that make the views."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from apispec.ext.marshmallow.openapi import OpenAPIConverter
from flask import Response
from flask_smorest import Api, Blueprint
from marshmallow import Schema

from app.access.policy import allow
from app.api.asking import one_of
from app.api.paths import link_components, links_after, links_from
from app.api.reading import READINGS, Reading
from app.api.shapes import components
from app.api.things import Case, Concern, Enrolled, Mentor, Pupil, Receipt, Received, ToldTheLead
from app.commands import BREAK_CONFIDENTIALITY, RAISE_CONCERN, Doing
from app.errors import PROBLEM
from app.forms import AsText, YesNoOrWords, not_blank
from domain.policy import Policy

_PROBLEM: Final = {
    "type": "object",
    "description": "What went wrong (RFC 9457). `detail` is a sentence for people.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "object",
            "description": "Sentences by field.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
        "way_out": {"type": "string", "description": "The verb of a command that would help."},
        "version": {"type": "integer", "description": "The version as it is now."},
        "reference": {"type": "string", "description": "What to give when you report a failure."},
    },
    "required": ["type", "title", "status", "detail"],
}
_ENTRY: Final = {
    "type": "object",
    "description": "One fact of a history, as far as this reader may see it.",
    "properties": {
        "index": {"type": "integer"},
        "version": {"type": "integer", "description": "What a correction names."},
        "name": {"type": "string"},
        "recorded_at": {"type": "string", "format": "date-time"},
        "recorded_by": {
            "type": "object",
            "properties": {
                "id": {"type": ["string", "null"], "format": "uuid"},
                "name": {"type": "string"},
                "role": {"type": ["string", "null"]},
            },
            "required": ["id", "name", "role"],
        },
        "happened_on": {"type": "string", "format": "date"},
        "late": {"type": "boolean"},
        "sentence": {"type": "string"},
        "fields": {"type": "object"},
        "corrections": {"type": "array", "items": {"type": "object"}},
        "disputes": {"type": "array", "items": {"type": "object"}},
        "position": {"type": "integer"},
    },
    "required": [
        "index",
        "version",
        "name",
        "recorded_at",
        "recorded_by",
        "happened_on",
        "sentence",
        "fields",
    ],
}
_GIVES: Final = {"pupils": Pupil, "mentors": Mentor, "cases": Case, "concerns": Concern, "scheme": Policy}
_THING_OF: Final = {shape: thing for thing, shape in _GIVES.items()}
_MADE: Final = {"pupils": Enrolled, "mentors": Mentor}
_VERSION: Final = {"ETag": {"$ref": "#/components/headers/ETag"}}
_PLACE: Final = {"Location": {"$ref": "#/components/headers/Location"}}
_POSITION: Final = {"Casebook-Position": {"$ref": "#/components/headers/Casebook-Position"}}


class Document(Api):  # type: ignore[misc]
    """flask-smorest for the document alone: errors and the document's own address are ours."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        """Ours answer pages too: see app/errors.py."""

    def _register_doc_blueprint(self) -> None:
        """Ours says who may read it."""


def named(schema: Any) -> str:
    """What a body's schema is called in the document, apart from the answers'."""
    shape = schema if isinstance(schema, type) else type(schema)
    return f"{shape.__name__}Request"


def describe(document: Document) -> None:
    """Put in what all addresses share."""
    spec = document.spec
    converter: OpenAPIConverter = document.ma_plugin.converter
    converter.add_attribute_function(_anything)  # type: ignore[no-untyped-call]
    shapes = components(*(r.gives for r in READINGS), *_GIVES.values(), *_MADE.values())
    shapes |= components(Receipt, Received, ToldTheLead)
    shapes["HistoryShape"]["properties"]["facts"]["items"] = _ENTRY
    for name, schema in {**shapes, "Problem": _PROBLEM}.items():
        spec.components.schema(name, schema)
    spec.components.response(
        "Problem",
        {
            "description": "What went wrong",
            "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        },
    )
    spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    spec.components.header("ETag", {"description": "The version that this answer shows", "schema": _TEXT})
    spec.components.header("Location", {"description": "Where the new thing is", "schema": _TEXT})
    spec.components.header(
        "Casebook-Position",
        {"description": "What `?after=` waits for, so that a list shows this change", "schema": _TEXT},
    )


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """The document with what apispec has no words for: links, and bodies that refuse unknown fields."""
    document["components"]["links"] = link_components()
    for operations in document["paths"].values():
        for operation in operations.values():
            if isinstance(operation, dict) and "requestBody" in operation:
                _close(operation["requestBody"]["content"]["application/json"]["schema"], document)
    return document


def command_doc(doing: Doing) -> dict[str, Any]:
    """The operation of one command."""
    made = doing.verb is None
    asks_version = not made and doing is not BREAK_CONFIDENTIALITY
    telling = doing in (BREAK_CONFIDENTIALITY, RAISE_CONCERN)
    parameters = [_ANY_IDEMPOTENCY if telling else _IDEMPOTENCY]
    if asks_version:
        parameters.append(_IF_MATCH)
    codes = [400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 500, 503]
    if telling:
        codes.remove(409)
    success = {
        "description": "Recorded",
        "headers": {**_POSITION, **(_PLACE if made else _VERSION)},
        "content": {"application/json": {"schema": _answer_of(doing)}},
        "links": links_after(doing),
    }
    return _operation(
        doing.method.__doc__ or "",
        doing.roles,
        operation_id=doing.key.replace("/", "-"),
        tag=doing.thing,
        parameters=parameters,
        body=doing.schema,
        body_needed=any(field.required for field in doing.schema.fields.values()),
        responses={("201" if made else "200"): success},
        codes=[*codes, *((412, 428) if asks_version else ())],
    )


def reading_doc(reading: Reading) -> dict[str, Any]:
    """The operation of one address that can be read."""
    shape: dict[str, Any] = {"$ref": f"#/components/schemas/{reading.gives.__name__}"}
    headers: dict[str, Any] = {} if reading.gives not in _THING_OF else dict(_VERSION)
    if reading.many:
        shape = {
            "type": "object",
            "properties": {"items": {"type": "array", "items": shape}},
            "required": ["items"],
        }
        headers = {
            "Link": {"description": 'The next page: rel="next"', "schema": _TEXT},
            "Casebook-Behind": {
                "description": "1 when the list doesn't show `after` yet",
                "schema": _TEXT,
            },
        }
    parameters = [] if reading.by_post else [{"in": "query", "schema": reading.asks}]
    name = reading.view.__name__.replace("_", "-")
    return _operation(
        reading.view.__doc__ or "",
        reading.roles,
        operation_id=f"read-{name}",
        tag=reading.path.split("/")[1],
        parameters=parameters,
        body=one_of(reading.asks) if reading.by_post else None,
        body_needed=True,
        responses={
            "200": {
                "description": "As it stands",
                "headers": headers,
                "content": {"application/json": {"schema": shape}},
                "links": {} if reading.many else links_from(_THING_OF.get(reading.gives, "")),
            }
        },
        codes=[400, 401, 403, 404, 405, 413, 415, 422, 429, 500, 503],
    )


def _operation(
    text: str,
    roles: frozenset[str],
    *,
    operation_id: str,
    tag: str,
    parameters: list[dict[str, Any]],
    body: Schema | None,
    body_needed: bool,
    responses: dict[str, Any],
    codes: list[int],
) -> dict[str, Any]:
    lines = text.strip().splitlines()
    doc: dict[str, Any] = {
        "operationId": operation_id,
        "summary": lines[0].rstrip("."),
        "description": "\n".join(
            line.strip() for line in [*lines[1:], "", f"Roles: {', '.join(sorted(roles))}."]
        ).strip(),
        "tags": [tag],
        "parameters": parameters,
        "security": [{"bearer": []}],
        "responses": responses
        | {str(code): {"$ref": "#/components/responses/Problem"} for code in sorted(codes)},
    }
    if body is not None:
        doc["requestBody"] = {"required": body_needed, "content": {"application/json": {"schema": body}}}
    return doc


def _answer_of(doing: Doing) -> dict[str, Any]:
    if doing is BREAK_CONFIDENTIALITY:
        return _ref(ToldTheLead)
    if doing is RAISE_CONCERN:
        return _ref(Received)
    made = _MADE.get(doing.thing) if doing.verb is None else None
    if doing.verb is None and doing.thing == "cases":
        return {"anyOf": [_ref(Case), _ref(Receipt)]}
    return _ref(made or _GIVES[doing.thing])


def _ref(shape: type) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{shape.__name__}"}


def _anything(_: OpenAPIConverter, field: Any, **__: Any) -> dict[str, Any]:
    """Fields that take more than text, and text that has to say something."""
    if isinstance(field, AsText):
        return {"type": ["string", "integer", "boolean", "array", "object"]}
    if not_blank in field.validators:
        return {"minLength": 1}
    return {"type": ["string", "boolean", "null"]} if isinstance(field, YesNoOrWords) else {}


def _close(schema: dict[str, Any], document: dict[str, Any]) -> None:
    """Say of a body, and of every object inside it, that it takes no other fields."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "properties" in schema and "additionalProperties" not in schema:
        schema["additionalProperties"] = False
        for inner in schema["properties"].values():
            _close(inner, document)
    if "items" in schema:
        _close(schema["items"], document)


_TEXT: Final = {"type": "string"}
_IDEMPOTENCY: Final = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "description": "The same key again gives the first answer; another request under it is refused.",
    "schema": {**_TEXT, "minLength": 1},
}
_ANY_IDEMPOTENCY: Final = {**_IDEMPOTENCY, "schema": _TEXT}
_IF_MATCH: Final = {
    "in": "header",
    "name": "If-Match",
    "required": True,
    "description": "The ETag of the version that you saw.",
    "schema": _TEXT,
}
DESCRIPTION: Final = (
    "The record of a school's peer-mentoring scheme. Nothing is ever edited or deleted: a correction is a "
    "new fact. Before every answer with something about a pupil it is noted who looked. "
    f"Errors are {PROBLEM}; what isn't there and what isn't yours get the same answer."
)


def described(
    call: Callable[..., Response], roles: frozenset[str], doc: dict[str, Any]
) -> Callable[..., Response]:
    """A view of its own for each address, with its rule and its description on it."""

    @wraps(call)
    def view(**path: Any) -> Response:
        return call(**path)

    view.__doc__ = None
    told: Callable[..., Response] = Blueprint.doc(**doc)(view)
    return allow(*roles)(told)
