"""Checkpoints over HTTP, as plain text, for everybody with an account.

They are lengths and digests: nothing about anybody, so no look is noted. Whoever keeps one elsewhere holds
the school to it, which is why nobody is refused.
"""

from base64 import b64encode
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlencode

from flask import Blueprint, Response, request
from marshmallow import Schema, fields, validate

from app.access.policy import house, person
from app.access.throttling import Limit
from app.api.asking import LARGEST_POSITION, cursor_of, one_of, place_of, query, sent
from app.api.document import described
from app.api.queries import Count, ListQuery
from app.commands import EVERYBODY, Invalid
from app.errors import problem
from app.forms import LONGEST_TEXT, storable
from app.proof.log_rows import LOGS
from app.proof.published import NotKept, NotYet
from app.wording.common import _

WITNESSES: Final = frozenset({"referrer", "inspector", "chair", "head", "data_officer", "admin"})
"""Who may bring a witness's signature: those who oversee the record, who looks after the server, and accounts
that may read nothing, as a witness's own should be."""
SIGNATURES: Final = Limit(240, 60 * 60, "login_key = %(what)s")
"""Signatures that one account brings."""
NO_CHECKPOINT: Final = _("There is no such checkpoint. The anchor signs the first one soon after it starts.")
NOT_YET: Final = _("The record is long, and the proof isn't ready. Ask again in a second.")
_NUMBER: Final = r"\d{1,18}"
_TEXT: Final = {"text/plain": {"schema": {"type": "string"}}}


class NewestQuery(Schema):
    """Which log: without a word both."""

    log = fields.String(load_default=None, validate=validate.OneOf(LOGS))


class NotesQuery(ListQuery):
    """Which log, where in the list, how much of it."""

    class Meta:
        exclude = ("after",)

    log = fields.String(load_default="events", validate=validate.OneOf(LOGS))


class ProofQuery(Schema):
    """Which log, and the sizes of its shorter and its longer checkpoint."""

    log = fields.String(load_default="events", validate=validate.OneOf(LOGS))
    # `from` is a word of Python's own.
    first = Count(data_key="from", required=True, validate=validate.Range(min=1, max=LARGEST_POSITION))
    second = Count(data_key="to", required=True, validate=validate.Range(min=1, max=LARGEST_POSITION))


class Cosigned(Schema):
    """A checkpoint as a note: its three lines, an empty line, and the witness's line."""

    note = fields.String(required=True, validate=[validate.Length(min=1, max=LONGEST_TEXT), storable])


def latest_checkpoints() -> Response:
    """The newest checkpoint of the record, an empty line, the newest of its log of reads."""
    asked = query(NewestQuery)["log"]
    found = [house().published.newest(log) for log in ([asked] if asked else LOGS)]
    notes = [one.note for one in found if one]
    if not notes:
        return problem(404, NO_CHECKPOINT)
    return _text(notes)


def checkpoints() -> Response:
    """Checkpoints of one log, newest first, with an empty line between them."""
    asked = query(NotesQuery)
    place, limit = place_of(asked["cursor"], _NUMBER), asked["limit"]
    found = house().published.listed(asked["log"], below=int(place) if place else None, limit=limit + 1)
    response = _text([one.note for one in found[:limit]])
    if len(found) > limit:
        further = urlencode(
            {"log": asked["log"], "limit": limit, "cursor": cursor_of(str(found[limit - 1].size))}
        )
        response.headers["Link"] = f'<{request.path}?{further}>; rel="next"'
    return response


def checkpoint_proof() -> Response:
    """What shows that the log at size `to` begins with the log at size `from`: a hash in base64 a line."""
    asked = query(ProofQuery)
    if asked["first"] > asked["second"]:
        raise Invalid(**{"from": "Give the smaller size as from, and the larger as to."})
    try:
        hashes = house().published.proof(asked["log"], asked["first"], asked["second"])
    except IndexError:
        return problem(404, NO_CHECKPOINT)
    except NotYet:
        return problem(503, NOT_YET, headers={"Retry-After": "1"})
    return _plain("".join(f"{b64encode(one).decode()}\n" for one in hashes))


def keep_cosignature() -> Response:
    """Keep what a witness signed under a checkpoint, and show it with every signature.

    The witness's key must be one that the school lists. The same signature again changes nothing.
    """
    note = sent().load(one_of(Cosigned))["note"].encode()
    source = sha256(note).hexdigest()
    house().accounts.throttle.attempt(f"witness:{person().account}", source, SIGNATURES, once=True)
    try:
        return _text([house().published.keep_cosigned(note).note])
    except NotKept as refused:
        return problem(409, str(refused))


def register(blueprint: Blueprint) -> None:
    """Put these addresses under the API's blueprint."""
    for path, view, asks in _READS:
        name = view.__name__.replace("_", "-")
        shown = described(view, EVERYBODY, _doc(view, f"read-{name}", EVERYBODY, asks))
        blueprint.add_url_rule(path, f"read-{name}", shown)
    doc = _doc(keep_cosignature, "keep-cosignature", WITNESSES, Cosigned, by_post=True)
    keep = described(keep_cosignature, WITNESSES, doc)
    blueprint.add_url_rule("/checkpoints/cosignatures", "keep-cosignature", keep, methods=["POST"])


def _doc(
    view: Callable[..., Response],
    operation_id: str,
    roles: frozenset[str],
    asks: type[Schema],
    *,
    by_post: bool = False,
) -> dict[str, Any]:
    first, *others = (view.__doc__ or "").strip().splitlines()
    more = [line.strip() for line in [*others, "", f"Roles: {', '.join(sorted(roles))}."]]
    codes = [400, 401, 403, 404, 405, 413, 415, 422, 429, 500, 503, *([409] if by_post else [])]
    headers: dict[str, Any] = {"ETag": {"$ref": "#/components/headers/ETag"}}
    answers: dict[str, Any] = {
        "200": {"description": "Signed notes, or hashes", "headers": headers, "content": _TEXT}
    }
    if view is checkpoints:
        headers["Link"] = {"description": 'The next page: rel="next"', "schema": {"type": "string"}}
    if not by_post:
        answers["304"] = {"description": "As If-None-Match says"}
    doc: dict[str, Any] = {
        "operationId": operation_id,
        "summary": first.rstrip("."),
        "description": "\n".join(more).strip(),
        "tags": ["checkpoints"],
        "parameters": [] if by_post else [{"in": "query", "schema": asks}],
        "security": [{"bearer": []}],
        "responses": answers | {str(code): {"$ref": "#/components/responses/Problem"} for code in codes},
    }
    if by_post:
        doc["requestBody"] = {"required": True, "content": {"application/json": {"schema": one_of(asks)}}}
    return doc


def _text(notes: Sequence[str]) -> Response:
    return _plain("\n".join(notes))


def _plain(text: str) -> Response:
    response = Response(text, content_type="text/plain; charset=utf-8")
    response.set_etag(sha256(text.encode()).hexdigest()[:32])
    if request.method == "GET":
        response.make_conditional(request)
    return response


_READS: Final = (
    ("/checkpoints/latest", latest_checkpoints, NewestQuery),
    ("/checkpoints", checkpoints, NotesQuery),
    ("/checkpoints/proof", checkpoint_proof, ProofQuery),
)
