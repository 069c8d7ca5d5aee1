"""The menu: calm on a phone, and what to do about a worry never folded away in it."""

import pytest

from app.pages.links import MENUS, nav
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


@pytest.mark.parametrize(
    ("role", "path", "marked"),
    [
        ("data_officer", "/", ("/due", "page")),
        ("data_officer", "/due", ("/due", "page")),
        ("data_officer", "/kept/1", ("/due", "true")),
        ("head", "/erasures/new", ("/due", "true")),
        ("coordinator", "/", ("/", "page")),
        ("coordinator", "/cases/1/review", ("/cases", "true")),
        ("dsl", "/concerns/1", ("/concerns", "true")),
        ("dsl", "/evidence/ask", ("/evidence/cases", "true")),
        ("inspector", "/cases", ("/", "true")),
        ("mentor", "/sessions/1/record", ("/", "true")),
        ("mentor", "/worried", ("/worried", "page")),
        ("referrer", "/refer", ("/", "true")),
        ("admin", "/me/concerns", ("/me/concerns", "page")),
    ],
)
def test_the_menu_marks_where_a_reader_is_once(role: str, path: str, marked: tuple[str, str]) -> None:
    menu = nav(role, path)
    places = [*menu["places"], menu["worried"]]
    assert [(one["href"], one["current"]) for one in places if one["current"]] == [marked]


def test_every_menu_marks_its_own_places() -> None:
    for role, places in MENUS.items():
        for href, _text in places:
            marked = [one["href"] for one in nav(role, href)["places"] if one["current"] == "page"]
            assert marked == [href]
