"""Anybody's worry about a child: first what to do now, then one box. Nothing typed is ever lost or refused.

An expired sign-in, a form from another session and a record out of reach all bring the words back, say whom
to tell now, and send the same command again.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

import structlog
from flask import Blueprint, current_app, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import Forbidden, HTTPException, NotFound

from app.access.person import Person
from app.access.policy import allow, allow_anyone, house, person, person_or_none, rescued_by, source
from app.access.relation import about_of, may_raise_about, may_see_case, may_see_concern
from app.access.sessions import give_cookie
from app.access.throttling import Throttled
from app.casework import CommandReused
from app.commands import EVERYBODY
from app.errors import UNREACHABLE
from app.pages.common import lists, looked, page, stream
from app.pages.people import people
from app.pages.reading_forms import DATE_PARTS, boxes_in, clean, day_in, time_in
from app.wording import questions
from app.wording.common import LONDON, _, moment, titles
from app.wording.questions import BREAK_CONFIDENTIALITY
from domain.concern import Acknowledged, Concern, Notified, PassedOn
from domain.mentee_case import MenteeCase
from domain.mentor import Mentor, TookOn

bp = Blueprint("worried", __name__)
sending = Blueprint("worried_sending", __name__)
log = structlog.get_logger()

TITLE: Final = _("I’m worried about someone")
TEXTS: Final = ("facts", "opinion", "basis", "mentee_informed", "about_words")
OPTIONAL: Final = (
    *("immediate_danger", "facts", "opinion", "disclosed_at", "passed_on", "mentee_informed"),
    *("about", "about_words"),
)
MOST_BYTES: Final = 8 * 1024 * 1024
"""Far more than anybody types; the limit for other forms would refuse a long story."""
NOT_CARRIED: Final = frozenset({"csrf", "childs_words", "about_case", "command_id", "user_name", "password"})
SOMEBODY_ELSE: Final = "other"


@bp.get("/worried")
@allow(*sorted(EVERYBODY))
def ask() -> ResponseReturnValue:
    """What to do now, and the box."""
    chosen = request.args.get("case", "")
    return _form_page({"about_case": chosen} if chosen else {}, str(uuid4()))


def _form_page(typed: Mapping[str, Any], command_id: str, notice: str | None = None) -> ResponseReturnValue:
    asked = questions.command(BREAK_CONFIDENTIALITY)
    optional = [asked.question(name).as_field(_typed(typed, name)) for name in OPTIONAL]
    for one in optional:
        one["required"] = None
        one["whole"] = True
    return page(
        "mentor/worried.html",
        title=TITLE,
        status=403 if notice else 200,
        notice=notice,
        tell_now=tell_now(),
        action="/worried",
        command_id=command_id,
        words=typed.get("childs_words"),
        about=_whom(typed.get("about_case", "")),
        about_value=typed.get("about_case") or None,
        optional=optional,
        open=any(one["value"] for one in optional),
        cancel_href="/",
    )


def _typed(typed: Mapping[str, Any], name: str) -> Any:
    if name == "disclosed_at":
        return {part: typed.get(f"{name}-{part}", "") for part in (*DATE_PARTS, "time")} if typed else None
    return typed.get(name) == "yes" if name == "immediate_danger" else typed.get(name)


def _whom(chosen: str) -> list[dict[str, str]]:
    """A mentor's mentees, present and past, or the case that a member of staff came from; none otherwise."""
    try:
        cases = _cases_of(person(), chosen)
        found = people(pupils=(pupil_id for _case, pupil_id in cases))
        if not cases:
            return []
        looked([case_id for case_id, _pupil in cases], "names")
    except UNREACHABLE:
        return []
    rows = [{"value": str(case_id), "text": found.pupil(pupil_id)["name"]} for case_id, pupil_id in cases]
    return [*rows, {"value": SOMEBODY_ELSE, "text": _("Somebody else")}]


def _cases_of(who: Person, chosen: str) -> list[tuple[UUID, UUID | None]]:
    if who.role == "mentor" and who.mentor_id:
        told = house().casework.stream(Mentor, who.mentor_id)
        ids = [
            t.fact.case_id for t in told if isinstance(t.fact, TookOn) and isinstance(t.fact.case_id, UUID)
        ]
    else:
        case_id = _as_uuid(chosen)
        ids = [case_id] if case_id and may_see_case(who, None) else []
    known = lists().caseload.by_ids(ids) if ids else {}
    return [
        (case_id, known[case_id].pupil_id) for case_id in dict.fromkeys(reversed(ids)) if case_id in known
    ]


@sending.url_value_preprocessor
def take_it_whole(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Let a long story in, before anything reads the form."""
    request.max_content_length = MOST_BYTES
    request.max_form_memory_size = MOST_BYTES


def keep_the_words(why: str) -> ResponseReturnValue:
    """What answers when the post can't be let in: the words again, with the one step that is missing."""
    if why == "sign-in":
        return _signed_out({})
    if why == "form":
        notice = _(
            "This page was open for a long time. Your words are still here: press the button once more."
        )
        return _form_page(request.form, _command_id(), notice)
    raise Forbidden


@sending.post("/worried")
@allow(*sorted(EVERYBODY))
@rescued_by(keep_the_words)
def send() -> ResponseReturnValue:
    """Raise the concern."""
    return redirect(f"/worried/{_raise(person())}", 303)


@sending.post("/worried/sign-in")
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
    case_id = _as_uuid(request.form.get("about_case", ""))
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


@sending.errorhandler(Exception)
def not_saved(error: Exception) -> ResponseReturnValue:
    """Nothing could be saved: the words again, whom to tell now, and the same command once more."""
    if isinstance(error, HTTPException) and error.code in (404, 405):
        return error.get_response()
    log.error("concern_not_saved", error=type(error).__name__)
    who = person_or_none()
    body = render_template(
        "mentor/worried_not_saved.html",
        title=_("It isn’t saved yet"),
        tell_now=tell_now(),
        action="/worried",
        csrf=who.csrf if who else _form().get("csrf", ""),
        **_kept(),
    )
    return make_response(body, 503)


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


def sign_in_fields(user_name: str = "") -> list[dict[str, Any]]:
    """The two questions of a sign-in."""
    return [
        {
            "name": "user_name",
            "kind": "text",
            "label": _("User name"),
            "value": user_name,
            "autocomplete": "username",
            "width": "20",
        },
        {
            "name": "password",
            "kind": "password",
            "label": _("Password"),
            "value": "",
            "autocomplete": "current-password",
            "width": "20",
        },
    ]


def _kept() -> dict[str, Any]:
    """Everything that was typed, to go back into the page."""
    form = _form()
    return {
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


def _as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def tell_now() -> list[dict[str, str]]:
    """The safeguarding lead and deputies. While the record is out of reach, those that were known before."""
    known: dict[str, list[dict[str, str]]] = current_app.extensions.setdefault("casebook-tell-now", {})
    try:
        title_of = titles(house().casework.policy())
        found = lists().staff.by_role("dsl", "deputy_dsl")
    except UNREACHABLE:
        return known.get("leads", [])
    leads = sorted(found, key=lambda one: (one.role != "dsl", one.number))
    known["leads"] = [{"name": one.name, "role": title_of[one.role]} for one in leads]
    return known["leads"]


@bp.get("/worried/<uuid:concern_id>")
@allow(*sorted(EVERYBODY))
def sent(concern_id: UUID) -> ResponseReturnValue:
    """Who has been alerted, and who has read it. For whoever raised it, and nobody else."""
    concern, told = stream(Concern, concern_id)
    if concern.raised_by != person().account:
        if may_see_concern(person(), about_of(concern)):
            return redirect(f"/concerns/{concern_id}", 303)
        raise NotFound
    names = people(t.fact for t in told).names
    looked([concern_id], "state", told)
    read = next((t for t in told if isinstance(t.fact, Acknowledged)), None)
    alerted: dict[UUID, datetime] = {}
    for fact, recorded_at in ((t.fact, t.recorded_at) for t in told):
        if isinstance(fact, Notified) and isinstance(fact.told, tuple):
            for account in fact.told:
                alerted.setdefault(account, recorded_at)
    read_text = (
        _("{name} has read this at {moment}").format(
            name=names.person(read.fact.recorded_by), moment=moment(read.recorded_at)
        )
        if read
        else None
    )
    return page(
        "mentor/worried_sent.html",
        title=_("You told the safeguarding lead"),
        sent_at_text=moment(told[0].recorded_at),
        alerted=[
            {
                "name": names.person(account),
                "role": names.title(names.role(account) or "dsl"),
                "how_text": _("Alerted {moment}").format(moment=moment(at)),
                "read_text": moment(read.recorded_at) if read and read.fact.recorded_by == account else None,
            }
            for account, at in alerted.items()
        ],
        read_text=read_text,
        tell_now=tell_now(),
        again_href=f"/worried/{concern_id}",
        home_href="/" if person().role == "mentor" else None,
    )
