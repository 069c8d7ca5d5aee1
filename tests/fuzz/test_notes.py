"""Notes, checkpoints, keys and proofs from outside: read as they were written, or refused by one error."""

from base64 import b64encode
from contextlib import suppress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.proof.checkpoints import TornFile, whole_notes
from app.proof.ledger import Tree, root_of
from app.proof.note import signed_note
from app.proof.verifier import (
    Checkpoint,
    Note,
    NotVerified,
    VerifierKey,
    check_consistency,
    leaf_hash,
    read_checkpoint,
)
from app.proof.witness import WitnessRefused, notes_of, proof_in
from tests.fuzz.effort import effort
from tests.fuzz.strategies import texts
from tests.proof.test_note import LOG, OTHER, SIGNED, TEXT

KEYS = (LOG.verifier_key, LOG.verifier_key.timed, OTHER.verifier_key.timed)
LEAVES = [leaf_hash(bytes([n])) for n in range(20)]
ROOTS = [root_of(LEAVES[:size]) for size in range(21)]
encoded = st.binary(max_size=80).map(lambda raw: b64encode(raw).decode())
lines = st.lists(
    st.one_of(
        st.sampled_from([*SIGNED.decode().split("\n"), "", "—", f"— {LOG.name} ", "7", "\r", " "]),
        st.tuples(st.sampled_from([LOG.name, OTHER.name]) | texts, encoded | texts).map(
            lambda said: f"— {said[0]} {said[1]}"
        ),
        encoded,
        texts,
    ),
    max_size=9,
)
raw_notes = st.one_of(
    lines.map(lambda found: "\n".join(found).encode("utf-8", "surrogatepass")),
    st.tuples(lines, lines).map(
        lambda parts: "\n\n".join("\n".join(part) for part in parts).encode("utf-8", "replace") + b"\n"
    ),
    st.binary(max_size=200),
)
changes = st.lists(
    st.tuples(st.integers(0, len(SIGNED)), st.binary(max_size=4), st.integers(0, 40)), min_size=1, max_size=4
)


def signers(note: Note) -> int:
    """How many of the keys that signed the true note have signed this one. Raises NotVerified."""
    return sum(bool(note.signed_by(key)) for key in KEYS)


@effort(300)
@given(changes)
def test_a_note_with_anything_put_in_changed_or_taken_out(changed: list[tuple[int, bytes, int]]) -> None:
    raw = SIGNED
    for place, piece, gone in changed:
        raw = raw[:place] + piece + raw[place + gone :]
    assume(raw != SIGNED)
    with suppress(NotVerified):
        note = Note.parse(raw)
        assert signers(note) == 0 or note.text == TEXT


@effort(300)
@given(raw_notes)
def test_any_note_is_read_as_it_was_written_or_refused(raw: bytes) -> None:
    with suppress(NotVerified):
        note = Note.parse(raw)
        written = (f"— {name} {b64encode(signature).decode()}\n" for name, signature in note.signatures)
        assert signed_note(note.text, *written) == raw
        assert signers(note) == 0 or note.text == TEXT


@effort(200)
@given(st.one_of(lines.map(lambda found: "\n".join([*found, ""])), st.text(max_size=80)))
def test_a_rightly_signed_text_is_a_checkpoint_that_says_the_same_or_refused(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    raw = signed_note(text, LOG.sign(text))
    with suppress(NotVerified):
        found, time = read_checkpoint(raw, LOG.verifier_key)
        # Lines after the third are other people's.
        assert text.startswith(str(found))
        assert time is None


@effort(200)
@given(texts | st.tuples(texts, texts, encoded).map("+".join) | st.text(f"{LOG.verifier_key}", max_size=120))
def test_a_verifier_key_is_read_as_it_is_printed_or_refused(text: str) -> None:
    with suppress(NotVerified):
        assert str(VerifierKey.parse(text)) == text.strip()


@effort(200)
@given(
    st.tuples(st.integers(1, 20), st.integers(1, 20)).map(sorted),
    st.integers(0, 19),
    st.none()
    | st.lists(st.sampled_from([*LEAVES, *ROOTS]) | st.binary(min_size=31, max_size=33), max_size=8),
)
def test_no_proof_shows_that_an_altered_log_only_grew(
    sizes: list[int], changed: int, parts: list[bytes] | None
) -> None:
    first, second = sizes
    altered = list(LEAVES[:second])
    altered[changed % first] = leaf_hash(b"altered")
    check_consistency(first, second, ROOTS[first], ROOTS[second], Tree(LEAVES[:second]).consistency(first))
    proof = Tree(altered).consistency(first) if parts is None else parts
    with pytest.raises(NotVerified):
        check_consistency(first, second, ROOTS[first], root_of(altered), proof)


@effort(300)
@given(texts | lines.map("\n".join), st.booleans())
def test_what_a_witness_is_handed_is_notes_and_hashes_or_refused(text: str, in_mail: bool) -> None:
    raw = text.encode("utf-8", "replace")
    with suppress(WitnessRefused):
        assert all(isinstance(one, bytes) for one in proof_in(text))
    with suppress(TornFile):
        notes, end = whole_notes(raw + b"\n" + SIGNED + b"\n")
        assert end <= len(raw) + len(SIGNED) + 2
        assert all(Checkpoint.parse(Note.parse(one).text) for one in notes)
    around = raw + b"\n\n" + SIGNED + b"\n" + raw
    found = notes_of(around.replace(b"\n", b"\r\n") if in_mail else around)
    assert [one for one in found if one == SIGNED] or b"\xe2\x80\x94 " in raw


def test_the_keys_of_these_tests_do_sign() -> None:
    assert signers(Note.parse(SIGNED)) == len(KEYS)
