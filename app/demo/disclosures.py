"""What some mentees told their mentors in the invented year, and what the safeguarding lead did about it."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from app.demo.cases import Plan
from app.demo.telling import Cast, Story, Teller, later
from app.demo.terms import at

FRESH_MINUTES: Final = 40


def _told(t: Teller, cast: Cast, plan: Plan, when: datetime, **said: object) -> UUID:
    """The mentor breaks confidentiality, and the lead and the deputy are alerted."""
    mentor = plan.mentor_person
    if mentor is None or plan.case_id is None:
        raise LookupError("Only somebody who has a mentor tells a mentor.")
    concern = t.worry(mentor, plan.case_id, disclosed_at=when.isoformat(), **said)
    t.casework.demo_time = later(when, 12)
    t.alerted(concern, (cast.staff["dsl"], cast.staff["deputy"]))
    return concern


def referred_to_the_council(t: Teller, cast: Cast, plan: Plan) -> Story:
    """Not safe at home: referred, assessed, closed with another's approval, and the case went on."""
    when = t.time(118, "13:50")
    yield later(when, 10)
    hughes, okonkwo = cast.staff["dsl"], cast.staff["deputy"]
    concern = _told(
        t,
        cast,
        plan,
        when,
        childs_words="He locks me out when he's been drinking. I sat in the park. Please don't tell.",
        facts=plan.say("{name} was crying. No coat, and it was cold. It was about the mother's partner."),
        opinion="I think it has happened more than once.",
        immediate_danger=False,
        passed_on=[{"whom": "Ms Price, in the corridor", "at": "straight after"}],
        mentee_informed=plan.say("Yes. I said I can't keep this one. {name} nodded."),
    )
    yield t.time(118, "14:20")
    t.give(hughes, "concerns/acknowledge", concern)
    yield t.time(118, "15:10")
    t.give(hughes, "concerns/assess", concern, threshold="Significant harm", reason="Left outside at night.")
    t.give(
        hughes,
        "concerns/decide",
        concern,
        decision="refer",
        rationale="A child left outside at night by an adult who had been drinking, more than once.",
        alternatives="Early help was considered: not enough while the adult is in the home.",
    )
    yield t.time(118, "15:40")
    t.give(
        hughes,
        "concerns/refer-out",
        concern,
        body="Children's Services, front door",
        reference="CS-20417",
        sent_at=t.time(118, "15:35").isoformat(),
    )
    t.give(
        hughes,
        "concerns/share",
        concern,
        with_whom="The mother, by telephone",
        what="That we are worried and have asked Children's Services for help",
        basis="Safe to tell her: she doesn't live in fear of him and asked for help herself.",
    )
    yield t.time(117, "09:05")
    told_on = t.day(117).isoformat()
    t.give(
        hughes, "concerns/inform-child", concern, told_on=told_on, words="Who will call, and that it's okay."
    )
    t.give(
        hughes,
        "concerns/assign-action",
        concern,
        action="Check in each morning at registration",
        owner="Mr Okonkwo",
        due_on=t.day(108).isoformat(),
    )
    yield t.time(112, "11:30")
    t.give(
        hughes,
        "concerns/record-outcome",
        concern,
        outcome="Assessment under section 17. The partner has moved out; a family worker visits weekly.",
        received_on=t.day(112).isoformat(),
    )
    t.give(
        hughes, "cases/release", plan.case_id, reason="The mentoring helps, and may go on alongside the plan."
    )
    yield t.time(107, "15:15")
    t.give(
        okonkwo,
        "concerns/complete-action",
        concern,
        action_version=9,
        done_on=t.day(108).isoformat(),
        notes="Ten mornings, no missed day.",
    )
    yield t.time(72, "14:05")
    t.give(
        hughes,
        "concerns/close",
        concern,
        outcome="Child in need plan ended by Children's Services",
        rationale="Two reviews without new worries. The family worker stays in touch.",
    )
    yield t.time(71, "09:20")
    t.give(okonkwo, "concerns/approve-closing", concern)


def decided_not_to_refer(t: Teller, cast: Cast, plan: Plan) -> Story:
    """A worry that was looked into and wasn't referred, with the reason why not."""
    when = t.time(17, "13:05")
    yield later(when, 15)
    concern = _told(
        t,
        cast,
        plan,
        when,
        childs_words="Mum forgets me now there's the baby. I had cereal for tea again.",
        opinion=plan.say("{name} looked well, but sad."),
        mentee_informed="Yes",
    )
    okonkwo = cast.staff["deputy"]
    yield t.time(17, "14:40")
    t.give(okonkwo, "concerns/acknowledge", concern)
    yield t.time(16, "10:30")
    t.give(
        okonkwo,
        "concerns/decide",
        concern,
        decision="no_further_action",
        rationale="Spoke with the pupil, the form tutor and mum. Tired, not neglectful: cereal by choice. "
        "Attendance, weight and mood are fine. The health visitor knows the family.",
        alternatives="Early help was offered to mum, who will think about it.",
    )
    told_on = t.day(16).isoformat()
    t.give(okonkwo, "concerns/inform-child", concern, told_on=told_on, words="That it was right to say it.")
    t.give(okonkwo, "cases/release", plan.case_id, reason="No reason to wait.")
    yield t.time(10, "12:00")
    t.give(
        okonkwo,
        "concerns/close",
        concern,
        outcome="No further action",
        rationale="A second talk after a week: things are better at home.",
    )


def early_help_goes_on(t: Teller, cast: Cast, plan: Plan) -> Story:
    """Early help that is still under way: the case is at its review, and on hold."""
    when = t.time(24, "13:45")
    yield later(when, 5)
    concern = _told(
        t,
        cast,
        plan,
        when,
        childs_words="I look after my nan at night so I can't sleep. Nobody knows.",
        facts=plan.say("{name} fell asleep twice while we talked."),
        immediate_danger=False,
        mentee_informed=plan.say("{name} asked me to tell Ms Hughes."),
    )
    hughes = cast.staff["dsl"]
    yield t.time(24, "15:25")
    t.give(hughes, "concerns/acknowledge", concern)
    yield t.time(23, "11:10")
    t.give(
        hughes,
        "concerns/decide",
        concern,
        decision="early_help",
        rationale="A young carer without support. The family agreed to an early help assessment.",
        alternatives="A referral wasn't needed: the family works with us.",
    )
    t.give(
        hughes,
        "concerns/assign-action",
        concern,
        action="Young carers' assessment with the family",
        owner="Ms Hughes",
        due_on=at(t.day(-4), "12:00").date().isoformat(),
    )


def read_and_undecided(t: Teller, cast: Cast, plan: Plan) -> Story:
    """Read yesterday, not decided yet."""
    when = t.time(1, "13:55")
    yield later(when, 10)
    concern = _told(
        t,
        cast,
        plan,
        when,
        childs_words="There's a man on the game who keeps asking which school I go to.",
        facts=plan.say("{name} showed me the messages. I didn't take a picture."),
        mentee_informed="Yes, and we went to Ms Hughes's office together.",
    )
    yield t.time(1, "14:35")
    t.give(cast.staff["dsl"], "concerns/acknowledge", concern)


def about_staff(t: Teller, cast: Cast) -> Story:
    """An allegation about an adult: the head's to answer, and out of everybody else's sight."""
    yield t.time(29, "15:30")
    concern = t.worry(
        cast.staff["tutor"],
        None,
        about="staff",
        about_words="A visiting sports coach",
        facts="He gave his own telephone number to two Year 9 pupils after practice.",
        opinion="Probably thoughtless, but against the code.",
    )
    adeyemi = cast.staff["head"]
    t.alerted(concern, (adeyemi,))
    yield t.time(29, "16:05")
    t.give(adeyemi, "concerns/acknowledge", concern)
    yield t.time(28, "09:40")
    t.give(
        adeyemi,
        "concerns/decide",
        concern,
        decision="monitor",
        rationale="Low-level concern: the number was for lifts to a match. The club was told.",
        alternatives="The local authority designated officer was asked and agreed.",
    )


def fresh_concern(t: Teller, cast: Cast, plan: Plan) -> Story:
    """Told a little while ago, and nobody has read it yet."""
    when = t.now - timedelta(minutes=FRESH_MINUTES)
    yield when
    mentor = plan.mentor_person
    if mentor is None or plan.case_id is None:
        raise LookupError("The mentee has a mentor by now.")
    t.worry(
        mentor,
        plan.case_id,
        childs_words="If I told you something about my brother, would you have to tell?",
        facts=plan.say("{name} had a mark on the arm and pulled the sleeve down."),
        disclosed_at=(when - timedelta(minutes=15)).isoformat(),
        mentee_informed="Yes: I said that I can't promise to keep it.",
    )
