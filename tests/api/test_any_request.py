"""Whatever arrives at the API: an answer that its document knows, in words, and never a failure of ours."""

from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from app.api.reading import READINGS
from app.commands import BREAK_CONFIDENTIALITY, RAISE_CONCERN
from tests.api.conftest import OFFERED, ROLES, School
from tests.fuzz.effort import effort
from tests.fuzz.strategies import anything, bodies, texts

DOINGS = st.sampled_from(sorted(OFFERED))
HEADERS = (
    *("Authorization", "If-Match", "Idempotency-Key", "Accept", "Content-Type", "Origin", "Host", "Cookie"),
    *(
        "Range",
        "If-None-Match",
        "If-Modified-Since",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "Accept-Encoding",
    ),
    *("Sec-Fetch-Site", "Content-Encoding", "X-HTTP-Method-Override", "Forwarded", "Accept-Language"),
)
# What HTTP lets through in a header's value; the server drops all else.
in_header = st.one_of(texts, st.binary(max_size=30).map(lambda raw: raw.decode("latin-1"))).map(
    lambda text: text.encode("latin-1", "ignore").translate(None, b"\r\n\0").decode("latin-1").strip()
)
headers = st.dictionaries(st.sampled_from(HEADERS), in_header, max_size=4)


@pytest.fixture
def ids(lists: School) -> dict[str, list[str]]:
    """Things of each kind."""
    return {
        "cases": [lists.a_matched_case(), lists.a_case()],
        "mentors": [lists.mentors["mentor"]],
        "pupils": [lists.a_pupil()],
        "concerns": [lists.make("/concerns", {"facts": "Seen."}, "dsl")],
        "scheme": [],
    }


def is_in_order(answer: TestResponse) -> bool:
    """No failure of ours; a refusal is a problem in words."""
    if answer.status_code >= 400:
        said = answer.get_json()
        assert answer.content_type == "application/problem+json", answer.content_type
        assert said["status"] == answer.status_code
        assert said["detail"]
    assert answer.status_code < 500, (answer.status_code, answer.get_data(as_text=True))
    return b"Traceback" not in answer.data


def version_of(school: School, thing: str, subject_id: str) -> str:
    count = 1 if thing == "scheme" else len(school.house.recorder.rows(UUID(subject_id)))
    return f'"{count}"'


@pytest.mark.slow
@effort(250)
@given(DOINGS, st.data())
def test_any_body_to_any_command(
    lists: School, ids: dict[str, list[str]], key: str, data: st.DataObject
) -> None:
    doing = OFFERED[key]
    subject = data.draw(st.sampled_from([*ids[doing.thing], str(uuid4())]))
    sent = data.draw(bodies(sorted(doing.schema.fields)))
    version = data.draw(st.sampled_from([version_of(lists, doing.thing, subject), '"1"', None]))
    key_of = data.draw(st.none() | in_header)
    path = doing.rule.replace("<uuid:subject_id>", subject)
    role = data.draw(st.sampled_from(sorted(doing.roles)))
    assert is_in_order(lists.call("POST", path, role, raw=sent, version=version, key=key_of))


@effort(150)
@given(st.sampled_from(range(len(READINGS))), st.data())
def test_any_query_to_any_reading(
    lists: School, ids: dict[str, list[str]], which: int, data: st.DataObject
) -> None:
    reading = READINGS[which]
    thing = reading.path.split("/")[1]
    path = reading.path.replace(
        "<uuid:subject_id>", data.draw(st.sampled_from(ids.get(thing) or [str(uuid4())]))
    )
    names = st.sampled_from(sorted(reading.asks().fields)) | texts
    asked = data.draw(st.lists(st.tuples(names, texts), max_size=4))
    query = "&".join(
        f"{quote(name, errors='replace')}={quote(value, errors='replace')}" for name, value in asked
    )
    role = data.draw(st.sampled_from(sorted(reading.roles)))
    if reading.by_post:
        said = data.draw(bodies(sorted(reading.asks().fields)))
        assert is_in_order(lists.call("POST", f"{path}?{query}", role, raw=said))
    else:
        assert is_in_order(lists.get(f"{path}?{query}", role))


@effort(200)
@given(st.data())
def test_any_header_on_any_request(lists: School, ids: dict[str, list[str]], data: st.DataObject) -> None:
    role = data.draw(st.sampled_from(ROLES))
    sent = data.draw(headers)
    good = {"Authorization": f"Bearer {lists.tokens[role]}"} if "Authorization" not in sent else {}
    path = data.draw(
        st.sampled_from(["/cases", "/me", f"/cases/{ids['cases'][0]}", "/concerns", "/nothing", ""])
    )
    method = data.draw(
        st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "NONSENSE"])
    )
    body = data.draw(st.sampled_from([b"", b"{}", b'{"facts": "Seen."}', b"\xff"]))
    answer = lists.client.open(f"/api/v1{path}", method=method, headers={**sent, **good}, data=body)
    assert is_in_order(answer)


@effort(150)
@given(st.lists(anything | st.sampled_from(["cases", "..", "%2e%2e", "\x00", "me", "docs", ""]), max_size=5))
def test_any_address(lists: School, steps: list[str]) -> None:
    path = "/".join(quote(step, safe="%", errors="replace") for step in steps)
    answer = lists.client.get(f"/api/v1/{path}", headers={"Authorization": f"Bearer {lists.tokens['dsl']}"})
    if answer.status_code != 308:
        assert is_in_order(answer) or path == "docs"


def test_a_name_that_comes_twice_in_a_body_is_refused(school: School) -> None:
    before = school.facts()
    for twice in (
        b'{"facts": "He hit me.", "facts": "Nothing."}',
        b'{"passed_on": [{"whom": "a", "whom": "b"}]}',
    ):
        for doing, path in (
            (RAISE_CONCERN, "/concerns"),
            (BREAK_CONFIDENTIALITY, f"/cases/{school.a_case()}"),
        ):
            verb = f"/{doing.verb}" if doing.verb else ""
            answer = school.call("POST", path + verb, "coordinator", raw=twice)
            assert answer.status_code == 422
    assert school.facts() == before + 4


@pytest.mark.parametrize("key", ["", "   "])
def test_an_idempotency_key_that_says_nothing_is_refused(school: School, key: str) -> None:
    before = school.facts()
    answer = school.post("/pupils", body={}, headers={"Idempotency-Key": key})
    assert answer.status_code == 422
    assert "Idempotency-Key" in answer.get_json()["errors"]
    assert school.facts() == before
    assert (
        school.post("/concerns", body={"facts": "Seen."}, headers={"Idempotency-Key": key}).status_code == 201
    )


def test_a_correction_of_a_pupil_names_the_id_plainly(school: School) -> None:
    case, pupil = school.a_case(), school.a_pupil()
    body: dict[str, Any] = {"version": 1, "field": "pupil_id", "reason": "Wrong twin."}
    for wrong in (f'"{pupil}"', "[" * 9000, f"[{pupil}]"):
        answer = school.post(f"/cases/{case}/correct", body=body | {"value": wrong}, version='"1"')
        assert answer.status_code == 422
    assert school.give(f"/cases/{case}/correct", body=body | {"value": pupil})["pupil_id"] == pupil
