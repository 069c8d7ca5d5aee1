"""Cases in every state, for the rules of a mentee's case."""

from datetime import date
from typing import Any
from uuid import UUID

from domain.fact import Fact
from domain.mentee_case import MenteeCase
from domain.mentee_case_facts import Closed, Declined, Matched, PutOnHold, Referred, SessionHeld
from tests.scenario import TODAY, Scenario, fact, given

PUPIL, MENTOR, OTHER = UUID(int=11), UUID(int=12), UUID(int=13)
Past = tuple[type[Fact], dict[str, Any]]

REFERRED = fact(
    Referred,
    route="staff",
    reasons=("friendships",),
    words="Sits alone.",
    referred_by="Form tutor",
    sessions_planned=6,
    pupil_id=PUPIL,
    happened_on=date(2026, 9, 9),
)
MATCHED = fact(Matched, mentor_id=MENTOR, sessions_planned=6, happened_on=date(2026, 9, 10))
CLOSED = fact(Closed, outcome="settled", reason="Aim met.")
DECLINED = fact(Declined, reason="Too old.")
ON_HOLD = fact(PutOnHold)


def held(on: date = date(2026, 9, 17)) -> Past:
    return fact(SessionHeld, held_on=on, minutes=30, focus="Lunch", notes="", happened_on=on)


def session(on: date = TODAY, **changes: Any) -> dict[str, Any]:
    return {"held_on": on, "minutes": 30, "focus": "Lunch", "notes": "Talked."} | changes


def case(*past: Past) -> Scenario[MenteeCase]:
    return given(MenteeCase, *past)


AT_REVIEW = (REFERRED, MATCHED, *(held() for _ in range(6)))
STATES = {
    "nothing": (),
    "referred": (REFERRED,),
    "matched": (REFERRED, MATCHED),
    "at_review": AT_REVIEW,
    "closed": (*AT_REVIEW, CLOSED),
    "declined": (REFERRED, DECLINED),
    "on_hold": (REFERRED, MATCHED, ON_HOLD),
}
REFERRAL = {
    "route": "staff",
    "reasons": ("friendships",),
    "words": "Sits alone.",
    "referred_by": "Form tutor",
}
