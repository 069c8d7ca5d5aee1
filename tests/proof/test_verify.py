"""The live record against its checkpoints: which entry is at fault, and by which check."""

import os
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from app.embedded import Embedded
from app.forgetting.destroyed_list import DestroyedList
from app.proof import parts
from app.proof.kept_keys import KeptKeys
from app.proof.ledger import root_of
from app.proof.note import SigningKey, signed_note
from app.proof.verifier import Checkpoint
from app.record.keys import Keks
from app.settings import Settings
from tests.giving import a_case, a_pupil
from tests.proof.conftest import Proven, with_an_anchor


@pytest.fixture
def signed(proven: Proven) -> Proven:
    """Eleven facts, of which the first and then all are signed, and two reads."""
    a_case(proven.house)
    proven.anchor().checkpoint()
    for _ in range(9):
        a_pupil(proven.house)
    proven.log_read()
    proven.log_read()
    proven.anchor().checkpoint()
    return proven


LEAF = """
    sha256('\\x00'::bytea || uuid_send(originator_id) || int8send(originator_version) || sha256(
        'casebook-event/1'::bytea || '\\x0a'::bytea
        || int8send((extract(epoch FROM recorded_at) * 1000000)::bigint)
        || int2send(octet_length(topic)::smallint) || convert_to(topic, 'UTF8') || sha256(state)))
"""
"""As whoever rebuilds the tree works it out."""


def faults(proven: Proven, *given: bytes, deep: bool = False) -> list[tuple[str, int | None, str]]:
    return [(one.log, one.entry, one.check) for one in proven.verify(*given, deep=deep).faults]


def test_a_record_that_nobody_touched_is_verified(signed: Proven) -> None:
    a_pupil(signed.house)
    report = signed.verify(deep=True)
    assert report.faults == ()
    events, reads = report.logs
    assert (events.entries, events.compared, reads.entries, reads.compared) == (12, 4, 2, 2)
    assert events.checkpoint is not None
    assert (events.checkpoint.size, events.signed_at is not None) == (11, True)


@pytest.mark.parametrize(
    ("attack", "found"),
    [
        ("UPDATE record.events SET state = state || 'A' WHERE notification_id = 5", ("events", 5, "leaf")),
        ("UPDATE record.events SET topic = 'pupil.left' WHERE notification_id = 3", ("events", 3, "leaf")),
        ("DELETE FROM record.events WHERE notification_id = 4", ("events", 4, "numbers")),
        ("DELETE FROM record.events WHERE notification_id = 11", ("events", 11, "length")),
        (
            "UPDATE record.events SET recorded_at = '2020-01-01' WHERE notification_id = 9",
            ("events", 9, "leaf"),
        ),
        ("UPDATE record.heads SET size = 10 WHERE log = 'events'", ("events", 11, "length")),
        ("UPDATE record.reads SET account = gen_random_uuid() WHERE id = 2", ("reads", 2, "leaf")),
        ("UPDATE record.reads SET subjects = subjects[1:1] WHERE id = 1", ("reads", 1, "leaf")),
        ("DELETE FROM record.reads WHERE id = 1", ("reads", 1, "numbers")),
    ],
)
def test_the_first_entry_at_fault_is_named(
    signed: Proven, monkeypatch: pytest.MonkeyPatch, attack: str, found: tuple[str, int, str]
) -> None:
    signed.attack(attack)
    assert faults(signed) == [found]
    # However the parts fall in which a log is read, and whoever reads them.
    for size in (1, 2, 3, 4):
        with monkeypatch.context() as patch:
            patch.setattr(parts, "PART", size)
            assert faults(signed) == [found]


def test_many_read_what_one_reads(signed: Proven, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "PART", 3)
    # The reads are fewer.
    monkeypatch.setattr(parts, "LONG", 4)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert faults(signed, deep=True) == []
    signed.attack("UPDATE record.events SET topic = 'pupil.left' WHERE notification_id = 8")
    assert faults(signed) == [("events", 8, "leaf")]


def test_a_rebuilt_entry_is_found_between_two_checkpoints(signed: Proven) -> None:
    signed.attack(
        "UPDATE record.events SET state = (SELECT state FROM record.events WHERE notification_id = 8)"
        " WHERE notification_id = 7",
        f"UPDATE record.events SET leaf_hash = {LEAF}",
    )
    assert faults(signed) == [("events", 3, "checkpoint")]
    # Its header says at once that it was sealed for another place.
    assert faults(signed, deep=True) == [("events", 7, "sealed fact")]


def test_what_came_after_the_newest_checkpoint_must_at_least_be_sealed_for_its_place(signed: Proven) -> None:
    a_pupil(signed.house)
    signed.attack(
        "UPDATE record.events SET state = (SELECT state FROM record.events WHERE notification_id = 8)"
        " WHERE notification_id = 12",
        f"UPDATE record.events SET leaf_hash = {LEAF}",
    )
    assert faults(signed) == [("events", 12, "sealed fact")]


def test_a_back_dated_and_rebuilt_entry_is_out_of_order(signed: Proven) -> None:
    signed.attack(
        "UPDATE record.events SET recorded_at = recorded_at - interval '1 year' WHERE notification_id = 6",
        f"UPDATE record.events SET leaf_hash = {LEAF}",
    )
    assert faults(signed) == [("events", 6, "time")]


def test_a_case_that_lost_an_entry_in_the_middle_is_noticed(signed: Proven) -> None:
    signed.attack(
        "UPDATE record.events SET originator_version = 3 WHERE notification_id = 9",
        f"UPDATE record.events SET leaf_hash = {LEAF}",
    )
    assert ("events", 9, "versions") in faults(signed)


def test_a_guard_that_was_switched_off_is_noticed(signed: Proven) -> None:
    with psycopg.connect(signed.superuser) as connection:
        connection.execute("ALTER TABLE record.events DISABLE TRIGGER refuse_change")
        connection.execute("DROP TRIGGER stamp ON record.reads")
    assert faults(signed) == [("database", None, "guards"), ("database", None, "guards")]


def test_a_lost_key_is_no_erasure(signed: Proven) -> None:
    with psycopg.connect(signed.superuser) as connection:
        row = connection.execute("SELECT originator_id FROM record.events LIMIT 1").fetchone()
    keys = psycopg.conninfo.conninfo_to_dict(signed.settings.keys_database_url)["dbname"]
    with psycopg.connect(make_conninfo(signed.superuser, dbname=keys)) as connection:
        connection.execute("ALTER TABLE keys.data_keys DISABLE TRIGGER ALL")
        connection.execute("DELETE FROM keys.data_keys WHERE originator_id = %s", row)
    assert faults(signed) == [("keys", None, "keys")]


def in_the_key_store(proven: Proven, *statements: str) -> None:
    keys = psycopg.conninfo.conninfo_to_dict(proven.settings.keys_database_url)["dbname"]
    with psycopg.connect(make_conninfo(proven.superuser, dbname=keys)) as connection:
        connection.execute("ALTER TABLE keys.data_keys DISABLE TRIGGER ALL")
        for statement in statements:
            connection.execute(statement.encode())


def of_keys(proven: Proven, listed: Path | None = None) -> list[str]:
    """What is wrong with keys, by a list of destroyed ones where it is at hand."""
    found = proven.verify(
        keys=KeptKeys(proven.settings.keys_database_url, DestroyedList(listed) if listed else None)
    )
    assert {fault.check for fault in found.faults} <= {"keys"}
    return [fault.text for fault in found.faults]


DESTROY = "UPDATE keys.data_keys SET wrapped = NULL, destroyed_at = now() WHERE kid = '\\x{kid}'"


def test_a_key_that_nobody_ordered_to_be_destroyed_is_counted_and_named_where_the_list_is(
    signed: Proven, tmp_path: Path
) -> None:
    with signed.house.keys_pool.connection() as connection:
        row = connection.execute("SELECT kid, originator_id FROM keys.data_keys").fetchone()
    assert row
    kid, owner = row
    listed = DestroyedList(tmp_path / "destroyed")
    assert of_keys(signed, listed.path) == []
    in_the_key_store(signed, DESTROY.format(kid=kid.hex()))
    counted = "1 keys were destroyed, and the record tells of 0"
    assert of_keys(signed) == [counted]
    assert of_keys(signed, listed.path) == [
        counted,
        f"the key {kid.hex()} was destroyed, and isn't on the list of destroyed keys",
    ]
    # Whoever writes it on the list as well has told the record nothing.
    listed.add(kid, owner)
    assert of_keys(signed, listed.path) == [counted]
    listed.path.write_text("torn\n")
    assert of_keys(signed, listed.path) == [counted, "Line 1 of the list of destroyed keys can't be read."]


def test_a_destroyed_key_that_a_back_up_brought_back_is_named(signed: Proven, tmp_path: Path) -> None:
    with signed.house.keys_pool.connection() as connection:
        row = connection.execute("SELECT kid, originator_id FROM keys.data_keys").fetchone()
    assert row
    listed = DestroyedList(tmp_path / "destroyed")
    listed.add(*row)
    listed.add(bytes(16), uuid4())
    assert of_keys(signed, listed.path) == [
        f"the key {row[0].hex()} is on the list of destroyed keys, and is there again: "
        "casebook erase --apply-list",
        f"the key {bytes(16).hex()} is on the list of destroyed keys, and left no mark",
    ]


def test_keys_that_were_swapped_or_altered_are_named_by_whoever_holds_the_key_encryption_key(
    signed: Proven,
) -> None:
    settings = signed.settings

    def found() -> list[str]:
        keys = KeptKeys(settings.keys_database_url, None, Keks.from_file(settings.kek_file))
        return [fault.check for fault in signed.verify(keys=keys).faults]

    assert found() == []
    with signed.house.pool.connection() as connection:
        rows = connection.execute("SELECT DISTINCT originator_id FROM record.events LIMIT 2")
        one, other = (owner for (owner,) in rows)
    in_the_key_store(
        signed,
        "UPDATE keys.data_keys k SET wrapped = o.wrapped FROM keys.data_keys o"
        f" WHERE (k.originator_id, o.originator_id) IN (('{one}', '{other}'), ('{other}', '{one}'))",
    )
    assert found() == ["key commitment"] * 2
    in_the_key_store(signed, "UPDATE keys.data_keys SET wrapped = sha256('x') || '\\x0000000000000000'")
    assert set(found()) == {"keys"}
    in_the_key_store(signed, "UPDATE keys.data_keys SET kek_id = repeat('a', 16)")
    assert set(found()) == {"keys"}


def at(proven: Proven, seconds: int, entries: int) -> bytes:
    """A checkpoint over the first entries, signed so long after the newest of them."""
    with psycopg.connect(proven.superuser) as connection:
        rows = connection.execute("SELECT leaf_hash, recorded_at FROM record.events ORDER BY notification_id")
        found = rows.fetchmany(entries)
    text = str(Checkpoint(proven.key.name, entries, root_of(row[0] for row in found)))
    when = int(found[-1][1].timestamp()) + seconds
    return signed_note(text, proven.key.sign(text), proven.key.cosign(text, when))


def test_an_entry_dated_otherwise_than_the_checkpoints_around_it_allow_is_named(signed: Proven) -> None:
    assert faults(signed, at(signed, -100, 5), at(signed, 100, 5)) == []
    assert faults(signed, at(signed, -200, 5)) == [("events", 5, "clock")]
    assert faults(signed, at(signed, 200, 5)) == [("events", 6, "clock")]
    [fault] = signed.verify(at(signed, 7300, 5)).faults
    assert fault.text.startswith("entry 6 is dated 2 hours before a checkpoint that isn't over it (paper)")
    assert signed.verify(at(signed, 200, 5), skew=300).faults == ()


def test_a_demo_tells_its_facts_at_invented_times(
    demo_settings: Settings, cluster: Embedded, tmp_path: Path
) -> None:
    with psycopg.connect(demo_settings.database_url) as connection:
        row = connection.execute("SELECT origin FROM record.origin").fetchone()
    assert row
    with with_an_anchor(replace(demo_settings, origin=row[0]), cluster, tmp_path) as demo:
        a_case(demo.house)
        demo.anchor().checkpoint()
        assert demo.verify(at(demo, -9000, 2)).faults == ()


def test_a_checkpoint_on_paper_shows_what_the_file_no_longer_does(signed: Proven) -> None:
    *_, newest, _ = signed.file.notes()
    signed.attack(
        "DELETE FROM record.events WHERE notification_id > 2",
        "DELETE FROM record.checkpoints WHERE size > 2 AND origin NOT LIKE '%/reads'",
        "UPDATE record.heads SET size = 2 WHERE log = 'events'",
    )
    first = next(signed.file.notes())
    signed.file.path.write_bytes(first + b"\n")
    assert [one for one in faults(signed) if one[0] == "events"] == []
    assert ("events", 3, "length") in faults(signed, newest)


def test_a_checkpoint_of_somebody_elses_key_is_a_fault(signed: Proven) -> None:
    stranger = SigningKey(signed.key.name, bytes(32))
    text = str(Checkpoint(signed.key.name, 2, bytes(32)))
    assert faults(signed, signed_note(text, stranger.sign(text))) == [("checkpoints", None, "signature")]


def test_a_long_log_is_left_at_its_first_fault_and_the_other_still_checked(signed: Proven) -> None:
    # More than what a server has sent before it hears that nobody wants the rest.
    signed.attack(
        "INSERT INTO record.events SELECT n, gen_random_uuid(), 1, topic, state, recorded_at, leaf_hash"
        " FROM record.events, generate_series(12, 20000) n WHERE notification_id = 11",
        "UPDATE record.heads SET size = 20000 WHERE log = 'events'",
        "UPDATE record.events SET topic = 'pupil.left' WHERE notification_id = 3",
        "UPDATE record.reads SET subjects = subjects[1:1] WHERE id = 1",
    )
    assert faults(signed) == [("events", 3, "leaf"), ("reads", 1, "leaf")]
