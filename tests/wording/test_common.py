from datetime import UTC, date, datetime, timedelta
from typing import get_args

import pytest

from app.wording import common
from domain.policy import DEFAULT_POLICY, Policy
from domain.staff import Role

NOON = datetime(2026, 6, 14, 13, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("when", "text"),
    [
        (datetime(2026, 6, 14, 13, 1, tzinfo=UTC), "14 June 2026, 2:01pm"),  # summer time
        (datetime(2026, 1, 5, 0, 5, tzinfo=UTC), "5 January 2026, 12:05am"),
        (datetime(2026, 1, 5, 12, 0, tzinfo=UTC), "5 January 2026, 12:00pm"),
        (datetime(2026, 6, 30, 23, 30, tzinfo=UTC), "1 July 2026, 12:30am"),  # already July in London
    ],
)
def test_moments_are_told_in_the_schools_time_zone(when: datetime, text: str) -> None:
    assert common.moment(when) == text
    assert common.day(when) == text.partition(",")[0]


def test_every_month_has_its_name() -> None:
    assert [common.day(date(2026, month, 1)) for month in (1, 9, 12)] == [
        "1 January 2026",
        "1 September 2026",
        "1 December 2026",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "just now"),
        (59, "just now"),
        (60, "1 minute ago"),
        (59 * 60, "59 minutes ago"),
        (3600, "1 hour ago"),
        (23 * 3600 + 3599, "23 hours ago"),
        (24 * 3600, "1 day ago"),
        (12 * 24 * 3600, "12 days ago"),
    ],
)
def test_ages_are_told_in_their_largest_unit(seconds: int, text: str) -> None:
    assert common.ago(NOON, NOON + timedelta(seconds=seconds)) == text


def test_waiting_is_counted_in_days() -> None:
    since = date(2026, 6, 14)
    assert common.since_days(since, since) == "since today"
    assert common.since_days(since, date(2026, 6, 15)) == "1 day"
    assert common.since_days(since, date(2026, 7, 14)) == "30 days"


def test_a_day_beside_another_has_its_year_only_where_they_differ() -> None:
    assert common.short_day(date(2026, 6, 1), NOON) == "1 June"
    assert common.short_day(date(2025, 6, 1), NOON) == "1 June 2025"


def test_lists_read_as_sentences_do() -> None:
    assert [common.listed(["a", "b", "c"][:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]


def test_every_role_has_a_title_and_the_leads_is_the_schools_own() -> None:
    wales = common.titles(Policy(lead_title="Designated Safeguarding Person"))
    assert wales["deputy_dsl"] == "Deputy Designated Safeguarding Person"
    assert set(wales) == set(common.titles(DEFAULT_POLICY)) == set(get_args(Role))
