"""Long lists: twenty rows a page, and every row on one of them."""

from app.pages.common import PAGE
from tests.pages.browser import Browser
from tests.pages.conftest import School


def rows_of_each_page(reader: Browser, start: str, thing: str) -> list[set[str]]:
    """The rows of a list, page by page, as a reader goes through it."""
    page = reader.get(start)
    found = []
    while True:
        found.append(
            {href for href in page.links.values() if href.startswith(f"/{thing}/")} - {f"/{thing}/new"}
        )
        if "Next page" not in page.links:
            return found
        page = reader.follow("Next page")


def test_cases_and_mentors_are_shown_twenty_at_a_time_and_each_once(school: School) -> None:
    assert PAGE == 20
    cases, mentors = set(), set()
    for number in range(PAGE + 3):
        pupil_id = school.pupil("Sam", f"Jones{'abcdefghijklmnopqrstuvwxyz'[number]}", 10)
        cases.add(f"/cases/{school.case(pupil_id=pupil_id)}")
        applied = school.do("mentors/apply", pupil_id=pupil_id, statement="I listen.")
        mentors.add(f"/mentors/{applied.subject.id}")
    coordinator = school.as_("coordinator")
    for start, thing, everybody in (
        ("/cases", "cases", cases),
        ("/cases?state=referred&sort=oldest", "cases", cases),
        ("/mentors", "mentors", mentors),
    ):
        pages = rows_of_each_page(coordinator, start, thing)
        assert [len(rows) for rows in pages] == [PAGE, 3], start
        assert set.union(*pages) == everybody, start
        assert coordinator.page is not None
        assert coordinator.page.links["Back to the first page"].startswith(f"/{thing}?"), start


def test_sessions_are_dots_until_they_are_too_many_to_count(school: School) -> None:
    case_id = school.matched(sessions=6)
    coordinator = school.as_("coordinator")
    assert coordinator.get("/cases").html.count('class="app-dot ') == 6
    school.do("cases/extend", case_id, sessions=4, reason="More time.", mentee_wishes="Yes, please.")
    many = coordinator.get("/cases")
    assert "6 of 10 sessions held" in many.text
    assert 'class="app-dot ' not in many.html
