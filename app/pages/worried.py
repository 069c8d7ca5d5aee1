"""Anybody's worry about a child: first what to do now, then one box; and later, that it was read."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from flask import Blueprint, current_app, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from app.access.person import Person
from app.access.policy import allow, house, person
from app.access.relation import about_of, may_see_case, may_see_concern
from app.commands import EVERYBODY
from app.errors import UNREACHABLE
from app.forms import today
from app.pages.common import lists, looked, page, stream
from app.pages.people import people
from app.pages.reading_forms import DATE_PARTS
from app.wording import questions
from app.wording.common import _, day, moment, time, titles
from app.wording.names import uuid_in
from app.wording.questions import BREAK_CONFIDENTIALITY
from domain.concern import Concern
from domain.concern_facts import Acknowledged, Notified
from domain.mentor import Mentor, TookOn
from domain.policy import DEFAULT_POLICY

bp = Blueprint("worried", __name__)
OPTIONAL: Final = (
    *("immediate_danger", "facts", "opinion", "disclosed_at", "passed_on", "mentee_informed"),
    *("about", "about_words"),
)
SOMEBODY_ELSE: Final = "other"
EMERGENCY_CALL: Final = re.compile(r"((?<!\d)(?<!\d )999(?! ?\d))")
"""The number to ring, and no part of a longer one."""


@bp.get("/worried")
@allow(*sorted(EVERYBODY))
def ask() -> ResponseReturnValue:
    """What to do now, and the box."""
    chosen = request.args.get("case", "")
    return form_page({"about_case": chosen} if chosen else {}, str(uuid4()))


def form_page(typed: Mapping[str, Any], command_id: str, notice: str | None = None) -> ResponseReturnValue:
    """The page with what was typed so far, and a sentence why it came back."""
    asked = questions.command(BREAK_CONFIDENTIALITY)
    optional = [asked.question(name).as_field(_typed(typed, name)) for name in OPTIONAL]
    for one in optional:
        one["required"] = None
        one["whole"] = True
    return page(
        "mentor/worried.html",
        title=_("I’m worried about someone"),
        status=403 if notice else 200,
        notice=notice,
        **what_to_do(),
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
        boxes = {part: typed.get(f"{name}-{part}", "") for part in (*DATE_PARTS, "time")}
        return boxes if any(boxes.values()) else None
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
        case_id = uuid_in(chosen)
        ids = [case_id] if case_id and may_see_case(who, None) else []
    known = lists().caseload.by_ids(ids) if ids else {}
    return [
        (case_id, known[case_id].pupil_id) for case_id in dict.fromkeys(reversed(ids)) if case_id in known
    ]


def what_to_do() -> dict[str, Any]:
    """Whom to tell now, and the school's own words for an emergency, in pieces of which some can be rung.

    While the record is out of reach, what was known before.
    """
    known: dict[str, Any] = current_app.extensions.setdefault(
        "casebook-what-to-do", {"tell_now": [], "emergency": _pieces(DEFAULT_POLICY.emergency_words)}
    )
    try:
        policy = house().casework.policy()
        found = lists().staff.by_role("dsl", "deputy_dsl")
    except UNREACHABLE:
        return known
    title_of = titles(policy)
    leads = sorted(found, key=lambda one: (one.role != "dsl", one.number))
    known["tell_now"] = [{"name": one.name, "role": title_of[one.role]} for one in leads]
    known["emergency"] = _pieces(policy.emergency_words)
    return known


def _pieces(words: str) -> list[dict[str, str]]:
    parts = EMERGENCY_CALL.split(words)
    return [{"text": text, "href": "tel:999" if at % 2 else ""} for at, text in enumerate(parts) if text]


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
        read_text=_read_text(names.person(read.fact.recorded_by), read.recorded_at) if read else None,
        **what_to_do(),
        again_href=f"/worried/{concern_id}",
        home_href="/" if person().role == "mentor" else None,
    )


def _read_text(name: str, at: datetime) -> str:
    """Who has read it, and when: the time alone on the same day."""
    if day(at) == day(today()):
        return _("{name} has read this at {time}").format(name=name, time=time(at))
    return _("{name} read this on {day} at {time}").format(name=name, day=day(at), time=time(at))
