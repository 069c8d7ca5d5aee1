"""Cases: the list, one case with its history, and every command on it that needs no page of its own."""

from datetime import UTC, datetime
from typing import Any, Final, cast, get_args
from uuid import UUID

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from app.access.policy import allow, house, person
from app.access.relation import CASE_READERS, ROLL_READERS, may_see_case
from app.history import Entry, by_day, entries
from app.next_actions import next_actions
from app.pages.common import cursor, lists, looked, page, recorded, stream
from app.pages.doing import changes, command_page, entry_page, may_do, text_now, with_links
from app.pages.giving import Asking
from app.pages.links import page_of, recorded_at
from app.pages.people import People, born, people
from app.wording import questions
from app.wording.common import CASE_STATES, ERASED_TEXT, _, day, moment, year
from domain.mentee_case import MenteeCase, State
from projections.caseload import PAGE, Case

bp = Blueprint("cases", __name__)
READY: Final = frozenset(
    {"match", "decline", "hold-session", "arrange-session", "miss-session", "release", "reopen"}
)
"""Commands with a button of their own; the others wait behind "Other things you can record"."""
STATES: Final = get_args(State)
BY_CODE: Final = _(
    "You can read these records and change nothing. Pupils are shown by a code: the same code is always the "
    "same pupil. Each page that you open is noted."
)


@bp.get("/cases")
@allow(*sorted(ROLL_READERS | {"inspector"}))
def case_list() -> ResponseReturnValue:
    """All cases by state, page by page."""
    asked = request.args.get("state", "")
    state = cast(State, asked) if asked in STATES else None
    asking = lists().caseload
    rows, counted = asking.cases(state=state, after=cursor(), limit=PAGE + 1), asking.counts()
    rows, more = rows[:PAGE], rows[PAGE:]
    found = people(pupils=(c.pupil_id for c in rows), mentor_ids=(c.mentor_id for c in rows))
    looked((c.case_id for c in rows), "list")
    total = counted.get(state, 0) if state else sum(counted.values())
    return page(
        "coordinator/cases.html",
        title=_("Cases"),
        states=[{"value": "", "text": _("All cases"), "chosen": state is None}]
        + [{"value": s, "text": text, "chosen": s == state} for s, text in CASE_STATES.items()],
        filter_href="/cases",
        columns=[{"text": t} for t in (_("Pupil"), _("State"), _("Sessions"), _("Peer mentor"), _("Next"))],
        cases=[case_row(case, found) for case in rows],
        count_text=_("{n} in all").format(n=total),
        empty_text=_(
            "No case is in this state." if state else "No cases yet. Each mentoring referral opens one."
        ),
        intro=BY_CODE if person().role == "inspector" else None,
        refer_href="/refer" if person().role in ROLL_READERS else None,
        pages={
            "first_href": f"/cases?state={asked}" if cursor() else None,
            "next_href": f"/cases?state={asked}&cursor={rows[-1].number}" if more else None,
        },
    )


def case_row(case: Case, found: People) -> dict[str, Any]:
    """A case in a list."""
    return {
        **found.pupil(case.pupil_id),
        "href": f"/cases/{case.case_id}",
        "state": case.state,
        "on_hold": case.on_hold,
        "held": case.sessions_held,
        "planned": case.sessions_planned,
        "mentor": found.mentor(case.mentor_id),
        "next_text": next_text(case),
    }


def next_text(case: Case) -> str:
    """What comes next in a case, in a few words."""
    if case.state == "referred":
        return _("Find the pupil on the roll") if case.unidentified else _("Match a mentor")
    if case.state == "at_review":
        return _("Close or extend")
    if case.state == "matched":
        return moment(case.next_at) if case.next_at else _("Arrange a session")
    return ""


@bp.get("/cases/<uuid:subject_id>")
@allow(*sorted(CASE_READERS))
def case(subject_id: UUID) -> ResponseReturnValue:
    """One case: where it stands, what may be done next, and its history."""
    seen = SeenCase(subject_id)
    verbs = next_actions(seen.case, person().role) if not seen.case.erased else []
    likely = seen.likely(verbs)
    looked([subject_id, seen.case.pupil_id if not seen.case.erased else None], "case", seen.told)
    return page(
        "coordinator/case.html",
        title=seen.pupil["name"],
        case=seen.header(),
        next_actions=likely + seen.actions([v for v in verbs if v in READY], primary=not likely),
        more_actions=[
            *seen.actions([v for v in verbs if v not in READY | {"correct"}]),
            worried_about(subject_id),
        ],
        days=with_links(by_day(seen.entries, datetime.now(UTC)), seen.entries, "cases", subject_id),
        recorded=recorded("cases", seen.told, seen.people.names),
        history_href=f"/cases/{subject_id}/history" if person().role in HISTORY_READERS else None,
    )


HISTORY_READERS: Final = ("dsl", "deputy_dsl", "inspector")


class SeenCase:
    """A case as this reader may see it. Not there, or not theirs: 404."""

    def __init__(self, case_id: UUID) -> None:
        self.case, self.told = stream(MenteeCase, case_id)
        mentor_id = self.case.mentor_id if isinstance(self.case.mentor_id, UUID) else None
        if not may_see_case(person(), mentor_id):
            raise NotFound
        self.people = people((t.fact for t in self.told), pupils=[self.case.pupil_id], mentor_ids=[mentor_id])
        self.entries: list[Entry] = entries(self.told, person(), self.people.names)

    @property
    def pupil(self) -> dict[str, str]:
        """The mentee; until found on the roll, as the referrer named them."""
        if self.case.erased:
            return {"name": ERASED_TEXT, "year": "", "form": ""}
        return self.people.pupil(
            self.case.pupil_id, text_now(self.entries, "Referred", "pupil_in_words") or ""
        )

    @property
    def about(self) -> list[dict[str, Any]]:
        """The lines on top of every form about this case."""
        pupil = self.pupil
        text = ", ".join(filter(None, (pupil["name"], pupil["year"], pupil["form"])))
        return [{"label": _("Pupil"), "text": text}, {"label": _("Case"), "state": self.case.state}]

    def header(self) -> dict[str, Any]:
        """Where the case stands."""
        case, who = self.case, person()
        mentor_id = case.mentor_id if isinstance(case.mentor_id, UUID) else None
        return {
            **self.pupil,
            "state": case.state,
            "on_hold": case.on_hold,
            "hold_text": hold_text(),
            "mentor": self.people.mentor(mentor_id),
            "mentor_href": f"/mentors/{mentor_id}" if mentor_id and who.role == "coordinator" else None,
            "held": case.sessions_held,
            "planned": case.sessions_planned,
            "purpose": text_now(self.entries, "PurposeAgreed", "purpose"),
            "next_meeting": meeting_text(case),
            "referred_text": day(case.referred_on) if case.referred_on else None,
        }

    def likely(self, verbs: list[str]) -> list[dict[str, Any]]:
        """What comes before everything else: finding the pupil, or the review."""
        case_id = self.case.id
        if "correct" in verbs:
            return [
                {"text": _("Find the pupil on the roll"), "href": f"/cases/{case_id}/pupil", "primary": True}
            ]
        if self.case.state == "at_review" and person().role == "coordinator":
            return [
                {"text": _("Review: close or extend"), "href": f"/cases/{case_id}/review", "primary": True}
            ]
        return []

    def actions(self, verbs: list[str], *, primary: bool = False) -> list[dict[str, Any]]:
        """Commands as buttons, the first one in the colour of action."""
        return [
            {
                "text": questions.command(f"cases/{verb}").title,
                "href": page_of(f"cases/{verb}", self.case.id),
                "primary": primary and not number,
            }
            for number, verb in enumerate(verbs)
        ]


def hold_text() -> str:
    """Whom to speak to about a hold: the same words for every kind of hold."""
    lead = house().lead_name() or f"the {house().casework.policy().lead_title}"
    return _("This case is on hold. Speak to {lead} before closing it.").format(lead=lead)


def meeting_text(case: MenteeCase) -> str | None:
    """The next meeting: when and where."""
    meeting = case.next_meeting
    if meeting is None:
        return None
    if case.erased:
        return ERASED_TEXT
    return f"{moment(meeting.at)}, {meeting.place}"


def worried_about(case_id: UUID) -> dict[str, Any]:
    """The way to the safeguarding lead, from a case."""
    return {"text": _("I’m worried about someone"), "href": f"/worried?case={case_id}", "danger": True}


@bp.route("/cases/<uuid:subject_id>/do/<verb>", methods=["GET", "POST"])
@allow(*sorted(CASE_READERS))
def give(subject_id: UUID, verb: str) -> ResponseReturnValue:
    """Any command on a case that has no page of its own."""
    doing = may_do("cases", verb)
    seen = SeenCase(subject_id)
    if verb in ("correct", "dispute"):
        return entry_page(doing, seen.case, seen.entries, seen.about)
    if request.method == "GET" and not page_of(doing.key, subject_id).endswith(f"/do/{verb}"):
        return redirect(page_of(doing.key, subject_id), 303)
    return command_page(doing, seen.case, seen.about, danger=verb in ("close", "decline", "end-match"))


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
        fixed={"version": 1, "field": "pupil_id", "value": str(pupil_id)},
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
