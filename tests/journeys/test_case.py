"""One case from mentoring referral to close with a disclosure between, in four people's browsers."""

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from app.forms import today
from tests.journeys.conftest import Seat
from tests.journeys.demo import Demo
from tests.journeys.reader import SCREENS, Reader

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]

SAID = "“My uncle shouts all night. I don't feel safe at home.”"
DECIDED = "Her aunt came in and agreed to early help."
PUPILS = {"desktop": ("Siân", "Ó Briain-Katz", "7B"), "phone": ("Zofia", "Łukaszewicz", "7D")}
MENTOR = "mentor2"
MENTOR_NAME = "Josiah Campbell-Reid"


@dataclass
class Told:
    """The people of the story at their browsers, and what they know of each other."""

    name: str
    form: str
    tutor: Reader
    coordinator: Reader
    mentor: Reader
    lead: Reader
    case: str = ""
    concern: str = ""
    sent: str = ""


@pytest.fixture(params=SCREENS)
def told(request: pytest.FixtureRequest, seat: Seat, demo: Demo, tmp_path: Path) -> Told:
    """A pupil on the roll whom nobody knows yet. The phone has JavaScript, which no page needs."""
    screen = str(request.param)
    given, family, form = PUPILS[screen]
    roll = tmp_path / "roll.csv"
    born = date(today().year - 12, 2, 27)
    columns = "upn,given_name,family_name,known_as,born_on,year_group,tutor_group"
    roll.write_text(f"{columns}\n,{given},{family},,{born},7,{form}\n", "utf-8")
    assert "1 new" in demo.run("roll", "import", str(roll))
    tutor, coordinator, mentor, lead = (
        seat(who, screen, scripts=screen == "phone") for who in ("tutor", "coordinator", MENTOR, "dsl")
    )
    return Told(f"{given} {family}", form, tutor, coordinator, mentor, lead)


def test_a_case_goes_from_referral_to_close_with_a_disclosure_between(told: Told) -> None:
    a_tutor_refers(told)
    the_coordinator_finds_the_pupil_and_a_mentor(told)
    the_mentor_begins(told)
    the_mentor_is_worried(told)
    the_coordinator_sees_a_hold_and_nothing_else(told)
    the_lead_decides(told)
    the_mentor_hears_back_and_goes_on(told)
    the_coordinator_extends_and_closes(told)
    the_history_tells_it_all(told)


def a_tutor_refers(told: Told) -> None:
    tutor = told.tutor
    tutor.open("/")
    tutor.fill("Which pupil is this about?", f"{told.name}, {told.form}")
    tutor.press("Continue")
    tutor.press("Continue")
    tutor.press("Continue", status=422)
    assert "Answer this: What would mentoring help with?" in tutor.text
    tutor.choose("Friendships")
    tutor.choose("Settling in")
    tutor.press("Continue")
    tutor.fill("What would you like the mentor to help with?", "Sits alone at lunch.\nWould love to draw.")
    tutor.press("Continue")
    assert f"{told.name}, {told.form}" in tutor.text
    assert "Mr Farrell" in tutor.text
    tutor.press("Change What would you like")
    tutor.fill("What would you like the mentor to help with?", "Sits alone at lunch. Likes to draw.")
    tutor.press("Continue")
    tutor.press("Send mentoring referral")
    assert "Your reference:" in tutor.text
    assert "What happens next" in tutor.text


def the_coordinator_finds_the_pupil_and_a_mentor(told: Told) -> None:
    coordinator = told.coordinator
    coordinator.open("/")
    coordinator.follow("Find the pupil", within="#waiting", last=True)
    assert f"The mentoring referral says: {told.name}, {told.form}" in coordinator.text
    coordinator.fill("Name", told.name.split()[-1][:4].lower())
    coordinator.press("Find")
    coordinator.follow("This is the pupil")
    coordinator.press("Yes, this is the pupil")
    told.case = coordinator.page.url.partition("?")[0]
    assert "Year 7" in coordinator.text
    coordinator.open("/")
    assert told.name in coordinator.text
    coordinator.open(told.case)
    coordinator.follow("Match a mentor")
    coordinator.fill("Why this mentor?", "Both draw.")
    coordinator.press("Show all")
    coordinator.fill("Find a mentor by name", MENTOR_NAME)
    coordinator.press("Find")
    coordinator.choose(MENTOR_NAME)
    coordinator.press("Match")
    assert "Mentor matched." in coordinator.text
    assert MENTOR_NAME in coordinator.text


def the_mentor_begins(told: Told) -> None:
    mentor = told.mentor
    mentor.open("/")
    mentor.follow(told.name)
    mentor.follow("Agree the purpose")
    mentor.fill("What are the meetings for?", "Find somebody to have lunch with.")
    mentor.press("Agree the purpose")
    assert "Find somebody to have lunch with." in mentor.text
    record_a_session(told, "Drawing club")
    assert "1 of 6" in mentor.text


def record_a_session(told: Told, focus: str) -> None:
    """From the mentor's first page to the green panel, in a handful of steps."""
    mentor = told.mentor
    mentor.open("/")
    before = mentor.steps
    mentor.follow(f"Record a session: {told.name}")
    mentor.fill("How many minutes", "25")
    mentor.fill("What did you talk about?", focus)
    mentor.press("Record this session")
    assert mentor.steps - before == 4
    assert "Session recorded." in mentor.text


def the_mentor_is_worried(told: Told) -> None:
    mentor = told.mentor
    mentor.open("/")
    mentor.follow("I’m worried about someone")
    text = mentor.text
    assert text.index("First: tell a person") < text.index("call 999") < text.index("What did they say")
    assert "Ms Hughes" in text
    mentor.choose(told.name)
    mentor.fill("What did they say, or what did you see?", SAID)
    mentor.unfold("Add more")
    mentor.fill("What did you see or hear yourself?", "She cried and had slept in her uniform.")
    mentor.press("Send to the safeguarding lead")
    told.sent = mentor.page.url
    assert "Who has been alerted" in mentor.text
    assert "You did the right thing." in mentor.text
    assert "Have you told an adult yet?" in mentor.text
    _wait_for(mentor, told.sent, "Ms Hughes")
    assert "Mr Okonkwo" in mentor.text
    assert "Ms Hughes has read this" not in mentor.text


def _wait_for(reader: Reader, address: str, words: str) -> None:
    """Open a page again, as it tells its reader to, until it says so."""
    for _again in range(20):
        reader.open(address)
        if words in reader.text:
            return
        reader.page.wait_for_timeout(500)
    raise AssertionError(reader.text)


def the_coordinator_sees_a_hold_and_nothing_else(told: Told) -> None:
    coordinator = told.coordinator
    refused = "This case is on hold. Speak to Ms Hughes before closing it."
    for path in ("/", "/cases", "/mentors", told.case, f"{told.case}/review", f"{told.case}/do/hold"):
        coordinator.open(path)
        assert_nothing_leaks(coordinator)
    coordinator.open(told.case)
    assert refused in coordinator.text
    assert "This case was put on hold. Recorded" in coordinator.text
    assert "Correct this: This case was put on hold" not in coordinator.own_html
    coordinator.open(f"{told.case}/do/close")
    coordinator.fill("What was the outcome?", "Settled.")
    coordinator.fill("Why are you closing this case?", "She has friends now.")
    coordinator.press("Close this case", status=409)
    assert refused in coordinator.text
    assert "She has friends now." in coordinator.html
    assert_nothing_leaks(coordinator)
    concern = told.sent.replace("/worried/", "/concerns/")
    coordinator.open(concern, status=403)
    coordinator.open(told.sent, status=404)


def assert_nothing_leaks(coordinator: Reader) -> None:
    """Not a word of it, and not the word for it."""
    for html in (coordinator.html, coordinator.text):
        assert "uncle" not in html
        assert "safe at home" not in html
    assert not re.search("concern|disclos|confidential|acknowledge", coordinator.own_html, re.IGNORECASE)


def the_lead_decides(told: Told) -> None:
    lead = told.lead
    lead.open("/")
    assert "Nobody has acknowledged these" in lead.text
    lead.follow(told.name, within="#received")
    told.concern = lead.page.url
    assert "My uncle shouts all night." in lead.text
    assert "had slept in her uniform" in lead.text
    lead.press("I have read this")
    assert "Concern acknowledged." in lead.text
    lead.follow("Decide what to do")
    lead.choose("Early help")
    lead.press("Record decision", status=422)
    assert "There is a problem" in lead.text
    lead.choose("Early help")
    lead.fill("Why?", DECIDED)
    lead.press("Record decision")
    assert "Decision recorded." in lead.text
    assert DECIDED in lead.text
    lead.follow("Open the case")
    lead.follow("Release the hold")
    lead.fill("Why?", "Support is in place.")
    lead.press("Release the hold")
    assert "Hold released." in lead.text


def the_mentor_hears_back_and_goes_on(told: Told) -> None:
    mentor = told.mentor
    mentor.open(told.sent)
    assert re.search(r"Ms Hughes has read this at \d+:\d\d[ap]m", mentor.text)
    assert DECIDED not in mentor.html
    for number in range(2, 7):
        record_a_session(told, f"Lunch, part {number}")
        assert f"{number} of 6" in mentor.text
    mentor.open("/")
    assert "Review due" in mentor.text


def the_coordinator_extends_and_closes(told: Told) -> None:
    coordinator = told.coordinator
    coordinator.open("/")
    coordinator.follow(f"Review: {told.name}", within="#review")
    assert "6 of 6" in coordinator.text
    extend = "section:has(#extend-title)"
    coordinator.fill("How many more sessions?", "1", within=extend)
    coordinator.fill("What does the mentee want?", "One more, to say goodbye.", within=extend)
    coordinator.fill("Why are more sessions needed?", "She asked for it.", within=extend)
    coordinator.press("Extend")
    assert "Case extended." in coordinator.text
    record_a_session(told, "Goodbye")
    assert "7 of 7" in told.mentor.text
    coordinator.open(told.case)
    coordinator.follow("Review: close or extend")
    close = "section:has(#close-title)"
    coordinator.fill("What was the outcome?", "Has lunch with two others.", within=close)
    coordinator.fill("Why are you closing this case?", "The purpose was reached.", within=close)
    coordinator.press("Close")
    text = coordinator.text
    assert text.startswith("Recorded Case closed. By Ms Price, coordinator, ")
    assert "What happens next: Tell both pupils." in text
    told.mentor.open("/")
    assert told.name not in told.mentor.text.partition("What you told us")[0]
    told.mentor.open(told.case, status=404)
    told.mentor.open("/worried")
    assert told.name in told.mentor.text


def the_history_tells_it_all(told: Told) -> None:
    coordinator, lead = told.coordinator, told.lead
    coordinator.open(told.case)
    for words in ("Sits alone at lunch. Likes to draw.", "Both draw.", "Find somebody to have lunch with."):
        assert words in coordinator.text
    for words in ("Drawing club", "Lunch, part 6", "She asked for it.", "The purpose was reached."):
        assert words in coordinator.text
    assert_nothing_leaks(coordinator)

    lead.open(told.case)
    lead.follow("The history as it stood on an earlier day")
    whole = lead.text
    assert "confidentiality" in whole
    lead.unfold("Show what was known on an earlier day")
    now = today()
    for label, number in (("Day", now.day), ("Month", now.month), ("Year", now.year - 1)):
        lead.fill(label, str(number))
    lead.press("Show")
    assert "Nothing had been recorded by then." in lead.text
    assert told.case.rpartition("/")[2] in lead.page.url
    assert told.name.split()[0] not in lead.page.url
    lead.follow("Back to now")
    assert lead.text == whole
    lead.open(told.concern)
    lead.follow("The child’s full history")
    assert DECIDED in lead.text
    assert "The purpose was reached." in lead.text
