"""Concerns by clock, for the safeguarding lead and deputies; those about staff for head and chair."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, cast
from uuid import UUID

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from app.access.policy import allow, house, person
from app.access.relation import CONCERN_READERS, about_of, concerns_seen_by, may_see_concern
from app.commands import ABOUT_STAFF, LEADS
from app.forms import today
from app.pages.common import PAGE, cursor, lists, looked, page
from app.pages.concern import SeenConcern, concern_page, within
from app.pages.doing import command_page, entry_page, may_do
from app.pages.people import People, people
from app.pages.reading_forms import clean
from app.wording import questions
from app.wording.common import CONCERN_STATES, _, ago, day, how_long, moment
from app.wording.facts import value_text
from domain.policy import Policy
from projections.concerns import About, Concern, State

bp = Blueprint("safeguarding", __name__)
MOST: Final = 500
"""Open concerns that the first page counts."""
ON_THE_WORDS: Final = frozenset({"assess", "decide", "refer-out"})
"""Commands that nobody gives without having the child's words before them."""
LISTS: Final = (
    (
        "received",
        _("Nobody has acknowledged these"),
        _("not acknowledged"),
        _("Every concern about a pupil has been read."),
        _("No concern about a member of staff waits to be read."),
    ),
    (
        "acknowledged",
        _("Waiting for your decision"),
        _("not decided"),
        _("No concern about a pupil is waiting for a decision."),
        _("No concern about a member of staff is waiting for a decision."),
    ),
    (
        "being_dealt_with",
        _("Being dealt with"),
        _("being dealt with"),
        _("No decided concern about a pupil is still open."),
        _("No decided concern about a member of staff is still open."),
    ),
)
"""State, heading, short heading, and what an empty list means: to leads, and to head and chair."""
ABOUT_STAFF_ONLY: Final = _(
    "You see concerns about members of staff here. Those about pupils go to the {lead_title}, "
    "and aren’t shown."
)


def first_page() -> ResponseReturnValue:
    """What needs this reader now, by clock."""
    about = concerns_seen_by(person().role)
    rows = [c for c in lists().concerns.needing_attention(limit=MOST) if c.about in about]
    rows.sort(key=_by_clock)
    found = people(pupils=(c.pupil_id for c in rows), accounts=(c.raised_by for c in rows))
    looked((c.concern_id for c in rows), "list")
    now, policy = datetime.now(UTC), house().casework.policy()
    return page(
        "safeguarding/concerns.html",
        title=_("Needs you now"),
        lists=[
            {
                "id": state,
                "title": title,
                "short": short,
                "count": sum(c.state == state for c in rows),
                "rows": [_row(c, found, policy, now) for c in rows if c.state == state],
                "empty_text": of_pupils if "pupil" in about else of_staff,
            }
            for state, title, short, of_pupils, of_staff in LISTS
        ],
        intro=None if "pupil" in about else ABOUT_STAFF_ONLY.format(lead_title=policy.lead_title),
        links=[{"text": _("All concerns"), "href": "/concerns"}],
    )


def _row(concern: Concern, found: People, policy: Policy, now: datetime) -> dict[str, Any]:
    hours = {"received": policy.acknowledge_within_hours, "acknowledged": policy.decide_within_hours}
    hours_allowed = hours.get(concern.state)
    raised = _("Raised by {who}, {ago}").format(
        who=found.called(concern.raised_by), ago=ago(concern.raised_at, now)
    )
    if hours_allowed is not None and concern.reopened_at:
        raised = _("{raised}. Reopened {ago}").format(raised=raised, ago=ago(concern.reopened_at, now))
    return {
        **named(concern, found),
        "href": f"/concerns/{concern.concern_id}",
        "text": raised,
        "waits": _waits(concern, now) if hours_allowed is None else [],
        "age_text": _("Waiting {how_long}").format(how_long=how_long(concern.waits_since, now))
        if hours_allowed is not None
        else _("Raised {moment}").format(moment=moment(concern.raised_at)),
        "standard_text": within(hours_allowed) if hours_allowed is not None else "",
        "over": hours_allowed is not None and now - concern.waits_since > timedelta(hours=hours_allowed),
        "danger": bool(concern.immediate_danger),
        "action": {
            "text": _("Read and acknowledge") if concern.state == "received" else _("Open"),
            "href": f"/concerns/{concern.concern_id}",
            "primary": concern.state != "being_dealt_with",
        },
    }


def _waits(concern: Concern, now: datetime) -> list[dict[str, Any]]:
    """What a decided concern still waits for: the referral, an answer from outside, somebody's action."""
    waits: list[dict[str, Any]] = []
    if concern.decision == "refer" and concern.referred_at is None:
        decided = _("A safeguarding referral was decided {ago}")
        waits.append(
            {"text": decided.format(ago=ago(concern.decided_at or concern.raised_at, now)), "unsent": True}
        )
    if concern.unanswered and concern.referred_at:
        asked = _("No answer from outside for {how_long}")
        waits.append({"text": asked.format(how_long=how_long(concern.referred_at, now))})
    for due in sorted(concern.action_days):
        overdue = due < today()
        waits.append({"text": _("An action is due by {day}").format(day=day(due)), "overdue": overdue})
    return waits or [{"text": _("No action is open and no answer is awaited")}]


def _by_clock(concern: Concern) -> tuple[int, bool, date, datetime]:
    """By urgency; of the decided ones first a referral that wasn't sent, then by the day of an action."""
    sent = concern.decision != "refer" or concern.referred_at is not None
    return concern.urgency, sent, min(concern.action_days, default=date.max), concern.waits_since


def named(concern: Concern, found: People) -> dict[str, str]:
    """Whom a concern is about, as far as it is known without reading it."""
    if concern.about == "staff":
        return {"name": _("A member of staff"), "year": "", "form": ""}
    return found.pupil(concern.pupil_id, _("A pupil who isn’t named in a case"))


@bp.get("/concerns")
@allow(*sorted(CONCERN_READERS))
def concern_list() -> ResponseReturnValue:
    """Every concern that this reader answers for or may inspect, by state, page by page."""
    about = cast(About, next(iter(concerns_seen_by(person().role))))
    asked = request.args.get("state", "")
    asked = asked if asked in CONCERN_STATES else ""
    state = cast(State, asked) if asked else None
    rows = lists().concerns.concerns(about=about, state=state, after=cursor(), limit=PAGE + 1)
    rows, more = rows[:PAGE], rows[PAGE:]
    found = people(pupils=(c.pupil_id for c in rows), accounts=(c.raised_by for c in rows))
    looked((c.concern_id for c in rows), "list")
    return page(
        "safeguarding/list.html",
        title=_("Concerns"),
        shows=[{"text": _("All"), "href": "/concerns", "current": state is None}]
        + [
            {"text": text, "href": f"/concerns?state={name}", "current": name == state}
            for name, text in CONCERN_STATES.items()
        ],
        rows=[
            {
                **named(c, found),
                "href": f"/concerns/{c.concern_id}",
                "text": _("Raised {day} by {who}").format(
                    day=day(c.raised_at), who=found.called(c.raised_by)
                ),
                "more": _followed_up(c, found),
                "state": c.state,
            }
            for c in rows
        ],
        empty_text=_("No concern is in this state.") if state else _("No concern has been raised."),
        pages={
            "first_href": f"/concerns?state={asked}" if cursor() else None,
            "next_href": f"/concerns?state={asked}&cursor={rows[-1].number}" if more else None,
        },
    )


def _followed_up(concern: Concern, found: People) -> str:
    """How soon it was read, what was decided last, and when it was closed."""
    read = concern.acknowledged_at
    done = [
        _("Read after {age}").format(age=how_long(concern.raised_at, read)) if read else _("Not read yet")
    ]
    if concern.decided_at:
        decision = value_text(concern.decision, found.names, "decision")
        done.append(_("{decision}, {day}").format(decision=decision, day=day(concern.decided_at)))
    elif read:
        done.append(_("Not decided yet"))
    if concern.closed_at:
        done.append(_("Closed {day}").format(day=day(concern.closed_at)))
    return " · ".join(done)


@bp.get("/concerns/<uuid:subject_id>")
@allow(*sorted(CONCERN_READERS))
def concern(subject_id: UUID) -> ResponseReturnValue:
    """One concern: what the child said, what was decided and why, and what to do."""
    return concern_page(SeenConcern(subject_id))


@bp.route("/concerns/<uuid:subject_id>/do/<verb>", methods=["GET", "POST"])
@allow(*sorted(LEADS | ABOUT_STAFF))
def give(subject_id: UUID, verb: str) -> ResponseReturnValue:
    """Any command on a concern."""
    doing = may_do("concerns", verb)
    seen = SeenConcern(subject_id)
    if not may_see_concern(person(), about_of(seen.concern)):
        raise NotFound
    if verb in ("correct", "dispute"):
        return entry_page(doing, seen.concern, seen.entries, seen.about)
    fixed, about = {}, seen.about
    said = seen.said("childs_words")
    if verb in ON_THE_WORDS and said:
        about = [{"label": _("What the child said"), "text": f"“{said}”", "lines": True}, *about]
    if verb == "complete-action":
        number = clean(request.args.get("action", ""))
        action = next(
            (e for e in seen.entries if e.name == "ActionAssigned" and str(e.version) == number), None
        )
        if action is None:
            raise NotFound
        fixed = {"action_version": action.version}
        about = [*about, {"label": questions.command(doing.key).question("action_version").question}]
        about[-1]["text"] = str(action.fields.get("action", ""))
    return command_page(doing, seen.concern, about, fixed=fixed)
