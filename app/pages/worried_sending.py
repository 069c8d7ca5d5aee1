"""Raising a concern from its page: nothing that was typed is ever lost or refused.

An expired sign-in, a form from another session and a record out of reach all bring the words back, say whom
to tell now, and send the same command again.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

import structlog
from flask import Blueprint, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import Forbidden, HTTPException, NotFound

from app.access.person import Person
from app.access.policy import allow, allow_anyone, house, person, person_or_none, rescued_by, source
from app.access.relation import may_raise_about
from app.access.sessions import give_cookie
from app.access.throttling import Throttled
from app.casework import CommandReused
from app.commands import EVERYBODY
from app.pages.common import sign_in_fields
from app.pages.reading_forms import DATE_PARTS, boxes_in, clean, day_in, time_in
from app.pages.worried import form_page, what_to_do
from app.security import MOST_OF_A_STORY
from app.wording.common import LONDON, _
from app.wording.names import uuid_in
from domain.concern_facts import PassedOn
from domain.mentee_case import MenteeCase

bp = Blueprint("worried_sending", __name__)
log = structlog.get_logger()
TEXTS: Final = ("facts", "opinion", "basis", "mentee_informed", "about_words")
NOT_CARRIED: Final = frozenset({"csrf", "childs_words", "about_case", "command_id", "user_name", "password"})


@bp.url_value_preprocessor
def take_it_whole(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Let a long story in, before anything reads the form."""
    request.max_content_length = MOST_OF_A_STORY
    request.max_form_memory_size = MOST_OF_A_STORY


def keep_the_words(why: str) -> ResponseReturnValue:
    """What answers when the post can't be let in: the words again, with the one step that is missing."""
    if why == "sign-in":
        return _signed_out({})
    if why == "form":
        notice = _(
            "This page was open for a long time. Your words are still here: press the button once more."
        )
        return form_page(request.form, _command_id(), notice)
    raise Forbidden


@bp.post("/worried")
@allow(*sorted(EVERYBODY))
@rescued_by(keep_the_words)
def send() -> ResponseReturnValue:
    """Raise the concern."""
    return redirect(f"/worried/{_raise(person())}", 303)


@bp.post("/worried/sign-in")
@allow_anyone
def sign_in_and_send() -> ResponseReturnValue:
    """Sign in and raise the concern in one step, for somebody whose time had run out."""
    name, password = request.form.get("user_name", ""), request.form.get("password", "")
    try:
        who = house().accounts.by_password(name, password, source())
    except Throttled:
        return _signed_out({"user_name": _("Too many tries. Don’t wait: tell an adult in person now.")})
    if who is None:
        return _signed_out({"user_name": _("The user name or the password isn’t right.")})
    response = make_response(redirect(f"/worried/{_raise(who)}", 303))
    give_cookie(response, house().sessions.start(who.account))
    return response


def _raise(who: Person) -> UUID:
    said, casework = _said(), house().casework
    case_id = uuid_in(request.form.get("about_case", ""))
    if case_id is not None and not _may_raise(who, case_id):
        case_id = None
        said["gaps"] = (_("The pupil chosen on the page couldn’t be taken over. Ask whom this is about."),)
    request_text = {name: str(value) for name, value in said.items()}
    for command_id in (_command_id(), str(uuid4())):
        key = casework.key(who, "page worried", command_id, {**request_text, "case": str(case_id)})
        try:
            return casework.raise_concern(who, said, key=key, case_id=case_id).subject.id
        except CommandReused:
            # Other words under the same id are another worry, and are never refused.
            continue
    raise NotFound


def _may_raise(who: Person, case_id: UUID) -> bool:
    try:
        case = house().casework.load(MenteeCase, case_id)
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
    return case is not None and may_raise_about(who, case)


def _said() -> dict[str, Any]:
    """The form as the concern's fields. Whatever doesn't fit stays as words for the lead to ask about."""
    form = request.form
    said: dict[str, Any] = {"childs_words": clean(form.get("childs_words", ""))}
    said |= {name: text for name in TEXTS if (text := clean(form.get(name, ""))).strip()}
    if form.get("immediate_danger") == "yes":
        said["immediate_danger"] = True
    if form.get("about") in ("pupil", "staff"):
        said["about"] = form["about"]
    passed_on = clean(form.get("passed_on", ""))
    if passed_on.strip():
        said["passed_on"] = (PassedOn(whom=passed_on),)
    when = boxes_in(form, "disclosed_at")
    if any(when.values()):
        on, at = day_in(when), time_in(when["time"])
        typed = " ".join(filter(None, ("/".join(filter(None, (when[p] for p in DATE_PARTS))), when["time"])))
        said["disclosed_at"] = datetime.combine(on, at, LONDON).isoformat() if on and at else typed
    return said


@bp.errorhandler(Exception)
def not_saved(error: Exception) -> ResponseReturnValue:
    """Nothing could be saved: the words again, whom to tell now, and the same command once more."""
    if isinstance(error, HTTPException) and error.code in (404, 405):
        return error.get_response()
    log.error("concern_not_saved", error=type(error).__name__)
    who = person_or_none()
    body = render_template(
        "mentor/worried_not_saved.html",
        title=_("It isn’t saved yet"),
        action="/worried",
        csrf=who.csrf if who else _form().get("csrf", ""),
        **_kept(),
    )
    return make_response(body, 503, {"Retry-After": "5"})


def _signed_out(errors: dict[str, str]) -> ResponseReturnValue:
    body = render_template(
        "mentor/worried_signed_out.html",
        title=_("Sign in to send this"),
        action="/worried/sign-in",
        errors=errors,
        fields=sign_in_fields(request.form.get("user_name", "")),
        **_kept(),
    )
    return make_response(body, 401)


def _kept() -> dict[str, Any]:
    """Everything that was typed, to go back into the page."""
    form = _form()
    return {
        **what_to_do(),
        "command_id": _command_id(),
        "words": form.get("childs_words", ""),
        "about_case": form.get("about_case", ""),
        "carry": [
            {"name": name, "value": value}
            for name, value in form.items(multi=True)
            if name not in NOT_CARRIED
        ],
    }


def _form() -> ImmutableMultiDict[str, str]:
    try:
        return request.form
    except HTTPException:
        return ImmutableMultiDict()


def _command_id() -> str:
    return clean(_form().get("command_id", "")) or str(uuid4())
