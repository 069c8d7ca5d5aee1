"""A record that was rolled back behind what was signed: noticed, and answered with an epoch that says so."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app.checkup import check
from app.cli.restore import erase_again, why_not_restored
from app.documents.evidence import standing
from app.forgetting.destroyed_list import DestroyedList
from app.proof.anchor import AnchorRefuses
from app.proof.epoch import behind, current_origin, stated, statement_file, statements_in
from app.proof.ledger import root_of
from app.proof.new_epoch import EpochRefused, new_epoch
from app.proof.note import SigningKey, signed_note
from app.proof.verifier import Checkpoint, Epoch, Gap, leaf_hash, read_checkpoint
from app.wording import system
from tests.giving import a_case, a_pupil
from tests.proof.conftest import Proven


def begin(proven: Proven, *, although_changed: bool = False) -> tuple[Epoch, list[bytes]]:
    return new_epoch(
        proven.settings.database_url,
        proven.key,
        proven.file,
        by="the head",
        reason="The disk failed",
        although_changed=although_changed,
    )


def faults(proven: Proven, *given: bytes) -> list[tuple[str, int | None, str]]:
    return [(one.log, one.entry, one.check) for one in proven.verify(*given).faults]


def asked(proven: Proven, ask: Callable[[psycopg.Connection], Any]) -> Any:
    with psycopg.connect(proven.settings.database_url) as connection:
        return ask(connection)


def test_a_rolled_back_record_is_noticed_by_all_who_look(rolled_back: Proven) -> None:
    assert faults(rolled_back) == [("events", 5, "length"), ("reads", 2, "length")]
    with pytest.raises(AnchorRefuses, match="cut, or an old copy restored"):
        rolled_back.anchor().checkpoint()
    assert asked(rolled_back, lambda connection: behind(connection, rolled_back.file)) == [
        "10 facts were signed, and the record has 4.",
        "2 noted looks were signed, and the record has 1.",
    ]
    refused = why_not_restored(rolled_back.settings)
    assert refused is not None
    assert refused.startswith("The record is behind its own checkpoints: 10 facts were signed")
    begin(rolled_back)
    assert why_not_restored(rolled_back.settings) is None


def test_what_was_erased_is_erased_again_before_anything_is_served(proven: Proven, tmp_path: Path) -> None:
    pupil = a_pupil(proven.house)
    settings = replace(proven.settings, destroyed_file=tmp_path / "destroyed.txt")
    assert settings.destroyed_file
    assert erase_again(settings) == 0
    with proven.house.keys_pool.connection() as connection:
        asked = connection.execute("SELECT kid FROM keys.data_keys WHERE originator_id = %s", [pupil])
        row = asked.fetchone()
    assert row
    DestroyedList(settings.destroyed_file).add(row[0], pupil)
    assert (erase_again(settings), erase_again(settings)) == (1, 0)
    with proven.house.keys_pool.connection() as connection:
        asked = connection.execute("SELECT wrapped FROM keys.data_keys WHERE originator_id = %s", [pupil])
        assert asked.fetchone() == (None,)


def test_an_epoch_says_what_is_gone_and_every_checkpoint_of_it_vouches_for_that(rolled_back: Proven) -> None:
    *_, events_note, reads_note = rolled_back.file.notes()
    epoch, notes = begin(rolled_back)
    assert (epoch.number, epoch.previous, epoch.origin) == (
        2,
        "casebook.example/tests",
        "casebook.example/tests/epoch2",
    )
    assert list(epoch.told())[1:] == [
        "6 facts that were signed are gone: numbers 5 to 10.",
        "Can't be compared with what was signed before: facts, number 4.",
        "1 noted looks that were signed are gone: number 2.",
    ]
    assert "said by the head: The disk failed" in next(iter(epoch.told()))
    assert events_note in epoch.raw
    assert reads_note in epoch.raw
    assert asked(rolled_back, statements_in) == [epoch]
    assert asked(rolled_back, current_origin) == epoch.origin
    assert statement_file(rolled_back.file.path, 2).read_bytes() == epoch.raw
    for note, table, number, origin in (
        (notes[0], "events", "notification_id", epoch.origin),
        (notes[1], "reads", "id", epoch.origin + "/reads"),
    ):
        # The same key goes on signing, so that whoever has the public half needs no other.
        found, _ = read_checkpoint(note, rolled_back.key.verifier_key)
        with psycopg.connect(rolled_back.settings.database_url) as connection:
            stored = connection.execute(f"SELECT leaf_hash FROM record.{table} ORDER BY {number}".encode())
            rows = stored.fetchall()
        leaves = [leaf_hash(epoch.leaf), *(row[0] for row in rows)]
        assert found == Checkpoint(origin, len(leaves), root_of(leaves))


def test_after_an_epoch_the_record_goes_on_and_verifies_against_all_that_was_ever_signed(
    rolled_back: Proven,
) -> None:
    older = list(rolled_back.file.notes())
    begin(rolled_back)
    a_pupil(rolled_back.house)
    rolled_back.anchor().checkpoint()
    report = rolled_back.verify(*older)
    assert report.faults == ()
    assert [epoch.number for epoch in report.epochs] == [2]
    events = report.logs[0]
    assert (events.entries, events.covered, events.held) == (5, 5, 5)
    assert events.checkpoint is not None
    assert events.checkpoint.size == 6
    assert asked(rolled_back, lambda connection: behind(connection, rolled_back.file)) == []
    # What was kept is compared with what the earlier epoch had signed of it.
    rolled_back.attack("UPDATE record.events SET state = state || 'A' WHERE notification_id = 2")
    assert faults(rolled_back) == [("events", 2, "leaf")]


def test_the_status_says_what_is_gone_and_what_is_signed(rolled_back: Proven) -> None:
    begin(rolled_back)
    found = check(rolled_back.house)
    assert (found.facts, found.signed) == (4, 4)
    [said] = [part.text for part in system.parts(found) if part.label == "Lost entries"]
    assert said.startswith("6 facts and 1 noted look that had been signed are gone. Epoch 2 ")
    assert said.endswith("said by the head: The disk failed")


def test_the_page_of_what_is_proven_counts_entries_and_names_the_epoch(rolled_back: Proven) -> None:
    begin(rolled_back)
    stands = standing(rolled_back.house)
    assert (stands.origin, stands.covered, stands.looks_covered) == (
        "casebook.example/tests/epoch2",
        4,
        1,
    )
    assert stands.witnesses == ()
    assert [epoch.number for epoch in stands.epochs] == [2]
    a_pupil(rolled_back.house)
    assert standing(rolled_back.house).facts == 5


def test_a_second_rollback_is_answered_by_a_third_epoch(rolled_back: Proven) -> None:
    begin(rolled_back)
    for _ in range(3):
        a_pupil(rolled_back.house)
    rolled_back.anchor().checkpoint()
    rolled_back.attack(
        "DELETE FROM record.events WHERE notification_id > 3",
        "UPDATE record.heads SET size = 3 WHERE log = 'events'",
        "ALTER TABLE record.epochs DISABLE TRIGGER USER",
        "DELETE FROM record.epochs",
        "ALTER TABLE record.epochs ENABLE ALWAYS TRIGGER refuse_change",
        "DELETE FROM record.checkpoints WHERE size > 3",
        "DELETE FROM record.checkpoints WHERE origin LIKE '%epoch%'",
    )
    assert ("epochs", None, "epoch") in faults(rolled_back)
    with pytest.raises(AnchorRefuses, match="8 leaves were signed"):
        rolled_back.anchor().checkpoint()
    epoch, _ = begin(rolled_back)
    assert epoch.origin == "casebook.example/tests/epoch3"
    assert (epoch.gaps["events"].signed, epoch.gaps["events"].kept) == (7, 3)
    assert faults(rolled_back) == []
    assert [one.number for one in asked(rolled_back, statements_in)] == [2, 3]


def test_without_a_loss_there_is_no_epoch(proven: Proven) -> None:
    a_case(proven.house)
    proven.anchor().checkpoint()
    a_pupil(proven.house)
    with pytest.raises(EpochRefused, match="Nothing that was signed is missing"):
        begin(proven)
    assert not statement_file(proven.file.path, 2).exists()


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE record.events SET state = state || 'A' WHERE notification_id = 2",
        "DELETE FROM record.events WHERE notification_id = 1",
        "UPDATE record.heads SET size = 9 WHERE log = 'events'",
        "DROP TRIGGER refuse_change ON record.commands",
    ],
)
def test_an_epoch_explains_no_tampering(rolled_back: Proven, attack: str) -> None:
    rolled_back.attack(attack)
    with pytest.raises(EpochRefused):
        begin(rolled_back)
    assert not statement_file(rolled_back.file.path, 2).exists()


def test_a_record_that_went_on_differently_begins_an_epoch_only_when_that_is_said(
    rolled_back: Proven,
) -> None:
    for _ in range(8):
        a_pupil(rolled_back.house)
    assert ("events", 4, "checkpoint") in faults(rolled_back)
    with pytest.raises(EpochRefused, match="no mere restore"):
        begin(rolled_back)
    epoch, _ = begin(rolled_back, although_changed=True)
    assert epoch.gaps["events"].lost == 0
    assert "Can't be compared with what was signed before: facts, numbers 4 to 12." in list(epoch.told())
    assert faults(rolled_back) == []


def test_an_epoch_that_only_the_database_tells_of_is_none(rolled_back: Proven) -> None:
    """Whoever rules the database can't have a cut record signed, or verified, by calling it an epoch."""
    begin(rolled_back)
    statement_file(rolled_back.file.path, 2).unlink()
    notes = [note for note in rolled_back.file.notes() if b"/epoch2" not in note]
    rolled_back.file.path.write_bytes(b"".join(note + b"\n" for note in notes))
    rolled_back.attack("DELETE FROM record.checkpoints WHERE origin LIKE '%epoch%'")
    with pytest.raises(AnchorRefuses, match="another epoch"):
        rolled_back.anchor().checkpoint()
    assert ("epochs", None, "epoch") in faults(rolled_back)


def test_a_checkpoint_newer_than_what_an_epoch_admits_is_a_fault(rolled_back: Proven) -> None:
    """The anchor's own folder was rolled back as well: somebody outside holds a newer checkpoint."""
    text = str(Checkpoint("casebook.example/tests", 15, bytes(32)))
    outside = signed_note(text, rolled_back.key.sign(text))
    begin(rolled_back)
    assert faults(rolled_back, outside) == [("events", 15, "epoch")]


def test_another_statement_in_the_database_is_named_and_the_true_one_put_beside_it(
    rolled_back: Proven,
) -> None:
    epoch, _ = begin(rolled_back)
    rolled_back.attack(
        "ALTER TABLE record.epochs DISABLE TRIGGER USER",
        "UPDATE record.epochs SET statement = replace(statement, 'disk', 'dog')",
        "ALTER TABLE record.epochs ENABLE ALWAYS TRIGGER refuse_change",
    )
    # Signed checkpoints are under its name: its roots tell that it isn't what they vouch for.
    assert [check for _, _, check in faults(rolled_back)] == ["checkpoint", "checkpoint"]
    rolled_back.anchor().checkpoint()
    found = rolled_back.verify()
    assert [(one.log, one.check, one.passed_over) for one in found.faults] == [("epochs", "epoch", True)]
    assert found.epochs == (epoch,)


def a_statement(proven: Proven, epoch: int, origin: str, statement: bytes) -> None:
    """What the web server may do."""
    with psycopg.connect(proven.settings.database_url) as connection:
        connection.execute(
            "INSERT INTO record.epochs (epoch, origin, statement) VALUES (%s, %s, %s)",
            [epoch, origin, statement.decode()],
        )


def test_false_statements_stop_nobody_and_take_no_true_ones_place(rolled_back: Proven) -> None:
    """The web server's role added them, before and after an epoch is begun in truth."""
    name = rolled_back.key.name
    stranger = SigningKey(name, bytes(32))
    gaps = {log: Gap(5, 1, 1) for log in ("events", "reads")}
    false = stated(name, [], gaps, [], "nobody", "nothing", [stranger])
    third = stated(false.origin, [false], gaps, [], "nobody", "nothing", [stranger])
    a_statement(rolled_back, 2, false.origin, false.raw)
    a_statement(rolled_back, 3, third.origin, third.raw)
    a_statement(rolled_back, 9, f"{name}/epoch2", b"casebook-epoch/1\n")
    assert check(rolled_back.house).epochs == ()
    assert standing(rolled_back.house).origin == name
    assert rolled_back.house.published.newest("events") is not None
    epoch, _ = begin(rolled_back)
    assert [one.raw for one in (epoch, *check(rolled_back.house).epochs)] == [epoch.raw, epoch.raw]
    newest = rolled_back.house.published.newest("events")
    assert newest is not None
    assert newest.origin == epoch.origin
    a_pupil(rolled_back.house)
    rolled_back.anchor().checkpoint()
    found = rolled_back.verify()
    assert [(one.log, one.check, one.passed_over) for one in found.faults] == [("epochs", "epoch", True)] * 3
    assert found.epochs == (epoch,)
    assert "epoch 9" in found.faults[-1].text


def test_statements_are_never_changed(rolled_back: Proven) -> None:
    begin(rolled_back)
    with psycopg.connect(rolled_back.superuser) as connection:
        for statement in ("UPDATE record.epochs SET epoch = 3", "DELETE FROM record.epochs"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(statement)


def test_a_demo_goes_on_saying_that_it_is_one() -> None:
    told = b'{"made_at":"","by":"","reason":"","after":"","events":%b,"reads":%b}'
    gap = b'{"signed":1,"kept":0,"restored":0}'
    head = b"casebook-epoch/1\n%b\n%d\n" + told % (gap, gap)
    second = Epoch.parse(head % (b"casebook.example/demo", 2))
    third = Epoch.parse(head % (second.origin.encode(), 3))
    assert (second.origin, third.origin) == (
        "casebook.example/epoch2/demo",
        "casebook.example/epoch3/demo",
    )
