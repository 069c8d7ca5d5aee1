"""Telling the safeguarding lead: nothing that was typed is ever refused or lost."""

from time import monotonic, sleep
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest

from app.record.errors import RecordUnavailable
from domain.concern import Concern
from domain.mentee_case import MenteeCase
from tests.pages.browser import Page
from tests.pages.conftest import PASSWORD, School

FORM = "application/x-www-form-urlencoded"


def concern_of(page: Page) -> UUID:
    return UUID(page.address.rpartition("/")[2])


def adopt(school: School, emergency_words: str) -> None:
    """Let the school have words of its own, and wait until they are in force."""
    coordinator = school.as_("coordinator")
    coordinator.get("/scheme/adopt")
    coordinator.press("Adopt the scheme", emergency_words=emergency_words)
    until = monotonic() + 10
    while school.house.casework.policy().emergency_words != emergency_words:
        assert monotonic() < until
        sleep(0.05)


def test_a_worry_about_a_past_mentee_reaches_the_lead_and_holds_the_case(school: School) -> None:
    case_id = school.matched(sessions=1)
    school.do("cases/end-match", case_id, reason="Too busy.")
    mentor = school.as_("Ruby Clarke")
    assert "Siân O'Neill" in mentor.get("/worried").text
    sent = mentor.press("Send", childs_words="He hit me.", about_case=case_id)
    raised = school.concern(concern_of(sent))
    assert raised.childs_words == "He hit me."
    assert raised.case_id == case_id
    case = school.house.casework.load(MenteeCase, case_id)
    assert case is not None
    assert case.on_hold


def test_everything_that_doesnt_fit_is_kept_for_the_lead_to_ask_about(school: School) -> None:
    tutor = school.as_("referrer")
    tutor.get("/worried")
    words = "Ünïcødé \u202eright to left\u202c\n" + "a long story. " * 1_000
    sent = tutor.press(
        "Send",
        childs_words=words + "\x00end",
        dates={"disclosed_at": (31, 2, "last week", "after lunch")},
        passed_on="Ms Price, in the corridor",
        immediate_danger="yes",
        about="staff",
        about_words="The sports coach",
    )
    raised = school.concern(concern_of(sent))
    assert raised.childs_words == words + "end"
    assert len(raised.childs_words) > 10_000
    assert raised.immediate_danger is True
    assert raised.passed_on[0].whom == "Ms Price, in the corridor"
    assert any("31/2/last week after lunch" in gap for gap in raised.gaps)


def test_an_empty_box_is_sent_too_with_the_gap_named(school: School) -> None:
    school.mentor()
    mentor = school.as_("Ruby Clarke")
    mentor.get("/worried")
    assert any("Nothing was written" in gap for gap in school.concern(concern_of(mentor.press("Send"))).gaps)


def test_a_case_that_isnt_theirs_is_left_out_and_the_worry_still_saved(school: School) -> None:
    school.mentor()
    other = school.case(pupil_id=school.pupil("Tom", "Lee"))
    mentor = school.as_("Ruby Clarke")
    form = mentor.get("/worried").form_with("Send")
    values = [value for value in form.values if value[0] != "childs_words"]
    sent = mentor.send("/worried", [*values, ("about_case", str(other)), ("childs_words", "Tom is scared.")])
    raised = school.concern(concern_of(sent))
    assert raised.case_id is None
    assert raised.childs_words == "Tom is scared."
    assert any("Ask whom this is about" in gap for gap in raised.gaps)


def test_a_double_click_raises_one_concern_and_other_words_raise_another(school: School) -> None:
    tutor = school.as_("referrer")
    page = tutor.get("/worried")
    first = concern_of(tutor.press("Send", childs_words="One.", page=page))
    assert concern_of(tutor.press("Send", childs_words="One.", page=page)) == first
    assert concern_of(tutor.press("Send", childs_words="Another.", page=page)) != first


def test_an_expired_session_keeps_the_words_and_sends_after_signing_in_on_the_same_page(
    school: School,
) -> None:
    case_id = school.matched()
    school.give_password("Ruby Clarke")
    mentor = school.as_("Ruby Clarke")
    page = mentor.get("/worried")
    with school.house.pool.connection() as connection:
        connection.execute("UPDATE access.sessions SET ended_at = now()")
    out = mentor.press(
        "Send", 401, childs_words="“Please help.”", about_case=case_id, facts="A bruise.", page=page
    )
    assert "Tell a person now" in out.text
    assert "“Please help.”" in out.html
    wrong = mentor.press("Sign in and send", 401, user_name="Ruby Clarke", password="wrong")
    assert "isn’t right" in wrong.text
    sent = mentor.press("Sign in and send", user_name="Ruby Clarke", password=PASSWORD)
    raised = school.concern(concern_of(sent))
    assert (raised.childs_words, raised.facts, raised.case_id) == ("“Please help.”", "A bruise.", case_id)
    mentor.get("/")


def test_a_form_from_an_earlier_session_comes_back_with_its_words(school: School) -> None:
    tutor = school.as_("referrer")
    page = tutor.get("/worried")
    before = school.facts()
    values = [
        (n, "stale" if n == "csrf" else v) for n, v in page.form_with("Send").values if n != "childs_words"
    ]
    back = tutor.send("/worried", [*values, ("childs_words", "Kept.")], 403)
    assert "Your words are still here" in back.text
    assert ("childs_words", "Kept.") in back.form_with("Send").values
    assert school.facts() == before
    assert school.concern(concern_of(tutor.press("Send"))).childs_words == "Kept."


def test_when_nothing_can_be_saved_the_page_keeps_the_words_and_says_whom_to_tell(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    tutor = school.as_("referrer")
    page = tutor.get("/worried")

    def down(*_: Any, **__: Any) -> None:
        raise RecordUnavailable

    with monkeypatch.context() as broken:
        broken.setattr(type(school.house.recorder), "append", down)
        out = tutor.press("Send", 503, childs_words="Kept too.", facts="Seen at break.", page=page)
    assert "Nobody has been alerted. Tell a person now" in out.text
    assert "Ms Hughes" in out.text
    assert page.form_with("Send").values[1] == out.form_with("Try again").values[1], "the same command id"
    raised = school.concern(concern_of(tutor.press("Try again")))
    assert (raised.childs_words, raised.facts) == ("Kept too.", "Seen at break.")


def test_when_the_database_is_gone_the_words_and_the_leads_are_still_shown(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    tutor = school.as_("referrer")
    page = tutor.get("/worried")

    def down(*_: Any, **__: Any) -> None:
        raise RecordUnavailable

    monkeypatch.setattr(type(school.house.sessions), "person", down)
    monkeypatch.setattr(type(school.house.casework), "policy", down)
    out = tutor.press("Send", 503, childs_words="Kept.", page=page)
    assert ("childs_words", "Kept.") in out.form_with("Try again").values
    assert "Ms Hughes" in out.text


def test_a_story_longer_than_other_forms_may_be_is_let_in(school: School) -> None:
    tutor = school.as_("referrer")
    tutor.get("/worried")
    words = "é" * 200_000
    assert school.concern(concern_of(tutor.press("Send", childs_words=words))).childs_words == words


def test_only_whoever_raised_it_sees_that_it_was_read(school: School) -> None:
    tutor = school.as_("referrer")
    tutor.get("/worried")
    sent = tutor.press("Send", childs_words="A worry.")
    concern_id = concern_of(sent)
    assert "A worry." not in sent.html
    school.do("concerns/acknowledge", concern_id, by="Ms Hughes")
    assert "Ms Hughes has read this at" in tutor.get(sent.address).text
    assert "Acknowledged" in tutor.get("/me/concerns").text
    school.as_("coordinator").get(sent.address, status=404)
    tutor.get(f"/concerns/{concern_id}", status=403)
    assert school.as_("dsl").get(sent.address).address == f"/concerns/{concern_id}"


def test_a_concern_about_staff_is_for_head_and_chair_and_not_for_the_lead(school: School) -> None:
    tutor = school.as_("referrer")
    tutor.get("/worried")
    sent = tutor.press("Send", childs_words="He shouts.", about="staff", about_words="Mr Grey")
    concern_id = concern_of(sent)
    school.as_("dsl").get(f"/concerns/{concern_id}", status=404)
    assert "Mr Grey" in school.as_("head").get(f"/concerns/{concern_id}").text
    assert "Nobody has acknowledged these (1)" in school.as_("chair").get("/").text
    assert "Nobody has acknowledged these (0)" in school.as_("dsl").get("/").text


def test_the_page_for_words_that_werent_saved_needs_no_sign_in(school: School) -> None:
    client = school.app.test_client()
    data = urlencode({"childs_words": "From a phone.", "command_id": str(uuid4())})
    out = client.post("/worried", data=data, content_type=FORM)
    assert out.status_code == 401
    assert "From a phone." in out.get_data(as_text=True)
    assert school.house.casework.load(Concern, uuid4()) is None


def test_the_schools_words_for_an_emergency_come_before_all_else_and_again_on_the_receipt(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    adopt(school, "Ring 999 first.\nThen the school office: 01632 999 999.")
    tutor = school.as_("referrer")
    page = tutor.get("/worried")
    assert page.text.index("Ring 999 first.") < page.text.index("Writing it here isn’t telling.")
    assert "Then the school office: 01632 999 999." in page.text
    assert page.html.count("tel:999") == 1, "no part of a longer number can be rung"
    sent = tutor.press("Send", childs_words="A worry.")
    assert "Ring 999 first." in sent.text
    school.do("concerns/acknowledge", concern_of(sent), by="Ms Hughes")
    assert "Ring 999 first." in tutor.get(sent.address).text

    tutor.get("/worried")

    def down(*_: Any, **__: Any) -> None:
        raise RecordUnavailable

    monkeypatch.setattr(type(school.house.recorder), "append", down)
    monkeypatch.setattr(type(school.house.casework), "policy", down)
    assert "Ring 999 first." in tutor.press("Send", 503, childs_words="Another.").text


def test_words_for_an_emergency_without_999_have_it_added(school: School) -> None:
    adopt(school, "Go to the nurse’s room.")
    page = school.as_("referrer").get("/worried")
    assert "Go to the nurse’s room. If anyone is in danger, call 999 ." in page.text
    assert page.links["call 999"] == "tel:999"
