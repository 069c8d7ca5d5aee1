"""The mentor's pages, for a phone: whom do I meet next, and a session recorded in under two minutes."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import NotFound

from app.access.policy import allow, person
from app.commands import BY_KEY
from app.forms import today
from app.pages.cases import SeenCase, meeting_line
from app.pages.common import lists, looked, page
from app.pages.doing import changes, text_now
from app.pages.giving import Asking
from app.pages.links import page_of, recorded_at
from app.pages.people import people
from app.pages.reading_forms import DATE_PARTS, boxes
from app.wording import questions
from app.wording.common import _, moment, weekday
from domain.mentee_case import MenteeCase
from projections.concerns import Concern

bp = Blueprint("mentor", __name__)
NEXT: Mapping[str, str] = {
    **{f"next_at-{part}": f"at-{part}" for part in (*DATE_PARTS, "time")},
    "next_place": "place",
}
"""The boxes for the next meeting, and the fields of the command that arranges it."""


def first_page() -> ResponseReturnValue:
    """Whom do I meet next, and the two things that a mentor comes to do."""
    who, asked = person(), lists()
    cases = asked.caseload.of_mentor(who.mentor_id) if who.mentor_id else []
    seen = []
    for case in cases:
        try:
            seen.append(SeenCase(case.case_id))
        except NotFound:
            # The list is a moment behind the record: this pairing has just ended.
            continue
    raised = asked.concerns.raised_by(who.account)
    looked(
        [*(s.case.id for s in seen), *(c.concern_id for c in raised)],
        "case",
        [t for s in seen for t in s.told],
    )
    now = datetime.now(UTC)
    coming = sorted(
        (s for s in seen if s.case.next_meeting and s.case.next_meeting.at > now),
        key=lambda s: s.case.next_meeting.at if s.case.next_meeting else now,
    )
    return page(
        "mentor/mine.html",
        title=_("My mentees"),
        next_meeting=_meeting(coming[0]) if coming else None,
        record_href=_record_href([one.case.id for one in seen if one.case.state == "matched"]),
        worried_href="/worried",
        mentees=[_mentee(one) for one in seen],
        raised=raised_rows(raised),
    )


def _record_href(meeting: list[UUID]) -> str | None:
    """Where "Record a session" leads: to the one mentee, or to the choice between them."""
    if not meeting:
        return None
    return page_of("cases/hold-session", meeting[0]) if len(meeting) == 1 else "/sessions"


@bp.get("/sessions")
@allow("mentor")
def whom() -> ResponseReturnValue:
    """Whom did you meet?"""
    mentor_id = person().mentor_id
    cases = [c for c in (lists().caseload.of_mentor(mentor_id) if mentor_id else []) if c.state == "matched"]
    found = people(pupils=(c.pupil_id for c in cases))
    looked((c.case_id for c in cases), "names")
    return page(
        "mentor/whom.html",
        title=_("Whom did you meet?"),
        mentees=[
            {**found.pupil(c.pupil_id), "href": page_of("cases/hold-session", c.case_id)} for c in cases
        ],
    )


def _meeting(seen: SeenCase) -> dict[str, Any]:
    meeting = seen.case.next_meeting
    if meeting is None:
        raise NotFound
    when = f"{weekday(meeting.at)} {moment(meeting.at)}"
    return {"name": seen.pupil["name"], "when_text": when, "place": meeting.place}


def _mentee(seen: SeenCase) -> dict[str, Any]:
    case = seen.case
    return {
        **seen.pupil,
        "href": f"/cases/{case.id}",
        "held": case.sessions_held,
        "planned": case.sessions_planned,
        "meeting": meeting_line(case) if case.next_meeting else None,
        "purpose": text_now(seen.entries, "PurposeAgreed", "purpose"),
        "state": case.state if case.state != "matched" else None,
        "record_href": page_of("cases/hold-session", case.id) if case.state == "matched" else None,
    }


def raised_rows(raised: list[Concern]) -> list[dict[str, Any]]:
    """Concerns as whoever raised them may see them: when, and how far; the newest first."""
    return [
        {
            "text": moment(one.raised_at),
            "href": f"/worried/{one.concern_id}",
            "state": one.state,
        }
        for one in reversed(raised)
    ]


@bp.route("/sessions/<uuid:subject_id>/record", methods=["GET", "POST"])
@allow("coordinator", "mentor")
def record(subject_id: UUID) -> ResponseReturnValue:
    """Record that they met, and when they meet next."""
    seen = SeenCase(subject_id)
    held = Asking(BY_KEY["cases/hold-session"], subject_id, seen.case.version)
    following = Asking(BY_KEY["cases/arrange-session"], subject_id)
    chosen = "today"
    if request.method == "POST":
        chosen = request.form.get("day", "")
        done = _give(held, following, chosen, subject_id)
        if done is not None:
            return redirect(done, 303)
    looked([subject_id, seen.case.pupil_id], "form", seen.told)
    return page(
        "mentor/record.html",
        title=questions.command("cases/hold-session").title,
        status=held.status,
        about={
            **seen.pupil,
            "held": seen.case.sessions_held,
            "planned": seen.case.sessions_planned,
            "number_text": _("This is session {n} of {planned}.").format(
                n=seen.case.sessions_held + 1, planned=seen.case.sessions_planned
            ),
        },
        days=[
            {"value": "today", "text": _("Today"), "chosen": chosen == "today"},
            {"value": "yesterday", "text": _("Yesterday"), "chosen": chosen == "yesterday"},
        ],
        other_day=chosen == "other",
        cancel_href="/" if person().role == "mentor" else f"/cases/{subject_id}",
        worried_href=f"/worried?case={subject_id}",
        **{**held.form, "fields": _fields(held, following, seen.case, chosen)},
    )


def _give(held: Asking, following: Asking, chosen: str, case_id: UUID) -> str | None:
    """Record the session, then the next meeting where one was given. None: show the page again."""
    form: MultiDict[str, str] = request.form.copy()
    for value, back in (("today", 0), ("yesterday", 1)):
        if chosen == value:
            for part, text in boxes(today() - timedelta(days=back)).items():
                form[f"held_on-{part}"] = text
    held.take(form)
    arranging = any(request.form.get(name, "").strip() for name in NEXT)
    if arranging:
        following.take(MultiDict({field: request.form.get(name, "") for name, field in NEXT.items()}))
        names = {"at": "next_at", "place": "next_place"}
        held.errors |= {names.get(name, name): sentence for name, sentence in following.errors.items()}
    if "held_on" in held.errors and chosen != "other":
        held.errors = {"day": _("Say when you met."), **held.errors}
        del held.errors["held_on"]
    if held.errors:
        held.status = 422
        return None
    done = held.give(request.form, changes(MenteeCase, case_id))
    if done is None:
        return None
    position = done.position
    if arranging:
        following.command_id = str(uuid5(NAMESPACE_URL, f"casebook-next:{held.command_id}"))
        arranged = following.give(MultiDict(), changes(MenteeCase, case_id))
        position = arranged.position if arranged else position
    return recorded_at("cases", case_id, done.subject.version, position)


def _fields(held: Asking, following: Asking, case: MenteeCase, chosen: str) -> dict[str, dict[str, Any]]:
    found = {one["name"]: one for one in held.fields}
    found["held_on"]["label"] = _("Which day?")
    if chosen != "other":
        found["held_on"]["value"] = None
    found["minutes"]["suffix"] = _("minutes")
    found["notes"]["required"] = False
    if case.sessions_held + 1 < case.sessions_planned:
        asked = {one["name"]: one for one in following.fields}
        found["next_at"] = {
            **asked["at"],
            "name": "next_at",
            "required": False,
            "label": _("When do you meet next?"),
        }
        where = {"name": "next_place", "required": False, "label": _("Where?")}
        found["next_place"] = {**asked["place"], **where}
    return found
