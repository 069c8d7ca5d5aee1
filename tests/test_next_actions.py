"""What is offered next is what the domain takes, in every state of a case, a mentor or a concern."""

from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from app.commands import BY_KEY, COMMANDS
from app.next_actions import concern_actions, mentor_actions, next_actions
from domain.concern import Concern
from domain.fact import By, Refused, Subject, said_fields
from domain.mentee_case import MenteeCase
from domain.mentor import Mentor

DAY = date(2026, 9, 14)
SAID: dict[str, dict[str, Any]] = {
    "decline": {"reason": "r"},
    "match": {"mentor_id": uuid4()},
    "end-match": {"reason": "r"},
    "agree-purpose": {"purpose": "p"},
    "send-letter": {"kind": "k", "sent_on": DAY},
    "arrange-session": {"at": None, "place": "Library"},
    "hold-session": {"held_on": DAY, "minutes": 30, "focus": "f", "notes": "n"},
    "miss-session": {"due_on": DAY, "reason": "r"},
    "ask-for-more": {"words": "w"},
    "extend": {"sessions": 2, "reason": "r", "mentee_wishes": "w"},
    "close": {"outcome": "o", "reason": "r", "rationale": "r"},
    "reopen": {"reason": "r"},
    "interview": {"held_on": DAY, "panel": "p", "notes": "n"},
    "select": {"reason": "r"},
    "turn-down": {"reason": "r"},
    "train": {"course": "c", "completed_on": DAY},
    "sign-agreement": {"signed_on": DAY, "agreement_version": "1"},
    "qualify": {"award": "a", "awarded_on": DAY},
    "attach": {"tutor_group": "7B"},
    "supervise": {"kind": "group", "held_on": DAY, "notes": "n"},
    "appoint": {"post": "p"},
    "stand-down": {"reason": "r"},
    "assess": {"threshold": "t", "reason": "r"},
    "decide": {"decision": "monitor", "rationale": "r"},
    "refer-out": {"body": "b", "sent_at": None},
    "share": {"with_whom": "w", "what": "w", "basis": "b"},
    "assign-action": {"action": "a", "owner": "o", "due_on": DAY},
    "complete-action": {"action_version": 2, "done_on": DAY},
    "record-outcome": {"outcome": "o", "received_on": DAY},
    "confirm-receipt": {"received_on": DAY, "by_whom": "w"},
    "inform-child": {"told_on": DAY, "words": "w"},
    "transfer": {"to_school": "s", "sent_on": DAY},
}


def by() -> By:
    return By(account=uuid4(), command_id=uuid4(), today=DAY)


def give(subject: Subject, thing: str, verb: str) -> None:
    doing = BY_KEY[f"{thing}/{verb}"]
    names = set(said_fields(doing.fact))
    said = {name: value for name, value in SAID.get(verb, {}).items() if name in names}
    doing.method(subject, by(), **said)


def taken(subject: Subject, thing: str, make: Any) -> set[str]:
    """The verbs that the domain takes now."""
    found = set()
    for doing in COMMANDS:
        if doing.thing == thing and doing.verb and doing.verb not in ("correct", "dispute", "move-up"):
            again = make()
            try:
                give(again, thing, doing.verb)
            except Refused:
                continue
            found.add(doing.verb)
    return found


def a_case(*verbs: str) -> MenteeCase:
    case = MenteeCase.blank(uuid4())
    said = {"route": "self", "reasons": (), "words": "w", "referred_by": "r"}
    case.refer(by(), pupil_id=uuid4(), **said)
    for verb in verbs:
        give(case, "cases", verb)
    return case


@pytest.mark.parametrize(
    "verbs",
    [
        (),
        ("hold",),
        ("decline",),
        ("match",),
        ("match", "hold"),
        ("match", *["hold-session"] * 6),
        ("match", *["hold-session"] * 6, "hold"),
        ("match", "close"),
        ("match", "close", "hold"),
        ("match", "close", "reopen"),
        ("match", *["hold-session"] * 6, "extend"),
    ],
)
def test_a_case_offers_what_it_takes(verbs: tuple[str, ...]) -> None:
    case = a_case(*verbs)
    offered = set(next_actions(case, "coordinator")) | set(next_actions(case, "dsl"))
    assert offered == taken(case, "cases", lambda: a_case(*verbs))


def test_an_unknown_pupil_is_found_on_the_roll_before_a_match() -> None:
    case = MenteeCase.blank(uuid4())
    said = {"route": "self", "reasons": (), "words": "w", "referred_by": "r"}
    case.refer(by(), pupil_in_words="The tall boy", **said)
    assert next_actions(case, "coordinator")[:2] == ["correct", "decline"]


def test_each_role_is_offered_its_own_verbs() -> None:
    case = a_case("match", "hold")
    assert "release" not in next_actions(case, "coordinator")
    assert next_actions(case, "dsl") == ["release"]
    assert next_actions(case, "inspector") == []
    assert next_actions(case, "mentor")[0] == "hold-session"
    assert "end-match" not in next_actions(case, "mentor")


def a_mentor(*verbs: str) -> Mentor:
    mentor = Mentor.blank(uuid4())
    mentor.apply(by(), pupil_id=uuid4(), statement="s")
    for verb in verbs:
        give(mentor, "mentors", verb)
    return mentor


@pytest.mark.parametrize(
    "verbs",
    [(), ("interview",), ("turn-down",), ("interview", "select"), ("interview", "select", "stand-down")],
)
def test_a_mentor_is_offered_what_they_take(verbs: tuple[str, ...]) -> None:
    mentor = a_mentor(*verbs)
    offered = set(mentor_actions(mentor, "coordinator"))
    assert offered == taken(mentor, "mentors", lambda: a_mentor(*verbs))


def a_concern(*verbs: str) -> Concern:
    concern = Concern.blank(uuid4())
    concern.raise_concern(by(), facts="f")
    for verb in verbs:
        give(concern, "concerns", verb)
    return concern


@pytest.mark.parametrize(
    "verbs", [(), ("acknowledge",), ("decide",), ("decide", "close"), ("decide", "close", "reopen")]
)
def test_a_concern_offers_only_what_it_takes(verbs: tuple[str, ...]) -> None:
    concern = a_concern(*verbs)
    offered = set(concern_actions(concern, "dsl"))
    assert offered <= taken(concern, "concerns", lambda: a_concern(*verbs))
    assert concern_actions(concern, "coordinator") == []
