"""The coordinator's first page: what needs attention, and the way to put it right."""

from app.forms import today
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
