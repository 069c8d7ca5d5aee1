"""The list of cases, by state, page by page."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final, cast, get_args

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from app.access.policy import allow, house, person
from app.access.relation import ROLL_READERS
from app.naming import reads_codes
from app.pages.common import PAGE, cursor, lists, looked, page
from app.pages.people import People, people
from app.wording.common import CASE_STATES, ERASED_TEXT, _, day, moment
from domain.mentee_case import State
from projections.caseload import Case
from projections.figures import Count, Figure, Figures

bp = Blueprint("case_list", __name__)
STATES: Final = get_args(State)
BY_CODE: Final = _(
    "You can read these records and change nothing. Pupils are shown by a code: the same code is always the "
    "same pupil. What people wrote stands as they wrote it, and may name somebody. Each page that you open "
    "is noted."
)

DOORS: Final = (
    {"href": "/concerns", "text": _("Concerns"), "about": _("How each was followed up, and when")},
    {"href": "/evidence/cases", "text": _("Evidence pack"), "about": _("Cases to take away, with proof")},
    {"href": "/proof", "text": _("Verify"), "about": _("What is proven, and how you check it yourself")},
)
"""Where else an inspector begins."""


@bp.get("/cases")
@allow(*sorted(ROLL_READERS | {"inspector"}))
def case_list() -> ResponseReturnValue:
    """All cases by state, page by page."""
    asked = request.args.get("state", "open")
    asked = asked if asked in (*STATES, "open") else ""
    state = cast(State, asked) if asked in STATES else None
    open_only, oldest = asked == "open", request.args.get("sort") == "oldest"
    asking = lists().caseload
    wanted: dict[str, Any] = {"state": state, "open_only": open_only, "limit": PAGE + 1}
    rows = (
        asking.cases(**wanted, after=cursor()) if oldest else asking.newest(**wanted, before=cursor() or None)
    )
    rows, more = rows[:PAGE], rows[PAGE:]
    found = people(pupils=(c.pupil_id for c in rows), mentor_ids=(c.mentor_id for c in rows))
    looked((c.case_id for c in rows), "list")
    shown = [state] if state else [s for s in STATES if not (open_only and s in ("closed", "declined"))]
    counted = _counted(shown)
    kept = f"/cases?state={asked}" + ("&sort=oldest" if oldest else "")
    return page(
        "coordinator/cases.html",
        title=_("Cases"),
        states=[
            {"value": "open", "text": _("Open cases"), "chosen": open_only},
            {"value": "", "text": _("All cases"), "chosen": not (open_only or state)},
        ]
        + [{"value": s, "text": text, "chosen": s == state} for s, text in CASE_STATES.items()],
        filter_href="/cases",
        more_filters=[{"name": "sort", "value": "oldest"}] if oldest else [],
        columns=[
            {"text": _("Pupil")},
            {
                "text": _("Referred"),
                "href": f"/cases?state={asked}" + ("" if oldest else "&sort=oldest"),
                "sort": "ascending" if oldest else "descending",
            },
            *({"text": text} for text in (_("State"), _("Sessions"), _("Peer mentor"), _("Next"))),
        ],
        cases=[case_row(case, found) for case in rows],
        count_text=_count_text(counted),
        empty_text=_empty_text(state, counted),
        intro=BY_CODE if reads_codes(person()) else None,
        doors=DOORS if person().role == "inspector" else None,
        refer_href="/refer" if person().role in ROLL_READERS else None,
        pages={
            "first_href": kept if cursor() else None,
            "next_href": f"{kept}&cursor={rows[-1].number}" if more else None,
        },
    )


def _counted(states: Iterable[State]) -> Count:
    """How many cases are in these states, and how many of them nobody can open any more."""
    counts = Figures(house().pool).counts()
    found = [counts[state] for state in states if state in counts]
    return Count(sum(one.cases for one in found), sum(one.erased for one in found))


def _count_text(counted: Count) -> str:
    if not counted.erased:
        return _("{n} in all").format(n=counted.cases) if counted.cases else ""
    return _("{n} in all, {erased} of them erased and no longer listed").format(
        n=counted.cases, erased=counted.erased
    )


def _empty_text(state: State | None, counted: Count) -> str:
    if counted.cases:
        return _("There is no case to list here.")
    return _("No case is in this state.") if state else _("No cases yet. Each mentoring referral opens one.")


def case_row(case: Case, found: People) -> dict[str, Any]:
    """A case in a list."""
    return {
        **found.pupil(case.pupil_id),
        "href": f"/cases/{case.case_id}",
        "state": case.state,
        "on_hold": case.on_hold,
        "held": case.sessions_held,
        "planned": case.sessions_planned,
        "mentor": found.mentor(case.mentor_id) or (_("None") if case.closed_on else None),
        "referred_text": day(case.referred_on),
        "next_text": next_text(case),
    }


def erased_row(figure: Figure) -> dict[str, Any]:
    """What is left of an erased case, where cases are shown that somebody named."""
    return {
        "name": ERASED_TEXT,
        "href": f"/cases/{figure.case_id}",
        "state": figure.state,
        "referred_text": day(figure.referred_on),
    }


def next_text(case: Case) -> str:
    """What comes next in a case, in a few words."""
    if case.state == "referred":
        return _("Find the pupil on the roll") if case.unidentified else _("Match a mentor")
    if case.state == "at_review":
        return _("Close or extend")
    if case.state == "matched":
        if case.next_at is None:
            return _("Arrange a session")
        due = moment(case.next_at)
        return due if case.next_at > datetime.now(UTC) else _("Were to meet {moment}").format(moment=due)
    return ""
