"""Which stories the invented year has: some thirty cases in every state, and what was disclosed in some."""

from typing import Final

from app.demo.cases import Plan, mentoring
from app.demo.disclosures import (
    about_staff,
    decided_not_to_refer,
    early_help_goes_on,
    fresh_concern,
    read_and_undecided,
    referred_to_the_council,
)
from app.demo.telling import Cast, Story, Teller
from app.demo.themes import (
    ATTENDANCE,
    CONFIDENCE,
    FALLING_OUT,
    FAMILY_CHANGE,
    FRIENDS,
    NEW_TO_ENGLISH,
    ORGANISING,
    SETTLING,
    Theme,
)

NOT_KEEN: Final = "{name} would rather spend lunch with the new friends now, and said so kindly."


def stories(t: Teller, cast: Cast) -> list[Story]:
    """Every story of cases and concerns, each beginning at its own time."""
    disclosed, not_referred, helped = (
        Plan(150, FALLING_OUT, "Cerys Davies", close=True),
        Plan(36, FAMILY_CHANGE, "Safiya Ahmed"),
        Plan(68, ATTENDANCE, "Kofi Francis"),
    )
    unread, undecided = (
        Plan(27, CONFIDENCE, "Nathan Cooper", "self"),
        Plan(34, FRIENDS, "Diya Singh", "parent"),
    )
    came_back = Plan(118, SETTLING, "Martha Barker", close=True)
    handed_over = Plan(100, FALLING_OUT, "Owain Mackenzie", stop_after=3)
    objected = Plan(31, SETTLING, "Zara Mirza", stop_after=2)
    plans = [
        Plan(165, ATTENDANCE, "Amina Chowdhury", close=True),
        Plan(160, FRIENDS, "Josiah Campbell-Reid", "self", close=True),
        disclosed,
        Plan(152, ORGANISING, "Fergus O'Neill", missed=(2,), close=True),
        Plan(146, CONFIDENCE, "Zara Mirza", asks_for_more=True, extend_by=3, close=True),
        Plan(135, NEW_TO_ENGLISH, "Nathan Cooper", sessions=3, close_early=NOT_KEEN),
        Plan(128, SETTLING, "Matilda Shaw", "parent", late=(1,), close=True),
        came_back,
        Plan(112, FAMILY_CHANGE, "Safiya Ahmed", "parent", close=True),
        handed_over,
        Plan(63, FRIENDS, "Amina Chowdhury", late=(4,)),
        Plan(65, ORGANISING, "Fergus O'Neill", asks_for_more=True),
        Plan(71, SETTLING, "Jun Li", "parent", missed=(1,)),
        helped,
        Plan(88, CONFIDENCE, "Josiah Campbell-Reid", asks_for_more=True, extend_by=4),
        Plan(94, NEW_TO_ENGLISH, "Diya Singh", asks_for_more=True, extend_by=5),
        Plan(55, FAMILY_CHANGE, "Cerys Davies", "parent", missed=(2,)),
        Plan(42, ATTENDANCE, "Jun Li", stop_after=1),
        objected,
        not_referred,
        unread,
        undecided,
        Plan(21, FALLING_OUT, "Amina Chowdhury", late=(0,)),
        Plan(14, NEW_TO_ENGLISH, "Seán Mackenzie"),
        Plan(5, ORGANISING, "Martha Barker"),
        Plan(11, SETTLING, route="self"),
        Plan(8, FRIENDS, route="parent"),
        Plan(4, ATTENDANCE, route="staff"),
        Plan(2, CONFIDENCE, route="mentor"),
    ]
    return [
        *(mentoring(t, cast, plan, number) for number, plan in enumerate(plans)),
        declined(t, cast, 82, ATTENDANCE, "School nurse: the worry is about sleep and headaches."),
        declined(t, cast, 18, FALLING_OUT, "The head of year, who is already dealing with the messages."),
        named_in_words(t, cast),
        coming_back(t, cast, came_back),
        handing_over(t, cast, handed_over),
        guardian_objects(t, cast, objected),
        referred_to_the_council(t, cast, disclosed),
        decided_not_to_refer(t, cast, not_referred),
        early_help_goes_on(t, cast, helped),
        read_and_undecided(t, cast, undecided),
        about_staff(t, cast),
        fresh_concern(t, cast, unread),
    ]


def declined(t: Teller, cast: Cast, back: int, theme: Theme, signposted_to: str) -> Story:
    """A mentoring referral for which the scheme isn't the right help."""
    plan = Plan(back, theme)
    yield from mentoring(t, cast, plan, back)
    yield t.time(back - 2, "10:45")
    t.give(
        cast.staff["coordinator"],
        "cases/decline",
        plan.case_id,
        reason=plan.say("{name} needs an adult's help with this first. A mentor may follow later."),
        signposted_to=signposted_to,
    )


def named_in_words(t: Teller, cast: Cast) -> Story:
    """A tutor's form, which names the pupil in words: the coordinator still has to find them on the roll."""
    yield t.time(1, "09:10")
    t.give(
        cast.staff["tutor"],
        "cases/refer",
        pupil_in_words="The tall boy in my Year 8 form who joined after half-term",
        route="staff",
        reasons=["friendships", "settling in"],
        words="Sits by himself in registration, leaves at the bell. I think he would say yes to a mentor.",
        referred_by="Mr Farrell",
    )


def coming_back(t: Teller, cast: Cast, plan: Plan) -> Story:
    """Closed, and open again: "can I come back?"."""
    yield t.time(7, "12:25")
    t.give(
        cast.staff["coordinator"],
        "cases/reopen",
        plan.case_id,
        reason=plan.say(
            "{name} came to the drop-in room and asked to come back: the old worry has returned."
        ),
    )


def handing_over(t: Teller, cast: Cast, plan: Plan) -> Story:
    """The mentor stands down; another takes the case and brings it to its end."""
    yield t.time(64, "11:35")
    price = cast.staff["coordinator"]
    t.give(
        price,
        "cases/end-match",
        plan.case_id,
        reason=plan.say("The mentor stands down for exams. {name} was told, and thanked them."),
    )
    yield t.time(60, "10:20")
    t.give(
        price,
        "cases/match",
        plan.case_id,
        mentor_id=str(cast.mentors["Zara Mirza"]),
        reason=plan.say("{name} asked for somebody who likes drawing."),
    )
    mentor = cast.mentor_accounts["Zara Mirza"]
    for turn, back in enumerate((55, 45, 35), start=3):
        yield t.time(back, "13:40")
        focus, notes = plan.theme.sessions[turn]
        t.give(
            mentor,
            "cases/hold-session",
            plan.case_id,
            held_on=t.day(back).isoformat(),
            minutes=30,
            focus=focus,
            notes=plan.say(notes),
        )
    yield t.time(32, "14:30")
    t.give(
        price, "cases/close", plan.case_id, outcome=plan.theme.outcome, reason=plan.say(plan.theme.closing)
    )


def guardian_objects(t: Teller, cast: Cast, plan: Plan) -> Story:
    """A guardian objects, so the case waits."""
    yield t.time(12, "15:05")
    t.give(
        cast.staff["coordinator"],
        "cases/hold",
        plan.case_id,
        reason=plan.say("{name}'s father telephoned: he didn't see the letter home and wants to talk first."),
    )
