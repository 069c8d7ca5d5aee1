"""What facts say of their fields, which commands record them, and what is known before the first."""

from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain import concern_facts, erasure, mentee_case_facts, mentor, pupil, scheme, staff
from domain.concern import Concern
from domain.concern_facts import Involved, PassedOn
from domain.erasure import Erasure
from domain.fact import (
    ENVELOPE,
    FACTS,
    CorrectedFact,
    DisputedFact,
    Fact,
    Refused,
    Subject,
    kept_fields,
    pinned,
    required_fields,
    said_fields,
)
from domain.mentee_case import MenteeCase
from domain.mentee_case_facts import Matched, Referred, SessionHeld, SessionMissed
from domain.mentor import Mentor
from domain.policy import DEFAULT_POLICY
from domain.pupil import Pupil
from domain.scheme import Scheme
from domain.staff import Staff
from tests.domain.cases import MATCHED, REFERRED, case, held
from tests.scenario import by, fact

COMMANDS: dict[type[Subject], dict[str, type[Fact]]] = {
    MenteeCase: {
        "refer": mentee_case_facts.Referred,
        "decline": mentee_case_facts.Declined,
        "match": mentee_case_facts.Matched,
        "end_match": mentee_case_facts.MatchEnded,
        "agree_purpose": mentee_case_facts.PurposeAgreed,
        "send_letter": mentee_case_facts.LetterSent,
        "arrange_session": mentee_case_facts.SessionArranged,
        "hold_session": mentee_case_facts.SessionHeld,
        "miss_session": mentee_case_facts.SessionMissed,
        "ask_for_more": mentee_case_facts.MoreAskedFor,
        "extend": mentee_case_facts.Extended,
        "close": mentee_case_facts.Closed,
        "reopen": mentee_case_facts.Reopened,
        "hold": mentee_case_facts.PutOnHold,
        "release": mentee_case_facts.HoldReleased,
        "correct": mentee_case_facts.Corrected,
        "dispute": DisputedFact,
    },
    Concern: {
        "raise_concern": concern_facts.Raised,
        "acknowledge": concern_facts.Acknowledged,
        "assess": concern_facts.Assessed,
        "decide": concern_facts.Decided,
        "refer_out": concern_facts.ReferredOut,
        "record_outcome": concern_facts.OutcomeReceived,
        "share": concern_facts.InformationShared,
        "assign_action": concern_facts.ActionAssigned,
        "complete_action": concern_facts.ActionCompleted,
        "inform_child": concern_facts.ChildInformed,
        "close": concern_facts.Closed,
        "approve_closing": concern_facts.ClosingApproved,
        "reopen": concern_facts.Reopened,
        "transfer": concern_facts.Transferred,
        "confirm_receipt": concern_facts.ReceiptConfirmed,
        "correct": CorrectedFact,
        "dispute": DisputedFact,
    },
    Mentor: {
        "apply": mentor.Applied,
        "interview": mentor.Interviewed,
        "select": mentor.Selected,
        "turn_down": mentor.TurnedDown,
        "train": mentor.Trained,
        "sign_agreement": mentor.AgreementSigned,
        "qualify": mentor.Qualified,
        "attach": mentor.Attached,
        "supervise": mentor.Supervised,
        "appoint": mentor.Appointed,
        "stand_down": mentor.StoodDown,
        "correct": CorrectedFact,
        "dispute": DisputedFact,
    },
    Pupil: {
        "enrol": pupil.Enrolled,
        "move_up": pupil.MovedUp,
        "leave": pupil.Left,
        "put_legal_hold": pupil.LegalHoldPut,
        "release_legal_hold": pupil.LegalHoldReleased,
        "keep_longer": pupil.KeptLonger,
        "correct": CorrectedFact,
        "dispute": DisputedFact,
    },
    Erasure: {
        "request": erasure.Requested,
        "withdraw": erasure.Withdrawn,
        "approve": erasure.Ordered,
        "correct": CorrectedFact,
        "dispute": DisputedFact,
    },
    Scheme: {"adopt": scheme.Adopted, "correct": CorrectedFact, "dispute": DisputedFact},
    Staff: {
        "open_account": staff.AccountOpened,
        "issue_token": staff.TokenIssued,
        "end_account": staff.AccountEnded,
        "correct": CorrectedFact,
        "dispute": DisputedFact,
    },
}
UNTOLD: dict[type[Subject], dict[str, Any]] = {
    MenteeCase: {
        "state": "referred",
        "on_hold": False,
        "pupil_id": None,
        "mentor_id": None,
        "mentors": (),
        "referrer": None,
        "referred_on": None,
        "matched_on": None,
        "last_held_on": None,
        "next_meeting": None,
        "sessions_held": 0,
        "sessions_planned": 0,
        "more_asked_for": False,
    },
    Concern: {
        "raised_by": None,
        "case_id": None,
        "pupil_id": None,
        "about": "pupil",
        "alerts": 0,
        "acknowledged": False,
        "decided": False,
        "closed": False,
        "closed_by": None,
        "closing_approved": False,
        "open_actions": frozenset(),
        "transferred": False,
    },
    Mentor: {
        "standing": "applied",
        "pupil_id": None,
        "interviewed": False,
        "trained": False,
        "signed": False,
        "cases": (),
    },
    Pupil: {"born_on": None, "year_group": None, "tutor_group": None, "left": False, "held": False},
    Erasure: {
        "state": "requested",
        "scope": None,
        "grounds": None,
        "subject_id": None,
        "pupil_id": None,
        "targets": (),
        "people": (),
        "destroyed": (),
        "requested_by": None,
        "ordered_by": None,
    },
    Scheme: {"policy": DEFAULT_POLICY},
    Staff: {"ended": False},
}


@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.__name__)
def test_a_command_says_which_fact_it_records_so_that_forms_ask_for_its_fields(kind: type[Subject]) -> None:
    commands = {name: getattr(kind, name) for name in dir(kind) if not name.startswith("_")}
    found = {name: c.records for name, c in commands.items() if hasattr(c, "records")}
    assert found == COMMANDS[kind]


@pytest.mark.parametrize("kind", UNTOLD, ids=lambda kind: kind.__name__)
def test_nothing_is_known_before_the_first_fact(kind: type[Subject]) -> None:
    subject = kind.blank(uuid4())
    state = {name: value for name, value in vars(subject).items() if not name.startswith("_")}
    assert state == UNTOLD[kind] | {"told": [], "told_by": [], "erased": False}
    assert subject.version == 0


def test_each_entry_is_remembered_with_its_kind_and_who_recorded_it() -> None:
    tutor, coach = UUID(int=41), UUID(int=42)
    referred, matched = (REFERRED[0], REFERRED[1] | {"recorded_by": tutor}), MATCHED
    session = fact(SessionHeld, **held()[1] | {"recorded_by": coach})
    subject = case(referred, matched, session).subject
    assert subject.told == [Referred, Matched, SessionHeld]
    assert (subject.told_by[0], subject.told_by[2]) == (tutor, coach)


def test_any_entry_may_be_corrected_not_only_the_last() -> None:
    case(REFERRED, MATCHED, held()).when(
        lambda c: c.correct(by(), version=1, field="words", value="Sits with one friend.", reason="Misheard")
    ).then(fact(mentee_case_facts.Corrected, version=1, field="words"))


def test_what_a_person_must_say_may_say_and_what_stays_readable() -> None:
    assert set(said_fields(SessionHeld)) == {"held_on", "minutes", "focus", "notes", "friend_came"}
    assert required_fields(SessionHeld) == {*ENVELOPE, "held_on", "minutes", "focus", "notes"} | {
        "originator_id",
        "originator_version",
        "timestamp",
    }
    assert kept_fields(SessionHeld) == {*ENVELOPE, "held_on", "minutes"}
    assert "sessions_planned" not in said_fields(Referred), "the scheme plans the sessions, nobody types them"


def test_a_session_is_between_the_two_unless_somebody_says_that_a_friend_came() -> None:
    said = held()[1] | {"held_on": date(2026, 11, 20)}
    del said["happened_on"]
    subject = case(REFERRED, MATCHED).when(lambda c: c.hold_session(by(), **said))
    subject.then(fact(SessionHeld, friend_came=False))


def test_a_fact_happened_on_the_day_that_it_names_unless_another_is_given() -> None:
    missed: dict[str, Any] = {"due_on": date(2026, 11, 18), "reason": "Ill"}
    case(REFERRED, MATCHED).when(lambda c: c.miss_session(by(), **missed)).then(
        fact(SessionMissed, happened_on=date(2026, 11, 18))
    )
    day_after = by(happened_on=date(2026, 11, 19))
    case(REFERRED, MATCHED).when(lambda c: c.miss_session(day_after, **missed)).then(
        fact(SessionMissed, happened_on=date(2026, 11, 19))
    )


@pytest.fixture
def allow_list() -> Iterator[dict[str, type[Fact]]]:
    before = dict(FACTS)
    yield FACTS
    FACTS.clear()
    FACTS.update(before)


def test_a_fact_is_read_back_by_its_pinned_name_alone(allow_list: dict[str, type[Fact]]) -> None:
    class SlipPosted(Fact):
        TOPIC = "mentee-case.slip-posted"

    pinned(SlipPosted)
    assert allow_list["mentee-case.slip-posted"] is SlipPosted
    with pytest.raises(ValueError, match="SlipPosted needs a pinned name of its own"):
        pinned(SlipPosted)


@pytest.mark.parametrize("topic", ["", "slip-posted", "domain.mentee_case:Slip", "Mentee-Case.slip"])
def test_a_pinned_name_is_two_plain_words_with_a_dot(topic: str, allow_list: dict[str, type[Fact]]) -> None:
    class SlipPosted(Fact):
        TOPIC = topic

    with pytest.raises(ValueError, match="pinned name"):
        pinned(SlipPosted)
    assert topic not in allow_list


def test_nobody_alters_who_records_nor_what_is_inside_a_fact() -> None:
    for kept, name in (
        (by(), "account"),
        (PassedOn(whom="Form tutor"), "whom"),
        (Involved(pupil_id=uuid4(), part="witness"), "part"),
    ):
        with pytest.raises(AttributeError):
            setattr(kept, name, "somebody else")


def test_a_refusal_reads_as_its_sentence_wherever_it_ends_up() -> None:
    refused = Refused("Match a mentor before recording a session.", "match")
    assert str(refused) == refused.sentence == "Match a mentor before recording a session."
    assert refused.way_out == "match"
