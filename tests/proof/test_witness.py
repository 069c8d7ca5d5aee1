"""The witness signs what goes on from what it saw, and keeps the evidence of everything else."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import time

import pytest

from app.cli import main
from app.proof import witness as room
from app.proof.ledger import Tree, root_of
from app.proof.note import SigningKey, signed_note
from app.proof.verifier import Checkpoint, Note, NotVerified, leaf_hash, read_checkpoint
from app.proof.witness import Odd, Witness, WitnessRefused, notes_of, proof_in, proof_text

NAME = "casebook.example/school"
KEY = SigningKey(NAME, bytes(range(32)))
NEXT = SigningKey(NAME, bytes(range(1, 33)))
STRANGER = SigningKey(NAME, bytes(32))
NOW = datetime(2026, 11, 22, 4, 30, tzinfo=UTC)
LEAVES = [leaf_hash(bytes([n])) for n in range(20)]
OTHERS = [leaf_hash(bytes([n, n])) for n in range(20)]


def checkpoint(size: int, leaves: Sequence[bytes] = LEAVES, origin: str = NAME) -> Checkpoint:
    return Checkpoint(origin, size, root_of(leaves[:size]))


def note(found: Checkpoint, *keys: SigningKey) -> bytes:
    text = str(found)
    lines = ((key.sign(text), key.cosign(text, 7)) for key in keys or (KEY,))
    return signed_note(text, *(line for both in lines for line in both))


def proof(seen: Checkpoint, found: Checkpoint) -> list[bytes]:
    return Tree(LEAVES[: found.size]).consistency(seen.size)


def no_proof(_seen: Checkpoint, _found: Checkpoint) -> list[bytes]:
    raise AssertionError("nobody should ask for a proof")


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return Witness(tmp_path / "state", "governors.example")


def test_a_record_that_grows_is_signed_each_time_it_is_seen(witness: Witness) -> None:
    before = None
    for size in (1, 2, 5, 5, 8, 20):
        found = checkpoint(size)
        signed = witness.sign(note(found), [KEY.verifier_key], proof, NOW, log="events")
        assert (signed.checkpoint, signed.before, signed.signed_at) == (found, before, 7)
        kept = Note.parse(signed.note.encode())
        assert kept.text == str(found)
        assert kept.signed_by(witness.verifier_key) == [int(NOW.timestamp())]
        before = found


def test_key_and_memory_outlive_the_process(tmp_path: Path) -> None:
    first = Witness(tmp_path, "governors.example")
    assert first.is_new
    first.sign(note(checkpoint(9)), [KEY.verifier_key], no_proof, NOW)
    again = Witness(tmp_path)
    assert not again.is_new
    assert again.verifier_key == first.verifier_key
    assert again.last(NAME) == checkpoint(9)
    assert [path.stat().st_mode & 0o077 for path in (tmp_path / "key", *(tmp_path / "seen").iterdir())] == [
        0,
        0,
    ]
    with pytest.raises(WitnessRefused, match="called governors"):
        Witness(tmp_path, "others.example")
    (tmp_path / "name").unlink()
    with pytest.raises(WitnessRefused, match="missing"):
        Witness(tmp_path)


@pytest.mark.parametrize("name", ["two words", "a+b", "x" * 201])
def test_a_name_that_no_note_can_hold_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(WitnessRefused, match="spaces"):
        Witness(tmp_path, name)
    assert Witness(tmp_path, "governors.example").is_new


@pytest.mark.parametrize(
    ("shown", "hashes", "what"),
    [
        (note(checkpoint(7)), [], room.SHORTER),
        (note(checkpoint(9, OTHERS)), [], room.FORKED),
        (note(checkpoint(12, OTHERS)), Tree(OTHERS[:12]).consistency(9), room.BROKEN),
        (note(checkpoint(12)), [], room.BROKEN),
        (note(checkpoint(12)), [bytes(3)], room.BROKEN),
        (note(checkpoint(12)), Tree(LEAVES[:12]).consistency(8), room.BROKEN),
        (note(checkpoint(12), STRANGER), [], room.UNSIGNED),
        (note(checkpoint(12)).replace(b"\n12\n", b"\n13\n"), [], room.UNSIGNED),
        (
            note(checkpoint(12), KEY, NEXT).replace(
                NEXT.sign(str(checkpoint(12))).encode(), NEXT.sign(str(checkpoint(11))).encode()
            ),
            [],
            room.UNSIGNED,
        ),
        (note(checkpoint(12, origin="casebook.example/else")), [], room.OTHER),
        (note(checkpoint(12, origin=f"{NAME}/reads")), [], room.OTHER),
        (note(checkpoint(12, origin=f"{NAME}/epoch2")), [], room.EPOCH),
    ],
)
def test_what_must_not_be_is_not_signed_and_its_evidence_is_kept(
    tmp_path: Path, shown: bytes, hashes: list[bytes], what: str
) -> None:
    witness = Witness(tmp_path, "governors.example")
    seen = note(checkpoint(9))
    keys = [KEY.verifier_key, NEXT.verifier_key]
    witness.sign(seen, keys, no_proof, NOW, log="events")
    with pytest.raises(Odd) as odd:
        witness.sign(shown, keys, lambda *_: hashes, NOW, log="events")
    assert odd.value.what.startswith(what.partition("{")[0])
    assert "chair of governors" in str(odd.value)
    kept = odd.value.kept.read_bytes()
    assert str(odd.value.kept) in str(odd.value)
    assert shown in kept
    assert odd.value.what.encode() in kept
    assert proof_text(hashes).encode() in kept
    # What it knows is as before: the honest record is signed, whatever was tried meanwhile.
    assert witness.last(NAME) == checkpoint(9)
    witness.sign(note(checkpoint(15)), keys, proof, NOW)
    assert witness.last(NAME) == checkpoint(15)


def test_a_record_that_shows_nothing_any_more_is_odd_only_if_something_was_seen(witness: Witness) -> None:
    witness.must_be_there(NAME, "events", NOW)
    witness.sign(note(checkpoint(9)), [KEY.verifier_key], no_proof, NOW)
    witness.must_be_there(NAME, "reads", NOW)
    with pytest.raises(Odd, match="over 9 entries"):
        witness.must_be_there(NAME, "events", NOW)


def test_an_epoch_is_gone_on_with_once_somebody_agrees_and_never_back(witness: Witness) -> None:
    keys = [KEY.verifier_key]
    for log in ("", "/reads"):
        witness.sign(note(checkpoint(9, origin=NAME + log)), keys, no_proof, NOW)
        later = note(checkpoint(4, OTHERS, f"{NAME}/epoch2{log}"))
        with pytest.raises(Odd, match=r"--accept casebook\.example/school/epoch2 "):
            witness.sign(later, keys, no_proof, NOW, accepted=f"{NAME}/epoch3")
        witness.sign(later, keys, no_proof, NOW, accepted=f"{NAME}/epoch2")
        witness.sign(later, keys, no_proof, NOW)
        with pytest.raises(Odd, match="earlier name"):
            witness.sign(note(checkpoint(9, origin=NAME + log)), keys, no_proof, NOW)
    assert len(witness.seen(NAME)) == 4
    assert witness.seen("casebook.example") == []


def test_a_demos_epochs_are_told_apart_too(witness: Witness) -> None:
    key = SigningKey("casebook.example/demo", bytes(range(32)))
    later = "casebook.example/epoch2/demo"
    witness.sign(note(checkpoint(9, origin=key.name), key), [key.verifier_key], no_proof, NOW)
    with pytest.raises(Odd, match="epoch2/demo"):
        witness.sign(note(checkpoint(9, origin=later), key), [key.verifier_key], no_proof, NOW)


def test_while_the_schools_keys_change_either_is_enough_and_a_stranger_is_ignored(witness: Witness) -> None:
    old, both = [KEY.verifier_key], [KEY.verifier_key, NEXT.verifier_key]
    witness.sign(note(checkpoint(3), KEY), old, no_proof, NOW)
    witness.sign(note(checkpoint(5), KEY, NEXT), old, proof, NOW)
    witness.sign(note(checkpoint(8), NEXT, SigningKey("somebody.example", bytes(32))), both, proof, NOW)
    with pytest.raises(Odd, match="isn't signed"):
        witness.sign(note(checkpoint(9), NEXT), old, proof, NOW)


@pytest.mark.parametrize("raw", [b"", b"hello\n", b"a\n1\nAA==\n\nnobody\n", str(checkpoint(3)).encode()])
def test_what_is_no_checkpoint_is_no_alarm(witness: Witness, raw: bytes) -> None:
    with pytest.raises(WitnessRefused):
        witness.sign(raw, [KEY.verifier_key], no_proof, NOW)
    text = str(checkpoint(3)) + "more\n"
    with pytest.raises(WitnessRefused):
        witness.sign(signed_note(text, KEY.sign(text)), [KEY.verifier_key], no_proof, NOW)


def test_it_is_remembered_before_it_is_signed(witness: Witness, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = note(checkpoint(9))

    def killed(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(SigningKey, "cosign", killed)
    with pytest.raises(KeyboardInterrupt):
        witness.sign(shown, [KEY.verifier_key], no_proof, NOW)
    assert witness.last(NAME) == checkpoint(9)


def test_notes_are_found_in_a_message_as_mail_programs_leave_it() -> None:
    first, second = note(checkpoint(3)), note(checkpoint(2, origin=f"{NAME}/reads"))
    text = b"Please keep this.\n\nIt comes daily.\n\n" + first + b"\n" + second + b"\n\nThe school\n"
    assert notes_of(text) == notes_of(text.replace(b"\n", b"\r\n")) == [first, second]
    assert notes_of(first) == [first]
    for raw in (b"", b"nothing here", b"\n\n\n"):
        with pytest.raises(WitnessRefused):
            notes_of(raw)


def test_a_proof_is_passed_on_as_text() -> None:
    hashes = proof(checkpoint(3), checkpoint(12))
    assert proof_in(proof_text(hashes).replace("\n", "\r\n")) == hashes
    for text in ("not base64!", "AA==\n" * 201):
        with pytest.raises(WitnessRefused):
            proof_in(text)


def test_a_bad_signature_of_a_known_key_is_not_hidden_by_a_good_one() -> None:
    text = str(checkpoint(5))
    bad = signed_note(text, KEY.sign(text), NEXT.sign(str(checkpoint(6))))
    assert read_checkpoint(bad, KEY.verifier_key)[0] == checkpoint(5)
    for keys in ([KEY.verifier_key, NEXT.verifier_key], [NEXT.verifier_key, KEY.verifier_key]):
        with pytest.raises(NotVerified, match="is wrong"):
            read_checkpoint(bad, *keys)


def test_an_old_checkpoint_is_said_to_be_old(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = tmp_path / "shown.txt"
    for size, days in enumerate((0, 1, 3), 1):
        state, text = tmp_path / str(size), str(checkpoint(size))
        shown.write_bytes(signed_note(text, KEY.sign(text), KEY.cosign(text, int(time()) - days * 86_400)))
        command = ["witness", "sign", str(shown), "--log-key", str(KEY.verifier_key), "--state", str(state)]
        assert main(command) == 0
        assert ("3 days old" in capsys.readouterr().err) == (days == 3)
