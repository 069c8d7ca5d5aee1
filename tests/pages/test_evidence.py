"""Evidence packs and what is proven, on the pages: chosen, noted, taken away, and checked at home."""

import io
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest

import app
from app.proof.anchor import Anchor
from app.proof.checkpoints import CheckpointFile
from app.proof.log_key import create_log_key
from app.proof.note import SigningKey
from app.proof.verifier import Verified, verify_pack
from app.wording.proof import NOT_PROVEN, PROMISE
from tests.conftest import ORIGIN
from tests.documents.reading import text_of
from tests.journeys.glass import Glass
from tests.pages.browser import Browser, Page
from tests.pages.conftest import PASSWORD, STAFF, School

ASKED: dict[str, Any] = {"for_whom": "Estyn", "why": "Inspection of 3 November", "password": PASSWORD}


@pytest.fixture
def log_key(school: School, tmp_path: Path) -> SigningKey:
    """The log key, which this server has, as in a demo."""
    file = tmp_path / "log.key"
    key = create_log_key(file, ORIGIN)
    school.house.settings = replace(
        school.house.settings, log_key_file=file, checkpoint_file=tmp_path / "checkpoints"
    )
    return key


def sign(school: School, key: SigningKey) -> None:
    """A checkpoint over everything that is recorded now."""
    file = school.house.settings.checkpoint_file
    assert file is not None
    Anchor(school.house.settings.database_url, key.name, key, CheckpointFile(file)).checkpoint()


def told_in_a_case(school: School) -> UUID:
    """A case with a pupil, a mentor, and a concern that the mentor raised."""
    case_id = school.matched(sessions=1)
    mentor = school.as_("Ruby Clarke")
    mentor.get("/worried")
    mentor.press("Send", about_case=str(case_id), childs_words="I don’t want to go home.")
    school.catch_up()
    return case_id


def made(page: Page) -> bytes:
    """The pack that a page handed over."""
    assert page.response.mimetype == "application/zip", page.text
    return page.response.get_data()


def checked(pack: bytes, key: SigningKey) -> Verified:
    return verify_pack(pack, [key.verifier_key])


def history_in(pack: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(pack)) as opened:
        return opened.read("history.html").decode()


def taken(browser: Browser, case_id: UUID, **other: Any) -> Page:
    browser.get(f"/evidence/ask?case={case_id}")
    return browser.press("Make the pack", **{**ASKED, **other})


def test_from_a_case_to_a_pack_that_verifies_and_tells_what_the_pages_told(
    school: School, log_key: SigningKey
) -> None:
    case_id = told_in_a_case(school)
    said: dict[str, Any] = {
        "version": 1,
        "field": "referred_by",
        "value": "Mrs Okafor",
        "reason": "Wrong title.",
    }
    school.do("cases/correct", case_id, **said)
    sign(school, log_key)
    lead = school.as_("dsl")
    school.give_password(STAFF["dsl"])

    lead.get(f"/cases/{case_id}")
    asking = lead.follow("Make an evidence pack of this case")
    assert "It covers everything that is recorded." in asking.text
    page = lead.press("Make the pack", **ASKED)

    pack = made(page)
    found = checked(pack, log_key)
    assert str(case_id) in found.manifest["subjects"]
    history = history_in(pack)
    for told in ("I don’t want to go home.", "Estyn", "Ms Price, coordinator"):
        assert told in history
    assert "<del>Mr Okafor</del>" in history
    assert "<ins>Mrs Okafor</ins>" in history
    assert [fact for fact in found.facts if f"fact {fact.index}, version {fact.version}" not in history] == []
    with zipfile.ZipFile(io.BytesIO(pack)) as opened:
        assert text_of(opened.read("history.pdf")).startswith("History for reading")
        assert PROMISE in opened.read("README.txt").decode()
    # It is noted, with the reason, and nothing that a browser or a server keeps tells whose case it is.
    newest = school.house.reads.readers(case_id)[0]
    assert (newest.route, newest.account) == ("/evidence", school.people["Ms Hughes"].account)
    assert newest.field_class == "evidence"
    assert "Inspection of 3 November" in (newest.reason or "")
    assert page.response.headers["Cache-Control"] == "no-store"
    disposition = page.response.headers["Content-Disposition"]
    assert disposition.startswith('attachment; filename="casebook-evidence-2')
    assert str(case_id)[:8] not in disposition + page.address


def test_whoever_doesnt_give_their_own_password_takes_nothing_away_and_is_slowed_down(
    school: School, log_key: SigningKey
) -> None:
    case_id = school.case()
    sign(school, log_key)
    school.give_password(STAFF["dsl"])
    lead = school.as_("dsl")
    page = lead.get(f"/evidence/ask?case={case_id}")

    for wrong in ("", "wrong-one", PASSWORD.upper()):
        page = lead.press("Make the pack", 422, **ASKED | {"password": wrong})
        assert page.title.startswith("Error: ")
        assert "That isn’t your password." in page.text
        assert not wrong or wrong not in page.html
    # What else was typed is still there.
    made(lead.press("Make the pack", password=PASSWORD))
    assert [route for _account, route, _subjects in school.looks()].count("/evidence") == 1

    form = dict(page.form_with("Make the pack").values) | ASKED
    guesses = [lead.client.post("/evidence/make", data={**form, "password": "wrong"}) for _ in range(9)]
    assert [answer.status_code for answer in guesses] == [422] * 8 + [429]
    assert lead.client.post("/evidence/make", data=form).status_code == 429


def test_names_are_in_a_pack_only_with_a_reason_of_their_own(school: School, log_key: SigningKey) -> None:
    case_id = told_in_a_case(school)
    sign(school, log_key)
    school.give_password(STAFF["dsl"])
    lead = school.as_("dsl")

    without = made(taken(lead, case_id))
    assert "Neill" not in history_in(without)
    assert "Clarke" not in history_in(without)

    lead.get(f"/evidence/ask?case={case_id}")
    refused = lead.press("Make the pack", 422, **ASKED, with_names="yes")
    assert "Say why the names are needed." in refused.text
    named = made(lead.press("Make the pack", **ASKED | {"names_why": "The court asks."}))
    assert "Siân O&#39;Neill" in history_in(named)
    # A mentor is a pupil too, and this pack isn't about them.
    assert "Clarke" not in history_in(named)
    assert "The court asks." in (school.house.reads.readers(case_id)[0].reason or "")
    kinds = {fact.topic.partition(".")[0] for fact in checked(named, log_key).facts}
    assert "pupil" in kinds
    assert "pupil" not in {fact.topic.partition(".")[0] for fact in checked(without, log_key).facts}


def test_several_cases_are_chosen_over_several_pages(school: School, log_key: SigningKey) -> None:
    first = school.case()
    others = [school.case(pupil_id=school.pupil("Tom", f"Lee{n}")) for n in range(21)]
    sign(school, log_key)
    school.give_password(STAFF["dsl"])
    lead = school.as_("dsl")

    page = lead.get("/evidence/cases")
    newest = str(others[-1])
    page = lead.get(_get(page, "Keep these, show older cases", {"case": [newest]}))
    assert "1 case is chosen on another page." in page.text
    assert str(first) in page.html
    page = lead.get(_get(page, "Continue", {"case": [newest, str(first)]}))
    assert page.h1 == ["Evidence pack"]
    pack = made(lead.press("Make the pack", **ASKED))
    assert {newest, str(first)} <= set(checked(pack, log_key).manifest["subjects"])
    assert str(others[0]) not in checked(pack, log_key).manifest["subjects"]


def _get(page: Page, button: str, ticked: dict[str, list[str]]) -> str:
    """The address to which a form without JavaScript leads."""
    form = page.form_with(button)
    _text, name, value, to = next(one for one in form.buttons if one[0].startswith(button))
    values = [one for one in form.values if one[0] not in ticked]
    values += [(key, one) for key, some in ticked.items() for one in some]
    return f"{to or form.action}?{urlencode([*values, *([(name, value)] if name else [])])}"


@pytest.mark.browser
def test_its_pages_have_no_fault_that_axe_finds_on_a_desk_or_a_phone(
    school: School, log_key: SigningKey, glass: Glass
) -> None:
    case_id = school.case()
    sign(school, log_key)
    inspector = school.as_("inspector")
    style = (Path(app.__file__).parent / "static" / "casebook.css").read_text("utf-8")
    addresses = ("/", "/proof", "/evidence/cases", "/evidence/ask?from=list", f"/evidence/ask?case={case_id}")
    pages = [inspector.get(address, 422 if "from" in address else 200) for address in addresses]
    pages.append(inspector.press("Make the pack", 422, for_whom="", why="", with_names="yes"))
    for page in pages:
        html = re.sub('<link rel="stylesheet"[^>]*>', lambda _: f"<style>{style}</style>", page.html)
        for width, height in ((1280, 900), (390, 844)):
            assert glass.faults(f"http://school.test{page.address}", html, width, height) == []


def test_choosing_nothing_or_too_much_is_said(school: School) -> None:
    case_id = school.case()
    lead = school.as_("dsl")
    assert lead.get("/evidence/ask").h1 == ["Evidence pack: choose cases"]
    nothing = lead.get("/evidence/ask?from=list", 422)
    assert "Choose at least one case." in nothing.text
    many = "&".join(f"case={uuid4()}" for _ in range(51))
    assert "Choose at most 50 cases" in lead.get(f"/evidence/ask?{many}", 422).text
    lead.get(f"/evidence/ask?case={case_id}&case={uuid4()}", 404)
    lead.get("/evidence/ask?case=Siân", 404)


def test_a_server_without_the_log_key_says_who_can_make_one(school: School) -> None:
    case_id = school.case()
    page = school.as_("dsl").get(f"/evidence/ask?case={case_id}")

    assert "This server can’t make packs" in page.text
    assert f"casebook evidence {case_id} --out pack.zip" in page.text
    assert "Make the pack" not in page.text
    page.forms = [form for form in page.forms if form.method == "post"]
    csrf = next(value for form in page.forms for name, value in form.values if name == "csrf")
    school.give_password(STAFF["dsl"])
    sent = school.as_("dsl").client.post("/evidence/make", data={**ASKED, "case": str(case_id), "csrf": csrf})
    assert sent.status_code == 409
    assert "No pack was made" in sent.get_data(as_text=True)


def test_a_case_that_is_newer_than_the_checkpoint_has_to_wait(school: School, log_key: SigningKey) -> None:
    school.case()
    sign(school, log_key)
    newer = school.case(pupil_id=school.pupil("Tom", "Lee"))
    school.give_password(STAFF["dsl"])
    lead = school.as_("dsl")

    asking = lead.get(f"/evidence/ask?case={newer}")
    assert "recorded after it, and aren’t covered yet." in asking.text
    refused = lead.press("Make the pack", 409, **ASKED)
    assert "No pack was made" in refused.text
    assert "newer than the checkpoint" in refused.text


def test_what_is_proven_is_said_with_its_limits(school: School, log_key: SigningKey) -> None:
    for role in ("inspector", "dsl", "head", "chair", "data_officer"):
        page = school.as_(role).get("/proof")
        assert PROMISE in page.text
        assert all(limit in page.text for limit in NOT_PROVEN)
        assert "There is no checkpoint yet" in page.text
    school.as_("head").get("/proof/sheet.pdf", 404)

    sign(school, log_key)
    page = school.as_("head").get("/proof")
    assert "It covers everything that is recorded." in page.text
    assert str(log_key.verifier_key) in page.text
    assert "Nobody yet" in page.text
    sheet = school.as_("head").follow("The sheet for the governors")
    assert sheet.response.mimetype == "application/pdf"
    assert f"{school.facts()} entries" in text_of(sheet.response.get_data())
    alone = school.as_("chair").client.get("/proof/verifier.py")
    assert b"def verify_pack" in alone.get_data()

    # A server that knows another key says so, and hands out no sheet.
    other = SigningKey(ORIGIN, b"o" * 32).verifier_key
    school.house.settings = replace(school.house.settings, log_vkey=str(other))
    assert "isn’t signed by the log key" in school.as_("head").get("/proof").text
    school.as_("head").get("/proof/sheet.pdf", 404)

    inspector = school.as_("inspector")
    inspector.get("/")
    assert inspector.follow("Verify").h1 == ["What is proven"]
    inspector.get("/")
    assert inspector.follow("Evidence pack").h1 == ["Evidence pack: choose cases"]
