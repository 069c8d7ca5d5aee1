"""Attacks on what guards the record in its database, and on the log of reads."""

from collections.abc import Callable, Sequence
from typing import Final

import pytest

from app.record.errors import RecordUnavailable
from tests.proof.attack import Attack, Scene, says
from tests.proof.attack_means import (
    ADMIN,
    APP,
    THIEF,
    WINDOW,
    grown_past,
    in_a_colleagues_name,
    rolled_back,
    sql,
)

RENUMBER_READS: Final = (
    "UPDATE record.reads SET id = -n.new FROM (SELECT id AS old, row_number() OVER (ORDER BY id) AS new"
    " FROM record.reads) n WHERE n.old = id",
    "UPDATE record.reads SET id = -id",
    "UPDATE record.heads SET size = (SELECT count(*) FROM record.reads) WHERE log = 'reads'",
)
READS: Final = (
    "A pack proves facts. The list of who looked, in its history, is as the database told it; the log of "
    "reads is signed by itself, and casebook verify and the anchor check it."
)


def stamps(change: str) -> Callable[[Scene], Sequence[str]]:
    """The function that stamps facts, with something more in it."""

    def said(scene: Scene) -> Sequence[str]:
        (text,) = (text for text in scene.functions if "record.stamp_event" in text)
        return [text.replace("    NEW.leaf_hash :=", f"    {change}\n    NEW.leaf_hash :=")]

    return said


def put_back_after_a_fact(scene: Scene) -> None:
    in_a_colleagues_name(scene)
    scene.repair()
    scene.proven.anchor().checkpoint()


def nothing_is_shown(scene: Scene) -> None:
    before = len(scene.rows("reads"))
    with pytest.raises(RecordUnavailable):
        scene.proven.log_read()
    assert len(scene.rows("reads")) == before


EDIT: Final = "UPDATE record.events SET state = state || 'A' WHERE notification_id = {mid}"
AN_HOUR_LATE: Final = "NEW.recorded_at := NEW.recorded_at + interval '1 hour';"
A_YEAR_BACK: Final = "NEW.recorded_at := NEW.recorded_at - interval '1 year';"
LETS_ALL_THROUGH: Final = (
    "CREATE OR REPLACE FUNCTION record.refuse_change() RETURNS trigger LANGUAGE plpgsql"
    " AS $$BEGIN RETURN NULL; END$$"
)
SINCE_THEN: Final = "Nothing that was signed is changed. "

GUARDS: Final = (
    Attack(
        "Switch off a trigger, edit a fact, and leave it off",
        ADMIN,
        says("missed", "root", "root", "sealed fact", "sealed fact", "consistency", "guards, leaf"),
        "Triggers stop mistakes and ordinary statements, not those who may define triggers.",
        statements=sql("ALTER TABLE record.events DISABLE TRIGGER refuse_change", EDIT),
        guarded=True,
    ),
    Attack(
        "Replace the function that refuses changes by one that lets them through, and edit a fact",
        ADMIN,
        says("missed", "root", "root", "sealed fact", "sealed fact", "consistency", "guards, leaf"),
        "Triggers stop mistakes and ordinary statements, not those who may define triggers.",
        statements=sql(LETS_ALL_THROUGH, EDIT),
        guarded=True,
    ),
    Attack(
        "Edit a fact by changing the type of its column (ALTER COLUMN … USING)",
        ADMIN,
        says("missed", "root", "root", "sealed fact", "sealed fact", "consistency", "leaf"),
        "Changing a table's form fires no trigger.",
        statements=sql(
            "ALTER TABLE record.events ALTER COLUMN state TYPE bytea"
            " USING CASE notification_id WHEN {mid} THEN state || 'A' ELSE state END"
        ),
        guarded=True,
    ),
    Attack(
        "Replace the function that stamps facts: they are dated a year back",
        ADMIN,
        says("missed", "missed", "missed", "time", "time", "time", "guards, time"),
        SINCE_THEN
        + "casebook verify sees another function, and it and a later pack see that the time runs backwards.",
        statements=stamps(A_YEAR_BACK),
        act=in_a_colleagues_name,
        guarded=True,
    ),
    Attack(
        "The same: they are dated an hour late",
        ADMIN,
        says("missed", "missed", "missed", "missed", "missed", "missed", "guards"),
        SINCE_THEN + "casebook verify sees another function.",
        statements=stamps(AN_HOUR_LATE),
        act=in_a_colleagues_name,
        guarded=True,
    ),
    Attack(
        "The same, and put the right function back after a fact, before the next checkpoint",
        ADMIN,
        says("missed", "missed", "missed", "missed", "missed", "missed", "clock"),
        "The database tells the time, and its administrator can make it tell another, as by setting the "
        "machine's clock. The checkpoints before and after a fact say between which moments it was recorded: "
        "casebook verify compares, and verify-pack prints a line about it. Within two minutes, or between "
        "two checkpoints, nobody can tell.",
        statements=stamps(AN_HOUR_LATE),
        act=put_back_after_a_fact,
        guarded=True,
    ),
    Attack(
        "Add a trigger of one's own that dates facts an hour late",
        ADMIN,
        says("missed", "missed", "missed", "missed", "missed", "missed", "guards"),
        SINCE_THEN + "casebook verify sees a trigger that isn't Casebook's.",
        statements=sql(
            "CREATE FUNCTION record.late() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$BEGIN {AN_HOUR_LATE} RETURN NEW; END$$",
            "CREATE TRIGGER zz BEFORE INSERT ON record.events FOR EACH ROW EXECUTE FUNCTION record.late()",
        ),
        guarded=True,
    ),
    Attack(
        "Add a rule of one's own by which looks are no longer noted",
        ADMIN,
        says("missed", "missed", "missed", "missed", "missed", "missed", "guards"),
        "Nothing that was noted is changed. While it lasts no page is shown, since a look that isn't noted "
        "is refused; casebook verify sees a rule that isn't Casebook's.",
        statements=sql("CREATE RULE unseen AS ON INSERT TO record.reads DO INSTEAD NOTHING"),
        act=nothing_is_shown,
        guarded=True,
    ),
    Attack(
        "Say that the log is longer than it is (its head)",
        ADMIN,
        says("missed", "missed", "missed", "missed", "missed", "missed", "length"),
        "The head is moved by each fact, so that changing it isn't refused. No fact is lost; the next one "
        "leaves a gap, and then the anchor refuses too.",
        statements=sql("UPDATE record.heads SET size = size + 1 WHERE log = 'events'"),
        guarded=True,
    ),
    Attack(
        "The same, and record a fact, which leaves a gap",
        ADMIN,
        says("missed", "numbers", "missed", "missed", "missed", "missed", "numbers"),
        "No fact is lost, only a number. The anchor signs nothing more until somebody has looked.",
        statements=sql("UPDATE record.heads SET size = size + 1 WHERE log = 'events'"),
        act=in_a_colleagues_name,
        guarded=True,
    ),
    Attack(
        "Edit what is remembered of commands (record.commands)",
        ADMIN,
        says("refused", "–", "–", "–", "–", "–", "missed"),
        "It holds no facts, and is no part of what is proven: at worst a form that is sent twice is "
        "answered wrongly.",
        statements=sql("UPDATE record.commands SET version = version + 1"),
    ),
    Attack(
        "Give the record another name (record.origin)",
        ADMIN,
        says("refused", "name", "–", "–", "–", "–", "origin"),
        statements=sql("UPDATE record.origin SET origin = 'another.example/school'"),
    ),
    Attack(
        "Roll the database back to an older backup",
        "whoever restores backups",
        says("–", "length", "skeleton", "missed", "missed", "older", "length"),
        THIEF,
        act=rolled_back,
    ),
    Attack(
        "The same, and let it grow longer than it was: a fork of the log",
        "whoever restores backups",
        says("–", "root", "root", "missed", "missed", "consistency", "checkpoint, length"),
        THIEF,
        act=grown_past,
    ),
)

LOOKS: Final = (
    Attack(
        "Delete a read from the log of reads",
        ADMIN,
        says("refused", "numbers", "missed", "missed", "missed", "missed", "numbers"),
        READS,
        statements=sql("DELETE FROM record.reads WHERE id = 2"),
    ),
    Attack(
        "The same, renumber the log and rebuild all hashes",
        ADMIN,
        says("refused", "root", "missed", "missed", "missed", "missed", "checkpoint"),
        READS,
        statements=sql("DELETE FROM record.reads WHERE id = 2", *RENUMBER_READS),
        rebuild=True,
    ),
    Attack(
        "Delete the newest read, which no checkpoint is over, and shrink the head",
        ADMIN,
        says("refused", "missed", "missed", "missed", "missed", "missed", "missed"),
        WINDOW,
        statements=sql(
            "DELETE FROM record.reads WHERE id = (SELECT max(id) FROM record.reads)", *RENUMBER_READS[2:]
        ),
    ),
    Attack(
        "Write another account beside a read",
        ADMIN,
        says("refused", "root", "missed", "missed", "missed", "missed", "leaf"),
        READS,
        statements=sql("UPDATE record.reads SET account = gen_random_uuid() WHERE id = 2"),
    ),
    Attack(
        "The same, and make the hash beside it fit",
        ADMIN,
        says("refused", "root", "missed", "missed", "missed", "missed", "checkpoint"),
        READS,
        statements=sql("UPDATE record.reads SET account = gen_random_uuid() WHERE id = 2"),
        rebuild=True,
    ),
    Attack(
        "Say of a read that it was of others (its subjects)",
        ADMIN,
        says("refused", "root", "missed", "missed", "missed", "missed", "leaf"),
        READS,
        statements=sql("UPDATE record.reads SET subjects = ARRAY[gen_random_uuid()] WHERE id = 2"),
    ),
    Attack(
        "Note a look that never was, in another's name",
        APP,
        says("missed", "missed", "missed", "missed", "missed", "missed", "missed"),
        "The web server notes who looks: whoever is the web server can note what it likes, but take "
        "nothing back.",
        act=lambda scene: scene.proven.log_read(),
        ordinary=True,
    ),
)
