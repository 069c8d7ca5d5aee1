from dataclasses import asdict
from datetime import timedelta
from uuid import uuid4

from projections.caseload import Caseload
from tests.projections.conftest import Record
from tests.projections.makers import AT, day, held, matched, on, referred
from tests.scenario import COORDINATOR, by


def test_a_case_from_its_referral_to_its_review(record: Record) -> None:
    case = held(matched(0), 3, 5)
    case.miss_session(by(), due_on=day(9), reason="ill")
    case.arrange_session(on(10), at=AT, place="Library")
    case.ask_for_more(on(10), words="please")
    record.save(case)
    record.catch_up()
    caseload = Caseload(record.pool)
    assert asdict(caseload.by_ids([case.id, uuid4()])[case.id]) == {
        "case_id": case.id,
        "number": 1,
        "version": 7,
        "pupil_id": case.pupil_id,
        "state": "matched",
        "on_hold": False,
        "mentor_id": case.mentor_id,
        "referrer": COORDINATOR,
        "policy_version": 1,
        "sessions_held": 2,
        "sessions_planned": 6,
        "more_asked_for": True,
        "referred_on": day(0),
        "waiting_since": None,
        "matched_on": day(1),
        "last_met_on": day(5),
        "last_missed_on": day(9),
        "last_letter_on": None,
        "next_at": AT,
        "review_since": None,
        "closed_on": None,
    }
    record.save(held(case, 10, 12, 14, 11))
    record.catch_up()
    row = caseload.by_ids([case.id])[case.id]
    assert (row.state, row.review_since, row.next_at, row.last_met_on) == (
        "at_review",
        day(14),
        None,
        day(14),
    )
    case.extend(on(15), sessions=1, reason="r", mentee_wishes="w")
    case.close(on(16), outcome="better", reason="done")
    record.save(case)
    record.catch_up()
    row = caseload.by_ids([case.id])[case.id]
    assert (row.state, row.review_since, row.closed_on, row.mentor_id) == ("closed", None, day(16), None)
    case.reopen(on(17), reason="came back")
    record.save(case)
    record.catch_up()
    row = caseload.by_ids([case.id])[case.id]
    assert (row.state, row.waiting_since, row.closed_on) == ("referred", day(17), None)


def test_cases_by_state_and_mentor_in_pages(record: Record) -> None:
    mentor = uuid4()
    waiting = [referred(number) for number in (5, 3, 9, 3)]
    carried = [matched(2, mentor), held(matched(4, mentor), 30)]
    at_review = held(matched(0), *range(2, 8))
    for case in (*waiting, *carried, at_review):
        record.save(case)
    record.catch_up()
    caseload = Caseload(record.pool)

    first = caseload.cases(state="referred", limit=3)
    rest = caseload.cases(state="referred", after=first[-1].number)
    assert [c.case_id for c in first + rest] == [c.id for c in waiting]
    assert [c.case_id for c in caseload.cases(mentor_id=mentor)] == [c.id for c in carried]
    assert len(caseload.cases()) == 7

    longest = caseload.waiting(limit=2)
    assert [c.case_id for c in longest] == [waiting[1].id, waiting[3].id]
    assert longest[-1].waiting_since is not None
    later = caseload.waiting(after=(longest[-1].waiting_since, longest[-1].number))
    assert [c.case_id for c in later] == [waiting[0].id, waiting[2].id]

    assert [c.case_id for c in caseload.at_review()] == [at_review.id]
    assert [c.case_id for c in caseload.quiet(day(20))] == [carried[0].id]
    assert [c.case_id for c in caseload.quiet(day(40))] == [c.id for c in carried]


def test_a_mentors_next_meeting_comes_first(record: Record) -> None:
    mentor = uuid4()
    later, sooner, unplanned = (matched(0, mentor) for _ in range(3))
    later.arrange_session(on(2), at=AT + timedelta(days=7), place="Library")
    sooner.arrange_session(on(2), at=AT, place="Library")
    for case in (unplanned, later, sooner):
        record.save(case)
    record.catch_up()
    found = Caseload(record.pool).of_mentor(mentor)
    assert [c.case_id for c in found] == [sooner.id, later.id, unplanned.id]


def test_a_pupil_named_in_words_is_unidentified_until_found_on_the_roll(record: Record) -> None:
    case, pupil = referred(0, pupil_id=None, pupil_in_words="the tall one"), uuid4()
    record.save(case)
    record.catch_up()
    caseload = Caseload(record.pool)
    assert caseload.by_ids([case.id])[case.id].unidentified
    case.correct(by(), version=1, field="pupil_id", value=str(pupil), reason="found")
    record.save(case)
    record.catch_up()
    [row] = caseload.of_pupil(pupil)
    assert (row.case_id, row.unidentified) == (case.id, False)


def test_a_raised_concern_shows_as_a_hold_and_no_more(record: Record) -> None:
    case, concern = matched(0), uuid4()
    case.break_confidentiality(by(), concern_id=concern)
    record.save(case)
    record.catch_up()
    assert Caseload(record.pool).by_ids([case.id])[case.id].on_hold
    assert str(concern) not in repr(record.rows("caseload"))


def test_cases_about_which_no_letter_went_home(record: Record) -> None:
    told, early, late, waiting = matched(0), held(matched(1), *range(3, 9)), matched(9), referred(0)
    for days in (3, 2):
        told.send_letter(by(), kind="Mentoring begins", sent_on=day(days))
    for case in (told, early, late, waiting):
        record.save(case)
    record.catch_up()
    caseload = Caseload(record.pool)
    assert caseload.by_ids([told.id])[told.id].last_letter_on == day(3)
    assert [c.case_id for c in caseload.without_letter(day(10))] == [early.id]
    assert [c.case_id for c in caseload.without_letter(day(11))] == [early.id, late.id]
    late.close(on(12), outcome="better", reason="done")
    record.save(late)
    record.catch_up()
    assert [c.case_id for c in caseload.without_letter(day(20))] == [early.id]
