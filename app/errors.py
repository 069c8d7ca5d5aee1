"""What somebody gets when it didn't work: a page, or RFC 9457 problem+json under /api.

Never a traceback, and never anything about a person: neither in the answer of a failure nor in the log.
"""

import json
import traceback
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote
from uuid import uuid4

import psycopg
import structlog
from flask import Flask, Response, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests
from werkzeug.exceptions import BadHost, HTTPException

from app.access.policy import FormExpired, SignInNeeded, for_programs
from app.access.throttling import Throttled
from app.casework import Busy, NotFound, Stale
from app.commands import Invalid
from app.record.errors import CommandReused, RecordUnavailable
from app.record.keys import KeysUnavailable
from app.wording.common import _, minutes
from domain.fact import Refused

PROBLEM: Final = "application/problem+json"
UNREACHABLE: Final = (
    RecordUnavailable,
    KeysUnavailable,
    PoolTimeout,
    PoolClosed,
    TooManyRequests,
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.UndefinedTable,
    psycopg.errors.ReadOnlySqlTransaction,
)
"""The record or its keys can't be reached or written, or a list isn't there yet: nothing can be shown."""

TITLES: Final = {
    400: _("This request can't be read"),
    401: _("Sign in first"),
    403: _("You can't do this"),
    404: _("Not found"),
    405: _("Not allowed at this address"),
    409: _("This wasn't recorded"),
    412: _("This changed since you opened it"),
    413: _("This is too long"),
    415: _("Send JSON"),
    422: _("There is a problem with what was sent"),
    428: _("Say which version you saw"),
    429: _("Wait, then try again"),
    500: _("Something went wrong"),
    503: _("Casebook can't reach its record"),
}
DETAILS: Final = {
    400: _("The request can't be read. Check it and send it again."),
    401: _("Give a bearer token that is in force."),
    403: _("Your role can't do this."),
    404: _("There is nothing here for you."),
    405: _("This address takes other methods: see Allow."),
    412: _("Somebody recorded something since you looked. Look again, then decide again."),
    413: _("Send at most 256 KB."),
    415: _("Send the body as application/json."),
    422: _("Put right what `errors` names, and send it again."),
    428: _("Send If-Match with the ETag that you saw."),
    429: _("Too many attempts. Wait, then try again."),
    500: _("Something went wrong on our side. Look whether it was recorded before you send it again."),
    503: _(
        "The record can't be reached, so nothing can be shown, and what you sent may not have been recorded. "
        "Send it again in a few minutes, with the same Idempotency-Key. If it is about a child's safety, "
        "tell the safeguarding lead or any adult in school now, and in danger call 999."
    ),
}
REUSED: Final = _("Another request was already accepted under this Idempotency-Key.")
BUSY: Final = _("Others were recording the same things at this moment. Try again.")

log = structlog.get_logger()


def problem(
    status: int,
    detail: str | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Response:
    """An answer in problem+json. `detail` is a sentence for people; `more` are members beside it."""
    body = {
        "type": "about:blank",
        "title": TITLES.get(status) or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail or DETAILS.get(status) or HTTPStatus(status).description,
        **{name: value for name, value in more.items() if value is not None},
    }
    response = Response(json.dumps(body), status, content_type=PROBLEM)
    response.headers.update(dict(headers or {}))
    return response


def handle_errors(app: Flask) -> None:
    """Answer everything that goes wrong in this app."""
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(SignInNeeded, _sign_in)
    app.register_error_handler(FormExpired, _form_expired)
    app.register_error_handler(NotFound, lambda _: answer(404))
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(Stale, lambda stale: answer(412, version=stale.version))
    app.register_error_handler(Busy, lambda _: answer(409, BUSY))
    app.register_error_handler(Invalid, lambda invalid: answer(422, errors=invalid.errors))
    app.register_error_handler(CommandReused, lambda _: answer(422, REUSED))
    app.register_error_handler(Throttled, _throttled)
    app.register_error_handler(Exception, _failed)
    for kind in UNREACHABLE:
        app.register_error_handler(kind, _unreachable)


def answer(
    status: int,
    detail: str | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    template: str | None = None,
    **more: Any,
) -> Response:
    """The page or the problem for a status, whichever this request wants."""
    if for_programs():
        return problem(status, detail, headers=headers, **more)
    name = template or {412: "errors/409.html"}.get(status, f"errors/{status}.html")
    refusal = {"sentence": detail or DETAILS.get(status, ""), "way_out": None}
    response = make_response(
        render_template([name, "errors/404.html"], title=TITLES[status], refusal=refusal, **more), status
    )
    response.headers.update(dict(headers or {}))
    return response


def unreachable(error: Exception) -> None:
    """Note in the log that the record couldn't be reached."""
    log.warning("record_unreachable", error=type(error).__name__, rule=_rule())


def _http(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if status < 400:
        return error.get_response()  # a redirect of the router's own
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    if for_programs() or isinstance(error, BadHost):
        # A host that can't be one leaves no address that a page could lead to.
        return problem(status, headers=headers)
    return answer(status if status in TITLES else 404, headers=headers)


def _sign_in(_: SignInNeeded) -> ResponseReturnValue:
    if for_programs():
        return problem(401, headers={"WWW-Authenticate": 'Bearer realm="casebook"'})
    to = request.full_path.rstrip("?") if request.method == "GET" and request.path != "/" else None
    return redirect("/sign-in" + (f"?next={quote(to, safe='')}" if to else ""), 303)


def _form_expired(_: FormExpired) -> ResponseReturnValue:
    return answer(403, template="errors/400.html")


def _refused(refusal: Refused) -> ResponseReturnValue:
    return answer(409, refusal.sentence, way_out=refusal.way_out)


def _throttled(throttled: Throttled) -> ResponseReturnValue:
    wait_text = None if for_programs() else minutes(max(1, round(throttled.seconds / 60)))
    return answer(429, headers={"Retry-After": str(throttled.seconds)}, wait_text=wait_text)


def _unreachable(error: Exception) -> ResponseReturnValue:
    unreachable(error)
    return answer(503, headers={"Retry-After": "30"})


def failed(error: Exception) -> str:
    """Note in the log what nobody foresaw. Gives the reference under which it stands there."""
    reference = uuid4().hex[:12]
    # An error's message may hold what somebody typed: the log gets its class and where it happened.
    where = [
        f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)
    ]
    log.error(
        "request_failed", error=type(error).__name__, rule=_rule(), reference=reference, where=where[-12:]
    )
    return reference


def _failed(error: Exception) -> ResponseReturnValue:
    return answer(500, reference=failed(error))


def _rule() -> str:
    return f"{request.method} {request.url_rule.rule if request.url_rule else '(none)'}"
