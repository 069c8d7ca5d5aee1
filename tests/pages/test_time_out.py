"""What was typed outlives the sign-in, and comes back to the person who typed it and to nobody else."""

from pathlib import Path
from time import time
from uuid import uuid4

import pytest

from app.access.sessions import COOKIE, IDLE_MINUTES, LONGEST_HOURS
from app.access.unsent import Unsent, seal, unseal
from tests.pages.browser import Page
from tests.pages.conftest import PASSWORD, School

NOTES = "She talked about the bus, and laughed."


def let_time_pass(school: School) -> None:
    """More than an hour without a page, for everybody."""
    with school.house.pool.connection() as connection:
        connection.execute("UPDATE access.sessions SET seen_at = seen_at - interval '2 hours'")


def send_a_session(school: School, status: int) -> Page:
    """What the mentor wrote about a meeting, sent from the form that is open."""
    mentor = school.as_("Ruby Clarke")
    return mentor.press(
        "Record this session", status=status, day="today", minutes=30, focus="The bus", notes=NOTES
    )


def test_a_form_that_is_sent_after_the_time_to_sign_in_ran_out_is_sent_by_signing_in(school: School) -> None:
    case_id = school.matched()
    for name in ("Ruby Clarke", "Ms Price"):
        school.give_password(name)
    mentor = school.as_("Ruby Clarke")
    mentor.get(f"/sessions/{case_id}/record")
    let_time_pass(school)
    before = school.facts()
    page = send_a_session(school, status=401)
    assert "nothing is lost" in page.text
    wrong = mentor.press("Sign in and go on", status=422, user_name="Ruby Clarke", password="wrong")
    assert "isn’t right" in wrong.text
    other = mentor.press("Sign in and go on", status=422, user_name="Ms Price", password=PASSWORD)
    assert "sign in as them" in other.text
    assert not [one for one in (page, wrong, other) if NOTES in one.html]
    back = mentor.press("Sign in and go on", user_name="Ruby Clarke", password=PASSWORD)
    assert NOTES in back.text
    assert school.facts() == before, "nothing is recorded before its person says so"
    assert f"The bus. {NOTES}" in mentor.press("Send it now").text


def test_a_form_of_an_earlier_sign_in_comes_back_to_the_same_person_alone(school: School) -> None:
    case_id = school.matched()
    mentor, address = school.as_("Ruby Clarke"), f"/sessions/{case_id}/record"
    mentor.get(address)
    again = school.house.sessions.start(school.people["Ruby Clarke"].account)
    mentor.client.set_cookie(COOKIE, again)
    assert NOTES in send_a_session(school, status=403).text
    assert f"The bus. {NOTES}" in mentor.press("Send it now").text

    coordinator = school.as_("coordinator")
    theirs = mentor.get(address).form_with("Record this session").values
    assert NOTES not in coordinator.send(address, [*theirs, ("notes", NOTES)], status=403).text


def test_signing_out_after_the_time_ran_out_asks_for_nothing_to_be_sent(school: School) -> None:
    mentor = school.as_("coordinator")
    mentor.get("/")
    let_time_pass(school)
    assert mentor.press("Sign out").h1 == ["Sign in"]


def test_a_seal_opens_for_its_account_within_half_a_day_and_unchanged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mine, unsent = uuid4(), Unsent("/cases", (("notes", NOTES), ("notes", "")))
    sealed = seal("secret", mine, unsent)
    assert NOTES not in sealed
    assert unseal("secret", mine, sealed) == unsent
    changed = sealed[:-6] + ("AAAA" if sealed[-6:-2] != "AAAA" else "BBBB") + sealed[-2:]
    for secret, account, text in (
        ("other", mine, sealed),
        ("secret", uuid4(), sealed),
        ("secret", mine, changed),
        ("secret", mine, ""),
        ("secret", mine, "é"),
    ):
        assert unseal(secret, account, text) is None
    sent_at = time()
    monkeypatch.setattr("app.access.unsent.time", lambda: sent_at + LONGEST_HOURS * 3600 + 60)
    assert unseal("secret", mine, sealed) is None


def test_the_style_sheet_warns_two_minutes_before_a_look_that_was_noted_a_minute_late() -> None:
    style = (Path(__file__).parents[2] / "app" / "static" / "casebook.css").read_text()
    assert f"animation:app-time-out 1s {(IDLE_MINUTES - 3) * 60}s forwards" in style
