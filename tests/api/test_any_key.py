"""Whatever stands in Idempotency-Key: a refusal in words, or the command once and its answer again."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.api.conftest import School
from tests.api.test_any_request import in_header, is_in_order
from tests.fuzz.effort import effort

COMMANDS: dict[str, dict[str, Any]] = {
    "/pupils": {"given_name": "Ama", "family_name": "Ali", "born_on": "2014-02-28", "year_group": 7}
    | {"tutor_group": "7B"},
    "/concerns": {"facts": "Seen."},
    "/cases/{case}/break-confidentiality": {"facts": "Told."},
    "/cases/{case}/dispute": {"version": 1, "words": "It was otherwise."},
}
keys = st.one_of(
    in_header,
    st.uuids().map(str),
    st.uuids().map(lambda one: f"{{{one}}}".upper()),
    st.text("abc-_ \t\xa0\xff", max_size=20).map(str.strip),
    st.sampled_from(["a" * 3000, "a, a", '"a"', "0", "é", "a\x7f"]),
)


@pytest.mark.slow
@effort(50)
@given(keys, st.sampled_from(sorted(COMMANDS)))
def test_any_key_is_refused_or_does_the_command_once(school: School, key: str, command: str) -> None:
    path, body = command, COMMANDS[command]
    if "{case}" in path:
        path = path.format(case=school.a_case())
    before = school.facts()
    first, again = (school.call("POST", path, "dsl", body, version='"1"', key=key) for _ in range(2))
    assert is_in_order(first)
    assert again.status_code == first.status_code
    tells = not path.startswith("/pupils") and not path.endswith("dispute")
    if first.status_code >= 400:
        assert not tells, "who tells is never refused for a key"
        assert first.status_code == 422
        assert list(first.get_json()["errors"]) == ["Idempotency-Key"]
        assert school.facts() == before
        return
    once = 3 if path.endswith("confidentiality") else 1
    if tells and not key.strip():
        # A key that says nothing is none: then two requests are two, and a child is rather heard twice.
        assert school.facts() > before + 1
        return
    assert school.facts() == before + once
    assert again.get_data() == first.get_data()
    assert again.headers["Casebook-Position"] == first.headers["Casebook-Position"]
    other = school.call("POST", path, "dsl", body | {"happened_on": "2026-09-01"}, version='"2"', key=key)
    assert other.status_code == 422, "another request under the same key"
    assert school.facts() == before + once
