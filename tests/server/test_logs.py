"""A case from referral to close and evidence pack, in words of its own; then nothing tells them again."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.cookiejar import CookieJar
from time import monotonic, sleep
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import HTTPCookieProcessor, build_opener
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.sql import SQL

from app.forms import today
from app.house import House
from app.settings import from_environment
from app.staff_office import StaffOffice
from domain.staff import Role
from tests.server.conftest import Mailbox, open_address, text_of
from tests.server.plans import compose, value_of
from tests.server.yard import Yard

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("server")]
CANARY = "Qyzzle"
"""Every name and every word of this test begins so. No file of ours does."""


SESSIONS = 6
"""As many as a case has when nothing else was agreed."""


def canary(what: str) -> str:
    return f"{CANARY}{what}"


@dataclass
class Told:
    """What the journey left: the tokens of those who took part, and where each e-mail went."""

    tokens: dict[str, str]
    address: str

    def send(self, path: str, who: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """One request to the API; the version that a command needs is looked up first."""
        address = f"{self.address}/api/v1{path}"
        if body is None:
            status, text = open_address(address, self.tokens[who])
        else:
            thing = re.match(r"(/\w+/[0-9a-f-]{36})/", path)
            if thing:
                _, seen = open_address(f"{self.address}/api/v1{thing[1]}", self.tokens[who])
                headers.setdefault("If_Match", f'"{json.loads(seen)["version"]}"')
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            status, text = open_address(address, self.tokens[who], content, **headers)
        return status, json.loads(text) if text else None


def settings_of(server: Yard) -> Any:
    """The server's settings, for this process."""
    environment = compose()["services"]["web"]["environment"]
    school = {"CASEBOOK_ORIGIN": "casebook.example/yard", "CASEBOOK_BASE_URL": server.address}
    given = {name: value_of(str(value), school) for name, value in environment.items()}
    for place, ours in (("/run/secrets", server.secrets), ("/run/keks", server.secrets / "keks")):
        given = {name: value.replace(place, str(ours)) for name, value in given.items()}
    return from_environment(given)


@pytest.fixture(scope="module")
def told(server: Yard, mailbox: Mailbox) -> Told:
    """Everything that happens, by API and by page, rightly and wrongly."""
    tokens: dict[str, str] = {}
    roles: tuple[Role, ...] = ("admin", "coordinator", "dsl", "deputy_dsl", "referrer")
    with House(settings_of(server)) as house:
        office = StaffOffice(house.casework, house.accounts)
        for role in roles:
            email = f"{canary(role)}@school.example"
            office.add(canary(role), role, email=email, password=canary("password"))
            tokens[role] = office.issue_token(canary(role))[0]
        made = Told(tokens, server.address)
        mentor = _train_a_mentor(made)
        office.add(canary("mentor"), "mentor", mentor_id=mentor, password=canary("password"))
        tokens["mentor"] = office.issue_token(canary("mentor"))[0]
        case = _carry_a_case(made, str(mentor))
    _go_wrong(made)
    _fail_in_the_database((server.secrets / "database_url").read_text())
    _use_pages(server.address, case)
    until = monotonic() + 30
    while len({address for address, _ in mailbox.got if CANARY in address}) < 2:
        assert monotonic() < until, "nobody was alerted"
        sleep(0.1)
    return made


def _pupil(told: Told, year: int, upn: str | None = None) -> str:
    body = {
        "given_name": canary("given"),
        "family_name": canary("family"),
        "known_as": canary("known"),
        "born_on": f"{today().year - year - 5}-02-27",
        "year_group": year,
        "tutor_group": canary("form")[:10],
        "upn": upn,
    }
    status, pupil = told.send("/pupils", "coordinator", {k: v for k, v in body.items() if v is not None})
    assert status == 201, pupil
    return str(pupil["id"])


def _train_a_mentor(told: Told) -> Any:
    body = {"pupil_id": _pupil(told, 10), "statement": canary("statement")}
    status, mentor = told.send("/mentors", "coordinator", body)
    assert status == 201, mentor
    day = today().isoformat()
    for verb, said in (
        ("interview", {"held_on": day, "panel": canary("panel"), "notes": canary("notes")}),
        ("select", {"reason": canary("reason")}),
        ("train", {"course": canary("course"), "completed_on": day}),
        ("sign-agreement", {"signed_on": day, "agreement_version": canary("agreement")}),
    ):
        status, answer = told.send(f"/mentors/{mentor['id']}/{verb}", "coordinator", said)
        assert status == 200, answer
    return UUID(mentor["id"])


def _carry_a_case(told: Told, mentor: str) -> str:
    referral = {
        "pupil_id": _pupil(told, 7),
        "route": "staff",
        "reasons": ["friendships"],
        "words": canary("words"),
        "referred_by": canary("referrer"),
    }
    status, case = told.send("/cases", "coordinator", referral)
    assert status == 201, case
    path = f"/cases/{case['id']}"
    session = {
        "held_on": today().isoformat(),
        "minutes": 30,
        "focus": canary("focus"),
        "notes": canary("notes"),
    }
    status, refusal = told.send(f"{path}/hold-session", "coordinator", session)
    assert status == 409, refusal
    answer: Any = None
    for who, verb, said in (
        ("coordinator", "match", {"mentor_id": mentor, "reason": canary("why")}),
        ("mentor", "hold-session", session),
        ("mentor", "break-confidentiality", {"childs_words": canary("childs"), "opinion": canary("opinion")}),
    ):
        status, answer = told.send(f"{path}/{verb}", who, said)
        assert status == 200, answer
    status, concern = told.send(
        "/concerns", "mentor", {"facts": canary("facts"), "about_words": canary("about")}
    )
    assert status == 201, concern
    concern = f"/concerns/{answer['concern_id']}"
    for verb, said in (
        ("acknowledge", {}),
        ("assess", {"threshold": canary("threshold"), "reason": canary("reason")}),
        ("decide", {"decision": "early_help", "rationale": canary("rationale")}),
    ):
        # Alerts are recorded about it meanwhile, so the version seen may be old by now.
        for _ in range(5):
            status, answer = told.send(f"{concern}/{verb}", "dsl", said)
            if status != 412:
                break
        assert status == 200, answer
    for path_seen in (path, f"{path}/history", concern, f"{concern}/history", "/cases", "/concerns"):
        status, seen = told.send(path_seen, "dsl")
        assert status == 200
        assert CANARY in json.dumps(seen) or path_seen in (path, "/cases", "/concerns", concern)
    correction: dict[str, Any] = {
        "version": 1,
        "field": "words",
        "value": canary("corrected"),
        "reason": canary("mistake"),
    }
    wishes: dict[str, Any] = {"reason": canary("longer"), "mentee_wishes": canary("wishes"), "sessions": 2}
    steps: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("dsl", "release", {"reason": canary("released")}),
        ("coordinator", "correct", correction),
        ("coordinator", "dispute", {"version": 1, "words": canary("disputed")}),
        ("mentor", "ask-for-more", {"words": canary("more")}),
        # A case is extended at its review, after the last planned session.
        *[("mentor", "hold-session", session)] * (SESSIONS - 1),
        ("coordinator", "extend", wishes),
        ("coordinator", "close", {"outcome": canary("outcome"), "reason": canary("done")}),
    )
    for who, verb, typed in steps:
        status, answer = told.send(f"{path}/{verb}", who, typed)
        assert status == 200, (verb, answer)
    return str(case["id"])


def _go_wrong(told: Told) -> None:
    """What is typed in the wrong place, twice, or can't be read."""
    typed = {"given_name": canary("twice"), "family_name": canary("twice"), "born_on": canary("day")}
    assert told.send("/pupils", "coordinator", typed)[0] == 422
    assert told.send("/pupils", "coordinator", {canary("field"): canary("value")})[0] == 422
    assert told.send("/pupils", "coordinator", f'{{"given_name": "{CANARY}'.encode())[0] == 422
    assert told.send("/concerns", "mentor", {"facts": canary("null") + "\0"})[0] in (201, 422)
    assert told.send(f"/cases/{uuid4()}?{canary('query')}=1", "coordinator")[0] == 404
    assert told.send(f"/{canary('path')}", "coordinator")[0] == 404
    assert told.send("/cases", "referrer")[0] == 403
    key = canary("key")
    words = {"facts": canary("once")}
    assert told.send("/concerns", "referrer", words, Idempotency_Key=key)[0] == 201
    assert told.send("/concerns", "referrer", words, Idempotency_Key=key)[0] == 201
    assert told.send("/concerns", "referrer", {"facts": canary("other")}, Idempotency_Key=key)[0] == 422
    assert open_address(f"{told.address}/api/v1/cases", canary("token"))[0] == 401
    assert open_address(f"{told.address}/{quote(canary('page'))}?q={canary('q')}")[0] == 404


def _fail_in_the_database(url: str) -> None:
    """A statement that fails with the row in its details, as any bug of ours might make one."""
    row = SQL("INSERT INTO access.accounts (id, role) VALUES ({}, {})").format(uuid4(), canary("row"))
    with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(row)


class Browser:
    """Somebody at the pages."""

    def __init__(self, address: str) -> None:
        self.address, self._opener = address, build_opener(HTTPCookieProcessor(CookieJar()))

    def open(self, path: str, form: dict[str, str] | None = None) -> bytes:
        body = urlencode(form).encode() if form is not None else None
        with self._opener.open(f"{self.address}{path}", body, timeout=30) as answer:
            return bytes(answer.read())

    def post(self, path: str, *, to: str | None = None, **typed: str) -> bytes:
        """Fill in the form of one page; it goes to the same address, unless `to` names another."""
        page = self.open(path).decode()
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
        return self.open(to or path, hidden | typed)

    def sign_in(self, name: str, password: str) -> bytes:
        return self.post("/sign-in", user_name=name, password=password)


def _use_pages(address: str, case: str) -> None:
    coordinator, mentor, lead = (Browser(address) for _ in range(3))
    with pytest.raises(HTTPError, match=r"401|403|422"):
        coordinator.sign_in(canary("coordinator"), canary("wrong"))
    coordinator.sign_in(canary("coordinator"), canary("password"))
    assert canary("family").encode() in coordinator.post("/pupils", q=canary("family"))
    assert b"Sign out" in mentor.sign_in(canary("mentor"), canary("password"))
    lead.sign_in(canary("dsl"), canary("password"))
    asked = {"for_whom": canary("whom"), "why": canary("purpose"), "password": canary("password")}
    named = {"with_names": "yes", "names_why": canary("names")}
    # The anchor has signed by now, or does so soon.
    until = monotonic() + 30
    make = partial(lead.post, f"/evidence/ask?case={case}", to="/evidence/make", **asked, **named)
    while (pack := make())[:2] != b"PK":
        assert monotonic() < until, pack.decode()
        sleep(0.5)


def places(server: Yard, mailbox: Mailbox, told: Told) -> Iterator[tuple[str, str]]:
    """Everywhere that words could come out but at a page or an answer: its name and its text."""
    for name in ("web", "projector", "anchor", "migrate", "record-db", "keys-db"):
        yield f"{name}'s log", server.log_of(name).read_text("utf-8", "replace")
    yield "metrics", text_of(f"{server.address}/metrics", told.tokens["admin"])
    yield "readiness", text_of(f"{server.address}/readyz")
    for words in ([], ["--json"]):
        said = server.run("projector", "casebook", "status", *words)
        yield "status", said.stdout + said.stderr
    for _, message in mailbox.got:
        # Whom it goes to stands at its head and nowhere else.
        del message["To"]
        yield "e-mail", message.as_string()


def test_no_word_of_the_journey_is_told_again(server: Yard, mailbox: Mailbox, told: Told) -> None:
    found = [
        (name, line)
        for name, text in places(server, mailbox, told)
        for line in text.splitlines()
        if CANARY in line
    ]
    assert found == []
    assert "violates check constraint" in server.log_of("record-db").read_text()


def test_every_line_of_our_logs_is_json_and_names_rules_and_roles(server: Yard, told: Told) -> None:
    lines = []
    # The anchor says nothing while all is well.
    for name in ("web", "projector", "anchor"):
        lines += [json.loads(line) for line in server.log_of(name).read_text().splitlines()]
    asked = [line for line in lines if line["event"] == "request"]
    broken = next(line for line in asked if line["rule"].endswith("/break-confidentiality"))
    assert broken["rule"] == "POST /api/v1/cases/<uuid:subject_id>/break-confidentiality"
    assert broken["status"] == 200
    assert broken["ms"] > 0
    assert broken["role"] == "mentor"
    assert len({line["request"] for line in asked}) == len(asked)
    assert any(line["rule"] == "(none)" and line["status"] == 404 for line in asked)


def test_metrics_count_commands_by_what_became_of_them(server: Yard, told: Told) -> None:
    text = text_of(f"{server.address}/metrics", told.tokens["admin"])
    for command, outcome in (
        ("cases/break-confidentiality", "recorded"),
        ("concerns/decide", "recorded"),
        ("cases/hold-session", "refused"),
        ("cases/hold-session", "recorded"),
        ("concerns/raise-concern", "recorded"),
    ):
        assert f'casebook_commands_total{{command="{command}",outcome="{outcome}"}} ' in text
    rules = set(re.findall(r'rule="([^"]*)"', text))
    assert "/api/v1/cases/<uuid:subject_id>/history" in rules
    assert not any(re.search(r"[0-9a-f]{8}-", rule) for rule in rules)
