"""Every reader's first pages, and what a hand on the keyboard alone can do."""

from typing import get_args
from urllib.parse import urlsplit

import pytest

from app.demo.people import STAFF
from domain.staff import Role
from tests.journeys.conftest import Seat
from tests.journeys.reader import Reader

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]

FIRST = {
    "coordinator": "Today",
    "dsl": "Needs you now",
    "deputy": "Needs you now",
    "head": "Needs you now",
    "chair": "Needs you now",
    "tutor": "Which pupil is this about?",
    "inspector": "Cases",
    "data": "Due",
    "admin": "People",
    "mentor": "My mentees",
}


def test_somebody_of_every_role_reads() -> None:
    roles = {colleague.sign_in: colleague.role for colleague in STAFF} | {"mentor": "mentor"}
    assert {roles[sign_in] for sign_in in FIRST} == set(get_args(Role))


@pytest.mark.parametrize("sign_in", FIRST)
def test_every_page_of_a_readers_menu_opens_on_a_phone(seat: Seat, sign_in: str) -> None:
    reader = seat(sign_in, "phone")
    reader.open("/")
    assert reader.page.locator("h1").inner_text() == FIRST[sign_in]
    for path in _menu(reader):
        reader.open(path)


def test_a_long_menu_waits_on_a_phone_behind_one_word_and_stands_open_on_a_desk(seat: Seat) -> None:
    phone, desk = seat("coordinator", "phone"), seat("coordinator")
    for reader in (phone, desk):
        reader.open("/")
        assert reader.page.locator("nav[aria-label=Main]").get_by_text("I’m worried").is_visible()
    place = "nav[aria-label=Main] a[href='/mentors']:visible"
    assert phone.page.locator(place).count() == 0
    phone.unfold("Menu")
    phone.go(phone.page.locator(place))
    assert desk.page.locator(place).count() == 1
    assert not desk.page.locator("summary").filter(has_text="Menu").is_visible()


def _menu(reader: Reader) -> list[str]:
    places = reader.page.locator("nav[aria-label=Main] a").all()
    return [urlsplit(place.get_attribute("href") or "").path for place in places][1:]


def test_the_first_case_and_concern_of_each_list_open(seat: Seat) -> None:
    for sign_in, paths in {
        "coordinator": ("/cases", "/mentors", "/cases?state=closed", "/cases?state=declined"),
        "dsl": ("/concerns", "/concerns?state=closed", "/cases?state=at_review"),
        "inspector": ("/cases", "/concerns"),
        "head": ("/concerns",),
    }.items():
        reader = seat(sign_in)
        for path in paths:
            reader.open(path)
            thing = urlsplit(path).path
            reader.go(reader.page.locator(f"main a[href^='{thing}/']:not([href$='/new'])").first)


def test_an_inspector_reads_codes_where_a_pupil_has_no_place_on_the_roll_yet(seat: Seat) -> None:
    inspector = seat("inspector")
    inspector.open("/cases?state=referred")
    inspector.follow("A pupil not on the roll yet")
    assert inspector.page.locator("h1").inner_text() == "A pupil not on the roll yet"
    assert inspector.page.locator("main form").count() == 0


def test_an_administrator_never_sees_a_case(seat: Seat) -> None:
    coordinator, admin = seat("coordinator"), seat("admin")
    coordinator.open("/cases")
    case = coordinator.page.locator("main a[href^='/cases/']").first.get_attribute("href") or ""
    for path in ("/cases", case, f"{case}/history", "/concerns", "/mentors", "/pupils"):
        admin.open(path, status=403)


def test_a_worry_can_be_sent_by_keyboard_alone(seat: Seat) -> None:
    reader = seat("mentor", scripts=True)
    reader.open("/")
    mentee = reader.page.locator("main a[href^='/cases/']").first.inner_text()
    keys = reader.page.keyboard
    keys.press("Tab")
    assert _focus(reader) == "Skip to main content"
    keys.press("Enter")
    _tab_to(reader, "I’m worried about someone")
    reader.go_by(lambda: keys.press("Enter"))
    keys.press("Tab")
    keys.press("Enter")
    _tab_to(reader, "999")
    keys.press("Tab")
    keys.press("Space")
    keys.press("Tab")
    keys.type("She wouldn’t say who hit her.")
    _tab_to(reader, "Add more, if you want to")
    keys.press("Enter")
    keys.press("Tab")
    keys.press("Space")
    _tab_to(reader, "Send to the safeguarding lead")
    reader.go_by(lambda: keys.press("Enter"))
    assert "It is recorded and on its way" in reader.text

    lead = seat("dsl")
    lead.open("/")
    lead.follow(mentee, within="#received")
    assert "She wouldn’t say who hit her." in lead.text
    assert "Danger reported" in lead.text


def _focus(reader: Reader) -> str:
    text: str = reader.page.evaluate("document.activeElement.innerText || ''")
    return " ".join(text.split())


def _tab_to(reader: Reader, text: str) -> None:
    for _ in range(40):
        reader.page.keyboard.press("Tab")
        if _focus(reader) == text:
            return
    raise AssertionError(f"the keyboard doesn’t reach “{text}”")
