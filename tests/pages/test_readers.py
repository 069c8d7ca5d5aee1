"""Each reader's pages: what stands on them, what doesn't, and the note that they looked."""

from typing import Any
from uuid import uuid4

import pytest

from app.access.policy import rule_of
from app.forms import today
from app.record.errors import RecordUnavailable
from tests.pages.browser import Browser, Page
from tests.pages.conftest import PASSWORD, STAFF, School

SESSION: dict[str, Any] = {
    "held_on": today(),
    "minutes": 30,
    "focus": "Bus",
    "notes": "",
    "friend_came": False,
}
FIRST_PAGES = {
    "coordinator": "Today",
    "dsl": "Needs you now",
    "deputy_dsl": "Needs you now",
    "head": "Needs you now",
    "chair": "Needs you now",
    "referrer": "Which pupil is this about?",
    "inspector": "Cases",
    "admin": "People",
    "data_officer": "Due",
    "Ruby Clarke": "My mentees",
}


def is_sound(page: Page) -> None:
    assert len(page.h1) == 1, page.address
    assert page.title.startswith(page.h1[0]), page.address
    assert page.title.endswith("Casebook – Our school"), page.address
    assert not page.inline, f"{page.address} has inline style or script"
    assert len(page.ids) == len(set(page.ids)), f"{page.address} has an id twice"
    assert page.links["Skip to main content"] == "#main-content"
    assert "default-src 'none'" in page.response.headers["Content-Security-Policy"]
    assert page.response.headers["Cache-Control"] == "no-store"
    for form in page.forms:
        if form.method == "post":
            assert "csrf" in form.offers, page.address
    for address in (*page.links.values(), *(form.action for form in page.forms)):
        assert "Siân" not in address, address
        assert "O'Neill" not in address, address


def walk(browser: Browser, start: str, most: int = 60) -> list[str]:
    """Every page that can be reached by links from one page, each of them sound."""
    seen: list[str] = []
    ahead = [start]
    while ahead and len(seen) < most:
        address = ahead.pop(0)
        page = browser.get(address)
        seen.append(address)
        if "Content-Disposition" in page.response.headers:
            continue  # a file to take away, not a page
        is_sound(page)
        links = [href.partition("#")[0] for href in page.links.values()]
        ours = [href for href in links if href.startswith("/") and not href.startswith("/static")]
        ahead += [href for href in dict.fromkeys(ours) if href not in seen and href not in ahead]
    return seen


@pytest.mark.parametrize("who", FIRST_PAGES)
def test_every_page_that_a_reader_can_reach_is_sound(school: School, who: str) -> None:
    case_id = school.matched(sessions=6)
    school.case(pupil_in_words="A new boy in 7B")
    school.as_("referrer").get("/worried")
    school.as_("referrer").press("Send", childs_words="Staff.", about="staff", about_words="Mr Grey")
    school.as_("Ruby Clarke").get("/worried")
    school.as_("Ruby Clarke").press("Send", childs_words="“Please don't tell.”", about_case=case_id)
    browser = school.as_(who)
    assert browser.get("/").h1 == [FIRST_PAGES[who]]
    before = school.facts()
    seen = walk(browser, "/")
    assert "/worried" in seen
    assert school.facts() == before, "looking records no fact"
    texts = {address: browser.get(address).html for address in seen}
    if who not in ("dsl", "deputy_dsl", "inspector"):
        assert not [a for a, html in texts.items() if "Please don" in html]
    if who == "inspector":
        assert not [a for a, html in texts.items() if "O&#39;Neill" in html or "Ruby Clarke" in html]
    if who == "admin":
        assert not [a for a in seen if a.startswith(("/cases", "/concerns", "/pupils"))]


def test_a_pupil_who_may_be_the_same_is_noted_with_the_one_who_was_added(school: School) -> None:
    first = school.pupil()
    coordinator = school.as_("coordinator")
    second = school.pupil(form="7C")
    page = coordinator.get(f"/pupils/{second}?recorded=1")
    assert f"/pupils/{first}" in page.html
    assert {first, second} <= set(school.looks()[-1][2])


def test_every_page_with_a_case_is_preceded_by_the_note_that_somebody_looked(school: School) -> None:
    case_id = school.matched(sessions=1)
    coordinator = school.as_("coordinator")
    for address in (
        "/",
        "/cases",
        f"/cases/{case_id}",
        f"/cases/{case_id}/review",
        f"/cases/{case_id}/do/close",
    ):
        before = len(school.looks())
        coordinator.get(address)
        notes = school.looks()[before:]
        assert notes, address
        if "/cases/" in address:
            account, _route, subjects = notes[0]
            assert account == school.people["Ms Price"].account
            assert case_id in subjects


def test_nothing_is_shown_when_the_look_cant_be_noted(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = school.matched()
    coordinator = school.as_("coordinator")

    def down(*_: Any, **__: Any) -> None:
        raise RecordUnavailable

    monkeypatch.setattr(type(school.house.reads), "log", down)
    for address in ("/", "/cases", f"/cases/{case_id}", "/mentors"):
        page = coordinator.get(address, status=503)
        assert "O&#39;Neill" not in page.html
        assert "tell a person now" in page.text


def test_every_page_says_who_may_open_it_and_refuses_everybody_else(school: School) -> None:
    placed = {
        "subject_id": uuid4(),
        "pupil_id": uuid4(),
        "concern_id": uuid4(),
        "verb": "close",
        "filename": "x",
    }
    for rule in school.app.url_map.iter_rules():
        view = school.app.view_functions[rule.endpoint]
        found = rule_of(view)
        assert found is not None, rule
        of_pages = view.__module__.startswith("app.pages")
        if not of_pages or found.anyone or "GET" not in (rule.methods or ()):
            continue
        _host, path = rule.build(placed) or ("", "")
        assert Browser(school.app.test_client(), school.turns).get(path).h1 == ["Sign in"], path
        for role, name in STAFF.items():
            status = school.as_(name).client.get(path).status_code
            # A command's own roles may be fewer than those of the page that offers all commands.
            expected = [403] if role not in found.roles else [200, 303, 404] + [403] * ("<verb>" in rule.rule)
            assert status in expected, (path, role, status)


def test_a_mentor_sees_no_other_case_and_a_coordinator_no_concern(school: School) -> None:
    school.mentor()
    other = school.case(pupil_id=school.pupil("Tom", "Lee"))
    mentor = school.as_("Ruby Clarke")
    for address in (f"/cases/{other}", f"/cases/{other}/do/agree-purpose", f"/sessions/{other}/record"):
        mentor.get(address, status=404)
    mentor.get("/cases", status=403)
    mentor.get("/pupils", status=403)
    school.as_("coordinator").get("/concerns", status=403)
    school.as_("inspector").get(f"/cases/{other}/do/close", status=403)
    school.as_("admin").get(f"/cases/{other}", status=403)


def test_signing_in_leads_to_the_page_that_was_asked_for_and_out_again(school: School) -> None:
    school.give_password(STAFF["coordinator"])
    browser = Browser(school.app.test_client(), school.turns)
    assert browser.get("/cases?state=referred").h1 == ["Sign in"]
    wrong = browser.press("Sign in", 422, user_name="Ms Price", password="wrong")
    assert wrong.title.startswith("Error: ")
    nobody = browser.press("Sign in", 422, user_name="Nobody", password="wrong")
    assert nobody.text.replace("Nobody", "") == wrong.text.replace("Ms Price", "")
    assert (
        browser.press("Sign in", user_name="ms price", password=PASSWORD).address == "/cases?state=referred"
    )
    assert browser.press("Sign out").h1 == ["Sign in"]
    assert browser.get("/").h1 == ["Sign in"]


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:1"]
)
def test_signing_in_never_leads_to_another_site(school: School, elsewhere: str) -> None:
    school.give_password(STAFF["coordinator"])
    client = school.app.test_client()
    form = {"user_name": "Ms Price", "password": PASSWORD}
    answer = client.post("/sign-in", query_string={"next": elsewhere}, data=form)
    assert answer.headers["Location"] == "/"


def test_a_form_without_the_sessions_token_records_nothing(school: School) -> None:
    case_id = school.matched()
    coordinator = school.as_("coordinator")
    before = school.facts()
    page = coordinator.send(f"/cases/{case_id}/do/ask-for-more", [("words", "More."), ("seen", "2")], 403)
    assert "Nothing was recorded" in page.text
    assert school.facts() == before


def test_a_referrer_gets_a_receipt_and_nothing_else(school: School) -> None:
    tutor = school.as_("referrer")
    tutor.get("/")
    tutor.press("Continue", pupil_in_words="Siân O'Neill, 7B")
    tutor.press("Continue")
    assert "Answer this" in tutor.press("Continue", 422).text
    tutor.press("Continue", reasons=["attendance"])
    tutor.press("Continue", words="Misses Mondays.")
    changed = tutor.press("Change Which pupil is this about?")
    assert ("pupil_in_words", "Siân O'Neill, 7B") in changed.form_with("Continue").values
    for _ in range(4):
        tutor.press("Continue")
    receipt = tutor.press("Send mentoring referral")
    assert "Your reference:" in receipt.text
    assert "O'Neill" not in receipt.text
    case_address = receipt.address.replace("/refer/", "/cases/").removesuffix("/receipt")
    tutor.get(case_address, status=403)
    school.as_("deputy_dsl").get(receipt.address, status=404)

    school.pupil()
    coordinator = school.as_("coordinator")
    coordinator.get("/")
    coordinator.follow("Find the pupil")
    coordinator.press("Find", q="o'n")
    coordinator.follow("This is the pupil")
    found = coordinator.press("Yes, this is the pupil")
    assert found.h1 == ["Siân O'Neill"]
    assert "Siân O'Neill, 7B" in found.text


def test_the_history_as_at_an_earlier_day_leaves_out_what_came_later(school: School) -> None:
    case_id = school.matched(sessions=1)
    lead = school.as_("dsl")
    now = lead.get(f"/cases/{case_id}/history")
    assert "Met for 30 minutes" in now.text
    past = lead.get(f"/cases/{case_id}/history?as_at-day=1&as_at-month=1&as_at-year=2020")
    assert "Showing what was recorded by 1 January 2020, 11:59pm" in past.text
    assert "Met for 30 minutes" not in past.text
    wrong = lead.get(f"/cases/{case_id}/history?as_at-day=31&as_at-month=2&as_at-year=2020", status=422)
    assert wrong.links["Give a real date, such as 14 9 2026."] == "#as_at"


def test_adopted_rules_are_shown_and_a_new_version_begins_with_those_in_force(school: School) -> None:
    coordinator = school.as_("coordinator")
    coordinator.get("/scheme")
    coordinator.follow("Adopt the scheme")
    page = coordinator.press("Adopt the scheme", school_name="Hillside School", sessions=8)
    assert "Rules adopted." in page.text
    assert "version 2" in page.text
    coordinator.follow("Adopt the scheme")
    assert coordinator.page is not None
    values = coordinator.page.form_with("Adopt the scheme").values
    assert ("sessions", "8") in values
    assert ("school_name", "Hillside School") in values


def test_a_data_officer_reads_the_rules_and_what_will_be_due_and_changes_nothing(school: School) -> None:
    officer = school.as_("data_officer")
    first = officer.get("/")
    assert "Nothing is due." in first.text
    assert "Requests to see a record" in first.text
    rules = officer.follow("The scheme’s rules")
    assert "These are the rules that Casebook starts with: version 1." in rules.text
    assert "Adopt the scheme" not in rules.links
    officer.get("/scheme/adopt", status=403)
    officer.get("/cases", status=403)


def test_whoever_comes_to_tell_about_a_worry_reads_what_to_do_before_being_asked_to_sign_in(
    school: School,
) -> None:
    browser = Browser(school.app.test_client(), school.turns)
    for address, first in (("/worried", "Worried about someone?"), ("/", "User name")):
        page = browser.get(address)
        assert page.links["call 999"] == "tel:999"
        asked = [page.text.index(words) for words in ("Worried about someone?", "User name")]
        assert page.text.index(first) == min(asked)


def test_an_inspector_is_told_that_year_and_form_are_withheld_and_not_that_they_arent_known(
    school: School,
) -> None:
    page = school.as_("inspector").get(f"/cases/{school.matched()}")
    assert "Year and form Not shown to you" in page.text
    assert "Not known yet" not in page.text


def test_an_administrator_reads_how_accounts_come_and_go(school: School) -> None:
    assert "casebook staff add" in school.as_("admin").get("/").text


def test_a_pupil_who_isnt_among_those_found_can_be_added(school: School) -> None:
    school.pupil("Sam", "Jones")
    coordinator = school.as_("coordinator")
    coordinator.get("/pupils")
    found = coordinator.press("Find", q="Jones")
    assert found.links["Add a pupil who isn’t on the roll"] == "/pupils/new"
