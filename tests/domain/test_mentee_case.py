"""The rules of a mentee's case, each a sentence."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from domain.mentee_case_facts import (
    Closed,
    Corrected,
    Declined,
    Extended,
    LetterSent,
    Matched,
    MatchEnded,
    MoreAskedFor,
    PurposeAgreed,
    Referred,
    Reopened,
    SessionArranged,
    SessionHeld,
    SessionMissed,
)
from domain.policy import Policy
from tests.domain.cases import (
    AT_REVIEW,
    CLOSED,
    DECLINED,
    MATCHED,
    MENTOR,
    OTHER,
    PUPIL,
    REFERRAL,
    REFERRED,
    STATES,
    case,
    held,
    session,
)
from tests.scenario import TODAY, by, fact


def test_a_mentoring_referral_opens_a_case_for_as_many_sessions_as_the_policy_says() -> None:
    policy = Policy(version=3, sessions=8)
    opened = case().when(lambda c: c.refer(by(policy=policy), pupil_id=PUPIL, **REFERRAL))
    subject = opened.then(
        fact(Referred, pupil_id=PUPIL, sessions_planned=8, policy_version=3, happened_on=TODAY)
    )
    assert (subject.state, subject.sessions_planned, subject.on_hold) == ("referred", 8, False)


def test_a_referrer_may_name_the_pupil_in_words() -> None:
    named = case().when(lambda c: c.refer(by(), pupil_in_words="Tall boy in 7B", **REFERRAL))
    assert named.then(fact(Referred, pupil_id=None)).pupil_id is None


def test_a_mentoring_referral_says_which_pupil() -> None:
    case().when(lambda c: c.refer(by(), **REFERRAL)).refused("which pupil")


def test_a_mentoring_referral_is_recorded_once() -> None:
    case(REFERRED).when(lambda c: c.refer(by(), pupil_id=PUPIL, **REFERRAL)).refused("already")


def test_a_case_waits_until_the_pupil_is_found_on_the_roll() -> None:
    unknown = fact(Referred, **{**REFERRED[1], "pupil_id": None, "pupil_in_words": "Tall boy"})
    refusal = case(unknown).when(lambda c: c.match(by(), mentor_id=MENTOR)).refused("on the roll")
    assert refusal.way_out == "correct"
    found = case(unknown).when(
        lambda c: c.correct(by(), version=1, field="pupil_id", value=str(PUPIL), reason="Asked the tutor.")
    )
    assert found.then(fact(Corrected, version=1, field="pupil_id")).pupil_id == PUPIL


def test_matching_names_the_mentor_and_the_sessions_planned() -> None:
    matched = case(REFERRED).when(lambda c: c.match(by(), mentor_id=MENTOR, reason="Same form"))
    subject = matched.then(fact(Matched, mentor_id=MENTOR, sessions_planned=6, reason="Same form"))
    assert (subject.state, subject.mentor_id, subject.mentors) == ("matched", MENTOR, (MENTOR,))


@pytest.mark.parametrize("state", ["matched", "at_review", "closed", "declined"])
def test_only_a_waiting_case_is_matched(state: str) -> None:
    case(*STATES[state]).when(lambda c: c.match(by(), mentor_id=OTHER)).refused("isn't waiting")


def test_a_session_before_the_match_is_refused() -> None:
    refusal = (
        case(REFERRED).when(lambda c: c.hold_session(by(), **session())).refused("Match a mentor before")
    )
    assert refusal.way_out == "match"
    for on in (date(2026, 9, 9), date(2020, 1, 1)):
        case(REFERRED, MATCHED).when(lambda c, on=on: c.hold_session(by(), **session(on))).refused(  # type: ignore[misc]
            "before the match on 10 September 2026"
        )
    case(REFERRED, MATCHED).when(
        lambda c: c.hold_session(by(happened_on=date(2026, 9, 1)), **session())
    ).refused("before the match")


def test_a_session_on_the_day_of_the_match_counts() -> None:
    on = date(2026, 9, 10)
    case(REFERRED, MATCHED).when(lambda c: c.hold_session(by(), **session(on))).then(
        fact(SessionHeld, held_on=on, happened_on=on)
    )


def test_a_session_tomorrow_is_refused() -> None:
    case(REFERRED, MATCHED).when(lambda c: c.hold_session(by(), **session(date(2026, 11, 21)))).refused(
        "21 November 2026 is in the future"
    )


@pytest.mark.parametrize("minutes", [0, -5, 481])
def test_a_session_has_a_believable_length(minutes: int) -> None:
    case(REFERRED, MATCHED).when(lambda c: c.hold_session(by(), **session(minutes=minutes))).refused(
        "minutes"
    )


@pytest.mark.parametrize("minutes", [1, 480])
def test_the_shortest_and_the_longest_session_count(minutes: int) -> None:
    case(REFERRED, MATCHED).when(lambda c: c.hold_session(by(), **session(minutes=minutes))).then(
        fact(SessionHeld, minutes=minutes)
    )


def test_the_sixth_session_asks_for_a_review() -> None:
    five = (REFERRED, MATCHED, *(held() for _ in range(5)))
    assert case(*five).subject.state == "matched"
    reviewed = case(*five).when(lambda c: c.hold_session(by(), **session())).then(fact(SessionHeld))
    assert (reviewed.state, reviewed.sessions_held, reviewed.last_held_on) == ("at_review", 6, TODAY)


def test_a_seventh_session_needs_an_extension_first() -> None:
    refusal = (
        case(*AT_REVIEW).when(lambda c: c.hold_session(by(), **session())).refused("All 6 planned sessions")
    )
    assert refusal.way_out == "extend"


def test_extending_plans_more_sessions_with_the_same_mentor() -> None:
    extended = case(*AT_REVIEW, fact(MoreAskedFor, words="Please")).when(
        lambda c: c.extend(by(), sessions=2, reason="Nearly there", mentee_wishes="Two more")
    )
    subject = extended.then(fact(Extended, sessions=2))
    assert (subject.state, subject.sessions_planned, subject.mentor_id) == ("matched", 8, MENTOR)
    assert not subject.more_asked_for


@pytest.mark.parametrize("sessions", [0, -1, 31])
def test_an_extension_is_of_one_to_thirty_sessions(sessions: int) -> None:
    case(*AT_REVIEW).when(lambda c: c.extend(by(), sessions=sessions, reason="r", mentee_wishes="w")).refused(
        "at least 1 and at most 30"
    )


@pytest.mark.parametrize("sessions", [1, 30])
def test_the_smallest_and_the_largest_extension_count(sessions: int) -> None:
    case(*AT_REVIEW).when(lambda c: c.extend(by(), sessions=sessions, reason="r", mentee_wishes="w")).then(
        fact(Extended, sessions=sessions)
    )


@pytest.mark.parametrize("state", ["referred", "matched", "closed", "declined"])
def test_a_case_is_extended_at_its_review_alone(state: str) -> None:
    case(*STATES[state]).when(lambda c: c.extend(by(), sessions=2, reason="r", mentee_wishes="w")).refused(
        "review"
    )


@pytest.mark.parametrize("state", ["matched", "at_review"])
def test_closing_ends_the_pairing(state: str) -> None:
    closed = case(*STATES[state]).when(lambda c: c.close(by(), outcome="settled", reason="Aim met."))
    subject = closed.then(fact(Closed, outcome="settled"))
    assert (subject.state, subject.mentor_id) == ("closed", None)


@pytest.mark.parametrize(
    ("state", "words", "way_out"),
    [
        ("referred", "Decline it", "decline"),
        ("closed", "already closed", "reopen"),
        ("declined", "already", "reopen"),
    ],
)
def test_only_a_case_with_a_mentor_is_closed(state: str, words: str, way_out: str) -> None:
    refusal = case(*STATES[state]).when(lambda c: c.close(by(), outcome="o", reason="r")).refused(words)
    assert refusal.way_out == way_out


def test_a_closed_or_declined_case_can_come_back_and_waits_for_a_mentor() -> None:
    for state in ("closed", "declined"):
        subject = (
            case(*STATES[state]).when(lambda c: c.reopen(by(), reason="Back again")).then(fact(Reopened))
        )
        assert (subject.state, subject.mentor_id) == ("referred", None)
    case(*STATES["matched"]).when(lambda c: c.reopen(by(), reason="r")).refused("still open")


def test_a_reopened_case_is_planned_for_a_whole_new_round() -> None:
    again = case(*AT_REVIEW, CLOSED, fact(Reopened, reason="r"))
    subject = again.when(lambda c: c.match(by(), mentor_id=OTHER)).then(fact(Matched, sessions_planned=12))
    assert (subject.sessions_held, subject.sessions_planned) == (6, 12)
    subject.hold_session(by(), **session())
    assert subject.state == "matched", "five more sessions come before the next review"


def test_a_new_mentor_goes_on_where_the_last_one_stopped() -> None:
    half = case(REFERRED, MATCHED, held(), held(), fact(MatchEnded, reason="r", mentor_id=MENTOR))
    assert half.subject.state == "referred"
    subject = half.when(lambda c: c.match(by(), mentor_id=OTHER)).then(fact(Matched, sessions_planned=6))
    assert (subject.mentors, subject.sessions_held) == ((MENTOR, OTHER), 2)


def test_ending_a_match_says_whose_it_was() -> None:
    case(REFERRED, MATCHED).when(lambda c: c.end_match(by(), reason="Moved form")).then(
        fact(MatchEnded, mentor_id=MENTOR)
    )
    case(REFERRED).when(lambda c: c.end_match(by(), reason="r")).refused("Match a mentor before")


def test_a_waiting_case_can_be_declined_with_a_reason() -> None:
    declined = case(REFERRED).when(
        lambda c: c.decline(by(), reason="Needs more", signposted_to="Counselling")
    )
    assert declined.then(fact(Declined, signposted_to="Counselling")).state == "declined"
    case(REFERRED, MATCHED).when(lambda c: c.decline(by(), reason="r")).refused("waiting for a mentor")


@pytest.mark.parametrize("state", ["closed", "declined"])
def test_an_ended_case_is_reopened_before_anything_is_recorded_in_it(state: str) -> None:
    refusal = case(*STATES[state]).when(lambda c: c.hold_session(by(), **session())).refused("Reopen it")
    assert refusal.way_out == "reopen"


def test_an_arranged_session_is_the_next_meeting_until_it_was_held_or_missed() -> None:
    at = datetime(2026, 11, 24, 13, 0, tzinfo=ZoneInfo("Europe/London"))
    arranged = fact(SessionArranged, at=at, place="Library")
    subject = case(REFERRED, MATCHED).when(lambda c: c.arrange_session(by(), at=at, place="Library"))
    assert subject.then(arranged).next_meeting is not None
    assert case(REFERRED, MATCHED, arranged, held()).subject.next_meeting is None
    missed = case(REFERRED, MATCHED, arranged).when(
        lambda c: c.miss_session(by(), due_on=TODAY, reason="Ill")
    )
    assert missed.then(fact(SessionMissed, due_on=TODAY)).next_meeting is None
    for ended in (CLOSED, fact(MatchEnded, reason="r", mentor_id=MENTOR)):
        left = case(REFERRED, MATCHED, arranged, ended).subject
        assert left.next_meeting is None, "nobody waits in the library for a mentor who won't come"
    case(REFERRED, MATCHED).when(
        lambda c: c.miss_session(by(), due_on=date(2026, 9, 1), reason="Ill")
    ).refused("before the match")


def test_a_letter_home_is_recorded_whatever_became_of_the_case() -> None:
    said = {"kind": "Permission", "sent_on": TODAY}
    for past in ((REFERRED,), (REFERRED, MATCHED), (REFERRED, DECLINED), (REFERRED, MATCHED, held(), CLOSED)):
        case(*past).when(lambda c: c.send_letter(by(), **said)).then((LetterSent, said))
    early = by(happened_on=date(2026, 9, 1))
    case(REFERRED).when(lambda c: c.send_letter(early, **said)).refused("before")


def test_purpose_and_wishes_belong_to_a_matched_case() -> None:
    case(REFERRED, MATCHED).when(lambda c: c.agree_purpose(by(), purpose="Make one friend")).then(
        fact(PurposeAgreed, purpose="Make one friend")
    )
    asked = case(REFERRED, MATCHED).when(lambda c: c.ask_for_more(by(), words="Two more please"))
    assert asked.then(fact(MoreAskedFor)).more_asked_for
    for command in ("agree_purpose", "ask_for_more", "arrange_session"):
        case(REFERRED).when(lambda c, command=command: getattr(c, command)(by())).refused(  # type: ignore[misc]
            "Match a mentor before"
        )


def test_nobody_misses_a_session_before_there_is_a_mentor_to_meet() -> None:
    refusal = (
        case(REFERRED)
        .when(lambda c: c.miss_session(by(), due_on=TODAY, reason="Ill"))
        .refused("Match a mentor before recording a missed session.")
    )
    assert refusal.way_out == "match"


def test_a_case_remembers_who_referred_it_so_that_they_may_see_that_it_was_heard() -> None:
    opened = case().when(lambda c: c.refer(by(OTHER), pupil_id=PUPIL, **REFERRAL))
    assert opened.then(fact(Referred, recorded_by=OTHER)).referrer == OTHER
