"""Choosing a mentor among many: the best ten, everybody, or one by name; nothing typed is lost."""

import pytest

from app.pages.matching import BEST
from tests.pages.browser import Page
from tests.pages.conftest import School

FAMILIES = (
    "Adams",
    "Brown",
    "Clarke",
    "Davies",
    "Evans",
    "Foster",
    "Green",
    "Hill",
    "Irving",
    "Jones",
    "King",
)


def offered(page: Page) -> int:
    return page.html.count('name="mentor_id"')


@pytest.fixture
def many(school: School) -> School:
    """Eleven mentors who could take one more case, and a twelfth, only a year older, who comes last."""
    for family in FAMILIES:
        school.mentor("Ruby", family)
    school.mentor("Zoë", "Łukasz-O'Hara", year=8)
    assert len(FAMILIES) == BEST + 1
    return school


def test_the_best_ten_come_first_and_everybody_on_demand_with_what_was_typed(many: School) -> None:
    case_id = many.case()
    coordinator = many.as_("coordinator")
    page = coordinator.get(f"/cases/{case_id}/match")
    assert offered(page) == BEST
    assert "The 10 who fit best, of 12 with a free place." in page.text
    assert "Only 1 year older" not in page.text
    before = many.facts()
    everybody = coordinator.press("Show all 12 mentors", reason="Both draw.")
    assert offered(everybody) == 12
    assert everybody.address.endswith("/match?show=all")
    assert ("reason", "Both draw.") in everybody.form_with("Match").values
    assert many.facts() == before, "looking at others records nothing"
    last = str(many.mentors["Zoë Łukasz-O'Hara"])
    best = coordinator.press("Show the best 10", mentor_id=last)
    assert offered(best) == BEST + 1, "a choice that was made stays in sight"
    assert {("mentor_id", last), ("reason", "Both draw.")} <= set(best.form_with("Match").values)
    case = coordinator.press("Match")
    assert "Mentor matched." in case.text
    assert "Zoë Łukasz-O'Hara" in case.text
    assert "Both draw." in case.text


def test_everybody_is_an_address_and_errors_come_back_to_it(many: School) -> None:
    coordinator = many.as_("coordinator")
    page = coordinator.get(f"/cases/{many.case()}/match?show=all")
    assert offered(page) == 12
    wrong = coordinator.press("Match", 422)
    assert offered(wrong) == 12
    assert wrong.links["Answer this: Which peer mentor?"] == "#mentor_id"
    assert "mentor_id" in wrong.ids


def test_a_mentor_is_found_by_name_without_a_name_in_an_address(many: School) -> None:
    case_id = many.case()
    coordinator = many.as_("coordinator")
    coordinator.get(f"/cases/{case_id}/match")
    found = coordinator.press("Find", q="zoe LUKASZ", reason="Asked for her.")
    assert found.address == f"/cases/{case_id}/match"
    assert offered(found) == 1
    assert "Found by name:" in found.text
    notes = many.looks()[-1]
    assert many.mentors["Zoë Łukasz-O'Hara"] in notes[2]
    assert many.mentors["Ruby Adams"] not in notes[2], "only who is shown counts as looked at"
    coordinator.press("Match", 422)
    value = str(many.mentors["Zoë Łukasz-O'Hara"])
    assert "Asked for her." in coordinator.press("Match", mentor_id=value).text


def test_a_mentor_without_a_free_place_is_found_with_the_reason(many: School) -> None:
    adams = many.mentors["Ruby Adams"]
    for _ in range(2):
        case_id = many.case(pupil_id=many.pupil("Tom", "Lee"))
        many.do("cases/match", case_id, mentor_id=adams, reason=None)
    coordinator = many.as_("coordinator")
    coordinator.get(f"/cases/{many.case()}/match")
    found = coordinator.press("Find", q="adams")
    assert "Nobody of that name has a free place. These fit best:" in found.text
    assert offered(found) == BEST
    assert "Ruby Adams :" in found.text
    assert "Ruby Adams" not in coordinator.press("Find", q="").text


def test_few_mentors_are_all_shown_at_once(school: School) -> None:
    school.mentor()
    page = school.as_("coordinator").get(f"/cases/{school.case()}/match")
    assert offered(page) == 1
    assert "All with a free place" in page.text
    assert "Show all" not in page.text
    assert "Show the best" not in page.text
