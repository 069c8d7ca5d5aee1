"""Bodies that are too large are refused, whether or not they say how long they are."""

from io import BytesIO

from app.api.commands import API
from app.security import MOST_BYTES
from tests.api.conftest import School


def test_a_body_that_is_too_large_is_refused(school: School) -> None:
    body = b'{"words": "' + b"x" * MOST_BYTES + b'"}'
    answer = school.post("/cases", raw=body)
    assert (answer.status_code, answer.content_type) == (413, "application/problem+json")


def test_a_body_that_does_not_say_its_length_is_no_larger(school: School) -> None:
    answer = school.client.post(
        f"{API}/concerns",
        input_stream=BytesIO(b'{"facts": "x"' + b" " * MOST_BYTES + b"}"),
        headers={"Authorization": f"Bearer {school.tokens['coordinator']}"},
        environ_overrides={"wsgi.input_terminated": True},
        content_type="application/json",
    )
    assert answer.status_code == 413
