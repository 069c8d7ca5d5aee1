"""A mentoring referral: a question or two on each page, check your answers, then a receipt and nothing else.

The answers so far travel in the page itself, so that nothing is kept of a referral that is never sent.
"""

from typing import Any, Final
from uuid import UUID, uuid4

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import NotFound

from app.access.policy import allow, house, person
from app.access.throttling import MENTORING_REFERRALS
from app.commands import BY_KEY, OFFICE
from app.pages.common import looked, page, stream
from app.pages.giving import Asking, messages_of, new_record
from app.pages.links import recorded_at
from app.pages.people import people
from app.pages.pupils import search_page
from app.pages.reading_forms import Reading, clean, read
from app.reference import reference_of
from app.wording import questions
from app.wording.common import _, moment
from app.wording.facts import value_text
from domain.mentee_case import MenteeCase

bp = Blueprint("referral", __name__)
DOING: Final = BY_KEY["cases/refer"]
MAY: Final = tuple(sorted(DOING.roles))
EXIT: Final = "https://www.bbc.co.uk/weather"
"""A page that says nothing about school, for a pupil whom somebody walks up to."""


def _steps() -> tuple[tuple[str, ...], ...]:
    """The questions of each page, for this reader. A mentor is always the one who asks."""
    role = person().role
    who: tuple[tuple[str, ...], ...] = () if role in OFFICE else (("pupil_in_words",),)
    asker: tuple[tuple[str, ...], ...] = () if role == "mentor" else (("route", "referred_by"),)
    return (*who, *asker, ("reasons",), ("words",))


def _fixed() -> dict[str, str]:
    """What this reader isn't asked: the pupil who was chosen on the roll, and a mentor's own name."""
    fixed = {}
    if person().role in OFFICE:
        fixed["pupil_id"] = clean(request.values.get("pupil_id", "") or request.args.get("pupil", ""))
    if person().role == "mentor":
        fixed |= {"route": "mentor", "referred_by": person().name}
    return fixed


def first_page() -> ResponseReturnValue:
    """The first question."""
    if person().role not in OFFICE:
        return _ask(0, MultiDict(), {})
    if request.args.get("pupil"):
        return _ask(0, MultiDict({"pupil_id": request.args["pupil"]}), {})
    return search_page(
        _("Which pupil would you like to refer?"),
        lambda p: {"text": _("Refer"), "href": f"/refer?pupil={p.pupil_id}", "primary": True},
    )


@bp.route("/refer", methods=["GET", "POST"])
@allow(*MAY)
def refer() -> ResponseReturnValue:
    """The search, the questions one after the other, and the way back to one of them."""
    form = request.form
    if request.method == "GET" or ("q" in form and "step" not in form and "change" not in form):
        return first_page()
    steps = _steps()
    if form.get("change"):
        asked = next((n for n, names in enumerate(steps) if form["change"] in names), 0)
        return _ask(asked, form, {})
    step = min(int(form.get("step", "0")[:2]) if form.get("step", "0").isdecimal() else 0, len(steps) - 1)
    errors = _wrong(steps[step], form)
    if errors:
        return _ask(step, form, errors)
    if step + 1 < len(steps) and not form.get("checked"):
        return _ask(step + 1, form, {})
    return _check(form, Asking(DOING))


def _reading(names: tuple[str, ...], form: MultiDict[str, str]) -> Reading:
    words = questions.command(DOING.key)
    return read(DOING.fact, {name: words.question(name).kind for name in names}, form)


def _wrong(names: tuple[str, ...], form: MultiDict[str, str]) -> dict[str, str]:
    """What is wrong with the answers of one page."""
    words = questions.command(DOING.key)
    reading = _reading(names, form)
    errors = dict(reading.errors)
    for name in names:
        must = words.question(name).required or name == "pupil_in_words"
        if (must and not reading.typed[name]) or (name == "reasons" and not reading.typed[name]):
            errors[name] = _("Answer this: {question}").format(question=words.question(name).question)
    try:
        DOING.schema.load({n: v for n, v in reading.said.items() if n not in errors}, partial=True)
    except ValidationError as wrong:
        for name, messages in messages_of(wrong).items():
            errors.setdefault(
                name, str(messages[0] if isinstance(messages, list) else _("Check this answer."))
            )
    return errors


def _ask(step: int, form: MultiDict[str, str], errors: dict[str, str]) -> ResponseReturnValue:
    steps, words = _steps(), questions.command(DOING.key)
    typed = _reading(steps[step], form).typed
    if steps[step] == ("route", "referred_by") and person().role == "referrer" and "route" not in form:
        typed = {"route": "staff", "referred_by": person().name}
    fields = [words.question(name).as_field(typed.get(name)) for name in steps[step]]
    for one in fields:
        one["required"] = None
        one["label_hidden"] = len(fields) == 1
    single = words.question(steps[step][0]).question if len(fields) == 1 else _("Who is asking?")
    on_roll = person().role in OFFICE
    about = _pupil_text(form) if on_roll else ""
    return page(
        "coordinator/refer.html",
        title=single,
        status=422 if errors else 200,
        step_text=_("Question {n} of {all}").format(n=step + 1, all=len(steps)),
        intro=about,
        action="/refer",
        fields=fields,
        errors=errors,
        command_id=_command_id(form),
        carry=[{"name": "step", "value": str(step)}, *_carried(form, steps[step])],
        exit_href=None if on_roll else EXIT,
        cancel_href="/",
    )


def _check(form: MultiDict[str, str], asking: Asking) -> ResponseReturnValue:
    words = questions.command(DOING.key)
    names = [name for step in _steps() for name in step]
    reading = _reading(tuple(names), form)
    shown = people().names
    rows = []
    if person().role in OFFICE:
        rows.append({"name": "", "label": words.question("pupil_id").question, "text": _pupil_text(form)})
    for name in names:
        value: Any = reading.said.get(name)
        value = tuple(value) if isinstance(value, list) else value
        text = value_text(value, shown, name) if value else ""
        rows.append({"name": name, "label": words.question(name).question, "text": text})
    return page(
        "coordinator/check_answers.html",
        title=_("Check your answers"),
        status=asking.status,
        action="/refer/send",
        change_action="/refer",
        rows=rows,
        carry=_carried(form, ()),
        command_id=_command_id(form),
        errors=asking.errors,
        refusal=asking.refusal,
        button=words.button,
        exit_href=None if person().role in OFFICE else EXIT,
    )


def _carried(form: MultiDict[str, str], without: tuple[str, ...]) -> list[dict[str, str]]:
    """The answers that aren't asked on this page, to be sent along."""
    known = {*(name for step in _steps() for name in step), "pupil_id"} - set(without)
    return [{"name": name, "value": value} for name, value in form.items(multi=True) if name in known]


def _command_id(form: MultiDict[str, str]) -> str:
    return clean(form.get("command_id", "")) or str(uuid4())


def _pupil_text(form: MultiDict[str, str]) -> str:
    try:
        pupil_id = UUID(form.get("pupil_id", ""))
    except ValueError:
        raise NotFound from None
    looked([pupil_id], "names")
    found = people(pupils=[pupil_id])
    if pupil_id not in found.pupils:
        raise NotFound
    pupil = found.pupil(pupil_id)
    return ", ".join(filter(None, (pupil["name"], pupil["year"], pupil["form"])))


@bp.post("/refer/send")
@allow(*MAY)
def send() -> ResponseReturnValue:
    """Send it. Staff who see cases go to the case; everybody else gets a receipt."""
    who = person()
    unasked = {
        name: None for name in ("pupil_id", "pupil_in_words") if name not in _fixed() and name != _named()
    }
    asking = Asking(DOING, fixed={**unasked, **_fixed()})
    if who.role == "referrer":
        throttle = house().accounts.throttle
        throttle.attempt(f"referrer:{who.account}", _command_id(request.form), MENTORING_REFERRALS, once=True)
    done = asking.post(request.form, new_record)
    if done is None:
        return _check(request.form, asking)
    if who.role in OFFICE:
        return redirect(recorded_at("cases", done.subject.id, done.subject.version, done.position), 303)
    return redirect(f"/refer/{done.subject.id}/receipt", 303)


def _named() -> str:
    return "pupil_id" if person().role in OFFICE else "pupil_in_words"


@bp.get("/refer/<uuid:subject_id>/receipt")
@allow(*MAY)
def receipt(subject_id: UUID) -> ResponseReturnValue:
    """That it was received, under which reference; for whoever sent it, and nothing about the case."""
    case, told = stream(MenteeCase, subject_id)
    if case.referrer != person().account:
        raise NotFound
    looked([subject_id], "receipt", told[:1])
    return page(
        "coordinator/receipt.html",
        title=_("Mentoring referral received"),
        reference=reference_of(subject_id),
        received_at_text=moment(told[0].recorded_at),
        next_steps=[
            _("A coordinator reads it, usually within a few days."),
            _("They talk to the pupil and look for a peer mentor who fits."),
            _("What the pupil and the mentor talk about stays between them, unless somebody is at risk."),
        ],
        again={"text": _("Refer another pupil"), "href": "/refer"},
        exit_href=None if person().role in OFFICE else EXIT,
    )
