"""base64url: one text for the same bytes; no other is read, whatever the decoder underneath would take."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.record.base64url import NotBase64, from_base64url, to_base64url

A_LONG_TEXT = urlsafe_b64encode(bytes(range(0, 250, 2)) + b"\xff\xfe\xfb").rstrip(b"=")


def is_the_one_text(text: bytes) -> bool:
    """By the standard library, which says nothing of what it overlooks: so its answer is written again."""
    if not re.fullmatch(rb"[A-Za-z0-9_-]*", text) or len(text) % 4 == 1:
        return False
    return written(urlsafe_b64decode(text + b"=" * (-len(text) % 4))) == text


def written(raw: bytes) -> bytes:
    return urlsafe_b64encode(raw).rstrip(b"=")


def check(text: bytes) -> None:
    if is_the_one_text(text):
        assert written(from_base64url(text)) == text
    else:
        with pytest.raises(NotBase64):
            from_base64url(text)


@pytest.mark.parametrize("length", [0, 1, 2])
def test_every_short_text(length: int) -> None:
    for text in product(range(256), repeat=length):
        check(bytes(text))


@pytest.mark.parametrize("length", [3, 4])
def test_short_texts_of_what_decoders_disagree_on(length: int) -> None:
    for text in product(b"AQgwBE-_+/= \n\x00\x80", repeat=length):
        check(bytes(text))


@pytest.mark.parametrize("cut", range(4))
def test_each_byte_in_each_place_of_a_long_text(cut: int) -> None:
    """Decoders take long texts in blocks, with other code than their ends."""
    text = A_LONG_TEXT[: len(A_LONG_TEXT) - cut]
    for place in range(len(text)):
        for other in range(256):
            check(text[:place] + bytes([other]) + text[place + 1 :])


@given(st.binary(max_size=300))
def test_what_was_written_is_read(raw: bytes) -> None:
    assert to_base64url(raw) == written(raw)
    assert from_base64url(written(raw)) == raw
