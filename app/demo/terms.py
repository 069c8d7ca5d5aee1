"""When an invented English school is in session: dates worked out by rule, so that the demo fits any year."""

from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Final

from app.forms import LONDON

_DAY: Final = timedelta(days=1)
_MONDAY: Final = 0


def easter(year: int) -> date:
    """Easter Sunday (Butcher's method, Nature 1876)."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    offset = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * offset) // 451
    month, day = divmod(h + offset - 7 * m + 114, 31)
    return date(year, month, day + 1)


def school_year(on: date) -> int:
    """The calendar year in which the school year of that day began."""
    return on.year - (on.month < 9)


def first_day(year: int) -> date:
    """The first school day of the school year that begins in September of `year`."""
    return _weekday_from(date(year, 9, 3))


@cache
def is_school_day(day: date) -> bool:
    """Whether pupils are in school on that day."""
    holidays = _holidays(school_year(day))
    return day.weekday() < 5 and not any(begins <= day <= ends for begins, ends in holidays)


def school_days_back(today: date, count: int) -> list[date]:
    """The last `count` school days before `today`, the newest first: number 1 is at index 0."""
    days: list[date] = []
    day = today
    while len(days) < count:
        day -= _DAY
        if is_school_day(day):
            days.append(day)
    return days


def next_school_day(after: date, count: int = 1) -> date:
    """The school day that is `count` school days after a day."""
    day = after
    for _ in range(count):
        day += _DAY
        while not is_school_day(day):
            day += _DAY
    return day


class Days:
    """School days, counted from today."""

    def __init__(self, today: date, count: int) -> None:
        self.today = today
        self._back = school_days_back(today, count)

    def back(self, count: int) -> date:
        """The school day that lies so many school days back: 1 is the last one before today."""
        return self._back[count - 1] if count >= 1 else next_school_day(self.today, 1 - count)


def at(day: date, clock: str) -> datetime:
    """A time of day at school, such as "13:05"."""
    return datetime.combine(day, time.fromisoformat(clock), LONDON)


@cache
def _holidays(year: int) -> tuple[tuple[date, date], ...]:
    following = year + 1
    good_friday = easter(following) - 2 * _DAY
    easter_begins = good_friday - good_friday.weekday() * _DAY
    winter_half_term = _monday_by(date(following, 2, 20))
    spring_bank = _monday_by(date(following, 5, 31))
    autumn_half_term = _monday_by(date(year, 10, 31))
    may_day = _monday_by(date(following, 5, 7))
    return (
        (date(year, 9, 1), first_day(year) - _DAY),
        (autumn_half_term, autumn_half_term + 4 * _DAY),
        (_monday_by(date(year, 12, 24)), date(following, 1, 4)),
        (winter_half_term, winter_half_term + 4 * _DAY),
        (easter_begins, easter_begins + 11 * _DAY),
        (may_day, may_day),
        (spring_bank, spring_bank + 4 * _DAY),
        (date(following, 7, 22), date(following, 8, 31)),
    )


def _monday_by(latest: date) -> date:
    """The last Monday up to that day."""
    return latest - (latest.weekday() - _MONDAY) * _DAY


def _weekday_from(day: date) -> date:
    while day.weekday() >= 5:
        day += _DAY
    return day
