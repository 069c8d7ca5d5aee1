"""Whatever is posted to a page, or stands in its address: a page in words, and never a failure of ours."""

import re
from random import Random
from urllib.parse import quote, urlencode
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import Headers
from werkzeug.test import TestResponse

from tests.fuzz.effort import effort
from tests.fuzz.strategies import NASTY, texts
from tests.pages.browser import Page
from tests.pages.conftest import STAFF, School

RUBY = "Ruby Clarke"
PEOPLE = st.sampled_from([*STAFF, RUBY])
ASKED = (
    *(
        "after",
        "cursor",
        "recorded",
        "entry",
        "pupil",
        "q",
        "state",
        "next",
        "case",
        "year",
        "free",
        "mentor",
    ),
    *("as_at-day", "as_at-month", "as_at-year", "as_at-time", "step", "sort", "show"),
)
SEEDS = st.integers(0, 2**32)
URLENCODED = "application/x-www-form-urlencoded"


@pytest.fixture
def grown(school: School) -> School:
    """A school in which there is one of everything."""
    case_id = school.matched(sessions=2)
    school.case()
    school.case(pupil_in_words="The tall boy")
    mentor = school.as_(RUBY)
    mentor.get("/worried")
    mentor.press("Send", childs_words="He hits me.", about_case=str(case_id))
    school.catch_up()
    return school


@pytest.fixture
def ids(grown: School) -> list[str]:
    return things(grown)


def addresses(school: School, method: str) -> list[str]:
    """Rules of pages that take this method."""
    return sorted(
        rule.rule
        for rule in school.app.url_map.iter_rules()
        if method in (rule.methods or ()) and not rule.rule.startswith(("/api/", "/static/", "/metrics"))
    )


def things(school: School) -> list[str]:
    """Ids of everything that is there, and one of nothing. Always equally many in the same order."""
    rows = school.house.recorder.rows_after(0, limit=100)
    return [*dict.fromkeys(str(row.originator_id) for row in rows), str(uuid4())][:20]


def address(rule: str, ids: list[str], chance: Random) -> str:
    """A rule with ids of things in it."""
    rule = re.sub("<uuid:[^>]*>", lambda _: chance.choice(ids), rule)
    return re.sub(
        "<[^>]*>", lambda _: chance.choice(["match", "close", "correct", "hold-session", "x"]), rule
    )


def mangled(form: list[tuple[str, str]], chance: Random) -> list[tuple[str, str]]:
    """A form with answers that nobody was asked for, twice, not at all, or in place of others."""
    names = [*(name for name, _ in form), "seen", "command_id", "step", "checked", "change", "nobody_asks"]
    kept = [(name, chance.choice([value, value, chance.choice(NASTY)])) for name, value in form]
    kept = [one for one in kept if chance.random() < 0.9]
    kept += [(chance.choice(names), chance.choice(NASTY)) for _ in range(chance.randrange(5))]
    csrf = [one for one in form if one[0] == "csrf"][:1]
    return [one for one in kept if one[0] != "csrf"] + csrf


def asked(data: st.DataObject) -> str:
    said = data.draw(st.lists(st.tuples(st.sampled_from(ASKED), texts), max_size=3))
    return "&".join(f"{name}={quote(value, errors='replace')}" for name, value in said)


def is_in_order(answer: TestResponse) -> bool:
    """A page with a headline, a redirect, or what health and status give to programs."""
    said = answer.get_data()
    answer.close()
    assert answer.status_code < 500, (answer.status_code, answer.request.method, answer.request.path)
    assert b"Traceback" not in said
    return answer.status_code in (303, 308) or "html" not in (answer.mimetype or "") or b"<h1" in said


@pytest.mark.slow
@effort(120)
@given(PEOPLE, SEEDS, st.data())
def test_any_address_of_a_page(
    grown: School, ids: list[str], who: str, seed: int, data: st.DataObject
) -> None:
    rule = data.draw(st.sampled_from(addresses(grown, "GET")))
    assert is_in_order(grown.as_(who).client.get(f"{address(rule, ids, Random(seed))}?{asked(data)}"))


@pytest.mark.slow
@effort(150)
@given(PEOPLE, SEEDS, st.data())
def test_any_form(grown: School, ids: list[str], who: str, seed: int, data: st.DataObject) -> None:
    chance, client = Random(seed), grown.as_(who).client
    rule = data.draw(st.sampled_from(addresses(grown, "POST")))
    path = address(rule, ids, chance)
    shown = Page(client.get(path if rule in addresses(grown, "GET") else "/worried"), path)
    form = mangled(shown.forms[-1].values if shown.forms else [], chance)
    sent = urlencode([(name, value.encode("utf-8", "replace")) for name, value in form]).encode()
    assert is_in_order(client.post(f"{path}?{asked(data)}", data=sent, content_type=URLENCODED))


@effort(150)
@given(PEOPLE, st.data())
def test_any_bytes_for_a_form(grown: School, ids: list[str], who: str, data: st.DataObject) -> None:
    path = address(data.draw(st.sampled_from(addresses(grown, "POST"))), ids, Random(1))
    kind = data.draw(
        st.sampled_from(
            [
                *(
                    URLENCODED,
                    "multipart/form-data",
                    "multipart/form-data; boundary=b",
                    "application/json",
                    "",
                ),
                *(
                    "multipart/form-data; boundary=" + "b" * 300,
                    f"{URLENCODED}; charset=utf-16",
                    "text/plain",
                ),
            ]
        )
    )
    pieces = [
        *(
            b"--b\r\n",
            b"--b--\r\n",
            b'Content-Disposition: form-data; name="csrf"\r\n\r\n',
            b"\xff\xfe",
            b"&" * 50,
        ),
        *(
            b"a=%ff&",
            b"%",
            b"=&=",
            b'Content-Disposition: form-data; name="a"; filename="\x00"\r\n',
            b"\r\n\r\n",
        ),
        b"&".join(b"a=1" for _ in range(2000)),
    ]
    body = b"".join(data.draw(st.lists(st.sampled_from(pieces) | st.binary(max_size=20), max_size=8)))
    assert is_in_order(grown.as_(who).client.post(path, data=body, content_type=kind))


def test_an_upload_stays_in_memory(grown: School, monkeypatch: pytest.MonkeyPatch) -> None:
    def on_disk(*_: object, **__: object) -> None:
        raise AssertionError("words of somebody would lie in a temporary file")

    monkeypatch.setattr("werkzeug.formparser.SpooledTemporaryFile", on_disk)
    start = b'--b\r\nContent-Disposition: form-data; name="facts"; filename="a"\r\n\r\n'
    body = start + b"x" * 200_000 + b"\r\n--b--\r\n"
    kind = "multipart/form-data; boundary=b"
    assert is_in_order(grown.as_("dsl").client.post("/worried", data=body, content_type=kind))


@effort(40)
@given(st.data())
def test_any_cookie_and_any_origin(grown: School, data: st.DataObject) -> None:
    latin = texts.map(
        lambda text: text.encode("latin-1", "ignore").translate(None, b"\r\n\0").decode("latin-1")
    )
    names = st.sampled_from(
        ["Cookie", "Origin", "Sec-Fetch-Site", "Referer", "Accept", "Host", "If-None-Match"]
    )
    cookies = latin.map(lambda text: f"casebook_session={text}; session={text}")
    sent = Headers(data.draw(st.lists(st.tuples(names, latin | cookies), max_size=4)))
    client = grown.app.test_client(use_cookies=False)
    for path in (
        "/",
        "/sign-in",
        f"/sign-in?next={quote(data.draw(texts), errors='replace')}",
        "/static/casebook.css",
    ):
        assert is_in_order(client.get(path, headers=sent))
    name = data.draw(texts).encode("utf-8", "replace").decode()
    assert is_in_order(client.post("/worried", data={"childs_words": name}, headers=sent))


@effort(5)
@given(texts, texts)
def test_any_name_and_password(grown: School, name: str, password: str) -> None:
    form = urlencode({"user_name": name, "password": password}, errors="replace")
    for path in ("/sign-in", "/worried/sign-in"):
        answer = grown.app.test_client().post(path, data=form, content_type=URLENCODED)
        assert is_in_order(answer)
        assert answer.status_code in (401, 422, 429)


@pytest.mark.parametrize("host", [".", "a..b", "x" * 70, "[", "a b", "\u00fc"])
def test_a_host_that_cannot_be_one_is_refused(grown: School, host: str) -> None:
    for path in ("/", "/sign-in", "/worried", "/healthz", "/api/v1/me", "/static/casebook.css"):
        answer = grown.app.test_client().get(path, headers={"Host": host})
        assert is_in_order(answer)
