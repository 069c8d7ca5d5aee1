"""The invented school's calendar."""

from datetime import date

import pytest

from app.demo.terms import easter, first_day, is_school_day, next_school_day, school_days_back


@pytest.mark.parametrize(
    ("year", "sunday"),
    [
        (2024, date(2024, 3, 31)),
        (2025, date(2025, 4, 20)),
        (2026, date(2026, 4, 5)),
        (2038, date(2038, 4, 25)),
    ],
)
def test_easter_is_when_the_almanac_says(year: int, sunday: date) -> None:
    assert easter(year) == sunday


@pytest.mark.parametrize("year", range(2020, 2045))
def test_every_school_year_has_about_as_many_days_as_the_law_asks(year: int) -> None:
    first = first_day(year)
    days = [date.fromordinal(first.toordinal() + n) for n in range(330)]
    assert 188 <= sum(map(is_school_day, days)) <= 198


@pytest.mark.parametrize(
    "day", [date(2026, 12, 25), date(2026, 10, 28), date(2027, 3, 29), date(2026, 11, 21), date(2026, 8, 5)]
)
def test_nobody_is_in_school_at_weekends_and_in_holidays(day: date) -> None:
    assert not is_school_day(day)


def test_the_last_school_day_before_a_monday_is_friday() -> None:
    assert school_days_back(date(2026, 11, 23), 2) == [date(2026, 11, 20), date(2026, 11, 19)]
    assert next_school_day(date(2026, 11, 20)) == date(2026, 11, 23)
