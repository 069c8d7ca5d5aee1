"""The invented year on paper: which case begins when, who mentors it, and on which days they meet.

Nothing here is recorded. What lies after now is planned as well, so that whatever is open today is open
because its end hasn't come.
"""

import random
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from app.demo.diary import WEEK, Diary
from app.demo.people import Pupil, pupils
from app.demo.plans import Plan, Second
from app.demo.recruits import CASELOAD, Recruit, recruit_all
from app.demo.scripts import scripts
from app.demo.tales import Tale, say, tales
from app.demo.terms import Days, is_school_day, next_school_day
from app.demo.wording import Wording, tutor_of

DAYS: Final = 185
"""School days that the story covers: nearly a school year."""
_OLDEST: Final = 168
_RECENT: Final = (52, 8)
_RECENT_CASES: Final = 34
_PINNED: Final = {
    "partner": 150, "slipper": 138, "hunger": 124, "carer": 116, "arms": 108, "parcel": 92, "baby": 52,
}  # fmt: skip
"""How many school days ago cases were referred in which something was disclosed that is settled by now."""
_MET: Final = {"nan": (5, 9), "online": (2, 3), "brother": (1, 1)}
"""Which session of the other cases with a disclosure was how many school days ago."""
_APART_DAYS: Final = 4
"""Calendar days between two disclosures, at least."""
_WAITING: Final = (6, 4, 3, 2, 1)
_QUIET_BACK: Final = 19
_AT_REVIEW: Final = 3
"""How many cases are to be reviewed, at least."""
_TRIES: Final = 30
_MENTEE_YEARS: Final = (7, 8, 9)
_DECLINED: Final = (158, 139, 121, 104, 87, 70, 44, 23, 9)


class Year:
    """The whole plan up to `today`: `recruits` and `plans`, the same for the same day."""

    def __init__(self, today: date) -> None:
        self.days = Days(today, DAYS)
        self._chance = random.Random(today.toordinal())  # noqa: S311 - a story, not a secret
        self.recruits = recruit_all(self._chance, self.days, pupils())
        oldest = max(_MENTEE_YEARS) + 1
        self._pupils = [p for p in pupils() if p.year_group <= oldest and not p.left]
        self._taken = {recruit.pupil.name for recruit in self.recruits}
        self._wording = Wording(self._chance, today)
        self._diary = Diary(self._chance, self.days, self._wording)
        self._in_scripts: set[str] = set()
        self.plans = sorted(self._plans(), key=lambda plan: plan.referred)
        self._give_mentors()
        over = [p for p in self._plain() if p.span[1] < self.days.back(20) and len(p.meetings) >= 6]
        now = [p for p in self._plain() if p.span[0] < self.days.back(14) and p.span[1] > today]
        now = [p for p in now if p.mentor and not p.mentor.sign_in]
        self._hand_over(over[3::7])
        self._go_quiet(now)
        back = [p for p in over if p.pupil.year_group in _MENTEE_YEARS][-25:]
        self.comes_back = next(p for p in back if p.second is None and p.tale.ending == "closed")
        waits = next(p for p in reversed(now) if p.stops_before is None and self._next_after(p, 7) > 0)
        waits.stops_before = self._next_after(waits, 7)
        waits.ended = None
        self.objections = [waits, *over[5:60:37][:2]]
        for plan in over[8:80:19]:
            meeting = plan.meetings[2]
            meeting.misread = meeting.minutes * 10
        going_on = [p for p in now if p.stops_before is None]
        for recruit in [p.mentor for p in going_on if p.mentor][:2]:
            recruit.supervised = False
        going_on[-1].letter = False
        self._wording.write(self.plans)

    @property
    def by_key(self) -> dict[str, Plan]:
        """The cases that something more happens in."""
        return {plan.tale.key: plan for plan in self.plans if plan.tale.key}

    # What is unlike the others

    def _plain(self) -> list[Plan]:
        """Cases with nothing special about them so far."""
        return [plan for plan in self.plans if plan.mentor and not plan.tale.key]

    def _next_after(self, plan: Plan, back: int) -> int:
        """The number of the first meeting from that school day on."""
        since = self.days.back(back)
        numbers = [n for n, meeting in enumerate(plan.meetings) if meeting.starts.date() >= since]
        return numbers[0] if numbers else 0

    def _go_quiet(self, now: Sequence[Plan]) -> None:
        """Two cases in which nobody has recorded a meeting for weeks."""
        old = [p for p in now if p.meetings[0].recorded.date() < self.days.back(_QUIET_BACK)]
        for plan in old[:2]:
            plan.stops_before = self._next_after(plan, _QUIET_BACK)
            plan.ended = None

    def _hand_over(self, plans: Sequence[Plan]) -> None:
        """Two cases that another mentor brought to their end."""
        done = 0
        for plan in plans:
            last = plan.meetings[2].recorded
            ended = next_school_day(last.date())
            matched = next_school_day(ended, 2)
            if done == 2 or matched >= plan.meetings[3].starts.date() or plan.tale.more:
                continue
            mentor = self._mentor_for(plan)
            if plan.mentor in (None, mentor) or _goes_on_elsewhere(plan, ended):
                continue
            mentor.busy.append(plan.span)
            why = plan.say(_WHY_HANDED_OVER[done])
            times = self._diary.time(ended, 9, 11), self._diary.time(matched, 9, 11)
            plan.second = Second(2, *times, mentor, why)
            done += 1

    # When

    def _plans(self) -> list[Plan]:
        told = list(tales())
        self._chance.shuffle(told)
        plain = [t for t in told if not t.key and t.ending in ("closed", "stopped")]
        pinned = {t.key: t for t in told if t.key}
        backs = self._referral_days(len(plain))
        found = [self._case(tale, back) for tale, back in zip(plain, backs, strict=True)]
        found += self._with_scripts(pinned)
        for ending, days in (("waiting", _WAITING), ("declined", _DECLINED)):
            some = [t for t in told if t.ending == ending]
            found += [self._referral(tale, self.days.back(b)) for tale, b in zip(some, days, strict=True)]
        for plan in found:
            if plan.tale.ending == "declined":
                on = next_school_day(plan.referred.date(), self._chance.randint(1, 3))
                plan.ended = self._diary.time(on, 10, 15)
        self._keep_some_at_review(found)
        return found

    def _keep_some_at_review(self, plans: Sequence[Plan]) -> None:
        """Let the newest endings wait a day or two where a coordinator would have nothing to review."""
        today = self.days.today
        met = [p for p in plans if p.ended and not p.tale.key and p.tale.ending == "closed"]
        met = [p for p in met if p.meetings[-1].recorded.date() < today]
        met.sort(key=lambda plan: plan.ended or plan.referred, reverse=True)
        for number, plan in enumerate(met[:_AT_REVIEW]):
            if plan.ended and plan.ended.date() <= today:
                plan.ended = self._diary.time(next_school_day(today, number + 1), 14, 16)

    def _with_scripts(self, pinned: dict[str, Tale]) -> list[Plan]:
        """The cases in which something is disclosed, and never in two of them within days of each other."""
        after = {script.key: script.after for script in scripts()}
        found: list[Plan] = []
        days: list[date] = []

        def keep(plan: Plan) -> None:
            found.append(plan)
            days.append(told_on(plan, after[plan.tale.key]))
            self._in_scripts.add(plan.pupil.called)

        for key, met in _MET.items():
            keep(self._case_met(pinned[key], *met))
        for key, back in _PINNED.items():
            plan = self._case(pinned[key], back, weekly=True)
            for more in range(1, _TRIES):
                told = told_on(plan, after[key])
                if all(abs((told - day).days) >= _APART_DAYS for day in days):
                    break
                self._taken.discard(plan.pupil.name)
                plan = self._case(pinned[key], min(back + more, _OLDEST - 1), weekly=True)
            keep(plan)
        return found

    def _referral_days(self, count: int) -> list[int]:
        newest, oldest = _RECENT[1], _RECENT[0]
        recent = [newest + (oldest - newest) * n // _RECENT_CASES for n in range(_RECENT_CASES)]
        rest = count - len(recent)
        return recent + [oldest + 1 + (_OLDEST - oldest) * n // rest for n in range(rest)]

    def _case(self, tale: Tale, back: int, *, weekly: bool = False) -> Plan:
        weekly = weekly or self._chance.random() < 0.6
        earlier = range(back, _OLDEST, 3)
        elsewhere = (self._chance.randint(_RECENT[0], _OLDEST) for _ in range(_TRIES))
        for day in map(self.days.back, (*earlier, *elsewhere)):
            plan = self._referral(tale, day)
            for gap in (7,) if weekly else (14, 7):
                self._diary.meet(plan, gap)
                if not self._diary.crosses_summer(plan):
                    return plan
            self._taken.discard(plan.pupil.name)
        plan = self._referral(tale, self.days.back(back))
        self._diary.meet(plan, 7)
        return plan

    def _case_met(self, tale: Tale, session: int, back: int) -> Plan:
        """A case whose session of that number was so many school days ago."""
        met = [self.days.back(back)]
        while len(met) <= session:
            day = met[0] - WEEK
            while not is_school_day(day):
                day -= WEEK
            met.insert(0, day)
        begun = Days(met[0], 8)
        plan = self._referral(tale, begun.back(7))
        self._diary.meet(plan, 7, first=met[0], matched=begun.back(4))
        plan.ended = None
        return plan

    def _referral(self, tale: Tale, day: date) -> Plan:
        today = self.days.today
        free = [
            one
            for one in self._pupils
            if one.name not in self._taken
            and one.is_here(day, today)
            and one.year_on(day, today) in _MENTEE_YEARS
            and tale.mentee.fits(one)
            and not self._is_heard(tale, one)
        ]
        pupil = self._chance.choice([p for p in free if p.year_on(day, today) in tale.years] or free)
        self._taken.add(pupil.name)
        mentor = self._asking_mentor(day) if tale.route == "mentor" else None
        return Plan(
            tale,
            pupil,
            referred=self._diary.time(day, 8, 12),
            referred_by=f"{mentor.pupil.shown}, peer mentor" if mentor else self._referrer(tale, pupil, day),
            coordinator=self._chance.choice(("coordinator", "coordinator", "coordinator2")),
            referrer=mentor,
        )

    def _asking_mentor(self, day: date) -> Recruit:
        ready = [r for r in self.recruits if r.stage == "ready" and r.ready_on < day]
        return self._chance.choice([r for r in ready if r.stands_down is None or r.stands_down > day])

    def _referrer(self, tale: Tale, pupil: Pupil, day: date) -> str:
        if tale.asked_by:
            return say(tale.asked_by, pupil)
        if tale.route == "staff":
            return f"{tutor_of(pupil.tutor_group(day, self.days.today))}, form tutor"
        return say(self._wording.draw(_SAID_BY[tale.route]), pupil)

    # Who

    def _give_mentors(self) -> None:
        by_sign_in = {recruit.sign_in: recruit for recruit in self.recruits if recruit.sign_in}
        mentored = [plan for plan in self.plans if plan.matched]
        today = self.days.today
        now = [p for p in mentored if not p.tale.key and p.span[1] > next_school_day(today, 4)]
        now = [p for p in now if len([m for m in p.meetings if m.recorded.date() < today]) >= 2]
        for sign_in in ("mentor", "mentor", "mentor2"):
            recruit = by_sign_in[sign_in]
            plan = next(p for p in reversed(now) if p.mentor is None and self._fits(recruit, p, CASELOAD))
            self._give(recruit, plan)
        for plan in mentored:
            if plan.mentor is None:
                self._give(self._mentor_for(plan), plan)

    def _mentor_for(self, plan: Plan) -> Recruit:
        for caseload in range(1, CASELOAD + 1):
            free = [r for r in self.recruits if self._fits(r, plan, caseload)]
            free = [r for r in free if not (r.sign_in and plan.span[1] >= self.days.today)]
            if free:
                fewest = min(len(r.busy) for r in free)
                return self._chance.choice([r for r in free if len(r.busy) == fewest])
        raise LookupError("The invented school has too few mentors for its cases.")

    def _fits(self, recruit: Recruit, plan: Plan, caseload: int) -> bool:
        begins, ends = plan.span
        may = recruit.may_take(plan.pupil, begins, ends, self.days.today)
        may = may and plan.tale.mentor.fits(recruit.pupil) and recruit is not plan.referrer
        return may and not self._is_heard(plan.tale, recruit.pupil) and recruit.load(begins, ends) < caseload

    def _is_heard(self, tale: Tale, pupil: Pupil) -> bool:
        """Whether somebody of that name is in another disclosure: the lead would mix them up."""
        return bool(tale.key) and pupil.called in self._in_scripts

    def _give(self, recruit: Recruit, plan: Plan) -> None:
        plan.mentor = recruit
        recruit.busy.append(plan.span)
        if plan.tale.key:
            self._in_scripts.add(recruit.pupil.called)


def told_on(plan: Plan, after: int) -> date:
    """The day of the session of that number: what is said in it is said on that day."""
    return [meeting for meeting in plan.meetings if meeting.session][after].starts.date()


def _goes_on_elsewhere(plan: Plan, ended: date) -> bool:
    """Whether the mentor of this case has another mentee within the weeks after its end."""
    until = ended + _AWAY
    busy = plan.mentor.busy if plan.mentor else []
    return any(b <= until and e >= ended for b, e in busy if (b, e) != plan.span)


_AWAY: Final = timedelta(days=40)
_WHY_HANDED_OVER: Final = (
    "{mentor} has to be at home more for now and can't come. {name} was told by both of us.",
    "{mentor} has a broken ankle and can't do stairs for some weeks. {name} would rather go on than wait.",
)
_SAID_BY: Final = {"self": "selves", "parent": "parents"}
