"""Which stories the invented year has: every planned case, and what else happened to some of them."""

from datetime import date, datetime

from app.demo.cases import mentoring
from app.demo.disclosures import about_staff, small_worry, told_at, told_to_mentors
from app.demo.mentors import looking_after
from app.demo.people import Pupil, pupils
from app.demo.planning import DAYS, Year
from app.demo.plans import Plan
from app.demo.scripts import scripts
from app.demo.telling import Cast, Story, Teller
from app.demo.terms import at, first_day, next_school_day, school_days_back, school_year
from app.demo.wording import form_of, objections


def stories(t: Teller, cast: Cast, year: Year) -> list[Story]:
    """Every story of cases and concerns, each beginning at its own time."""
    plans = year.by_key
    found = [mentoring(t, cast, plan) for plan in year.plans]
    found += told_to_mentors(t, cast, plans)
    for turn, script in enumerate(scripts()):
        plan = plans[script.key]
        if plan.mentor:
            told = told_at(plan, script.after).date()
            found.append(looking_after(t, cast, plan.mentor, told, turn))
    found += [objecting(t, cast, plan, number) for number, plan in enumerate(year.objections)]
    return [
        *found,
        named_in_words(t, cast),
        coming_back(t, cast, year.comes_back),
        small_worry(t, cast, _somebody_in(form_of("Mr Farrell"), year)),
        about_staff(t, cast),
        from_the_paper_file(t, cast),
    ]


def _somebody_in(form: str, year: Year) -> Pupil:
    """A pupil of that form without a case."""
    day, mentees = year.days.back(1), {plan.pupil.name for plan in year.plans}
    return next(p for p in pupils() if p.tutor_group(day, year.days.today) == form and p.name not in mentees)


def named_in_words(t: Teller, cast: Cast) -> Story:
    """A tutor's form, which names the pupil in words: the coordinator still has to find them on the roll."""
    yield t.time(1, "09:10")
    t.give(
        cast.staff["tutor"],
        "cases/refer",
        pupil_in_words="The tall boy in my form, with the blue rucksack",
        route="staff",
        reasons=["friendships", "settling_in"],
        words="Sits by himself in registration, leaves at the bell. I think he would say yes to a mentor.",
        referred_by="Mr Farrell",
    )


def coming_back(t: Teller, cast: Cast, plan: Plan) -> Story:
    """Closed, and open again: "can I come back?"."""
    yield t.time(5, "12:25")
    t.give(
        cast.staff["coordinator"],
        "cases/reopen",
        plan.case_id,
        reason=plan.say(
            "{name} came to the drop-in room and asked to come back: the old worry has returned."
        ),
    )


def from_the_paper_file(t: Teller, cast: Cast) -> Story:
    """A case of two school years ago, of a pupil who has left since: by now there is no reason to keep it."""
    yield t.time(DAYS - 2, "15:50")
    price, year = cast.staff["coordinator"], school_year(t.today) - 2
    left_on = school_days_back(first_day(year + 1), 1)[0]
    pupil_id = t.give(
        price,
        "pupils/enrol",
        given_name="Ambrose",
        family_name="Tolliver",
        born_on=date(left_on.year - 18, 3, 9).isoformat(),
        year_group=13,
        tutor_group="13B",
    )
    referred = next_school_day(first_day(year), 20)
    case_id = t.give(
        price,
        "cases/refer",
        pupil_id=pupil_id,
        route="staff",
        reasons=["under_achievement"],
        words="Copied from the paper file: finds Year 13 steep, and would like somebody to talk to.",
        referred_by="Mr Farrell",
        happened_on=referred.isoformat(),
    )
    t.give(
        price,
        "cases/decline",
        case_id,
        reason="Copied from the paper file: nobody older than Year 13 could mentor him.",
        signposted_to="The sixth-form tutor, who saw him each week.",
        happened_on=next_school_day(referred, 5).isoformat(),
    )
    yield t.time(DAYS - 2, "15:55")
    t.give(price, "pupils/leave", pupil_id, left_on=left_on.isoformat(), destination="University")


def objecting(t: Teller, cast: Cast, plan: Plan, number: int) -> Story:
    """A guardian objects, so the case waits; two of them agreed in the end."""
    objection, agreed = objections()[number]
    told = _after_the_first(plan) if number else t.time(7, "15:05")
    yield told
    t.give(cast.staff["coordinator"], "cases/hold", plan.case_id, reason=plan.say(objection))
    if number == 0:
        return
    yield at(next_school_day(told.date(), 2), "16:10")
    t.give(cast.staff["deputy"], "cases/release", plan.case_id, reason=plan.say(agreed))


def _after_the_first(plan: Plan) -> datetime:
    """The afternoon of the school day after the first meeting."""
    day = plan.meetings[0].recorded.date()
    return at(next_school_day(day), "15:05")
