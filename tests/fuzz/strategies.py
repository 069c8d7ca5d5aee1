"""What people, programs and attackers send: mostly wrong, sometimes nearly right."""

import json
from typing import Any, Final

from hypothesis import strategies as st

NASTY: Final = (
    *("", " ", "\x00", "\r\nX-Added: 1", "\ud800", "\udfff", "\ufeff", "\u202e", "ß" * 300, "\U0001f9d1‍🏫"),
    *(
        "null",
        "true",
        "NaN",
        "-Infinity",
        "1e999",
        "9" * 5000,
        "-1",
        "0",
        "00",
        "٣",
        "²",
        "½",
        "1_000",
        "0x1f",
    ),
    *(
        "[" * 3000,
        '{"a":' * 3000,
        '"',
        "\\",
        "'; --",
        "%00",
        "%ff",
        "%",
        "../../x",
        "//x",
        "http://[",
        "{{7*7}}",
    ),
    *(
        "2026-02-30",
        "0000-00-00",
        "9999-12-31",
        "２０２６-09-14",
        "20260914",
        "2026-W01-1",
        "2026-09-14T24:00",
    ),
    *("9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2026-09-14T13:05:00Z", "2026-09-14 13:05+1"),
    *("12:60", "13pm", "24:00", "1.5am", "99", "{00000000-0000-0000-0000-000000000000}", "urn:uuid:x"),
    *("=1+1", "@SUM(1)", "a,b", '"a', "a\nb", "a\rb", "\x85", "\u2028", 'W/"1"', '"1", "2"', "*", '"1'),
)
anything: Final = st.text(max_size=40)
"""Any text without halves of characters."""
texts: Final = st.one_of(st.sampled_from(NASTY), st.text(st.characters(), max_size=60))
"""Any text, often a known troublemaker."""
plain: Final = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(allow_nan=False),
    texts,
)
values: Final = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
"""Anything that JSON holds."""


def _twice(fields: list[tuple[str, Any]]) -> bytes:
    """An object whose names may come twice."""
    inner = ",".join(f"{json.dumps(name)}:{json.dumps(value)}" for name, value in fields)
    return f"{{{inner}}}".encode("utf-8", "surrogatepass")


def _mangled(body: bytes, at: int, piece: bytes) -> bytes:
    place = at % (len(body) + 1)
    return body[:place] + piece + body[place + 1 :]


def bodies(names: list[str]) -> st.SearchStrategy[bytes]:
    """Bodies that should be JSON with these names."""
    named = st.sampled_from(names) | texts
    objects = st.dictionaries(named, values, max_size=8).map(lambda said: json.dumps(said).encode())
    return st.one_of(
        objects,
        values.map(lambda said: json.dumps(said).encode()),
        st.lists(st.tuples(named, plain), max_size=6).map(_twice),
        st.builds(_mangled, objects, st.integers(0, 1000), st.binary(max_size=3)),
        st.binary(max_size=200),
        st.sampled_from(
            [b"[" * 100_000, b'{"a":' * 50_000, b'{"a":NaN}', b"1" * 6000, b'"\\ud800"', b"\xef\xbb\xbf{}"]
        ),
    )
