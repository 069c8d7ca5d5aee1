"""What stands on a page for each entry: its correction, its dispute, and what is recorded next."""

from typing import Any

from tests.pages.conftest import School
from tests.pages.test_readers import SESSION


def test_a_correction_stands_beside_the_old_words(school: School) -> None:
    case_id = school.matched(sessions=1)
    mentor = school.as_("Ruby Clarke")
    school.do("cases/hold-session", case_id, by="Ruby Clarke", **SESSION)
    mentor.get(f"/cases/{case_id}")
    mentor.follow("Correct this: Met for 30 minutes")
    page = mentor.press(
        "Record correction", field="minutes", value="20", reason="I looked at the wrong clock."
    )
    assert "Correction recorded." in page.text
    assert "<del>30 minutes</del>" in page.html
    assert "<ins>20" in page.html


def test_a_dispute_stands_beside_what_it_disputes(school: School) -> None:
    case_id = school.matched(sessions=1)
    coordinator = school.as_("coordinator")
    coordinator.get(f"/cases/{case_id}")
    coordinator.follow("Dispute this: Met for 30 minutes")
    page = coordinator.press("Record dispute", words="Siân says that they talked for an hour.")
    assert "Dispute recorded." in page.text
    assert "Disputed" in page.text
    assert "Siân says that they talked for an hour." in page.text


def test_that_a_pupil_left_is_recorded_from_their_page_and_not_asked_again(school: School) -> None:
    lead = school.as_("dsl")
    lead.get(f"/pupils/{school.pupil()}")
    lead.follow("Record that a pupil left")
    day: dict[str, Any] = {"left_on-day": 1, "left_on-month": 9, "left_on-year": 2026}
    page = lead.press("Record that a pupil left", destination="Hillside School", **day)
    assert "Leaving recorded." in page.text
    assert "Record that a pupil left" not in page.links
