"""Forgetting, for the head and the data protection officer: what is kept, holds, erasures, certificates.

They see whose record it is and how long it is kept, and never what is in it.
"""

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from app.access.policy import allow, house, person
from app.commands import BY_KEY, FORGETTING, OFFICERS
from app.forgetting.certificate import certificate
from app.forgetting.matters import Matters
from app.forms import today
from app.history import by_day, entries
from app.pages.common import PAGE, lists, looked, page, recorded, stream
from app.pages.doing import changes, command_page, may_do
from app.pages.giving import Asking, new_record
from app.pages.links import page_of, recorded_at
from app.pages.people import People, people
from app.pages.pupils import shown
from app.wording import data, questions
from app.wording.common import ERASED_TEXT, _, day
from domain.erasure import Erasure
from domain.pupil import Pupil
from domain.retention import Matter
from projections.erasures import Erasure as Row
from projections.erasures import Erasures
from projections.retention import Retention
from projections.roll import folded

bp = Blueprint("forgetting", __name__)
WHO: Final = sorted(OFFICERS)
VERBS: Final = tuple(d.verb for d in FORGETTING if d.thing == "pupils" and d.verb)


@bp.get("/due")
@allow(*WHO)
def due() -> ResponseReturnValue:
    """What is due, what waits for a second person, what is held, and what was erased."""
    found = Retention(house().pool).due(house().casework.policy(), today())
    asked = request.args.get("from", "")
    first = min(int(asked[:6]), len(found)) if asked.isdecimal() else 0
    rows = found[first : first + PAGE]
    erasures = Erasures(house().pool)
    waiting, under_way = erasures.in_state("requested"), erasures.in_state("ordered")
    ended = erasures.in_state("completed", "withdrawn", limit=PAGE)
    held = Retention(house().pool).held()
    asked_for = erasures.waiting_for(matter.subject_id for matter in rows)
    known = people(
        pupils=[*(m.pupil_id for m in rows), *(e.pupil_id for e in waiting), *(k.pupil_id for k in held)],
        accounts=(e.requested_by for e in (*waiting, *under_way, *ended)),
    )
    looked(
        [*(m.pupil_id for m in rows), *(e.pupil_id for e in waiting), *(k.pupil_id for k in held)],
        "retention",
    )
    return page(
        "office/due.html",
        title=_("Due"),
        waiting=[_erasure_row(one, known) for one in waiting],
        under_way=[_erasure_row(one, known) for one in under_way],
        due=[_due_row(matter, known, asked_for) for matter in rows],
        count=len(found),
        pages={
            "first_href": "/due" if first else None,
            "next_href": f"/due?from={first + PAGE}" if len(found) > first + PAGE else None,
        },
        held=[
            {
                **known.pupil(one.pupil_id),
                "text": _("Nothing of this pupil is erased."),
                "action": {"text": _("Open"), "href": f"/kept/{one.pupil_id}"},
            }
            for one in held
        ],
        ended=[_erasure_row(one, known) for one in ended],
        today=data.OF_DATA_TODAY,
        not_yet=data.NOT_YET,
        links=[
            {"text": _("The scheme’s rules, and when they changed"), "href": "/scheme"},
            {"text": _("Concerns that I raised"), "href": "/me/concerns"},
        ],
    )


def _due_row(matter: Matter, known: People, asked_for: dict[UUID, Row]) -> dict[str, Any]:
    named = known.pupil(matter.pupil_id, _("Nobody on the roll"))
    row: dict[str, Any] = {**named, "text": data.what(matter)}
    row["more"] = data.why_kept(matter, today())
    under_way = asked_for.get(matter.subject_id)
    if under_way:
        row["more"] = data.STATES[under_way.state]
        row["action"] = {"text": _("Open"), "href": f"/erasures/{under_way.erasure_id}"}
    elif matter.pupil_id and matter.pupil_id in known.pupils:
        row["action"] = {"text": _("Review"), "href": f"/kept/{matter.pupil_id}"}
    else:
        row["action"] = {"text": _("Review"), "href": _request_href(matter)}
    return row


def _erasure_row(erasure: Row, known: People) -> dict[str, Any]:
    what = data.SCOPES[erasure.scope]
    waits = erasure.state == "requested" and erasure.pupil_id is not None
    named = known.pupil(erasure.pupil_id) if waits else {"name": what}
    return {
        **named,
        "text": what if waits else data.STATES[erasure.state],
        "more": _("Asked for by {who} on {day}.").format(
            who=known.called(erasure.requested_by), day=day(erasure.requested_at)
        ),
        "action": {"text": _("Open"), "href": f"/erasures/{erasure.erasure_id}"},
    }


@bp.route("/kept", methods=["GET", "POST"])
@allow(*WHO)
def find() -> ResponseReturnValue:
    """Find a pupil by name, also one who left: for a request of theirs, or a legal hold."""
    posted = request.method == "POST"
    q = request.form.get("q", "").strip()[:200]
    errors = {"q": _("Enter part of a name.")} if posted and not folded(q) else {}
    found = lists().roll.search(q, left=True, limit=PAGE + 1) if posted and not errors else []
    if found:
        looked((p.pupil_id for p in found), "names")
    return page(
        "coordinator/pupils.html",
        title=_("What is kept of a pupil"),
        status=422 if errors else 200,
        action="/kept",
        q=q,
        errors=errors,
        searched=posted and not errors,
        too_many=len(found) > PAGE,
        pupils=[
            {**shown(p), "action": {"text": _("Open"), "href": f"/kept/{p.pupil_id}"}} for p in found[:PAGE]
        ],
        enrol_href=None,
    )


@bp.get("/kept/<uuid:subject_id>")
@allow(*WHO)
def kept(subject_id: UUID) -> ResponseReturnValue:
    """What is kept of one pupil and until when, and what may be done about it."""
    subject, told = stream(Pupil, subject_id)
    matters = Matters(house().pool).of_pupil(house().casework, house().casework.policy(), subject_id)
    asked_for = Erasures(house().pool).waiting_for(matter.subject_id for matter in matters)
    known = people((one.fact for one in told), pupils=[subject_id])
    looked([subject_id, *(target for matter in matters for target in matter.targets)], "retention", told)
    named = known.pupil(subject_id)
    year_and_form = f"{named['year']}, {named['form']}" if not subject.erased else ERASED_TEXT
    verbs = ["release-legal-hold" if subject.held else "put-legal-hold", "keep-longer"]
    return page(
        "office/kept.html",
        title=named["name"] if not subject.erased else ERASED_TEXT,
        about=[{"label": _("Year and form"), "text": year_and_form}],
        held=subject.held,
        rows=[_kept_row(matter, asked_for, subject_id) for matter in matters],
        actions=[
            {"text": questions.command(f"pupils/{verb}").title, "href": f"/kept/{subject_id}/do/{verb}"}
            for verb in verbs
            if not subject.erased
        ],
        days=by_day(entries(told, person(), known.names), datetime.now(UTC)),
        recorded=recorded("pupils", told, known.names),
    )


def _kept_row(matter: Matter, asked_for: dict[UUID, Row], pupil_id: UUID) -> dict[str, Any]:
    row: dict[str, Any] = {"name": data.what(matter), "text": data.why_kept(matter, today())}
    if matter.pupil_id != pupil_id:
        row["more"] = data.OF_ANOTHER
    under_way = asked_for.get(matter.subject_id)
    if under_way:
        row["more"] = data.STATES[under_way.state]
        row["action"] = {"text": _("Open"), "href": f"/erasures/{under_way.erasure_id}"}
    elif not matter.held and not matter.still_open:
        row["action"] = {"text": _("Ask for erasure"), "href": _request_href(matter)}
    return row


def _request_href(matter: Matter) -> str:
    return f"/erasures/new?scope={matter.scope}&subject={matter.subject_id}"


@bp.route("/kept/<uuid:subject_id>/do/<verb>", methods=["GET", "POST"])
@allow(*WHO)
def keep(subject_id: UUID, verb: str) -> ResponseReturnValue:
    """Put or release a legal hold, or decide to keep what is due."""
    if verb not in VERBS:
        raise NotFound
    doing = may_do("pupils", verb)
    subject, _told = stream(Pupil, subject_id)
    asking = Asking(doing, subject_id, subject.version)
    if request.method == "POST":
        done = asking.post(request.form, changes(Pupil, subject_id))
        if done is not None:
            shows = f"/kept/{subject_id}?recorded={done.subject.version}&after={done.position}"
            return redirect(shows, 303)
    looked([subject_id], "form")
    words = questions.command(doing.key)
    name = people(pupils=[subject_id]).pupil(subject_id)["name"]
    return page(
        "command_form.html",
        title=words.title,
        status=asking.status,
        intro=words.intro,
        button=words.button,
        about=[{"label": _("Pupil"), "text": name}],
        cancel_href=f"/kept/{subject_id}",
        **asking.form,
    )


@bp.route("/erasures/new", methods=["GET", "POST"])
@allow(*WHO)
def ask() -> ResponseReturnValue:
    """Ask for the erasure of one matter, named in the address by its kind and id."""
    matter = _matter_asked()
    doing = BY_KEY["erasures/request"]
    fixed = {"scope": matter.scope, "subject_id": matter.subject_id}
    asking = Asking(doing, fixed=fixed, typed={"grounds": "retention"})
    if request.method == "POST":
        done = asking.post(request.form, new_record)
        if done is not None:
            return redirect(
                recorded_at("erasures", done.subject.id, done.subject.version, done.position), 303
            )
    looked([matter.pupil_id, *matter.targets], "retention")
    words = questions.command(doing.key)
    return page(
        "command_form.html",
        title=words.title,
        status=asking.status,
        intro=_("What is erased can’t be brought back. Another person must approve it first."),
        button=words.button,
        about=_about(matter),
        warning=data.why_kept(matter, today()),
        cancel_href=f"/kept/{matter.pupil_id}" if matter.pupil_id else "/due",
        **asking.form,
    )


def _matter_asked() -> Matter:
    scope = request.args.get("scope", "")
    try:
        subject_id = UUID(request.args.get("subject", ""))
    except ValueError:
        raise NotFound from None
    for known in ("identity", "narrative", "mentor"):
        if scope == known:
            policy = house().casework.policy()
            matter = Matters(house().pool)(house().casework, policy, known, subject_id)
            if matter is not None and matter.targets:
                return matter
    raise NotFound


def _about(matter: Matter) -> list[dict[str, str]]:
    named = people(pupils=[matter.pupil_id]).pupil(matter.pupil_id, _("Nobody on the roll"))
    return [
        {"label": _("Pupil"), "text": ", ".join(filter(None, (named["name"], named["year"])))},
        {"label": _("What"), "text": data.what(matter)},
    ]


@bp.get("/erasures/<uuid:subject_id>")
@allow(*WHO)
def erasure(subject_id: UUID) -> ResponseReturnValue:
    """One request: what it asks for, who agreed, and its certificate."""
    subject, told = stream(Erasure, subject_id)
    found = certificate(house(), subject_id)
    if found is None or subject.scope is None or subject.subject_id is None:
        raise NotFound
    accounts = [one.fact.recorded_by for one in told]
    known = people(
        (one.fact for one in told),
        pupils=[subject.pupil_id],
        accounts=[*accounts, *(p.account for p in found.packs)],
    )
    looked([subject_id, subject.pupil_id, *subject.targets], "retention", told)
    seen = entries(told, person(), known.names)
    for entry in seen:
        # The certificate says it all, and names nobody who was forgotten.
        entry.details = []
    waits = subject.state == "requested"
    verbs = ["approve", "withdraw"] if waits and person().account != subject.requested_by else ["withdraw"]
    return page(
        "office/erasure.html",
        title=_("Certificate of erasure") if subject.state == "completed" else _("Erasure"),
        pupil=known.pupil(subject.pupil_id)["name"] if waits and subject.pupil_id else None,
        state=subject.state,
        own=waits and person().account == subject.requested_by,
        rows=data.certificate_rows(found, known.called),
        cant_reach=data.CANT_REACH,
        actions=[
            {
                "text": questions.command(f"erasures/{verb}").title,
                "href": page_of(f"erasures/{verb}", subject_id),
                "danger": verb == "approve",
            }
            for verb in verbs
            if waits
        ],
        days=by_day(seen, datetime.now(UTC)),
        recorded=recorded("erasures", told, known.names),
    )


@bp.route("/erasures/<uuid:subject_id>/do/<verb>", methods=["GET", "POST"])
@allow(*WHO)
def give(subject_id: UUID, verb: str) -> ResponseReturnValue:
    """Approve a request as a second person, or withdraw it."""
    doing = may_do("erasures", verb)
    subject, _told = stream(Erasure, subject_id)
    named = people(pupils=[subject.pupil_id]).pupil(subject.pupil_id, _("Nobody on the roll"))
    about = [
        {"label": _("Pupil"), "text": named["name"]},
        {"label": _("What"), "text": data.SCOPES[subject.scope or "narrative"]},
        {"label": _("Parts of the record"), "text": str(len(subject.targets))},
    ]
    return command_page(doing, subject, about, danger=verb == "approve", shown=[subject.pupil_id])
