"""The menu: calm on a phone, and what to do about a worry never folded away in it."""

import pytest

from app.pages.links import nav
from tests.pages.conftest import STAFF, School


@pytest.mark.parametrize("role", [*STAFF, "mentor"])
def test_what_to_do_about_a_worry_stands_beside_the_menu_in_every_role(role: str) -> None:
    menu = nav(role, "/")
    assert menu["worried"]["href"] == "/worried"
    assert "/worried" not in [place["href"] for place in menu["places"]]


def test_only_a_long_menu_folds_and_it_names_the_page_that_is_open(school: School) -> None:
    tutor, coordinator = school.as_("referrer").get("/"), school.as_("coordinator").get("/mentors")
    assert ">Menu</summary>" not in tutor.html
    assert ">Menu</summary>" in coordinator.html
    folded = coordinator.html.partition("</summary>")[2].partition("</details>")[0]
    assert '<a class="app-nav__link" href="/mentors" aria-current="page">' in folded
    assert "/worried" not in folded
