"""The invented year on paper: it hangs together on whichever day it is looked at."""

from collections import Counter
from datetime import date, timedelta
from itertools import pairwise

import pytest

from app.demo.people import pupils
from app.demo.planning import Year
from app.demo.plans import Plan
from app.demo.recruits import CASELOAD, MENTOR_YEARS
from app.demo.scripts import scripts
from app.demo.tales import lists, say, tales
from app.demo.terms import is_school_day

TODAYS = [date(2026, 11, 22), date(2026, 9, 3), date(2027, 3, 1), date(2027, 6, 21), date(2028, 2, 29)]


@pytest.fixture(scope="module", params=TODAYS, ids=str)
def year(request: pytest.FixtureRequest) -> Year:
    """The plan as it is on a day."""
    return Year(request.param)


def test_the_school_is_as_big_as_many(year: Year) -> None:
    assert len(year.plans) == len(tales()) == 148
    assert len(year.recruits) == 85
    today = year.days.today
    open_now = [p for p in year.plans if p.span[0] < today < p.span[1]]
    waiting = [p for p in year.plans if p.tale.ending == "waiting"]
    assert 24 <= len(open_now) <= 42
    assert len(waiting) == 5


def test_nobody_meets_when_there_is_no_school(year: Year) -> None:
    for plan in year.plans:
        moments = [plan.referred, plan.matched, plan.asked, plan.extended, plan.ended]
        days = [moment.date() for moment in moments if moment]
        for meeting in plan.meetings:
            days += [meeting.starts.date(), meeting.recorded.date()]
        assert all(map(is_school_day, days)), plan.tale.words


def test_each_case_goes_forward_in_time(year: Year) -> None:
    for plan in year.plans:
        moments = [plan.referred]
        if plan.matched:
            moments.append(plan.matched)
        for meeting in plan.meetings:
            moments += [meeting.starts, meeting.recorded]
        if plan.ended:
            moments.append(plan.ended)
        assert all(one < next_one for one, next_one in pairwise(moments)), plan.tale.words


def test_no_mentor_has_too_many_or_is_too_young(year: Year) -> None:
    today = year.days.today
    for recruit in year.recruits:
        for day in (today - timedelta(days=n) for n in range(0, 280, 3)):
            assert sum(begins <= day <= ends for begins, ends in recruit.busy) <= CASELOAD
    for plan in year.plans:
        if plan.mentor:
            begins, ends = plan.span
            assert plan.mentor.ready_on < begins
            assert plan.mentor.pupil.year_on(begins, today) in MENTOR_YEARS
            assert plan.mentor.pupil.year_group >= plan.pupil.year_group + 2
            assert plan.mentor.stands_down is None or ends < plan.mentor.stands_down


def test_nobody_is_in_two_stories(year: Year) -> None:
    names = [plan.pupil.name for plan in year.plans] + [recruit.pupil.name for recruit in year.recruits]
    assert [name for name, times in Counter(names).items() if times > 1] == []
    assert {plan.pupil.year_on(plan.referred.date(), year.days.today) for plan in year.plans} == {7, 8, 9}
    for plan in year.plans:
        assert plan.tale.mentee.fits(plan.pupil)


def test_the_plan_of_a_day_is_always_the_same() -> None:
    def told(plan: Plan) -> tuple[object, ...]:
        return plan.pupil, plan.referred, plan.ended, plan.mentor and plan.mentor.pupil

    assert list(map(told, Year(TODAYS[0]).plans)) == list(map(told, Year(TODAYS[0]).plans))


def test_no_two_cases_read_the_same() -> None:
    words: Counter[str] = Counter()
    for tale in tales():
        sessions = (*tale.sessions, *tale.more)
        words.update((tale.words, tale.purpose, tale.reason, *(session.notes for session in sessions)))
        assert len({session.focus for session in sessions}) == len(sessions), tale.words
    assert [sentence for sentence, times in words.items() if sentence and times > 1] == []
    for statements in lists().values():
        assert len(set(statements)) == len(statements)


def test_words_about_a_girl_and_about_a_boy() -> None:
    girl, boy = (next(p for p in pupils() if p.pronoun == pronoun) for pronoun in ("she", "he"))
    words = "{He} told {his} tutor {him}self that {he} would ask {mentor}. Thank {him}."
    assert say(words, girl, "Ada") == "She told her tutor herself that she would ask Ada. Thank her."
    assert say(words, boy, "Ada") == "He told his tutor himself that he would ask Ada. Thank him."


def test_each_disclosure_belongs_to_a_case_in_which_that_session_is_held(year: Year) -> None:
    for script in scripts():
        plan = year.by_key[script.key]
        held = [meeting for meeting in plan.meetings if meeting.session]
        assert held[script.after].recorded.date() < year.days.today
