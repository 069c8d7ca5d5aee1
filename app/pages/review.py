"""The coordinator's decision at a review: whether a case closes or goes on."""

from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue

from app.access.policy import allow
from app.commands import BY_KEY
from app.history import Entry
from app.pages.cases import SeenCase, hold_text, meeting_line
from app.pages.common import looked, page
from app.pages.doing import changes, text_now
from app.pages.giving import Asking
from app.pages.links import recorded_at
from app.wording import questions
from app.wording.common import _, day, minutes
from domain.mentee_case import MenteeCase

bp = Blueprint("review", __name__)


@bp.route("/cases/<uuid:subject_id>/review", methods=["GET", "POST"])
@allow("coordinator")
def review(subject_id: UUID) -> ResponseReturnValue:
    """Close or extend: everything needed to choose, and both choices side by side."""
    seen = SeenCase(subject_id)
    both = {
        verb: Asking(BY_KEY[f"cases/{verb}"], subject_id, seen.case.version) for verb in ("extend", "close")
    }
    sent = request.args.get("choice", "extend")
    tried = both.get(sent, both["extend"])
    if request.method == "POST":
        done = tried.post(request.form, changes(MenteeCase, subject_id))
        if done is not None:
            return redirect(recorded_at("cases", subject_id, done.subject.version, done.position), 303)
        for one in both.values():
            one.version = tried.version
    looked([subject_id, seen.case.pupil_id], "review", seen.told)
    wish = next((e.fields.get("words") for e in reversed(seen.entries) if e.name == "MoreAskedFor"), None)
    return page(
        "coordinator/review.html",
        title=_("Review: close or extend"),
        status=tried.status,
        about=_about(seen),
        sessions=_sessions(seen.entries),
        mentee_wishes=wish if isinstance(wish, str) else None,
        # After a refusal both forms stay, with what was typed.
        on_hold=seen.case.on_hold and request.method == "GET",
        hold_text=hold_text(),
        errors=tried.errors,
        error_prefix=f"{sent}-",
        refusal=tried.refusal,
        changed_since=tried.changed_since,
        **{verb: _half(verb, one, subject_id) for verb, one in both.items()},
    )


def _half(verb: str, asking: Asking, case_id: UUID) -> dict[str, Any]:
    """One of the two forms of a review. Its fields' ids begin with the verb."""
    return {
        **asking.form,
        "action": f"/cases/{case_id}/review?choice={verb}",
        "prefix": f"{verb}-",
        "button": questions.command(f"cases/{verb}").button,
        "secondary": verb == "close",
    }


def _about(seen: SeenCase) -> list[dict[str, Any]]:
    """All that is needed to choose, at a glance."""
    case, pupil = seen.case, seen.pupil
    met = case.last_held_on
    lines: list[dict[str, Any]] = [
        {"label": _("Pupil"), "text": ", ".join(filter(None, (pupil["name"], pupil["year"], pupil["form"])))},
        {"label": _("Peer mentor"), "text": seen.people.mentor(case.mentor_id) or _("Not matched yet")},
        {"label": _("Sessions"), "held": case.sessions_held, "planned": case.sessions_planned},
        {"label": _("Last session"), "text": day(met) if met else _("None yet")},
        meeting_line(case),
        {
            "label": _("Purpose"),
            "text": text_now(seen.entries, "PurposeAgreed", "purpose") or _("Not agreed yet"),
            "lines": True,
        },
    ]
    mentor = seen.people.mentors.get(case.mentor_id) if case.mentor_id else None
    if mentor:
        last = mentor.last_supervised_on
        lines.append({"label": _("Mentor supervised"), "text": day(last) if last else _("Never")})
    return lines


def _sessions(seen: list[Entry]) -> list[dict[str, Any]]:
    """Every meeting that was held or missed, in the order in which they were recorded."""
    rows: list[dict[str, Any]] = []
    held = 0
    for entry in seen:
        if entry.name == "SessionHeld":
            held += 1
            length = entry.fields.get("minutes")
            rows.append(
                {
                    "number_text": _("Session {n}").format(n=held),
                    "day_text": f"{day(entry.happened_on)}, {minutes(length)}"
                    if isinstance(length, int)
                    else "",
                    "focus": _now(entry, "focus"),
                    "notes": _now(entry, "notes"),
                }
            )
        elif entry.name == "SessionMissed":
            missed = {"number_text": _("Not met"), "day_text": day(entry.happened_on), "missed": True}
            rows.append(missed | {"focus": _now(entry, "reason")})
    return rows


def _now(entry: Entry, field: str) -> str:
    return text_now([entry], entry.name, field) or ""
