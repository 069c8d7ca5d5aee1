"""The rules of the roll, of the scheme's policy and of accounts, each a sentence."""

from dataclasses import asdict, fields
from datetime import date
from typing import Any

import pytest

from domain.fact import said_fields
from domain.policy import DEFAULT_POLICY, Policy
from domain.pupil import Enrolled, Left, MovedUp, Pupil
from domain.scheme import Adopted, Scheme
from domain.staff import AccountEnded, AccountOpened, Staff, TokenIssued
from tests.scenario import TODAY, by, fact, given

SIAN: dict[str, Any] = {
    "given_name": "Siân",
    "family_name": "O'Neill",
    "born_on": date(2015, 2, 28),
    "year_group": 7,
    "tutor_group": "7B",
}
ON_ROLL = fact(Enrolled, **SIAN)
OPENED = fact(AccountOpened, name="Ms Price", role="coordinator")


def test_a_pupil_is_enrolled_once() -> None:
    subject = given(Pupil).when(lambda p: p.enrol(by(), **SIAN)).then(fact(Enrolled, family_name="O'Neill"))
    assert (subject.born_on, subject.year_group, subject.tutor_group) == (date(2015, 2, 28), 7, "7B")
    given(Pupil, ON_ROLL).when(lambda p: p.enrol(by(), **SIAN)).refused("already on the roll")


def test_nobody_is_born_in_the_future() -> None:
    given(Pupil).when(lambda p: p.enrol(by(), **SIAN | {"born_on": date(2026, 11, 21)})).refused(
        "in the future"
    )
    given(Pupil).when(lambda p: p.enrol(by(), **SIAN | {"born_on": TODAY})).then(fact(Enrolled))


def test_nothing_happened_to_a_pupil_before_they_were_born() -> None:
    early = by(happened_on=date(2015, 2, 27))
    given(Pupil).when(lambda p: p.enrol(early, **SIAN)).refused("before the pupil was born")
    wrong: dict[str, Any] = {"version": 1, "field": "known_as", "value": "Shan", "reason": "Misheard"}
    given(Pupil, ON_ROLL).when(lambda p: p.correct(early, **wrong)).refused("before the pupil was born")
    given(Pupil, ON_ROLL).when(lambda p: p.dispute(early, version=1, words="No")).refused("before the pupil")
    on_that_day = by(happened_on=date(2015, 2, 28))
    given(Pupil).when(lambda p: p.enrol(on_that_day, **SIAN)).then(fact(Enrolled))


@pytest.mark.parametrize("year_group", [-1, 14])
def test_year_groups_run_from_reception_to_13(year_group: int) -> None:
    wrong = SIAN | {"year_group": year_group}
    given(Pupil).when(lambda p: p.enrol(by(), **wrong)).refused("from 0 (Reception) to 13")
    given(Pupil, ON_ROLL).when(lambda p: p.move_up(by(), year_group=year_group, tutor_group="x")).refused(
        "from 0"
    )
    for right in (0, 13):
        given(Pupil).when(lambda p, right=right: p.enrol(by(), **SIAN | {"year_group": right})).then(  # type: ignore[misc]
            fact(Enrolled)
        )


def test_a_pupil_moves_up_and_leaves() -> None:
    moved = given(Pupil, ON_ROLL).when(lambda p: p.move_up(by(), year_group=8, tutor_group="8B"))
    subject = moved.then(fact(MovedUp, year_group=8, tutor_group="8B"))
    assert (subject.year_group, subject.tutor_group) == (8, "8B")
    assert given(Pupil, ON_ROLL).when(lambda p: p.leave(by(), left_on=TODAY)).then(fact(Left)).left
    gone = given(Pupil, ON_ROLL, fact(Left, left_on=TODAY))
    gone.when(lambda p: p.move_up(by(), year_group=8, tutor_group="8B")).refused("not on the roll")
    given(Pupil).when(lambda p: p.leave(by(), left_on=TODAY)).refused("not on the roll")


def test_adopting_a_policy_makes_the_next_version() -> None:
    scheme = given(Scheme)
    assert scheme.subject.policy == DEFAULT_POLICY
    adopted = scheme.when(lambda s: s.adopt(by(), school_name="St Example", sessions=8)).then(
        fact(Adopted, sessions=8)
    )
    assert adopted.policy == Policy(version=2, school_name="St Example", sessions=8)


def test_each_adoption_makes_one_version_more() -> None:
    scheme = given(Scheme, fact(Adopted, school_name="St Example"))
    adopted = scheme.when(lambda s: s.adopt(by(), school_name="St Example", caseload=3))
    assert adopted.then(fact(Adopted)).policy == Policy(version=3, school_name="St Example", caseload=3)


def test_what_a_school_never_said_stays_as_casebook_starts_with_it() -> None:
    # A policy that was adopted before a rule existed takes that rule from here, for good.
    expected = {
        "version": 1,
        "school_name": "Our school",
        "sessions": 6,
        "days_between_sessions": 14,
        "caseload": 2,
        "mentor_years": (9, 10, 11),
        "lead_title": "Designated Safeguarding Lead",
        "lead_short_title": "DSL",
        "acknowledge_within_hours": 4,
        "decide_within_hours": 24,
        "alert_again_after_minutes": 30,
        "quiet_after_days": 21,
        "supervision_every_days": 42,
        "closing_needs_second_person": False,
        "emergency_words": "If anyone is in danger now, call 999.",
        "keep_concerns_until_age": 25,
        "keep_mentoring_years": 1,
        "keep_mentors_years": 1,
    }
    assert asdict(DEFAULT_POLICY) == expected
    adopted = given(Scheme).when(lambda s: s.adopt(by(), school_name="Our school"))
    assert asdict(adopted.then(fact(Adopted)).policy) == expected | {"version": 2}


def test_every_rule_of_a_policy_can_be_adopted() -> None:
    assert {f.name for f in fields(Policy)} - {"version"} == set(said_fields(Adopted))


@pytest.mark.parametrize(
    "rule",
    [
        *("sessions", "caseload", "days_between_sessions", "alert_again_after_minutes"),
        *("keep_concerns_until_age", "keep_mentoring_years", "keep_mentors_years"),
    ],
)
def test_a_policy_of_nothing_is_refused(rule: str) -> None:
    given(Scheme).when(lambda s: s.adopt(by(), school_name="St Example", **{rule: 0})).refused("at least 1")
    given(Scheme).when(lambda s: s.adopt(by(), school_name="St Example", **{rule: 1})).then(fact(Adopted))


def test_an_account_is_opened_once_and_ends() -> None:
    given(Staff).when(lambda s: s.open_account(by(), name="Ms Price", role="coordinator")).then(
        fact(AccountOpened)
    )
    given(Staff, OPENED).when(lambda s: s.open_account(by(), name="x", role="head")).refused("already open")
    given(Staff, OPENED).when(lambda s: s.issue_token(by())).then(fact(TokenIssued))
    assert (
        given(Staff, OPENED).when(lambda s: s.end_account(by(), reason="Left")).then(fact(AccountEnded)).ended
    )
    for past in ((), (OPENED, fact(AccountEnded, reason="Left"))):
        given(Staff, *past).when(lambda s: s.issue_token(by())).refused("no such open account")
        given(Staff, *past).when(lambda s: s.end_account(by(), reason="r")).refused("no such open account")
