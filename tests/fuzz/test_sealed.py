"""Sealed bytes that somebody changed are refused by the one declared error, never opened as other words."""

import json
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import assume, given
from hypothesis import strategies as st

from app.record.data_key import DataKey
from app.record.sealing import READ, SealBroken, read_public, seal, sealed_version, unseal
from tests.fuzz.effort import effort
from tests.fuzz.strategies import values
from tests.record.test_sealing import GOOD_HEADER, KEY, PLACE, PRIV, PUB, b64

STATE = seal(KEY, *PLACE, PUB, PRIV)
OTHERS = [
    seal(KEY, *PLACE, PUB, {**PRIV, "notes": "Other words."}),
    seal(KEY, PLACE[0], 4, PLACE[2], PUB, PRIV),
    seal(DataKey(bytes(16), bytes(32)), *PLACE, PUB, PRIV),
    seal(KEY, *PLACE, PUB, PRIV, typ=READ),
]
TRICKS = (
    *(
        '"ver":3',
        '"ver":-3',
        '"ver":3e0',
        '"ver":' + "9" * 5000,
        '"alg":"none"',
        '"alg":"dir","alg":"dir"',
        "{}",
    ),
    *('"pub":{}', '"pub":null', '"priv":["\\ud800"]', '"priv":[[]]', '"\\u0061lg":"dir"', "[" * 2000, "\\"),
    *('"pub":{"a":' * 2000, "NaN", "1e5", "\ufeff", "\x00", " ", "\\u0000", '"kid":"', '"crit":[]', "-0"),
)


def opens_to(state: bytes) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """What it opens to; None when it is refused. Nothing else may happen, whichever way it is asked."""
    refusals = []
    for read in (read_public, lambda one: read_public(one, PLACE), lambda one: sealed_version(one, typ=READ)):
        try:
            read(state)
        except SealBroken as refused:
            refusals.append(str(refused))
    try:
        found = unseal(KEY, *PLACE, state)
    except SealBroken as refused:
        refusals.append(str(refused))
        found = None
    assert not any("Talked" in refusal for refusal in refusals)
    return found


def rightly_encrypted(header: str, payload: bytes) -> bytes:
    """An envelope that nobody but the format's own checks can refuse."""
    protected, iv = b64(header.encode("utf-8", "surrogatepass")), bytes(12)
    sealed = AESGCM(KEY.content_key(PLACE[0], PLACE[1])).encrypt(iv, payload, protected)
    return b".".join([protected, b"", b64(iv), b64(sealed[:-16]), b64(sealed[-16:])])


@effort(600)
@given(st.lists(st.tuples(st.integers(0, len(STATE)), st.binary(max_size=3), st.integers(0, 8)), min_size=1))
def test_bytes_put_in_changed_or_taken_out(changes: list[tuple[int, bytes, int]]) -> None:
    state = STATE
    for place, piece, gone in changes:
        state = state[:place] + piece + state[place + gone :]
    assume(state != STATE)
    assert opens_to(state) is None


@effort(300)
@given(
    st.lists(
        st.sampled_from([STATE, *OTHERS]).flatmap(lambda one: st.sampled_from(one.split(b"."))), max_size=7
    )
)
def test_parts_of_several_envelopes_in_one(parts: list[bytes]) -> None:
    state = b".".join(parts)
    assume(state not in (STATE, OTHERS[0]))
    assert opens_to(state) is None


@effort(300)
@given(st.binary(max_size=400) | st.text(".=-_+/AQz0{}", max_size=200).map(str.encode))
def test_any_bytes_at_all(state: bytes) -> None:
    assert opens_to(state) is None


@effort(600)
@given(st.integers(0, len(GOOD_HEADER)), st.integers(0, 30), st.sampled_from(TRICKS) | st.text(max_size=20))
def test_headers_that_the_format_does_not_allow(place: int, gone: int, trick: str) -> None:
    header = GOOD_HEADER[:place] + trick + GOOD_HEADER[place + gone :]
    found = opens_to(rightly_encrypted(header, b'{"notes":"x"}'))
    if found is not None:
        # Spaces, another way to write a letter, another readable field: still the same place, key and names.
        assert found[1] == {"notes": "x"}
        said = json.loads(header)
        assert (said["agg"], said["ver"], said["topic"]) == (str(PLACE[0]), PLACE[1], PLACE[2])
        assert len(said) == 10
        assert said["pub"] == found[0]


@effort(300)
@given(
    st.binary(max_size=60)
    | values.map(lambda said: json.dumps({"notes": said}).encode())
    | st.sampled_from(
        [b'{"notes":1,"notes":2}', b'{"notes":1.0}', b'{"notes":' * 3000, b'{"notes":' + b"9" * 5000]
    )
)
def test_payloads_that_the_format_does_not_allow(payload: bytes) -> None:
    found = opens_to(rightly_encrypted(GOOD_HEADER, payload))
    if found is not None:
        assert set(found[1]) == {"notes"}
        assert "." not in repr(found[1]) or b"." in payload


@pytest.mark.parametrize("version", [-1, 2**64, 10**400])
def test_a_version_that_no_fact_can_have_opens_nothing(version: int) -> None:
    # The log of reads takes the version from the envelope itself.
    state = rightly_encrypted(
        GOOD_HEADER.replace('"ver":3', f'"ver":{version}').replace("event/1", "read/1"), b"{}"
    )
    with pytest.raises(SealBroken):
        unseal(KEY, UUID(int=0), sealed_version(state, typ=READ), "route", state, typ=READ)
