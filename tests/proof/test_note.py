from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.proof.note import SigningKey, signed_note
from app.proof.verifier import (
    Checkpoint,
    Note,
    NotVerified,
    VerifierKey,
    event_leaf,
    leaf_hash,
    open_sealed,
    read_checkpoint,
    read_leaf,
)
from tests.record.vectors import EVENTS, VECTORS, place_of

LOG = SigningKey(VECTORS["origin"], bytes.fromhex(VECTORS["log_seed"]))
OTHER = SigningKey("governor.example", bytes(range(32)))
TEXT = str(Checkpoint(LOG.name, 7, bytes.fromhex(VECTORS["roots"][6])))
SIGNED = signed_note(TEXT, LOG.sign(TEXT), LOG.cosign(TEXT, 1_787_000_000), OTHER.cosign(TEXT, 1_787_000_001))


def test_checkpoints_are_signed_to_the_byte() -> None:
    assert str(LOG.verifier_key) == VECTORS["vkey"]
    for size, (root, note) in enumerate(zip(VECTORS["roots"], VECTORS["checkpoints"], strict=True), 1):
        text = str(Checkpoint(LOG.name, size, bytes.fromhex(root)))
        assert signed_note(text, LOG.sign(text)).decode() == note


def test_the_anchors_own_time_is_signed_to_the_byte() -> None:
    note = VECTORS["checkpoint_with_own_time"].encode()
    found, time = read_checkpoint(note, LOG.verifier_key)
    assert (found.size, time is not None) == (7, True)
    text = str(found)
    assert signed_note(text, LOG.sign(text), LOG.cosign(text, time or 0)) == note


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event["topic"])
def test_a_leaf_and_what_is_sealed_to_the_byte(event: dict[str, object]) -> None:
    agg, ver, topic = place_of(event)
    state = str(event["state"]).encode()
    leaf = event_leaf(agg.bytes, ver, topic, int(str(event["recorded_at_us"])), state)
    assert leaf.hex() == event["leaf_data"]
    assert leaf_hash(leaf).hex() == event["leaf_hash"]
    opened = open_sealed(state, bytes.fromhex(str(event["cek"])), str(agg), ver, topic)
    assert opened == (event["pub"], event["payload"])


def test_a_reads_leaf_to_the_byte() -> None:
    read = VECTORS["read"]
    leaf = read_leaf(
        UUID(read["account"]).bytes,
        read["id"],
        read["read_at_us"],
        read["route"],
        [UUID(one).bytes for one in read["subjects"]],
        read["state"].encode(),
    )
    assert leaf.hex() == read["leaf_data"]
    assert leaf_hash(leaf).hex() == read["leaf_hash"]


def test_a_verifier_key_that_was_mistyped_is_refused() -> None:
    text = VECTORS["vkey"]
    assert str(VerifierKey.parse(text)) == text
    for wrong in (
        text[:-1] + "A",
        text.replace("+6a", "+6b"),
        text.replace("st-example", "st-other"),
        "",
        "a+b",
    ):
        with pytest.raises(NotVerified):
            VerifierKey.parse(wrong)


def test_a_signature_of_an_unknown_key_or_kind_says_nothing() -> None:
    stranger = SigningKey("stranger.example", bytes(32))
    unknown_kind = "— casebook.example/st-example/demo " + "AAAAAAAAAA==\n"
    note = signed_note(TEXT, stranger.sign(TEXT), unknown_kind, LOG.sign(TEXT))
    assert read_checkpoint(note, LOG.verifier_key)[0].size == 7
    assert Note.parse(note).signed_by(OTHER.verifier_key) == []
    with pytest.raises(NotVerified):
        read_checkpoint(signed_note(TEXT, stranger.sign(TEXT), unknown_kind), LOG.verifier_key)


def test_a_bad_signature_of_a_known_key_rejects_a_note_that_is_signed_otherwise() -> None:
    other_text = str(Checkpoint(LOG.name, 8, bytes(32)))
    note = signed_note(TEXT, LOG.sign(TEXT), LOG.sign(other_text))
    with pytest.raises(NotVerified, match="signature"):
        read_checkpoint(note, LOG.verifier_key)
    with pytest.raises(NotVerified, match="signature"):
        read_checkpoint(signed_note(TEXT, LOG.sign(TEXT), LOG.cosign(other_text, 5)), LOG.verifier_key)


def test_a_witness_says_when_it_saw_it() -> None:
    assert Note.parse(SIGNED).signed_by(OTHER.verifier_key.timed) == [1_787_000_001]
    assert read_checkpoint(SIGNED, LOG.verifier_key)[1] == 1_787_000_000


@given(st.integers(0, len(SIGNED) * 8 - 1))
def test_a_checkpoint_with_any_bit_changed_is_refused_or_loses_a_signature(bit: int) -> None:
    altered = bytearray(SIGNED)
    altered[bit // 8] ^= 1 << bit % 8
    try:
        note = Note.parse(bytes(altered))
        signed = [
            bool(note.signed_by(key))
            for key in (LOG.verifier_key, LOG.verifier_key.timed, OTHER.verifier_key.timed)
        ]
    except NotVerified:
        return
    assert note.text == TEXT
    assert sum(signed) == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "origin\n7\n",
        "origin\n07\n" + "A" * 43 + "=\n",
        "origin\n-1\n" + "A" * 43 + "=\n",
        "origin\n7\nAAAA\n",
        "\n7\n" + "A" * 43 + "=\n",
        "origin\n7\n" + "A" * 42 + "B=\n",
    ],
)
def test_what_isnt_a_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NotVerified):
        Checkpoint.parse(text)
