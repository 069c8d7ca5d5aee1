"""Finding on the roll the pupil whom a referrer named in words."""

from uuid import UUID

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue

from app.access.policy import allow
from app.access.relation import ROLL_READERS
from app.pages.cases import SeenCase
from app.pages.common import lists, looked, page
from app.pages.doing import changes, may_do
from app.pages.giving import Asking
from app.pages.links import recorded_at
from app.pages.people import born, people
from app.wording.common import _, year
from domain.mentee_case import MenteeCase

bp = Blueprint("finding", __name__)


@bp.route("/cases/<uuid:subject_id>/pupil", methods=["GET", "POST"])
@allow(*sorted(ROLL_READERS))
def find_pupil(subject_id: UUID) -> ResponseReturnValue:
    """Say which pupil on the roll a referrer's words meant."""
    seen = SeenCase(subject_id)
    q = request.form.get("q", "").strip()[:200]
    found = []
    if q:
        found = lists().roll.search(q, limit=21)
    looked([subject_id, *(p.pupil_id for p in found)], "names", seen.told)
    return page(
        "coordinator/pupils.html",
        title=_("Which pupil is this?"),
        action=request.path,
        intro=_("The mentoring referral says: {words}").format(words=seen.pupil["name"]),
        q=q,
        searched=bool(q),
        too_many=len(found) > 20,
        pupils=[
            {
                "name": p.name,
                "year": year(p.year_group),
                "form": p.tutor_group,
                "born_text": born(p),
                "action": {
                    "text": _("This is the pupil"),
                    "href": f"/cases/{subject_id}/pupil/{p.pupil_id}",
                    "primary": True,
                },
            }
            for p in found[:20]
        ],
        enrol_href="/pupils/new",
    )


@bp.route("/cases/<uuid:subject_id>/pupil/<uuid:pupil_id>", methods=["GET", "POST"])
@allow(*sorted(ROLL_READERS))
def take_pupil(subject_id: UUID, pupil_id: UUID) -> ResponseReturnValue:
    """Confirm it: a correction of the first entry, whose words stay."""
    seen = SeenCase(subject_id)
    named = people(pupils=[pupil_id]).pupil(pupil_id)
    text = ", ".join(filter(None, (named["name"], named["year"], named["form"])))
    asking = Asking(
        may_do("cases", "correct"),
        subject_id,
        seen.case.version,
        fixed={
            "version": 1,
            "field": "pupil_id",
            "value": str(pupil_id),
            "reason": _("Found on the roll from the referrer’s words."),
        },
    )
    if request.method == "POST":
        done = asking.post(request.form, changes(MenteeCase, subject_id))
        if done is not None:
            return redirect(recorded_at("cases", subject_id, done.subject.version, done.position), 303)
    looked([subject_id, pupil_id], "names", seen.told)
    return page(
        "command_form.html",
        title=_("Is this the right pupil?"),
        status=asking.status,
        intro=_("The words of the mentoring referral stay in the history."),
        about=[
            {"label": _("Referred as"), "text": seen.pupil["name"]},
            {"label": _("On the roll"), "text": text},
        ],
        button=_("Yes, this is the pupil"),
        cancel_href=f"/cases/{subject_id}/pupil",
        **asking.form,
    )
