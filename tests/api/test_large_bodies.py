"""Bodies that are too large: refused, and heard out so that the refusal arrives."""

from io import BytesIO

from app.api.commands import API
from app.security import MOST_BYTES
from tests.api.conftest import School


def post(school: School, body: BytesIO, role: str | None) -> int:
    answer = school.client.post(
        f"{API}/cases",
        input_stream=body,
        headers={"Authorization": f"Bearer {school.tokens[role]}"} if role else {},
        content_length=body.getbuffer().nbytes,
        content_type="application/json",
    )
    assert answer.content_type == "application/problem+json"
    return answer.status_code


def test_a_body_that_is_too_large_is_read_to_its_end(school: School) -> None:
    body = BytesIO(b'{"words": "' + b"x" * MOST_BYTES + b'"}')
    assert post(school, body, "coordinator") == 413
    assert not body.read()


def test_nobody_without_an_account_is_waited_for(school: School) -> None:
    body = BytesIO(b'{"words": "' + b"x" * MOST_BYTES + b'"}')
    assert post(school, body, None) == 401
    assert body.tell() == 0


def test_a_body_that_does_not_say_its_length_is_no_larger(school: School) -> None:
    answer = school.client.post(
        f"{API}/concerns",
        input_stream=BytesIO(b'{"facts": "x"' + b" " * MOST_BYTES + b"}"),
        headers={"Authorization": f"Bearer {school.tokens['coordinator']}"},
        environ_overrides={"wsgi.input_terminated": True},
        content_type="application/json",
    )
    assert answer.status_code == 413
