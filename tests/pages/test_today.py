"""The coordinator's first page: what needs attention, and the way to put it right."""

from datetime import UTC, datetime, timedelta

from app.forms import today
from app.wording.common import moment
from tests.pages.conftest import School


def test_a_case_without_a_letter_home_needs_attention_until_one_is_recorded(school: School) -> None:
    school.matched()
    coordinator = school.as_("coordinator")
    # No session for seven weeks, a mentor whom nobody supervised, and no letter.
    first = coordinator.get("/")
    assert "Needs attention (3)" in first.text
    assert "No letter home is recorded Matched 50 days ago" in first.text
    coordinator.follow("Record a letter home")
    now = today()
    case = coordinator.press(
        "Record a letter home",
        kind="That mentoring begins",
        dates={"sent_on": (now.day, now.month, now.year)},
    )
    assert "Letter home recorded." in case.text
    assert "About: That mentoring begins." in case.text
    first = coordinator.get("/")
    assert "Needs attention (2)" in first.text
    assert "letter home is recorded" not in first.text


def test_a_meeting_whose_day_passed_without_an_entry_isnt_called_the_next_one(school: School) -> None:
    case_id, now = school.matched(sessions=1), datetime.now(UTC)
    coordinator, mentor = school.as_("coordinator"), school.as_("Ruby Clarke")
    for at, before, after in (
        (now + timedelta(days=1), "Next meeting", "Library"),
        (now - timedelta(days=1), "They were to meet", "Library. Nothing is recorded of it."),
    ):
        school.do("cases/arrange-session", case_id, at=at, place="Library")
        assert f"{before} {moment(at)}, {after}" in coordinator.get(f"/cases/{case_id}").text
        assert f"{before}: {moment(at)}, {after}" in mentor.get("/").text
        assert ("Were to meet" in coordinator.get("/cases").text) == (at < now)
    school.do("cases/close", case_id, outcome="Better.", reason="Done.")
    assert "meeting" not in coordinator.get(f"/cases/{case_id}").text.partition("Purpose")[0].lower()
