"""The rules of forgetting: how long things are kept, who may ask, who may approve, and what stops it."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from domain.erasure import (
    Completed,
    Corrected,
    Disputed,
    Erasure,
    KeyDestroyed,
    Ordered,
    Requested,
    Withdrawn,
)
from domain.policy import DEFAULT_POLICY
from domain.pupil import Enrolled, KeptLonger, LegalHoldPut, LegalHoldReleased, Pupil
from domain.retention import (
    Matter,
    Person,
    concerns_until,
    left_school,
    mentoring_until,
    mentors_until,
    years_after,
)
from tests.scenario import COORDINATOR, TODAY, by, fact, given

HEAD, OFFICER = UUID(int=71), UUID(int=72)
CASE, CONCERN = UUID(int=5), UUID(int=6)
DUE = Matter(
    "narrative", CASE, UUID(int=9), (CASE, CONCERN), (UUID(int=9),), keep_until=TODAY, with_concern=True
)
REQUESTED = fact(
    Requested,
    scope="narrative",
    subject_id=CASE,
    grounds="retention",
    reason="Kept for its time.",
    targets=(CASE, CONCERN),
    people=(UUID(int=9),),
    pupil_id=UUID(int=9),
    recorded_by=OFFICER,
)
ORDERED = fact(Ordered, recorded_by=HEAD)
ASKED: dict[str, Any] = {"grounds": "retention", "reason": "Kept for its time."}


def gone(target: UUID) -> Any:
    return fact(KeyDestroyed, target=target, kid="0f")


def test_what_is_due_may_be_asked_for_with_the_reason_of_its_review() -> None:
    asked = given(Erasure).when(lambda e: e.request(by(OFFICER), matter=DUE, **ASKED)).then(REQUESTED)
    assert (asked.scope, asked.grounds, asked.subject_id) == ("narrative", "retention", CASE)
    assert (asked.targets, asked.people, asked.pupil_id) == ((CASE, CONCERN), (UUID(int=9),), UUID(int=9))
    given(Erasure, REQUESTED).when(lambda e: e.request(by(HEAD), matter=DUE, **ASKED)).refused("already")


def test_a_decision_to_keep_it_ends_with_its_day() -> None:
    matter = replace(DUE, kept_until=TODAY)
    given(Erasure).when(lambda e: e.request(by(OFFICER), matter=matter, **ASKED)).then(fact(Requested))


def test_an_entry_of_an_erasure_may_be_corrected_and_disputed() -> None:
    wrong: dict[str, Any] = {
        "version": 1,
        "field": "reason",
        "value": "Kept for longer.",
        "reason": "Mistyped.",
    }
    given(Erasure, REQUESTED).when(lambda e: e.correct(by(OFFICER), **wrong)).then(fact(Corrected, **wrong))
    said: dict[str, Any] = {"version": 1, "words": "It isn't due."}
    given(Erasure, REQUESTED).when(lambda e: e.dispute(by(OFFICER), **said)).then(fact(Disputed, **said))


@pytest.mark.parametrize(
    ("changed", "asked", "words"),
    [
        ({"held": True}, {}, "legal hold"),
        ({"held": True}, {"grounds": "data_subject"}, "legal hold"),
        ({"keep_until": date(2026, 11, 21)}, {}, "21 November 2026"),
        ({"keep_until": date(2040, 1, 1)}, {"grounds": "data_subject"}, "A concern belongs to this"),
        ({"keep_until": date(2040, 1, 1), "with_concern": False}, {}, "rules keep this until 1 January 2040"),
        ({"kept_until": date(2026, 11, 21)}, {}, "decided to keep it"),
        ({"kept_until": date(2026, 11, 21), "with_concern": False}, {"grounds": "data_subject"}, "decided"),
        ({"targets": ()}, {}, "already been erased"),
        ({"still_open": "Close the case first."}, {"grounds": "data_subject"}, "Close the case first"),
    ],
)
def test_nothing_is_asked_for_that_must_be_kept(
    changed: dict[str, Any], asked: dict[str, Any], words: str
) -> None:
    matter = replace(DUE, **changed)
    given(Erasure).when(lambda e: e.request(by(OFFICER), matter=matter, **ASKED | asked)).refused(words)
    given(Erasure, fact(Requested, **REQUESTED[1] | asked)).when(
        lambda e: (
            e.approve(by(HEAD), matter=replace(matter, targets=matter.targets or (CASE, CONCERN)))
            if matter.targets
            else e.refuse("This has already been erased.")
        )
    ).refused(words)


def test_mentoring_alone_may_be_forgotten_early_when_the_pupil_asks() -> None:
    matter = replace(DUE, keep_until=date(2040, 1, 1), with_concern=False)
    given(Erasure).when(
        lambda e: e.request(by(OFFICER), matter=matter, grounds="data_subject", reason="The pupil asks.")
    ).then(fact(Requested, grounds="data_subject"))


def test_another_person_approves() -> None:
    given(Erasure, REQUESTED).when(lambda e: e.approve(by(OFFICER), matter=DUE)).refused("Another person")
    asked_by_the_head = fact(Requested, **REQUESTED[1] | {"recorded_by": HEAD})
    given(Erasure, asked_by_the_head).when(lambda e: e.approve(by(OFFICER), matter=DUE)).then(fact(Ordered))
    erasure = given(Erasure, REQUESTED).when(lambda e: e.approve(by(HEAD), matter=DUE)).then(fact(Ordered))
    assert (erasure.state, erasure.requested_by, erasure.ordered_by) == ("ordered", OFFICER, HEAD)
    given(Erasure, REQUESTED, ORDERED).when(lambda e: e.approve(by(COORDINATOR), matter=DUE)).refused(
        "already approved"
    )


def test_what_the_second_person_sees_is_what_the_first_one_asked_for() -> None:
    more = replace(DUE, targets=(CASE, CONCERN, UUID(int=7)))
    refusal = given(Erasure, REQUESTED).when(lambda e: e.approve(by(HEAD), matter=more)).refused("Withdraw")
    assert refusal.way_out == "withdraw"
    fewer = replace(DUE, targets=(CASE,))
    given(Erasure, REQUESTED).when(lambda e: e.approve(by(HEAD), matter=fewer)).refused("Withdraw")
    turned = replace(DUE, targets=(CONCERN, CASE))
    given(Erasure, REQUESTED).when(lambda e: e.approve(by(HEAD), matter=turned)).then(fact(Ordered))


def test_a_request_is_withdrawn_before_its_approval_and_never_after() -> None:
    given(Erasure, REQUESTED).when(lambda e: e.withdraw(by(OFFICER), reason="Too early.")).then(
        fact(Withdrawn)
    )
    given(Erasure, REQUESTED, ORDERED).when(lambda e: e.withdraw(by(OFFICER), reason="No")).refused(
        "already approved"
    )
    given(Erasure, REQUESTED, fact(Withdrawn, reason="No")).when(
        lambda e: e.approve(by(HEAD), matter=DUE)
    ).refused("was withdrawn")


def test_each_key_is_recorded_as_gone_once_and_then_it_is_completed() -> None:
    given(Erasure, REQUESTED).when(lambda e: e.key_destroyed(by(), target=CASE, kid="0f")).refused(
        "never ordered"
    )
    given(Erasure, REQUESTED, ORDERED).when(
        lambda e: e.key_destroyed(by(), target=UUID(int=8), kid="0f")
    ).refused("never ordered")
    started = given(Erasure, REQUESTED, ORDERED, gone(CASE))
    started.when(lambda e: e.key_destroyed(by(), target=CASE, kid="0f")).then()
    given(Erasure, REQUESTED, ORDERED, gone(CASE)).when(lambda e: e.complete(by())).refused("Not every key")
    done = given(Erasure, REQUESTED, ORDERED, gone(CASE), gone(CONCERN))
    assert done.when(lambda e: e.complete(by())).then(fact(Completed)).state == "completed"
    finished = given(Erasure, REQUESTED, ORDERED, gone(CASE), gone(CONCERN), fact(Completed))
    finished.when(lambda e: e.approve(by(HEAD), matter=DUE)).refused("already been erased")


def test_nothing_is_destroyed_or_completed_for_a_request_that_has_ended() -> None:
    withdrawn = (REQUESTED, fact(Withdrawn, reason="No"))
    completed = (REQUESTED, ORDERED, gone(CASE), gone(CONCERN), fact(Completed))
    for past in (withdrawn, completed):
        given(Erasure, *past).when(lambda e: e.key_destroyed(by(), target=CASE, kid="0f")).refused("never")
        given(Erasure, *past).when(lambda e: e.complete(by())).refused("Not every key")


BORN = fact(
    Enrolled, born_on=date(2015, 2, 28), year_group=7, tutor_group="7B", given_name="S", family_name="O"
)


def test_a_legal_hold_is_put_once_and_released_with_a_reason() -> None:
    given(Pupil, BORN).when(lambda p: p.put_legal_hold(by(), reason="A claim")).then(fact(LegalHoldPut))
    held = fact(LegalHoldPut, reason="A claim")
    given(Pupil, BORN, held).when(lambda p: p.put_legal_hold(by(), reason="Two")).refused("already in force")
    given(Pupil, BORN, held).when(lambda p: p.release_legal_hold(by(), reason="Settled")).then(
        fact(LegalHoldReleased)
    )
    given(Pupil, BORN).when(lambda p: p.release_legal_hold(by(), reason="?")).refused("no legal hold")
    released = fact(LegalHoldReleased, reason="Settled")
    given(Pupil, BORN, held, released).when(lambda p: p.put_legal_hold(by(), reason="New")).then(
        fact(LegalHoldPut)
    )


def test_a_review_may_keep_what_is_due_until_a_day_to_come() -> None:
    given(Pupil, BORN).when(lambda p: p.keep_longer(by(), until=TODAY, reason="?")).refused("in the future")
    past = date(2026, 11, 19)
    given(Pupil, BORN).when(lambda p: p.keep_longer(by(), until=past, reason="?")).refused("in the future")
    given(Pupil, BORN).when(lambda p: p.keep_longer(by(), until=date(2030, 1, 1), reason="An enquiry")).then(
        fact(KeptLonger, until=date(2030, 1, 1))
    )


def test_a_concern_is_kept_until_the_youngest_in_it_is_25() -> None:
    young, old = Person(date(2015, 2, 28)), Person(date(2009, 9, 1))
    assert concerns_until(DEFAULT_POLICY, [old, young], TODAY) == date(2040, 2, 28)
    assert concerns_until(replace(DEFAULT_POLICY, keep_concerns_until_age=30), [old], None) == date(
        2039, 9, 1
    )
    assert concerns_until(DEFAULT_POLICY, [], date(2026, 11, 1)) == date(2051, 11, 1), "as for a newborn"
    assert concerns_until(DEFAULT_POLICY, [], None) == date.min


def test_nobody_is_under_a_hold_and_nothing_has_a_concern_unless_somebody_says_so() -> None:
    person, matter = Person(TODAY), Matter("identity", CASE, None, (CASE,), (), keep_until=TODAY)
    assert (person.held, matter.held, matter.with_concern) == (False, False, False)
    assert len({person, Person(TODAY)}) == len({matter, replace(matter)}) == 1


def test_a_birthday_on_29_february_counts_as_1_march() -> None:
    assert years_after(date(2016, 2, 29), 25) == date(2041, 3, 1)
    assert years_after(date(2012, 2, 29), 25) == date(2037, 3, 1)
    assert years_after(date(2016, 2, 29), 4) == date(2020, 2, 29)
    assert years_after(date(2016, 5, 6), 9_000) == date(9999, 5, 6), "no calendar goes further"


def test_mentoring_alone_is_kept_for_a_year_after_leaving() -> None:
    person = Person(date(2010, 5, 1), left_on=date(2026, 7, 20))
    assert mentoring_until(DEFAULT_POLICY, person, date(2024, 1, 1)) == date(2027, 7, 20)
    assert mentoring_until(DEFAULT_POLICY, person, date(2026, 9, 1)) == date(2027, 9, 1), "ended later"
    assert mentors_until(replace(DEFAULT_POLICY, keep_mentors_years=3), person, None) == date(2029, 7, 20)
    assert mentoring_until(DEFAULT_POLICY, None, date(2024, 1, 1)) == date(2025, 1, 1)
    assert mentoring_until(DEFAULT_POLICY, None, None) == date.min


@pytest.mark.parametrize(
    ("born", "left"),
    [
        ((2010, 8, 31), (2028, 8, 31)),
        ((2010, 9, 1), (2029, 8, 31)),
        ((2011, 9, 1), (2030, 8, 31)),
        ((2010, 1, 1), (2028, 8, 31)),
    ],
)
def test_who_has_no_leaving_day_left_in_the_summer_after_their_18th_birthday(
    born: tuple[int, int, int], left: tuple[int, int, int]
) -> None:
    assert left_school(Person(date(*born))) == date(*left)
