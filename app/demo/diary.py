"""When people of the invented year meet: on which days, at which time, and when it ends."""

import random
import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

from app.demo.plans import Meeting, Plan
from app.demo.tales import Session
from app.demo.terms import Days, at, first_day, is_school_day, next_school_day, school_year
from app.demo.wording import Wording

WEEK: Final = timedelta(days=7)
_SETTLED_DAYS: Final = 60
"""Calendar days after the summer from which on no case was carried over it."""
_LUNCH: Final = ("12:50", "12:55", "13:00", "13:05", "13:10")
_CLOCKS: Final = (*_LUNCH, "15:20")
_AT_LUNCH: Final = re.compile(r"lunch|canteen|break|\bate?\b|eat|pudding|queue", re.IGNORECASE)
_MOST_MISSED: Final = 2


class Diary:
    """Fills in the days and times of plans."""

    def __init__(self, chance: random.Random, days: Days, wording: Wording) -> None:
        self._chance = chance
        self._days = days
        self._wording = wording

    def meet(self, plan: Plan, gap: int, first: date | None = None, matched: date | None = None) -> None:
        """Plan the match, the meetings and the end."""
        chance, tale = self._chance, plan.tale
        matched = matched or next_school_day(plan.referred.date(), chance.randint(2, 4))
        plan.matched = self.time(matched, 9, 11)
        day = first or next_school_day(matched, chance.randint(2, 4))
        said = [f"{one.focus} {one.notes}" for one in (*tale.sessions, *tale.more)]
        over_lunch = any(map(_AT_LUNCH.search, (tale.words, tale.purpose, *said)))
        clock = chance.choice(_LUNCH if over_lunch or tale.key else _CLOCKS)
        plan.meetings, plan.asked, plan.extended = [], None, None
        day = self._some_meetings(plan, day, clock, gap, tale.sessions, exact=first is not None)
        last = plan.meetings[-1].recorded
        if tale.more:
            plan.asked = last + timedelta(minutes=4)
            extended = next_school_day(last.date(), chance.randint(1, 4))
            plan.extended = self.time(extended, 10, 12)
            while day <= extended:
                day += WEEK
            self._some_meetings(plan, day, clock, gap, tale.more)
        on = next_school_day(plan.meetings[-1].recorded.date(), chance.randint(2, 6))
        plan.ended = self.time(on, 14, 16)

    def _some_meetings(
        self,
        plan: Plan,
        day: date,
        clock: str,
        gap: int,
        sessions: Sequence[Session],
        *,
        exact: bool = False,
    ) -> date:
        """Add them, with some that didn't happen, and give the day after which the next one would be."""
        for session in sessions:
            while not is_school_day(day):
                day += WEEK
            starts, minutes = at(day, clock), self._chance.choice((20, 25, 25, 30, 30, 35, 40))
            missed = sum(meeting.session is None for meeting in plan.meetings)
            if plan.meetings and missed < _MOST_MISSED and not exact and self._chance.random() < 0.1:
                recorded = starts + timedelta(minutes=self._chance.randint(15, 50))
                plan.meetings.append(Meeting(starts, 0, recorded, None, self._wording.draw("missed")))
                day += WEEK
                while not is_school_day(day):
                    day += WEEK
                starts = at(day, clock)
            recorded = starts + timedelta(minutes=minutes + self._chance.randint(3, 20))
            if not exact and self._chance.random() < 0.08:
                recorded = self.time(next_school_day(day, self._chance.randint(1, 3)), 8, 9)
            plan.meetings.append(Meeting(starts, minutes, recorded, session))
            day += timedelta(days=gap)
        return day

    def crosses_summer(self, plan: Plan) -> bool:
        """Whether it would have to wait for the end of a summer that is some time ago."""
        summer = first_day(school_year(self._days.today))
        if (self._days.today - summer).days < _SETTLED_DAYS:
            return False
        return plan.referred.date() < summer and plan.span[1] >= summer

    def time(self, day: date, first: int, last: int) -> datetime:
        """A time of that day, from the first hour to before the last."""
        minute = self._chance.randint(first * 60 + 5, last * 60 - 5)
        return at(day, f"{minute // 60:02d}:{minute % 60:02d}")
