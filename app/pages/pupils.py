"""Pupils: finding one by name, adding one, and one pupil with their cases. A name is never in an address."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue

from app.access.policy import allow, person
from app.access.relation import ROLL_READERS, may_see_concern
from app.commands import BY_KEY, LEADS
from app.history import by_day, entries
from app.pages.common import lists, looked, page, recorded, stream
from app.pages.doing import command_page, entry_page, may_do, with_links
from app.pages.giving import Asking, new_record
from app.pages.links import recorded_at
from app.pages.people import born, people
from app.wording import questions
from app.wording.common import ERASED_TEXT, _, day, moment, year
from domain.pupil import Pupil
from projections.roll import Pupil as PupilRow
from projections.roll import folded

bp = Blueprint("pupils", __name__)
SHOWN: Final = 20
Action = Callable[[PupilRow], dict[str, Any]]


@bp.route("/pupils", methods=["GET", "POST"])
@allow(*sorted(ROLL_READERS))
def find() -> ResponseReturnValue:
    """Find a pupil by name."""
    return search_page(_("Pupils"), lambda p: {"text": _("Open"), "href": f"/pupils/{p.pupil_id}"})


@bp.route("/mentors/new", methods=["GET", "POST"])
@allow("coordinator")
def who_applies() -> ResponseReturnValue:
    """Find the pupil who would like to be a mentor."""
    return search_page(
        _("Who would like to be a peer mentor?"),
        lambda p: {"text": _("Record application"), "href": f"/mentors/apply/{p.pupil_id}", "primary": True},
    )


def search_page(title: str, action: Action) -> ResponseReturnValue:
    """A search by name and what was found. The search is a form, so no name is in an address."""
    posted = request.method == "POST"
    q = request.form.get("q", "").strip()[:200]
    errors = {"q": _("Enter part of a name.")} if posted and not folded(q) else {}
    found: list[PupilRow] = []
    if posted and not errors:
        found = lists().roll.search(q, limit=SHOWN + 1)
        looked((p.pupil_id for p in found), "names")
    return page(
        "coordinator/pupils.html",
        title=title,
        status=422 if errors else 200,
        action=request.path,
        q=q,
        errors=errors,
        searched=posted and not errors,
        too_many=len(found) > SHOWN,
        pupils=[{**shown(p), "action": action(p)} for p in found[:SHOWN]],
        enrol_href="/pupils/new",
    )


def shown(pupil: PupilRow) -> dict[str, Any]:
    """A pupil in a list."""
    return {
        "name": pupil.name,
        "year": year(pupil.year_group),
        "form": pupil.tutor_group,
        "born_text": born(pupil),
        "href": f"/pupils/{pupil.pupil_id}",
    }


@bp.route("/pupils/new", methods=["GET", "POST"])
@allow(*sorted(ROLL_READERS))
def enrol() -> ResponseReturnValue:
    """Add a pupil who isn't on the roll."""
    asking = Asking(BY_KEY["pupils/enrol"])
    if request.method == "POST":
        done = asking.post(request.form, new_record)
        if done is not None:
            return redirect(recorded_at("pupils", done.subject.id, done.subject.version, done.position), 303)
    words = questions.command("pupils/enrol")
    return page(
        "command_form.html",
        title=words.title,
        status=asking.status,
        intro=_("Pupils come from the school’s roll. Add one by hand only when the roll hasn’t caught up."),
        button=words.button,
        cancel_href="/pupils",
        **asking.form,
    )


@bp.get("/pupils/<uuid:subject_id>")
@allow(*sorted(ROLL_READERS))
def pupil(subject_id: UUID) -> ResponseReturnValue:
    """One pupil: the roll's details, their cases, and for the leads their concerns."""
    subject, told = stream(Pupil, subject_id)
    asked = lists()
    row = asked.roll.by_ids([subject_id]).get(subject_id)
    cases, applied = asked.caseload.of_pupil(subject_id), asked.mentors.of_pupil(subject_id)
    worries = asked.concerns.of_pupil(subject_id) if person().role in LEADS else None
    alike = []
    if row and request.args.get("recorded") == "1":
        found_alike = asked.roll.possible_duplicates(row.given_name, row.family_name, row.born_on)
        alike = [p for p in found_alike if p.pupil_id != subject_id]
    found = people((t.fact for t in told), pupils=[subject_id])
    seen = entries(told, person(), found.names)
    named = found.pupil(subject_id)
    also = [
        *(c.case_id for c in cases),
        *(m.mentor_id for m in applied),
        *(c.concern_id for c in worries or []),
        *(p.pupil_id for p in alike),
    ]
    looked([subject_id, *also], "pupil", told)
    year_and_form = f"{named['year']}, {named['form']}" if not subject.erased else ERASED_TEXT
    about = [{"label": _("Year and form"), "text": year_and_form}]
    if row:
        about.append({"label": _("Date of birth"), "text": day(row.born_on)})
        about.append({"label": _("Full name"), "text": f"{row.given_name} {row.family_name}"})
    actions = [{"text": _("Refer this pupil"), "href": f"/refer?pupil={subject_id}", "primary": True}]
    if person().role == "coordinator":
        actions += [
            {"text": _("Open as peer mentor"), "href": f"/mentors/{m.mentor_id}"} for m in applied
        ] or [{"text": _("Record an application"), "href": f"/mentors/apply/{subject_id}"}]
    if not subject.left:
        leaving = questions.command("pupils/leave").title
        actions.append({"text": leaving, "href": f"/pupils/{subject_id}/do/leave"})
    return page(
        "coordinator/pupil.html",
        title=named["name"] if not subject.erased else ERASED_TEXT,
        about=about,
        next_actions=actions if not subject.erased else [],
        cases=[
            {
                "name": _("Case of {day}").format(day=day(c.referred_on)),
                "href": f"/cases/{c.case_id}",
                "text": _("{held} of {planned} sessions").format(
                    held=c.sessions_held, planned=c.sessions_planned
                ),
                "state": "on_hold" if c.on_hold else c.state,
            }
            for c in cases
        ],
        concerns=worries
        and [
            {
                "name": _("Concern of {moment}").format(moment=moment(c.raised_at)),
                "href": f"/concerns/{c.concern_id}",
                "text": "",
                "state": c.state,
            }
            for c in worries
            if may_see_concern(person(), c.about)
        ],
        duplicates=[shown(p) for p in alike],
        days=with_links(by_day(seen, datetime.now(UTC)), seen, "pupils", subject_id),
        history_href=f"/pupils/{subject_id}/history" if person().role in LEADS else None,
        recorded=recorded("pupils", told, found.names),
    )


@bp.route("/pupils/<uuid:subject_id>/do/<verb>", methods=["GET", "POST"])
@allow(*sorted(ROLL_READERS))
def give(subject_id: UUID, verb: str) -> ResponseReturnValue:
    """Correct or dispute what the roll says."""
    doing = may_do("pupils", verb)
    subject, told = stream(Pupil, subject_id)
    found = people((t.fact for t in told), pupils=[subject_id])
    about = [{"label": _("Pupil"), "text": found.pupil(subject_id)["name"]}]
    if verb in ("correct", "dispute"):
        return entry_page(doing, subject, entries(told, person(), found.names), about)
    return command_page(doing, subject, about)
