"""Mentors: who can take a mentee, and one mentor step by step from application to standing down."""

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue

from app.access.policy import allow, house, person
from app.commands import BY_KEY
from app.history import Entry, by_day, entries
from app.next_actions import mentor_actions
from app.pages.common import PAGE, cursor, lists, looked, page, recorded, stream
from app.pages.doing import command_page, entry_page, may_do, text_now, with_links
from app.pages.giving import Asking, new_record
from app.pages.links import page_of, recorded_at
from app.pages.people import People, people
from app.wording import questions
from app.wording.common import ERASED_TEXT, _, day, ngettext, year
from app.wording.fields import FIELDS
from domain.mentor import Mentor
from projections.mentors import Mentor as MentorRow

bp = Blueprint("mentors", __name__)
READY: Final = frozenset({"interview", "select", "turn-down", "supervise"})
STEPS: Final = (
    ("Applied", _("Applied")),
    ("Interviewed", _("Interviewed")),
    ("Selected", _("Selected")),
    ("Trained", _("Trained")),
    ("AgreementSigned", _("Signed the confidentiality agreement")),
)


@bp.get("/mentors")
@allow("coordinator")
def mentor_list() -> ResponseReturnValue:
    """Everybody who applied, or only those who can take a mentee."""
    policy = house().casework.policy()
    free = request.args.get("free") == "1"
    below = policy.caseload if free else None
    rows = lists().mentors.mentors(free_below=below, after=cursor(), limit=PAGE + 1)
    rows, more = rows[:PAGE], rows[PAGE:]
    found = people(mentor_ids=(m.mentor_id for m in rows))
    looked((m.mentor_id for m in rows), "list")
    kept = "free=1" if free else ""
    return page(
        "coordinator/mentors.html",
        title=_("Mentors"),
        shows=[
            {"text": _("All"), "href": "/mentors", "current": not free},
            {"text": _("Can take a mentee"), "href": "/mentors?free=1", "current": free},
        ],
        mentors=[_row(m, found, policy.caseload) for m in rows],
        empty_text=_("No mentor has a free place.")
        if free
        else _("No mentors yet. Record an application first."),
        apply_href="/mentors/new",
        pages={
            "first_href": f"/mentors?{kept}" if cursor() else None,
            "next_href": f"/mentors?{kept}&cursor={rows[-1].number}" if more else None,
        },
    )


def _row(mentor: MentorRow, found: People, places: int) -> dict[str, Any]:
    last = mentor.last_supervised_on
    pupil = found.pupils.get(mentor.pupil_id)
    missing = [
        text for done, text in ((mentor.trained, _("training")), (mentor.signed, _("agreement"))) if not done
    ]
    return {
        "name": found.mentor(mentor.mentor_id),
        "href": f"/mentors/{mentor.mentor_id}",
        "year": year(pupil.year_group) if pupil else "",
        "form": pupil.tutor_group if pupil else "",
        "state": state_of(mentor, places),
        "missing_text": _("Missing: {list}").format(list=", ".join(missing))
        if missing and mentor.standing == "selected"
        else "",
        "mentees_text": _("{n} of {places}").format(n=len(mentor.cases), places=places)
        if mentor.standing == "selected"
        else "",
        "supervised_text": day(last) if last else "",
    }


def state_of(mentor: MentorRow | Mentor, places: int) -> str:
    """A mentor's state in one tag."""
    if mentor.standing == "applied":
        return "interviewed" if mentor.interviewed else "applied"
    if mentor.standing != "selected":
        return mentor.standing
    if not (mentor.trained and mentor.signed):
        return "not_ready"
    return "free" if len(mentor.cases) < places else "full"


@bp.get("/mentors/<uuid:subject_id>")
@allow("coordinator")
def mentor(subject_id: UUID) -> ResponseReturnValue:
    """One mentor: the steps, the mentees, supervision and the history."""
    subject, told = stream(Mentor, subject_id)
    policy = house().casework.policy()
    cases = lists().caseload.by_ids(subject.cases)
    found = people(
        (t.fact for t in told),
        pupils=[subject.pupil_id, *(c.pupil_id for c in cases.values())],
        mentor_ids=[subject_id],
    )
    seen = entries(told, person(), found.names)
    looked([subject_id, subject.pupil_id, *cases], "mentor", told)
    verbs = mentor_actions(subject, person().role) if not subject.erased else []
    about = (
        found.pupil(subject.pupil_id) if not subject.erased else {"name": ERASED_TEXT, "year": "", "form": ""}
    )
    free = policy.caseload - len(subject.cases)
    return page(
        "coordinator/mentor.html",
        title=about["name"],
        mentor={
            **about,
            "state": state_of(subject, policy.caseload),
            "free_text": ngettext("{n} free place", "{n} free places", free).format(n=free)
            if subject.standing == "selected"
            else "",
        },
        steps=[_step(name, text, seen) for name, text in STEPS],
        mentees=[
            {
                **found.pupil(case.pupil_id),
                "href": f"/cases/{case.case_id}",
                "text": _("{held} of {planned} sessions").format(
                    held=case.sessions_held, planned=case.sessions_planned
                ),
                "state": "on_hold" if case.on_hold else case.state,
            }
            for case in cases.values()
        ],
        supervised=_supervised(seen),
        next_actions=_actions(subject_id, [v for v in verbs if v in READY or _missing(v, subject)]),
        more_actions=_actions(
            subject_id, [v for v in verbs if v not in READY and not _missing(v, subject)], primary=False
        ),
        days=with_links(by_day(seen, datetime.now(UTC)), seen, "mentors", subject_id),
        recorded=recorded("mentors", told, found.names),
    )


def _missing(verb: str, mentor: Mentor) -> bool:
    """Whether this step still stands between the mentor and a first mentee."""
    return (verb == "train" and not mentor.trained) or (verb == "sign-agreement" and not mentor.signed)


def _actions(subject_id: UUID, verbs: list[str], *, primary: bool = True) -> list[dict[str, Any]]:
    return [
        {
            "text": questions.command(f"mentors/{verb}").title,
            "href": page_of(f"mentors/{verb}", subject_id),
            "primary": primary and not number,
        }
        for number, verb in enumerate(verbs)
    ]


def _step(name: str, text: str, seen: list[Entry]) -> dict[str, Any]:
    done = next((entry for entry in reversed(seen) if entry.name == name), None)
    return {"text": text, "done": done is not None, "when_text": day(done.happened_on) if done else ""}


def _supervised(seen: list[Entry]) -> list[dict[str, Any]]:
    kinds = dict(FIELDS["kind"].options)
    return [
        {
            "day_text": day(entry.happened_on),
            "kind_text": kinds.get(str(entry.fields.get("kind")), ""),
            "notes": text_now([entry], "Supervised", "notes") or "",
        }
        for entry in reversed(seen)
        if entry.name == "Supervised"
    ]


@bp.route("/mentors/<uuid:subject_id>/do/<verb>", methods=["GET", "POST"])
@allow("coordinator")
def give(subject_id: UUID, verb: str) -> ResponseReturnValue:
    """Any command on a mentor."""
    doing = may_do("mentors", verb)
    subject, told = stream(Mentor, subject_id)
    found = people((t.fact for t in told), mentor_ids=[subject_id])
    about = [{"label": _("Peer mentor"), "text": found.mentor(subject_id)}]
    if verb in ("correct", "dispute"):
        return entry_page(doing, subject, entries(told, person(), found.names), about)
    return command_page(doing, subject, about, danger=verb in ("turn-down", "stand-down"))


@bp.route("/mentors/apply/<uuid:pupil_id>", methods=["GET", "POST"])
@allow("coordinator")
def apply(pupil_id: UUID) -> ResponseReturnValue:
    """Record a pupil's application."""
    asking = Asking(BY_KEY["mentors/apply"], fixed={"pupil_id": str(pupil_id)})
    if request.method == "POST":
        done = asking.post(request.form, new_record)
        if done is not None:
            return redirect(recorded_at("mentors", done.subject.id, done.subject.version, done.position), 303)
    named = people(pupils=[pupil_id]).pupil(pupil_id)
    looked([pupil_id], "names")
    words = questions.command("mentors/apply")
    text = ", ".join(filter(None, (named["name"], named["year"], named["form"])))
    return page(
        "command_form.html",
        title=_("Record an application"),
        status=asking.status,
        about=[{"label": _("Pupil"), "text": text}],
        button=words.button,
        cancel_href="/mentors",
        **asking.form,
    )
