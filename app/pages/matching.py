"""Matching: which mentor takes a case. The best few first; everybody, or one by name, on demand."""

from typing import Any, Final
from uuid import UUID

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue

from app.access.policy import allow, house
from app.commands import BY_KEY
from app.forms import today
from app.pages.cases import SeenCase
from app.pages.common import lists, looked, page
from app.pages.doing import changes
from app.pages.giving import Asking
from app.pages.links import recorded_at
from app.pages.suggesting import suggestions
from app.wording import questions
from app.wording.common import _, ngettext, since_days
from app.wording.facts import value_text
from domain.mentee_case import MenteeCase
from domain.mentee_case_facts import Referred

bp = Blueprint("matching", __name__)
BEST: Final = 10
"""Suggestions that are shown unasked."""
WHOLE_ROLL: Final = 5000
"""More pupils than any school has."""


@bp.route("/cases/<uuid:subject_id>/match", methods=["GET", "POST"])
@allow("coordinator")
def match(subject_id: UUID) -> ResponseReturnValue:
    """Choose a mentor, seeing why and why not. A look at others is posted too: it keeps what was typed."""
    seen = SeenCase(subject_id)
    asking = Asking(BY_KEY["cases/match"], subject_id, seen.case.version)
    look = request.form.get("look")
    if look:
        asking.keep(request.form)
    elif request.method == "POST":
        done = asking.post(request.form, changes(MenteeCase, subject_id))
        if done is not None:
            return redirect(recorded_at("cases", subject_id, done.subject.version, done.position), 303)
    q = request.form.get("q", "").strip()[:200] if look in (None, "name") else ""
    everyone = request.args.get("show") == "all" and not q
    can, others = suggestions(seen.case, house().casework.policy())
    for one in can:
        one["chosen"] = one["value"] == asking.typed.get("mentor_id")
    named = _named(q) if q else set()
    found = [one for one in can if one["pupil_id"] in named]
    not_free = [one for one in others if everyone or one["pupil_id"] in named]
    shown = can if everyone else found if q and found else can[:BEST]
    # A choice that was made stays, whatever is looked at.
    shown = [one for one in can if one["chosen"] and one not in shown] + shown
    looked(
        [subject_id, seen.case.pupil_id, *(c["mentor_id"] for c in (*shown, *not_free))], "match", seen.told
    )
    here = f"/cases/{subject_id}/match"
    return page(
        "coordinator/match.html",
        title=questions.command("cases/match").title,
        status=asking.status,
        about=_about(seen),
        mentors=shown,
        brief=everyone,
        others=not_free,
        q=q,
        shown_text=_shown_text(len(shown), len(can), q, bool(found)),
        here=here,
        all_text=ngettext("Show {n} mentor", "Show all {n} mentors", len(can)).format(n=len(can))
        if len(shown) < len(can)
        else None,
        best_text=_("Show the best {n}").format(n=BEST) if (q or everyone) and len(can) > BEST else None,
        reason=asking.typed.get("reason"),
        mentors_href="/mentors",
        cancel_href=f"/cases/{subject_id}",
        **asking.form | {"action": f"{here}?show=all" if everyone else here},
    )


def _about(seen: SeenCase) -> dict[str, Any]:
    """The pupil, how long they have waited, and what for."""
    referred, case = seen.told[0].fact, seen.case
    about = {"waiting_text": since_days(case.referred_on or today(), today()), **seen.pupil}
    if isinstance(referred, Referred) and not case.erased:
        about["reasons_text"] = value_text(referred.reasons, seen.people.names, "reasons")
        about["words"] = referred.words
    return about


def _named(q: str) -> set[UUID]:
    """Everybody on the roll whom a search for this name finds."""
    return {pupil.pupil_id for pupil in lists().roll.search(q, left=True, limit=WHOLE_ROLL)}


def _shown_text(shown: int, in_all: int, q: str, found: bool) -> str:
    """How many of those with a free place are shown, and why these."""
    if q and not found:
        return _("Nobody of that name has a free place. These fit best:")
    if q:
        return _("Found by name:")
    if shown < in_all:
        return _("The {n} who fit best, of {all} with a free place.").format(n=shown, all=in_all)
    return _("All with a free place, those who fit best first.")
