"""What the people of the invented year write is true of whom they write about."""

import re
from collections import defaultdict
from datetime import date
from itertools import pairwise

import pytest

from app.demo.disclosures import told_at
from app.demo.people import Pupil, pupils
from app.demo.planning import Year
from app.demo.plans import Plan
from app.demo.scripts import scripts
from app.demo.tales import Tale, lists, tales
from app.demo.terms import school_year
from app.demo.wording import form_of, objections, tutor_of
from tests.demo.test_plan import TODAYS

_NOT_A_NOUN = r"(is|are|was|were|and|or|too|better)\b"
_HERS = re.compile(rf"\{{his\}}(?! \w)|\{{his\}} {_NOT_A_NOUN}", re.IGNORECASE)
_NUMBERS = {
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
}
_WEEKS = re.compile(rf"\b(?:({'|'.join(_NUMBERS)}) weeks|a fortnight|(?:a|this) month)\b")
_IN_SESSIONS = re.compile(r"\b(half an hour|an hour of|\w+ minutes\. I enjoyed|changeover|during lessons)\b")
_OUT_OF_THE_ROOM = {
    r"We ate there together|we sat by the door|from the queue": ("Corridor by", "Canteen"),
    r"We (stood|met) at the gate|Met at the gate": ("School gate",),
    r"gym mats|on the mats": ("Gym",),
    r"\bat pool\b|pool table in": ("Youth wing",),
    r"read a scene": ("Drama room",),
    r"[Oo]ne lap at lunch|bird on the field|a wagtail|Outside for": ("The field",),
    r"waters them|seedlings|Sowed": ("Greenhouse",),
    r"across the yard|in the yard": ("The yard",),
    r"long corridor|watched everybody go past": ("The long corridor",),
}
_WINTER = re.compile(r"\b(bench|steps|outdoors|pond)\b", re.IGNORECASE)


@pytest.fixture(scope="module", params=TODAYS, ids=str)
def year(request: pytest.FixtureRequest) -> Year:
    """The plan as it is on a day."""
    return Year(request.param)


def _words(tale: Tale) -> list[str]:
    sessions = [f"{one.focus} {one.notes}" for one in (*tale.sessions, *tale.more)]
    more = (tale.purpose, tale.more_because, tale.more_wishes, tale.wishes, tale.outcome, tale.reason)
    return [tale.words, *more, *sessions, tale.asked_by]


def _everything() -> list[str]:
    told = [text for tale in tales() for text in _words(tale)]
    told += [text for sentences in lists().values() for text in sentences]
    for script in scripts():
        told += [*script.said.values()]
        told += [str(value) for step in script.steps for value in step.said.values()]
    return told


def test_no_girl_has_her_where_hers_belongs() -> None:
    assert [text for text in _everything() if _HERS.search(text)] == []
    assert _HERS.search("{He} said {his} is better.")
    assert _HERS.search("Wrong in places, and {his}.")
    assert not _HERS.search("{He} has {his} own pen.")


def test_nothing_in_an_application_depends_on_who_writes_it() -> None:
    """Applications are drawn for anybody: they name no sex, faith, language or school year of the writer."""
    of_somebody = re.compile(
        r"\b(boys?|girls?|brothers and I|mosque|church|temple|Polish|Romanian|Urdu|headscarf|mocks?|"
        r"A levels?|sixth form|free periods|prefect|before I leave|no English)\b"
    )
    assert [text for text in lists()["statements"] if of_somebody.search(text)] == []
    assert of_somebody.search("I understand football boys, being one.")


def test_a_match_has_a_reason_that_is_true_of_its_mentor(year: Year) -> None:
    begun: dict[str, list[Plan]] = defaultdict(list)
    for plan in sorted(year.plans, key=lambda one: one.matched or one.referred):
        if plan.mentor is None or plan.matched is None or plan.second:
            continue
        kind = _kind(plan)
        before = [
            one
            for one in year.plans
            if one.matched
            and one.matched < plan.matched
            and plan.mentor in (one.mentor, one.second.mentor if one.second else None)
        ]
        if kind == "matches_first":
            assert before == [], plan.match_reason
        elif kind == "matches_again":
            assert any(one.second or (one.ended and one.ended < plan.matched) for one in before)
        elif kind == "matches_form":
            assert plan.mentor.form == plan.pupil.tutor_group(plan.matched.date(), year.days.today)
        begun[kind].append(plan)
    assert begun["matches_first"]
    assert begun["matches_again"]


def _kind(plan: Plan) -> str:
    for name in ("matches", "matches_first", "matches_again", "matches_form"):
        if plan.match_reason in {plan.say(text) for text in lists()[name]}:
            return name
    raise AssertionError(plan.match_reason)


def test_a_mentor_who_asked_for_somebody_else_isn_t_matched(year: Year) -> None:
    asked = [plan for plan in year.plans if plan.referrer]
    assert len(asked) == sum(tale.route == "mentor" for tale in tales())
    assert all(plan.referrer not in (plan.mentor, plan.second and plan.second.mentor) for plan in asked)
    # Nobody says what only the caseload could bear out.
    assert not any(re.search("already have (two|one)", text) for text in _everything())


def test_a_form_has_one_tutor_and_a_tutor_one_form(year: Year) -> None:
    forms: dict[tuple[int, str], set[str]] = defaultdict(set)
    for plan in year.plans:
        tutor, _, role = plan.referred_by.partition(", ")
        if role == "form tutor":
            day = plan.referred.date()
            form = plan.pupil.tutor_group(day, year.days.today)
            forms[school_year(day), tutor].add(form)
            assert tutor == tutor_of(form)
            assert form_of(tutor) == form
    assert len(forms) > 10
    assert all(len(of_one) == 1 for of_one in forms.values())
    assert len({tutor_of(f"{of}{form}") for of in (7, 8, 9) for form in "HWBCLR"}) == 18


def test_an_answer_belongs_to_its_objection() -> None:
    (_, waiting), *others = objections()
    assert waiting == ""
    assert all(agreed for _, agreed in others)
    who = next(agreed for said, agreed in others if "who the mentor is" in said)
    assert "{mentor}" in who


def test_nobody_is_in_a_year_that_the_story_isn_t_about(year: Year) -> None:
    today = year.days.today
    assert all(plan.pupil.year_on(plan.referred.date(), today) in plan.tale.years for plan in year.plans)


def test_disclosures_are_days_apart_and_of_people_with_different_names(year: Year) -> None:
    plans = [(year.by_key[script.key], script.after) for script in scripts()]
    days = sorted(told_at(plan, after).date() for plan, after in plans)
    # The two newest are told within a week, so that something is new on any day.
    assert all((later - sooner).days >= 2 for sooner, later in pairwise(days))
    heard = [plan.pupil.called for plan, _ in plans]
    heard += [plan.mentor.pupil.called for plan, _ in plans if plan.mentor]
    assert len(set(heard)) == len(heard)


def test_a_meeting_is_where_its_notes_say(year: Year) -> None:
    met = [(meeting, plan) for plan in year.plans for meeting in plan.meetings if meeting.session]
    found = set()
    for meeting, plan in met:
        assert meeting.session
        for words, places in _OUT_OF_THE_ROOM.items():
            if re.search(words, f"{meeting.session.focus} {meeting.session.notes}"):
                found.add(words)
                assert meeting.place.startswith(places), (meeting.place, plan.tale.words)
    assert found == set(_OUT_OF_THE_ROOM)
    assert not any(_WINTER.search(place) for place in lists()["places"])
    assert len(lists()["places"]) > 20


def test_nothing_takes_longer_than_there_was_time(year: Year) -> None:
    for plan in year.plans:
        if plan.matched is None:
            continue
        for text, moment in ((plan.tale.reason, plan.ended), (plan.tale.more_because, plan.extended)):
            for number, whole in ((m[1], m[0]) for m in _WEEKS.finditer(text)):
                weeks = _NUMBERS[number] if number else 2 if "fortnight" in whole else 4
                assert moment is None or (moment - plan.matched).days >= 7 * weeks, text
    notes = [f"{one.focus} {one.notes}" for tale in tales() for one in (*tale.sessions, *tale.more)]
    assert [text for text in notes if _IN_SESSIONS.search(text) and "carried a cello" not in text] == []


def test_a_family_gives_its_children_names_that_it_might_know() -> None:
    """Mixed couples are rare: no Welsh or Irish name that most of a family with another one have."""
    welsh = {"Gethin", "Rhys", "Owain", "Iwan", "Cerys", "Ffion", "Siân", "Carys", "Bronwen"}
    irish = {"Byrne", "Murphy", "O'Neill", "O'Connor", "Gallagher", "Sweeney", "Doyle", "Brennan"}
    ghana = {"Mensah", "Boateng", "Owusu", "Asante", "Osei", "Appiah", "Danso"}
    igbo = {"Ngozi", "Adaeze", "Chidi", "Ebuka", "Obinna", "Oluchi", "Chidinma"}
    sikh = {"Gurdeep", "Harjit", "Manpreet", "Harpreet"}

    def those(given: set[str], family: set[str]) -> list[Pupil]:
        return [one for one in pupils() if one.given_name in given and one.family_name in family]

    assert those(welsh, irish) == []
    assert those(igbo, ghana) == []
    assert those(sikh, {"Patel", "Reddy", "Sharma", "Iyer"}) == []
    assert those({"Xin", "Hao"}, {"García", "Santos", "Tanaka", "Reyes"}) == []
    assert not [p for p in pupils() if (p.family_name, p.pronoun) in {("Kaur", "he"), ("Singh", "she")}]


def test_the_day_s_plan_reads_the_same_twice() -> None:
    def written(plan: Plan) -> tuple[object, ...]:
        return plan.match_reason, plan.expectations, plan.place, plan.letters

    today = date(2026, 11, 22)
    assert list(map(written, Year(today).plans)) == list(map(written, Year(today).plans))
