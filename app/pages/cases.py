"""One case with its history, and every command on it that needs no page of its own."""

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from app.access.policy import allow, house, person
from app.access.relation import CASE_READERS, may_see_case
from app.history import Entry, by_day, entries
from app.naming import reads_codes
from app.next_actions import next_actions
from app.pages.common import looked, page, recorded, stream
from app.pages.doing import command_page, entry_page, may_do, text_now, with_links
from app.pages.links import page_of
from app.pages.people import people
from app.wording import questions
from app.wording.common import ERASED_TEXT, _, day, moment
from domain.mentee_case import MenteeCase

bp = Blueprint("cases", __name__)
READY: Final = frozenset(
    {"match", "decline", "hold-session", "arrange-session", "miss-session", "release", "reopen"}
)
"""Commands with a button of their own; the others wait behind "Other things you can record"."""


@bp.get("/cases/<uuid:subject_id>")
@allow(*sorted(CASE_READERS))
def case(subject_id: UUID) -> ResponseReturnValue:
    """One case: where it stands, what may be done next, and its history."""
    seen = SeenCase(subject_id)
    verbs = next_actions(seen.case, person().role) if not seen.case.erased else []
    likely, stands = seen.likely(verbs), seen.header()
    ready = READY if stands["purpose"] else READY | {"agree-purpose"}
    looked([subject_id, seen.case.pupil_id if not seen.case.erased else None], "case", seen.told)
    return page(
        "coordinator/case.html",
        title=seen.pupil["name"],
        case=stands,
        next_actions=likely + seen.actions([v for v in verbs if v in ready], primary=not likely),
        more_actions=[
            *seen.actions([v for v in verbs if v not in ready | {"correct"}]),
            *([worried_about(subject_id)] if person().role != "inspector" else []),
        ],
        days=with_links(by_day(seen.entries, datetime.now(UTC)), seen.entries, "cases", subject_id),
        recorded=recorded("cases", seen.told, seen.people.names),
        history_href=f"/cases/{subject_id}/history" if person().role in HISTORY_READERS else None,
        evidence_href=f"/evidence/ask?case={subject_id}" if person().role in HISTORY_READERS else None,
    )


WERE_TO_MEET: Final = _("They were to meet")
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
        in_words = text_now(self.entries, "Referred", "pupil_in_words") or ""
        # An inspector reads codes for names.
        return self.people.pupil(self.case.pupil_id, "" if reads_codes(person()) else in_words)

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
            **({"year": _("Not shown to you")} if reads_codes(who) else {}),
            **({"year": ERASED_TEXT} if case.erased else {}),
            "state": case.state,
            "on_hold": case.on_hold,
            "hold_text": hold_text(),
            "mentor": self.people.mentor(mentor_id) or self._past_mentor(),
            "mentor_href": f"/mentors/{mentor_id}" if mentor_id and who.role == "coordinator" else None,
            "held": case.sessions_held,
            "planned": case.sessions_planned,
            "purpose": text_now(self.entries, "PurposeAgreed", "purpose"),
            "meeting": meeting_line(case) if case.state in ("matched", "at_review") else None,
            "referred_text": day(case.referred_on) if case.referred_on else None,
        }

    def _past_mentor(self) -> str | None:
        """The last mentor of a case that has none now."""
        past = self.case.mentors
        if not past or person().role == "mentor":
            return None
        if self.case.erased:
            return ERASED_TEXT
        return _("{name}, until the match ended").format(name=self.people.mentor(past[-1]))

    def likely(self, verbs: list[str]) -> list[dict[str, Any]]:
        """What comes before everything else: finding the pupil, or the review."""
        case_id = self.case.id
        if "correct" in verbs:
            return [
                {"text": _("Find the pupil on the roll"), "href": f"/cases/{case_id}/pupil", "primary": True}
            ]
        if "close" in verbs and self.case.state == "at_review" and person().role == "coordinator":
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


def meeting_line(case: MenteeCase) -> dict[str, str]:
    """When and where they meet next. A day that passed without an entry is called what it is."""
    meeting, label = case.next_meeting, _("Next meeting")
    if meeting is None:
        return {"label": label, "text": _("Not arranged")}
    if case.erased:
        return {"label": label, "text": ERASED_TEXT}
    text = f"{moment(meeting.at)}, {meeting.place}"
    if meeting.at > datetime.now(UTC):
        return {"label": label, "text": text}
    return {"label": WERE_TO_MEET, "text": _("{when}. Nothing is recorded of it.").format(when=text)}


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
