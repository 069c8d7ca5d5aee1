"""A sealed form that comes back with any change, by anybody, opens as it was sealed or not at all."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

from hypothesis import assume, given
from hypothesis import strategies as st

from app.access.unsent import Unsent, seal, unseal
from tests.fuzz.effort import effort
from tests.fuzz.strategies import texts

SECRET, MINE, THEIRS = "s" * 32, UUID(int=1), UUID(int=2)
FORM = Unsent("/cases/1/close?x=1", (("facts", "He said “no”."), ("facts", "Twice."), ("outcome", "good")))
SEALED = seal(SECRET, MINE, FORM)
RAW = urlsafe_b64decode(SEALED)
printable = st.text(max_size=60)


@effort(300)
@given(printable, st.lists(st.tuples(texts, texts), max_size=6).map(tuple))
def test_any_form_opens_as_it_was_sealed_for_its_own_account(
    path: str, fields: tuple[tuple[str, str], ...]
) -> None:
    form = Unsent(path, fields)
    sealed = seal(SECRET, MINE, form)
    assert unseal(SECRET, MINE, sealed) == form
    assert unseal(SECRET, THEIRS, sealed) is None
    assert unseal(SECRET + "x", MINE, sealed) is None


@effort(600)
@given(st.lists(st.tuples(st.integers(0, len(RAW)), st.binary(max_size=3), st.integers(0, 20)), min_size=1))
def test_bytes_put_in_changed_or_taken_out_open_nothing(changes: list[tuple[int, bytes, int]]) -> None:
    raw = RAW
    for place, piece, gone in changes:
        raw = raw[:place] + piece + raw[place + gone :]
    assume(raw != RAW)
    assert unseal(SECRET, MINE, urlsafe_b64encode(raw).decode()) is None


@effort(600)
@given(st.integers(0, len(SEALED)), texts, st.integers(0, 20))
def test_text_put_in_changed_or_taken_out_opens_nothing_else(place: int, piece: str, gone: int) -> None:
    # Letters that base64 doesn't know may be passed over: the same bytes are the same form.
    assert unseal(SECRET, MINE, SEALED[:place] + piece + SEALED[place + gone :]) in (None, FORM)


@effort(300)
@given(texts | st.binary(max_size=100).map(lambda raw: urlsafe_b64encode(raw).decode()))
def test_anything_else_opens_nothing(sealed: str) -> None:
    assert unseal(SECRET, MINE, sealed) is None
