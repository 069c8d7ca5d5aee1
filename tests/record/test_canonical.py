"""The JSON inside an envelope is the same to the byte as the standard library's, whatever writes it.

`verify`, packs and other implementations take these bytes as they are, and old records hold them.
"""

import json
from base64 import urlsafe_b64decode
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.record.sealing import seal
from tests.record.test_sealing import KEY, PLACE

text = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)
names = st.from_regex(r"[A-Za-z_][a-z0-9_]{0,12}", fullmatch=True)
EVERY_CHARACTER = "".join(map(chr, (*range(0xD800), *range(0xE000, 0x11000))))


def canonical(fields: dict[str, Any]) -> bytes:
    return json.dumps(
        fields, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True
    ).encode()


def raw(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def is_written_as_the_standard_library_writes_it(fields: dict[str, Any], kept: int) -> None:
    """The first `kept` fields readable, the others sealed."""
    pub, priv = dict([*fields.items()][:kept]), dict([*fields.items()][kept:])
    protected, _, iv, ciphertext, tag = seal(KEY, *PLACE, pub, priv).decode().split(".")
    cipher = AESGCM(KEY.content_key(*PLACE[:2]))
    assert cipher.decrypt(raw(iv), raw(ciphertext) + raw(tag), protected.encode()) == canonical(priv)
    listed = json.dumps(sorted(priv), separators=(",", ":")).encode()
    assert raw(protected).endswith(b',"pub":%b,"priv":%b}' % (canonical(pub), listed))


@settings(deadline=None, max_examples=300)
@given(st.dictionaries(names, values, max_size=6), st.integers(0, 6))
@example({"words": EVERY_CHARACTER, "place": "/ é \x7f \u2028 \ufeff"}, 1)
@example({"sessions": 2**63, "minutes": -(2**63) - 1, "notes": 2**200, "on_hold": 2**64 - 1}, 2)
@example({"said": {"\uffff": 1, "\U0001f600": 2, "z": 3, "Z": 4, "": 5}, "answers": [[[]], {}, [None]]}, 1)
def test_any_values_are(fields: dict[str, Any], kept: int) -> None:
    is_written_as_the_standard_library_writes_it(fields, kept)


@pytest.mark.parametrize("deep", [200, 300])
def test_what_is_deep_inside_is(deep: int) -> None:
    value: list[Any] = []
    for _ in range(deep):
        value = [value]
    is_written_as_the_standard_library_writes_it({"words": value}, 0)
