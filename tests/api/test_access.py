"""Who may call what: every address × every reader, against a table that is written out here."""

import re
from pathlib import Path
from uuid import uuid4

import pytest
from werkzeug.routing import Rule

from app.access.policy import rule_of
from app.api.commands import API
from app.proof.anchor import Anchor
from app.proof.checkpoints import CheckpointFile
from app.proof.note import SigningKey
from app.settings import Settings
from tests.api.conftest import REFERRAL, ROLES, School

OFFICE = "coordinator dsl deputy_dsl"
LEADS = "dsl deputy_dsl"
SAFEGUARDING = "dsl deputy_dsl head chair"
EVERYBODY = " ".join(ROLES)

COMMANDS = {
    "/pupils": OFFICE,
    **dict.fromkeys(("/pupils/{id}/correct", "/pupils/{id}/dispute", "/pupils/{id}/leave"), OFFICE),
    "/mentors": "coordinator",
    **{
        f"/mentors/{{id}}/{verb}": "coordinator"
        for verb in (
            *("interview", "select", "turn-down", "train", "sign-agreement", "qualify", "attach"),
            *("supervise", "appoint", "stand-down", "correct", "dispute"),
        )
    },
    "/cases": f"{OFFICE} referrer mentor",
    **{
        f"/cases/{{id}}/{verb}": "coordinator"
        for verb in ("decline", "match", "end-match", "send-letter", "extend", "close", "reopen")
    },
    **{
        f"/cases/{{id}}/{verb}": "coordinator mentor"
        for verb in ("agree-purpose", "arrange-session", "hold-session", "miss-session", "ask-for-more")
    },
    "/cases/{id}/hold": OFFICE,
    "/cases/{id}/release": LEADS,
    **dict.fromkeys(("/cases/{id}/correct", "/cases/{id}/dispute"), f"{OFFICE} mentor"),
    "/cases/{id}/break-confidentiality": EVERYBODY,
    "/concerns": EVERYBODY,
    **{
        f"/concerns/{{id}}/{verb}": SAFEGUARDING
        for verb in (
            *("acknowledge", "assess", "decide", "refer-out", "record-outcome", "share", "assign-action"),
            *("complete-action", "inform-child", "close", "approve-closing", "reopen", "transfer"),
            *("confirm-receipt", "correct", "dispute"),
        )
    },
    "/scheme/adopt": "coordinator head",
    "/checkpoints/cosignatures": "referrer inspector chair head data_officer admin",
}
READS = {
    "/me": EVERYBODY,
    "/me/concerns": EVERYBODY,
    "/scheme": EVERYBODY,
    **dict.fromkeys(("/checkpoints", "/checkpoints/latest"), EVERYBODY),
    # Without the sizes between which it is asked for, whoever may ask hears that they are missing.
    "/checkpoints/proof": EVERYBODY,
    **dict.fromkeys(("/pupils", "/pupils/{id}", "/pupils/search"), OFFICE),
    **dict.fromkeys(("/mentors", "/mentors/{id}", "/mentors/{id}/history"), OFFICE),
    **dict.fromkeys(("/cases", "/cases/{id}", "/cases/{id}/history"), f"{OFFICE} mentor inspector"),
    "/cases/{id}/readers": f"{LEADS} inspector",
    **dict.fromkeys(("/concerns", "/concerns/{id}", "/concerns/{id}/history"), f"{SAFEGUARDING} inspector"),
}
ABOUT_STAFF = {"head", "chair"}


def rules(school: School) -> list[Rule]:
    return [rule for rule in school.app.url_map.iter_rules() if rule.rule.startswith(API)]


def plain(rule: Rule) -> str:
    return re.sub(r"<[^>]*>", "{id}", rule.rule.removeprefix(API))


def test_every_address_of_the_application_has_a_rule(school: School) -> None:
    without = [
        rule.rule
        for rule in school.app.url_map.iter_rules()
        if rule_of(school.app.view_functions[rule.endpoint]) is None
    ]
    assert without == []


def test_an_address_without_a_rule_is_refused_to_everybody(school: School) -> None:
    school.app.add_url_rule(f"{API}/forgotten", "forgotten", lambda: "open")
    assert school.get("/forgotten", "admin").status_code == 403
    assert school.get("/forgotten", None).status_code == 403


def test_every_address_of_the_api_is_in_these_tables(school: School) -> None:
    posts = {plain(r) for r in rules(school) if "POST" in (r.methods or ())} - {"/pupils/search"}
    gets = {plain(r) for r in rules(school) if "GET" in (r.methods or ())} - {"/openapi.json", "/docs"}
    assert posts == set(COMMANDS)
    assert gets | {"/pupils/search"} == set(READS)


@pytest.fixture
def ids(lists: School, settings: Settings, tmp_path: Path) -> dict[str, str]:
    """One of each thing; the case is `mentor`'s, and `other_mentor` has nothing to do with it."""
    lists.a_mentor("other_mentor")
    case = lists.a_matched_case()
    concern = lists.make("/concerns", {"facts": "Seen."}, "dsl")
    key, file = SigningKey(settings.origin, bytes(32)), CheckpointFile(tmp_path / "checkpoints.txt")
    Anchor(settings.database_url, key.name, key, file).checkpoint()
    return {"pupils": lists.a_pupil(), "mentors": lists.mentors["mentor"], "cases": case, "concerns": concern}


def expected(path: str, who: str, allowed: str) -> str:
    """What this reader must meet: sign-in, wrong role, not there, or through."""
    if who == "anonymous":
        return "401"
    role = "mentor" if who == "other_mentor" else who
    if role not in allowed.split():
        return "403"
    of_one = "{id}" in path
    if who == "other_mentor" and path.startswith("/cases/") and of_one:
        return "404"
    if role in ABOUT_STAFF and path.startswith("/concerns/") and of_one:
        return "404"
    return "through"


@pytest.mark.parametrize("who", [*ROLES, "other_mentor", "anonymous"])
def test_each_reader_meets_what_the_table_says(lists: School, ids: dict[str, str], who: str) -> None:
    wrong = []
    before = lists.facts()
    cells = [("POST", *cell) for cell in COMMANDS.items()]
    cells += [
        ("POST" if path == "/pupils/search" else "GET", path, allowed) for path, allowed in READS.items()
    ]
    for method, path, allowed in cells:
        thing = path.split("/")[1]
        address = path.replace("{id}", ids.get(thing, ""))
        token = None if who == "anonymous" else who
        if method == "GET":
            status = lists.get(address, token).status_code
            through = {422 if path == "/checkpoints/proof" else 200}
        else:
            status = lists.post(address, token, {"no such field": 1}).status_code
            asks_version = "{id}" in path and not path.endswith("/break-confidentiality")
            through = {428 if asks_version or path == "/scheme/adopt" else 422}
        met = "through" if status in through else str(status)
        if met != expected(path, who, allowed):
            wrong.append((method, path, status, expected(path, who, allowed)))
    assert wrong == []
    assert lists.facts() == before, "a read, or a refused request, must not record anything"


def test_what_is_not_there_and_what_is_not_yours_look_the_same(school: School) -> None:
    case = school.a_matched_case()
    school.a_mentor("other_mentor")
    for path in ("", "/history"):
        answers = [
            school.get(f"/cases/{case}{path}", "other_mentor"),
            school.get(f"/cases/{uuid4()}{path}", "other_mentor"),
            school.get(f"/cases/not-an-id{path}", "other_mentor"),
            school.get(f"/cases/{school.mentors['mentor']}{path}", "coordinator"),
            school.get(f"/cases/{uuid4()}{path}", "coordinator"),
        ]
        assert {a.status_code for a in answers} == {404}
        assert len({a.data for a in answers}) == 1


def test_nobody_unknown_learns_whether_an_address_exists(school: School) -> None:
    for path in ("/cases/not-an-id", "/nothing", f"/cases/{uuid4()}"):
        assert school.get(path, None).status_code == 401
    assert "Bearer" in school.get("/me", None).headers["WWW-Authenticate"]


def test_a_mentor_sees_present_mentees_only(lists: School) -> None:
    case = lists.a_matched_case()
    other = lists.a_matched_case("other_mentor")
    after = lists.facts()
    own = lists.get(f"/cases?after={after}", "mentor").get_json()["items"]
    assert [item["id"] for item in own] == [case]
    assert lists.get(f"/cases?mentor_id={lists.mentors['other_mentor']}", "mentor").get_json() == {
        "items": []
    }
    assert lists.get(f"/cases/{other}", "mentor").status_code == 404
    lists.give(f"/cases/{case}/end-match", body={"reason": "Moved house."})
    assert lists.get(f"/cases/{case}", "mentor").status_code == 404
    after = lists.facts()
    assert lists.get(f"/cases?after={after}", "mentor").get_json() == {"items": []}
    session = {"held_on": "2026-09-14", "minutes": 30, "focus": "f", "notes": "n"}
    assert lists.post(f"/cases/{case}/hold-session", "mentor", session, version='"3"').status_code == 404


def test_a_referrer_gets_a_receipt_and_nothing_else(school: School) -> None:
    answer = school.post("/cases", "referrer", REFERRAL | {"pupil_in_words": "The tall boy in 7B"})
    assert answer.status_code == 201
    assert set(answer.get_json()) == {"reference", "received_at"}
    assert re.fullmatch(r"[0-9A-Z]{4}-[0-9A-Z]{4}", answer.get_json()["reference"])
    assert "Location" not in answer.headers
    assert "ETag" not in answer.headers
    raised = school.post("/concerns", "referrer", {"facts": "Cries at lunch."})
    assert {"reference", "received_at"} <= set(raised.get_json())
    assert "Location" not in raised.headers


def test_a_mentor_hears_where_a_referral_went_and_may_not_go_there(school: School) -> None:
    school.a_mentor("mentor")
    answer = school.post("/cases", "mentor", REFERRAL | {"pupil_in_words": "The tall boy in 7B"})
    assert set(answer.get_json()) == {"reference", "received_at"}
    place = answer.headers["Location"].removeprefix("/api/v1")
    assert school.get(place, "mentor").status_code == 404
    assert school.get(place, "coordinator").get_json()["state"] == "referred"


def test_only_the_right_people_read_a_concern_about_staff(school: School) -> None:
    about_staff = {"facts": "Shouted.", "about": "staff", "about_words": "A teacher"}
    concern = school.make("/concerns", about_staff, "head")
    for who in ("dsl", "deputy_dsl", "inspector"):
        assert school.get(f"/concerns/{concern}", who).status_code == 404
    assert school.get(f"/concerns/{concern}", "chair").get_json()["facts"] == "Shouted."
    assert school.post(f"/concerns/{concern}/acknowledge", "dsl", version='"1"').status_code == 404
    assert school.post(f"/concerns/{concern}/acknowledge", "head", version='"1"').status_code == 200


def test_whoever_raised_a_concern_sees_its_state_alone(lists: School) -> None:
    raised = lists.post("/concerns", "coordinator", {"childs_words": "Don't tell."})
    assert set(raised.get_json()) == {"id", "reference", "state", "received_at"}
    assert raised.headers["Location"] == f"/api/v1/concerns/{raised.get_json()['id']}"
    concern = raised.get_json()["id"]
    lists.give(f"/concerns/{concern}/acknowledge", "dsl")
    mine = lists.get(f"/me/concerns?after={lists.facts()}", "coordinator").get_json()["items"]
    received = raised.get_json()["received_at"]
    assert mine == [{"id": concern, "state": "acknowledged", "received_at": received}]
    assert lists.get(f"/concerns/{concern}", "coordinator").status_code == 403


def test_a_coordinator_is_not_shown_that_a_concern_exists(school: School) -> None:
    case = school.a_matched_case()
    told = school.post(f"/cases/{case}/break-confidentiality", "mentor", {"childs_words": "Purple elephant"})
    concern = told.get_json()["concern_id"]
    for path in (f"/cases/{case}", f"/cases/{case}/history"):
        shown = school.get(path, "coordinator").get_data(as_text=True)
        assert concern not in shown
        assert "Purple" not in shown
        assert "onfidential" not in shown
    assert school.get(f"/cases/{case}", "coordinator").get_json()["on_hold"] is True
    facts = school.get(f"/cases/{case}/history", "dsl").get_json()["facts"]
    assert "ConfidentialityBroken" in [fact["name"] for fact in facts]


def test_an_inspector_reads_codes_for_names(lists: School) -> None:
    case = lists.a_matched_case()
    lists.get(f"/cases?after={lists.facts()}", "coordinator")
    to_inspector = lists.get(f"/cases/{case}/history", "inspector").get_data(as_text=True)
    to_coordinator = lists.get(f"/cases/{case}/history", "coordinator").get_data(as_text=True)
    assert "O'Neill" in to_coordinator
    assert "O'Neill" not in to_inspector
