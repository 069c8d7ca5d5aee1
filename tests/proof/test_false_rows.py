"""What the web server's role adds beside the record stays for good: it misleads nobody and stops nothing."""

from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from app.checkup import check
from app.proof.anchor import ANCHOR_LOCK, AnchorRefuses
from app.proof.checkpoints import Checkpoints, good_lines
from app.proof.new_epoch import new_epoch
from app.proof.note import SigningKey, signed_note
from app.proof.pack import checkpoint_at
from app.proof.verifier import Checkpoint, Note, read_checkpoint
from app.wording import system
from tests.giving import a_case, a_pupil
from tests.proof.conftest import Proven

STRANGER = SigningKey("casebook.example/tests", bytes(32))
WITNESS = SigningKey("governors.example", bytes(range(32)))
CHECKPOINT = "INSERT INTO record.checkpoints (origin, size, root, note) VALUES (%s, %s, %s, %s)"
LINE = "INSERT INTO record.cosignatures (origin, size, witness, line) VALUES (%s, %s, %s, %s)"


def by_the_web(proven: Proven, statement: str, *said: Any) -> None:
    with psycopg.connect(proven.settings.database_url) as connection:
        connection.execute(statement.encode(), said)


def false_checkpoint(proven: Proven, size: int, root: bytes = bytes(32), key: SigningKey = STRANGER) -> None:
    text = str(Checkpoint(proven.key.name, size, root))
    by_the_web(proven, CHECKPOINT, proven.key.name, size, root, signed_note(text, key.sign(text)).decode())


def test_no_row_is_dated_otherwise_than_it_was_added(proven: Proven) -> None:
    url, keys = proven.settings.database_url, proven.settings.keys_database_url
    for where, statement in (
        (url, "INSERT INTO record.checkpoints VALUES ('x', 1, '', '', now())"),
        (url, "INSERT INTO record.cosignatures VALUES ('x', 1, 'w', '', now())"),
        (url, "INSERT INTO record.epochs (epoch, origin, statement, made_at) VALUES (2, 'x', '', now())"),
        (url, "INSERT INTO record.refusals (said_at) VALUES ('infinity')"),
        (url, "INSERT INTO record.origin VALUES (true, 'x', false)"),
        (url, "UPDATE record.heads SET size = 0"),
        (keys, "INSERT INTO keys.forgotten (n) VALUES (0)"),
        (keys, "UPDATE keys.data_keys SET originator_id = gen_random_uuid()"),
    ):
        with psycopg.connect(where) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.encode())


def test_the_places_of_checkpoints_to_come_cant_be_taken(proven: Proven) -> None:
    a_case(proven.house)
    for size in (3, 4):
        false_checkpoint(proven, size)
    a_pupil(proven.house)
    [note] = proven.anchor().checkpoint()
    for keys in ((), (proven.key.verifier_key,)):
        kept = Checkpoints(proven.house.pool, keys)
        newest = kept.newest(proven.key.name)
        assert newest is not None
        # Who knows no key takes what came first for it, as whoever looks at the signature will see.
        assert (newest.note.encode() == note) == bool(keys)
    kept = Checkpoints(proven.house.pool, (proven.key.verifier_key,))
    assert [one.note.encode() for one in kept.listed(proven.key.name)] == [note]
    for asked in (3, None):
        found = checkpoint_at(proven.house, asked, when=datetime.now(UTC), keys=(proven.key.verifier_key,))
        assert read_checkpoint(found, proven.key.verifier_key)[0].size == 3
    newest = proven.house.published.newest("events")
    assert newest is not None
    assert newest.note.encode() == note
    found_now = check(proven.house)
    assert (found_now.signed, found_now.facts) == (3, 3)


def test_many_false_ones_hide_none(proven: Proven) -> None:
    a_case(proven.house)
    [note] = proven.anchor().checkpoint()
    by_the_web(
        proven,
        "INSERT INTO record.checkpoints (origin, size, root, note)"
        " SELECT %s, 9000 + n, sha256(''), 'false' FROM generate_series(1, 300) n",
        proven.key.name,
    )
    for keys in ((), (proven.key.verifier_key,)):
        kept = Checkpoints(proven.house.pool, keys)
        newest = kept.newest(proven.key.name)
        assert newest is not None
        assert newest.note.encode() == note
        assert [one.size for one in kept.listed(proven.key.name)] == [2]


def test_an_older_keys_checkpoints_are_shown_still(proven: Proven) -> None:
    a_case(proven.house)
    older = SigningKey(proven.key.name, bytes(reversed(range(32))))
    false_checkpoint(proven, 1, key=older)
    proven.anchor().checkpoint()
    kept = Checkpoints(proven.house.pool, (proven.key.verifier_key,))
    assert [one.size for one in kept.listed(proven.key.name)] == [2, 1]
    assert kept.at(proven.key.name, 1) is not None


def test_false_lines_under_a_note_spoil_it_for_nobody(proven: Proven) -> None:
    a_case(proven.house)
    [note] = proven.anchor().checkpoint()
    text = Note.parse(note).text
    name = proven.key.name
    bad = STRANGER.sign(text).split(" ")[2]
    own_id = proven.key.sign(text)
    for witness, line in (
        ("garbage", "garbage"),
        ("torn", "— torn "),
        (name, f"— {name} {bad}"),
        (name, own_id[:-8] + "AAAA=\n"),
        (WITNESS.name, WITNESS.cosign("another text\n", 1_800_000_000)),
        *((f"w{n}", f"— w{n} {bad}") for n in range(120)),
    ):
        by_the_web(proven, LINE, name, 2, witness, line)
    good = WITNESS.cosign(text, 1_800_000_000)
    proven.house.published.witnesses.append(WITNESS.verifier_key.timed)
    shown = proven.house.published.keep_cosigned(signed_note(text, good))
    kept = Note.parse(shown.note.encode())
    assert kept.signed_by(WITNESS.verifier_key.timed) == [1_800_000_000]
    assert len(kept.signatures) <= 60
    assert read_checkpoint(shown.note.encode(), proven.key.verifier_key)[0].size == 2
    again = proven.house.published.keep_cosigned(signed_note(text, WITNESS.cosign(text, 1_800_000_001)))
    assert again.note == shown.note


def test_a_witness_who_isnt_listed_is_shown_by_what_can_be_read() -> None:
    text = str(Checkpoint("casebook.example/tests", 2, bytes(32)))
    note = signed_note(text, STRANGER.sign(text)).decode()
    line = WITNESS.cosign("another text\n", 5)
    assert good_lines(note, [line, line, "x", STRANGER.sign("another\n")], []) == line
    assert good_lines(note, [line], [WITNESS.verifier_key.timed]) == ""


def test_a_new_epoch_is_begun_beside_false_rows(rolled_back: Proven) -> None:
    for size in range(20, 140):
        false_checkpoint(rolled_back, size)
    by_the_web(
        rolled_back,
        "INSERT INTO record.checkpoints (origin, size, root, note) VALUES (%s, 7, sha256(''), 'x')",
        "casebook.example/tests/epoch2",
    )
    epoch, notes = new_epoch(
        rolled_back.settings.database_url,
        rolled_back.key,
        rolled_back.file,
        by="the head",
        reason="The disk failed",
    )
    assert epoch.number == 2
    assert len(notes) == 2
    found = rolled_back.verify()
    assert found.faults
    assert all(one.passed_over for one in found.faults)


def test_a_word_put_in_the_anchors_mouth_is_taken_back(proven: Proven) -> None:
    a_case(proven.house)
    anchor = proven.anchor()
    anchor.checkpoint()
    by_the_web(proven, "INSERT INTO record.refusals (why) VALUES ('All is lost.')")
    assert check(proven.house).refused == "All is lost."
    anchor.checkpoint()
    assert check(proven.house).refused is None


def test_a_lock_that_somebody_else_holds_is_said_and_facts_without_a_checkpoint_are_seen(
    proven: Proven, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_case(proven.house)
    proven.anchor().checkpoint()
    a_pupil(proven.house)
    assert not check(proven.house).late
    monkeypatch.setattr("app.proof.anchor.ALONE", "50ms")
    with psycopg.connect(proven.settings.database_url, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [ANCHOR_LOCK])
        with pytest.raises(AnchorRefuses, match="second anchor"):
            proven.anchor().checkpoint()
    proven.attack("UPDATE record.events SET recorded_at = recorded_at - interval '1 hour'")
    found = check(proven.house)
    assert found.late
    assert not found.signing
    [said] = [part for part in system.parts(found) if part.label == "Checkpoints"]
    assert not said.well
