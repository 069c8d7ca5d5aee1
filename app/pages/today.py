"""The coordinator's first page: who is waiting, which cases reached their review, and who needs attention."""

from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from flask.typing import ResponseReturnValue

from app.access.policy import house
from app.forms import today
from app.pages.cases import SeenCase
from app.pages.common import lists, looked, page
from app.pages.people import People, people
from app.wording.common import _, since_days
from projections.caseload import Case

SHOWN: Final = 10
"""Rows of each list."""
FEWEST: Final = 3
"""Rows of each kind, where one list holds several kinds."""
MOST: Final = 500
"""As far as is counted."""
LETTER_WITHIN: Final = timedelta(days=7)
"""From the match until a letter home should have gone."""


def first_page() -> ResponseReturnValue:
    """Three lists with counts."""
    policy, now = house().casework.policy(), today()
    asked = lists()
    waiting = asked.caseload.waiting(limit=MOST)
    due = asked.caseload.at_review(limit=MOST)
    quiet = asked.caseload.quiet(now - timedelta(days=policy.quiet_after_days), limit=MOST)
    alone = asked.mentors.unsupervised(now - timedelta(days=policy.supervision_every_days), limit=MOST)
    unwritten = asked.caseload.without_letter(now - LETTER_WITHIN, limit=MOST)
    # The gravest come first; of each kind at least a few are in sight.
    tired = alone[: max(FEWEST, SHOWN - len(quiet))]
    untold = unwritten[: max(FEWEST, SHOWN - len(quiet) - len(tired))]
    on_page = [*waiting[:SHOWN], *due[:SHOWN], *quiet[:SHOWN], *untold]
    found = people(
        pupils=(c.pupil_id for c in on_page),
        mentor_ids=[*(c.mentor_id for c in on_page), *(m.mentor_id for m in tired)],
    )
    looked([*(c.case_id for c in on_page), *(m.mentor_id for m in tired)], "list")
    return page(
        "coordinator/today.html",
        title=_("Today"),
        lists=[
            {
                "id": "waiting",
                "title": _("Waiting for a mentor"),
                "count": len(waiting),
                "rows": [_waiting_row(case, found, now) for case in waiting[:SHOWN]],
                "empty_text": _("Nobody is waiting. A new mentoring referral will be listed here."),
                "all_href": "/cases?state=referred",
            },
            {
                "id": "review",
                "title": _("Review due"),
                "count": len(due),
                "rows": [_review_row(case, found, now) for case in due[:SHOWN]],
                "empty_text": _("No review is due. A case comes here after its last planned session."),
                "all_href": "/cases?state=at_review",
            },
            {
                "id": "attention",
                "title": _("Needs attention"),
                "count": len(quiet) + len(alone) + len(unwritten),
                "rows": [
                    *(_quiet_row(case, found, now) for case in quiet[:SHOWN]),
                    *(
                        _tired_row(mentor.mentor_id, mentor.last_supervised_on, found, now)
                        for mentor in tired
                    ),
                    *(_untold_row(case, found, now) for case in untold),
                ],
                "empty_text": _(
                    "Nothing. Cases that went quiet, overdue supervision and letters home that weren’t sent"
                    " will be listed here."
                ),
                "all_href": "/cases?state=matched",
            },
        ],
        links=[
            {"text": _("Refer a pupil"), "href": "/refer"},
            {"text": _("See all cases"), "href": "/cases"},
        ],
    )


def _row(case: Case, found: People, text: str, action: dict[str, Any], more: str = "") -> dict[str, Any]:
    state = "on_hold" if case.on_hold else None
    href = f"/cases/{case.case_id}"
    return {
        **found.pupil(case.pupil_id),
        "href": href,
        "text": text,
        "more": more,
        "state": state,
        "action": action,
    }


def _waiting_row(case: Case, found: People, now: date) -> dict[str, Any]:
    href = f"/cases/{case.case_id}"
    action: dict[str, Any]
    if case.on_hold:
        action = {"text": _("Look at the case"), "href": href}
    elif case.unidentified:
        action = {"text": _("Find the pupil"), "href": f"{href}/pupil", "primary": True}
    else:
        action = {"text": _("Match a mentor"), "href": f"{href}/match", "primary": True}
    waited = since_days(case.waiting_since or case.referred_on, now)
    # Without the referrer's words two of these rows would be alike; lists hold no words, the record does.
    named = SeenCase(case.case_id).pupil["name"] if case.unidentified else ""
    more = _("Referred as: {words}").format(words=named) if named else ""
    return _row(case, found, _("Waiting {how_long}").format(how_long=waited), action, more)


def _review_row(case: Case, found: People, now: date) -> dict[str, Any]:
    text = _("{held} sessions held. Waiting {how_long}").format(
        held=case.sessions_held, how_long=since_days(case.review_since or now, now)
    )
    more = _("The pupil asked for more sessions.") if case.more_asked_for else ""
    href = f"/cases/{case.case_id}"
    action: dict[str, Any] = {"text": _("Review"), "href": f"{href}/review", "primary": True}
    if case.on_hold:
        action = {"text": _("Look at the case"), "href": href}
    return _row(case, found, text, action, more)


def _quiet_row(case: Case, found: People, now: date) -> dict[str, Any]:
    since = case.last_met_on or case.matched_on or now
    words = (
        _("No session for {how_long}")
        if case.last_met_on
        else _("No session since the match, {how_long} ago")
    )
    mentor = found.mentor(case.mentor_id)
    more = _("Peer mentor: {name}").format(name=mentor) if mentor else ""
    action = {"text": _("Look at the case"), "href": f"/cases/{case.case_id}"}
    return _row(case, found, words.format(how_long=since_days(since, now)), action, more)


def _tired_row(mentor_id: UUID, last: date | None, found: People, now: date) -> dict[str, Any]:
    row = found.mentors_pupil(mentor_id)
    text = (
        _("Last supervised {how_long} ago").format(how_long=since_days(last, now))
        if last
        else _("Never supervised")
    )
    return {
        **found.pupil(row.pupil_id if row else None, found.mentor(mentor_id) or ""),
        "href": f"/mentors/{mentor_id}",
        "text": _("Supervision is due"),
        "more": text,
        "action": {"text": _("Record supervision"), "href": f"/mentors/{mentor_id}/do/supervise"},
    }


def _untold_row(case: Case, found: People, now: date) -> dict[str, Any]:
    matched = since_days(case.matched_on or now, now)
    action = {"text": _("Record a letter home"), "href": f"/cases/{case.case_id}/do/send-letter"}
    more = _("Matched {how_long} ago").format(how_long=matched)
    return _row(case, found, _("No letter home is recorded"), action, more)
