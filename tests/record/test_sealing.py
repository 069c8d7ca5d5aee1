import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st
from jwcrypto import jwe, jwk

from app.record.data_key import DataKey
from app.record.sealing import (
    EVENT,
    READ,
    NotSealable,
    SealBroken,
    read_public,
    seal,
    sealed_version,
    unseal,
)
from tests.record.vectors import EVENTS, key_of, place_of

KEY = DataKey(bytes(16), bytes(range(32)))
PLACE = (UUID("074f3706-2561-44fa-b2aa-9412b58bc49d"), 3, "mentee-case.session-held")
PUB = {"happened_on": "2026-09-17", "policy_version": 1}
PRIV: dict[str, Any] = {
    "notes": "Talked.\nSmiled. Siân",
    "friend_came": False,
    "reasons": ["a", None, {"b": 2}],
}


def b64(raw: bytes) -> bytes:
    return urlsafe_b64encode(raw).rstrip(b"=")


def decoded(state: bytes) -> tuple[str, list[bytes]]:
    parts = state.split(b".")
    return urlsafe_b64decode(parts[0] + b"==").decode(), parts


def resealed(
    header: str, payload: bytes = b'{"notes":"x"}', key: DataKey = KEY, iv: bytes = bytes(12)
) -> bytes:
    """An envelope with any header at all, rightly encrypted: only the reader's own checks can refuse it."""
    protected = b64(header.encode())
    sealed = AESGCM(key.content_key(PLACE[0], PLACE[1])).encrypt(iv, payload, protected)
    return b".".join([protected, b"", b64(iv), b64(sealed[:-16]), b64(sealed[-16:])])


GOOD_HEADER = decoded(seal(KEY, *PLACE, PUB, {"notes": "x"}))[0]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event["topic"])
def test_each_example_is_sealed_to_the_byte(event: dict[str, Any]) -> None:
    key, place = key_of(event), place_of(event)
    assert key.content_key(place[0], place[1]).hex() == event["cek"]
    state = seal(key, *place, event["pub"], event["payload"], iv=bytes.fromhex(event["iv"]))
    assert state == event["state"].encode()
    assert unseal(key, *place, state) == (event["pub"], event["payload"])
    assert read_public(state, place) == (event["pub"], sorted(event["payload"]))
    assert json.loads(decoded(state)[0])["kc"] == event["kc"]


def test_another_implementation_of_the_standard_opens_what_we_seal() -> None:
    state = seal(KEY, *PLACE, PUB, PRIV)
    envelope = jwe.JWE()
    envelope.deserialize(state.decode())
    cek = KEY.content_key(PLACE[0], PLACE[1])
    envelope.decrypt(jwk.JWK(kty="oct", k=b64(cek).decode()))
    assert json.loads(envelope.payload) == PRIV


def test_the_same_fact_sealed_twice_is_never_the_same_bytes() -> None:
    assert seal(KEY, *PLACE, PUB, PRIV) != seal(KEY, *PLACE, PUB, PRIV)


def test_nothing_sealed_can_be_read_without_the_key() -> None:
    state = seal(KEY, *PLACE, PUB, {"notes": "canary-7731"})
    assert b"canary-7731" not in state
    assert b64(b"canary-7731") not in state
    assert read_public(state) == (PUB, ["notes"])


names = st.from_regex(r"[a-z_][a-z0-9_]{0,12}", fullmatch=True)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=8,
)
fields = st.dictionaries(names, values, max_size=6)


@settings(deadline=None)
@given(
    fields, fields, st.uuids(), st.integers(1, 2**64 - 1), st.text(st.characters(exclude_categories=["Cs"]))
)
def test_what_is_sealed_comes_back_as_it_was(
    pub: dict[str, Any], priv: dict[str, Any], agg: UUID, ver: int, topic: str
) -> None:
    priv = {name: value for name, value in priv.items() if name not in pub}
    state = seal(KEY, agg, ver, topic, pub, priv)
    assert unseal(KEY, agg, ver, topic, state) == (pub, priv)


def test_any_byte_that_is_altered_is_refused() -> None:
    state = seal(KEY, *PLACE, PUB, PRIV)
    for place in range(len(state)):
        for other in (
            state[place] ^ 1,
            state[place] ^ 0x20,
            ord("A"),
            ord("+"),
            ord("="),
            ord("."),
            ord(" "),
        ):
            altered = state[:place] + bytes([other]) + state[place + 1 :]
            if altered != state:
                with pytest.raises(SealBroken):
                    unseal(KEY, *PLACE, altered)
        with pytest.raises(SealBroken):
            unseal(KEY, *PLACE, state[:place] + state[place + 1 :])


@pytest.mark.parametrize(
    "place", [(uuid4(), *PLACE[1:]), (PLACE[0], 4, PLACE[2]), (*PLACE[:2], "mentee-case.closed")]
)
def test_a_fact_that_was_moved_is_refused(place: tuple[UUID, int, str]) -> None:
    state = seal(KEY, *PLACE, PUB, PRIV)
    with pytest.raises(SealBroken):
        unseal(KEY, *place, state)
    with pytest.raises(SealBroken):
        read_public(state, place)


def test_a_key_of_another_name_opens_nothing() -> None:
    smaller, larger = DataKey(bytes([1] * 16), KEY.key), DataKey(bytes([2] * 16), KEY.key)
    for ours, other in ((smaller, larger), (larger, smaller)):
        with pytest.raises(SealBroken, match="names another key"):
            unseal(other, *PLACE, seal(ours, *PLACE, PUB, PRIV))


@pytest.mark.parametrize("number", range(8))
def test_a_key_with_other_bytes_opens_nothing(number: int) -> None:
    other = DataKey(KEY.kid, bytes([number] * 32))
    with pytest.raises(SealBroken, match="commits to another key"):
        unseal(other, *PLACE, seal(KEY, *PLACE, PUB, PRIV))


def test_two_keys_with_one_ciphertext_are_told_apart_before_decrypting() -> None:
    other = DataKey(KEY.kid, bytes(32))
    # Rightly encrypted and named under the other key; only the commitment still names the first.
    state = resealed(GOOD_HEADER, key=other)
    with pytest.raises(SealBroken, match="commits"):
        unseal(other, *PLACE, state)


KIND, WRONG, TWICE = "another kind", "of the wrong kind", "twice or out of order"
PLACED, ODD, WHOLE = "another place", "don't belong there", "isn't whole"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"alg":"dir"', '"alg":"A256KW"', KIND),
        ('"enc":"A256GCM"', '"enc":"A128GCM"', KIND),
        ("casebook-event/1", "casebook-event/2", KIND),
        ('"ver":3', '"ver":3.0', WHOLE),
        ('"ver":3', '"ver":"3"', PLACED),
        ('"ver":3', '"ver":true', PLACED),
        ('"policy_version":1', '"policy_version":1.5', WHOLE),
        ('"policy_version":1', '"policy_version":NaN', WHOLE),
        ('"policy_version":1', '"policy_version":1,"policy_version":1', "gives a name twice"),
        ('{"alg"', '{"crit":["exp"],"alg"', ODD),
        ('{"alg"', '{"zip":"DEF","alg"', ODD),
        ('{"alg"', '{"later":1,"alg"', ODD),
        ('{"alg":"dir","enc":"A256GCM"', '{"enc":"A256GCM","alg":"dir"', ODD),
        ('"priv":["notes"]', '"priv":["notes"],"later":1', ODD),
        ('"priv":["notes"]', '"priv":["notes","notes"]', TWICE),
        ('"priv":["notes"]', '"priv":["notes","notes","words"]', TWICE),
        ('"priv":["notes"]', '"priv":["notes","friend_came"]', TWICE),
        ('"priv":["notes"]', '"priv":["happened_on","notes"]', TWICE),
        ('"priv":["notes"]', '"priv":[1]', WRONG),
        ('"priv":["notes"]', '"priv":"notes"', WRONG),
        (json.dumps(PUB, separators=(",", ":")), "[]", WRONG),
        (json.dumps(PUB, separators=(",", ":")), "null", WRONG),
        (',"priv"', ';"priv"', "isn't JSON"),
        ('"priv":["notes"]}', '"priv":["notes"]}}', "isn't JSON"),
        ("{", "[" * 100_000, "isn't JSON"),
    ],
)
def test_a_reader_refuses_what_the_format_does_not_allow_with_the_key_or_without(
    old: str, new: str, words: str
) -> None:
    assert unseal(KEY, *PLACE, resealed(GOOD_HEADER))[1] == {"notes": "x"}
    assert old in GOOD_HEADER
    state = resealed(GOOD_HEADER.replace(old, new, 1))
    with pytest.raises(SealBroken, match=words):
        unseal(KEY, *PLACE, state)
    with pytest.raises(SealBroken, match=words):
        read_public(state, PLACE)


@pytest.mark.parametrize(
    ("named", "payload", "words"),
    [
        ('["notes"]', b'{"notes":1.5}', "isn't whole"),
        ('["notes"]', b'{"notes":1,"notes":1}', "gives a name twice"),
        ('["notes"]', b'{"words":1}', "the fields that it names"),
        ('["notes"]', b"{}", "the fields that it names"),
        ('["notes","words"]', b'{"notes":1}', "the fields that it names"),
        ("[]", b'{"notes":1}', "the fields that it names"),
        ("[]", b"[]", "isn't a JSON object"),
        ('["notes"]', b'["notes"]', "isn't a JSON object"),
        ('["notes"]', b'"notes"', "isn't a JSON object"),
        ('["notes"]', b'{"notes":1} too', "isn't JSON"),
        ('["notes"]', b'{"notes":1}{"notes":2}', "isn't JSON"),
        ('["notes"]', b"\xff", "isn't JSON"),
        ('["notes"]', b"", "isn't JSON"),
    ],
)
def test_a_payload_holds_exactly_the_fields_that_the_header_names(
    named: str, payload: bytes, words: str
) -> None:
    header = GOOD_HEADER.replace('["notes"]', named)
    with pytest.raises(SealBroken, match=words):
        unseal(KEY, *PLACE, resealed(header, payload))


def test_what_another_program_wrote_with_spaces_or_in_another_order_opens_too() -> None:
    header = json.dumps(json.loads(GOOD_HEADER))
    assert header != GOOD_HEADER
    assert unseal(KEY, *PLACE, resealed(header, b' {"notes": "x"}\n')) == (PUB, {"notes": "x"})
    assert unseal(KEY, *PLACE, resealed(GOOD_HEADER, b'{"notes":"x"} ')) == (PUB, {"notes": "x"})
    two = GOOD_HEADER.replace('["notes"]', '["notes","words"]')
    told = {"notes": "x", "words": "y"}
    assert unseal(KEY, *PLACE, resealed(two, b'{"words":"y","notes":"x"}')) == (PUB, told)


def test_an_envelope_has_one_spelling_alone() -> None:
    """Otherwise bytes that differ would open to the same story, and nobody could say which were sealed."""
    header, _, iv, ciphertext, tag = resealed(GOOD_HEADER).split(b".")
    sealed = urlsafe_b64decode(ciphertext + b"==") + urlsafe_b64decode(tag + b"==")
    for shift in (15, 17):
        moved = b".".join([header, b"", iv, b64(sealed[:-shift]), b64(sealed[-shift:])])
        with pytest.raises(SealBroken, match="wrong length"):
            unseal(KEY, *PLACE, moved)
    for noise in (b"!!!!", b"\n\n\n\n", b"    ", b"====", b"\xff\xff\xff\xff"):
        noisy = b".".join([header, b"", iv, ciphertext[:4] + noise + ciphertext[4:], tag])
        with pytest.raises(SealBroken, match="isn't base64url"):
            unseal(KEY, *PLACE, noisy)
    # The tag's last letter has four bits that hold nothing: each of these decodes to the same bytes.
    letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = letters.index(tag[-1:])
    for other in letters[last + 1 : last + 16]:
        with pytest.raises(SealBroken, match="isn't base64url"):
            unseal(KEY, *PLACE, b".".join([header, b"", iv, ciphertext, tag[:-1] + bytes([other])]))
    with pytest.raises(SealBroken, match="don't belong there"):
        unseal(KEY, *PLACE, b".".join([header, b"AAAA", iv, ciphertext, tag]))


@pytest.mark.parametrize("length", [8, 11, 13, 15, 16])
def test_the_random_part_is_of_twelve_bytes(length: int) -> None:
    with pytest.raises(SealBroken, match="wrong length"):
        unseal(KEY, *PLACE, resealed(GOOD_HEADER, iv=bytes(length)))


@pytest.mark.parametrize("state", [b"", b"....", b"a.b.c", b"a.b.c.d.e.f", b"\xff.\xff.\xff.\xff.\xff"])
def test_bytes_that_are_no_envelope_are_refused(state: bytes) -> None:
    with pytest.raises(SealBroken):
        read_public(state)


@pytest.mark.parametrize("value", [1.0, float("nan"), b"x", (1,), {1: 2}, {1.5}, [[1.0]], object()])
def test_only_plain_values_are_sealed(value: object) -> None:
    with pytest.raises(NotSealable, match="holds more than"):
        seal(KEY, *PLACE, {}, {"words": value})
    with pytest.raises(NotSealable, match="holds more than"):
        seal(KEY, *PLACE, {"words": value}, {})


def test_half_a_character_is_refused_without_repeating_the_text() -> None:
    with pytest.raises(NotSealable, match="half of a character") as caught:
        seal(KEY, *PLACE, {}, {"words": "canary-7731 \ud800"})
    assert caught.value.__cause__ is None
    assert "canary" not in str(caught.value)


def test_a_field_is_kept_readable_or_sealed_but_not_both() -> None:
    with pytest.raises(NotSealable, match="not both"):
        seal(KEY, *PLACE, {"words": "a"}, {"words": "b"})


@pytest.mark.parametrize("name", ["", "two words", 'quo"te', "né"])
def test_the_name_of_a_field_is_a_plain_word(name: str) -> None:
    with pytest.raises(NotSealable, match="plain word"):
        seal(KEY, *PLACE, {}, {name: "x"})


def test_an_entry_of_the_log_of_reads_is_never_taken_for_a_fact() -> None:
    state = seal(KEY, *PLACE, {}, PRIV, typ=READ)
    with pytest.raises(SealBroken, match="another kind"):
        unseal(KEY, *PLACE, state)
    assert sealed_version(state, typ=READ) == 3
    assert unseal(KEY, *PLACE, state, typ=READ) == ({}, PRIV)


@pytest.mark.parametrize("version", [0, 1, 2**64 - 1])
def test_the_version_of_an_envelope_fills_eight_bytes_at_most(version: int) -> None:
    assert sealed_version(seal(KEY, PLACE[0], version, PLACE[2], {}, PRIV), typ=EVENT) == version


@pytest.mark.parametrize("version", ["-1", str(2**64), str(2**65), '"3"', "true", "null"])
def test_an_envelope_of_no_possible_version_is_refused(version: str) -> None:
    state = resealed(GOOD_HEADER.replace('"ver":3', f'"ver":{version}'))
    with pytest.raises(SealBroken, match="wrong kind"):
        sealed_version(state, typ=EVENT)
