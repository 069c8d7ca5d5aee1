"""A kill at each step of anchor, new epoch, pack, witness: what was there stays, and the next run goes on."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from app.cli.evidence import write_whole
from app.house import House
from app.proof.checkpoints import Checkpoints
from app.proof.epoch import statements_beside
from app.proof.ledger import Tree, root_of
from app.proof.log_key import create_log_key, load_log_key
from app.proof.new_epoch import new_epoch
from app.proof.note import SigningKey, signed_note
from app.proof.pack import OFFICE, make_pack
from app.proof.verifier import Checkpoint, leaf_hash, verify_pack
from app.proof.witness import Witness
from app.record.reads import ReadLog
from tests.giving import a_case, a_pupil
from tests.proof.conftest import Proven
from tests.proof.crash import killed_at
from tests.proof.packs import PAPERS

pytestmark = [pytest.mark.kill]


def test_the_anchor(proven: Proven) -> None:
    a_case(proven.house)
    step, killed = 0, True
    while killed:
        a_pupil(proven.house)
        proven.log_read()
        before = list(proven.file.notes())
        killed = killed_at(step, lambda: proven.anchor().checkpoint())
        # What was signed stays signed, and is what is there.
        assert list(proven.file.notes())[: len(before)] == before
        assert proven.verify().faults == ()
        newest = proven.anchor().checkpoint()
        report = proven.verify()
        assert report.faults == ()
        assert [one.covered for one in report.logs] == [one.entries for one in report.logs]
        notes = [note.decode() for note in proven.file.notes()]
        kept = Checkpoints(proven.house.pool)
        origins = (proven.settings.origin, proven.settings.origin + "/reads")
        listed = [one.note for origin in origins for one in kept.listed(origin, limit=1000)]
        assert sorted(listed) == sorted(notes)
        assert [note.decode() for note in newest] == [listed[0], kept.listed(origins[1], limit=1)[0].note]
        step += 1
    # Of each log the file is opened, cut, written and synced; then its row is kept.
    assert step > 10


def test_a_new_epoch(proven: Proven) -> None:
    a_case(proven.house)
    proven.log_read()
    settings, step, killed = proven.settings, 0, True

    def begin() -> None:
        new_epoch(settings.database_url, proven.key, proven.file, by="the head", reason="A fire")

    while killed:
        a_pupil(proven.house)
        proven.anchor().checkpoint()
        proven.attack(
            "UPDATE record.heads SET size = size - 1 WHERE log = 'events'",
            "DELETE FROM record.events WHERE notification_id > "
            "(SELECT size FROM record.heads WHERE log = 'events')",
        )
        before = statements_beside(proven.file.path)
        killed = killed_at(step, begin)
        if killed:
            # Half an epoch is none: either the loss or the missing signature is told.
            found = {fault.check for fault in proven.verify().faults}
            assert found <= {"length", "epoch"}
            if found:
                begin()
        assert proven.verify().faults == ()
        assert len(statements_beside(proven.file.path)) == len(before) + 1
        step += 1
    assert step > 15


def test_an_evidence_pack(proven: Proven, tmp_path: Path) -> None:
    case_id = a_case(proven.house)
    proven.anchor().checkpoint()
    out = tmp_path / "pack.zip"

    def work() -> None:
        with House(proven.settings) as house:
            pack = make_pack(
                house, OFFICE, [case_id], for_whom="Estyn", why="Inspection", papers=lambda *_: PAPERS
            )
        write_whole(out, pack)

    step, killed = 0, True
    while killed:
        out.unlink(missing_ok=True)
        noted = len(proven.house.reads.readers(case_id))
        killed = killed_at(step, work, {ReadLog.log.__code__})
        if out.exists():
            verify_pack(out.read_bytes(), [proven.key.verifier_key])
            # A pack that is there was noted before.
            assert len(proven.house.reads.readers(case_id)) == noted + 1
        assert killed or out.exists()
        assert proven.verify().faults == ()
        step += 1
    assert step > 6


KEY: Final = SigningKey("casebook.example/tests", bytes(32))
NOW: Final = datetime(2026, 9, 21, tzinfo=UTC)


def grown(size: int) -> tuple[bytes, Tree]:
    leaves = [leaf_hash(b"%d" % number) for number in range(size)]
    text = str(Checkpoint(KEY.name, size, root_of(leaves)))
    return signed_note(text, KEY.sign(text)), Tree(leaves)


def test_a_witness(tmp_path: Path) -> None:
    size, step, killed = 1, 0, True
    while killed:
        # Its first look, when it makes its key, and one that goes on from what it saw.
        folder = tmp_path / str(step)
        seen = 0
        for looks in (1, 2):
            note, tree = grown(size + looks)

            def look(folder: Path = folder, note: bytes = note, tree: Tree = tree) -> str:
                witness = Witness(folder, "governor.example")
                return witness.sign(
                    note, [KEY.verifier_key], lambda old, _: tree.consistency(old.size), NOW
                ).line

            killed = killed_at(step, look)
            remembered = Witness(folder, "governor.example").last(KEY.name)
            assert (remembered.size if remembered else 0) in (seen, size + looks)
            assert look().startswith("— governor.example ")
            seen = size + looks
        step += 1
    assert step > 4


def test_the_log_key(tmp_path: Path) -> None:
    step, killed = 0, True
    while killed:
        path = tmp_path / f"key-{step}"
        killed = killed_at(step, partial(create_log_key, path, KEY.name))
        # It is there whole, or can be made.
        made = load_log_key(path, KEY.name) if path.exists() else create_log_key(path, KEY.name)
        assert len(made.seed) == 32
        step += 1
    assert step > 2
