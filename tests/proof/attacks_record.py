"""Attacks on facts in the database."""

from typing import Final

from tests.proof.attack import RENUMBER, Attack, says
from tests.proof.attack_means import (
    ADMIN,
    APP,
    KEYED,
    NOBODY,
    THIEF,
    WINDOW,
    dated_back_at_the_end,
    in_a_colleagues_name,
    inserted,
    moved_up,
    replayed,
    rewritten,
    sql,
)

HASHED_AGAIN: Final = "Only the hash beside the row is altered, which nobody trusts: all work it out anew."

FACTS: Final = (
    Attack(
        "Nothing is done",
        NOBODY,
        says("–", "missed", "missed", "missed", "missed", "missed", "missed"),
        "Nobody raises a false alarm.",
    ),
    Attack(
        "Edit the sealed bytes of a fact",
        ADMIN,
        says("refused", "root", "root", "sealed fact", "sealed fact", "consistency", "leaf"),
        statements=sql("UPDATE record.events SET state = state || 'A' WHERE notification_id = {mid}"),
    ),
    Attack(
        "The same, and make the hash beside it fit",
        ADMIN,
        says("refused", "root", "root", "sealed fact", "sealed fact", "consistency", "checkpoint"),
        statements=sql("UPDATE record.events SET state = state || 'A' WHERE notification_id = {mid}"),
        rebuild=True,
    ),
    Attack(
        "Edit the name of a fact (its topic)",
        ADMIN,
        says("refused", "root", "root", "sealed fact", "sealed fact", "consistency", "leaf"),
        statements=sql("UPDATE record.events SET topic = 'mentee-case.closed' WHERE notification_id = {mid}"),
    ),
    Attack(
        "Back-date a fact by a year",
        ADMIN,
        says("refused", "root", "root", "time", "time", "consistency", "leaf"),
        statements=sql(
            "UPDATE record.events SET recorded_at = recorded_at - interval '1 year' WHERE notification_id "
            "= {mid}"
        ),
    ),
    Attack(
        "The same, and make the hash beside it fit",
        ADMIN,
        says("refused", "root", "root", "time", "time", "consistency", "time"),
        statements=sql(
            "UPDATE record.events SET recorded_at = recorded_at - interval '1 year' WHERE notification_id "
            "= {mid}"
        ),
        rebuild=True,
    ),
    Attack(
        "Back-date a fact to the one before it, and make its hash fit",
        ADMIN,
        says("refused", "root", "root", "missed", "missed", "consistency", "checkpoint"),
        THIEF,
        statements=sql(
            "UPDATE record.events SET recorded_at = (SELECT recorded_at FROM record.events"
            " WHERE notification_id = {mid} - 1) WHERE notification_id = {mid}"
        ),
        rebuild=True,
    ),
    Attack(
        "Edit the hash beside a fact",
        ADMIN,
        says("refused", "missed", "missed", "missed", "missed", "missed", "leaf"),
        HASHED_AGAIN,
        statements=sql("UPDATE record.events SET leaf_hash = sha256('x') WHERE notification_id = {mid}"),
    ),
    Attack(
        "Rewrite a fact with its real key and rebuild all hashes: one from before the paper checkpoint",
        KEYED,
        says("refused", "root", "root", "missed", "consistency", "consistency", "checkpoint"),
        THIEF,
        statements=rewritten("old"),
        rebuild=True,
    ),
    Attack(
        "The same: one from between paper and newest checkpoint",
        KEYED,
        says("refused", "root", "root", "missed", "missed", "consistency", "checkpoint"),
        THIEF,
        statements=rewritten("mid"),
        rebuild=True,
    ),
    Attack(
        "The same: one from after the newest checkpoint",
        KEYED,
        says("refused", "missed", "missed", "missed", "missed", "missed", "missed"),
        WINDOW,
        statements=rewritten("tail"),
        rebuild=True,
    ),
    Attack(
        "Delete the newest fact, which no checkpoint is over",
        ADMIN,
        says("refused", "missed", "missed", "missed", "missed", "missed", "length"),
        WINDOW,
        statements=sql("DELETE FROM record.events WHERE notification_id = {tail}"),
    ),
    Attack(
        "The same, and shrink the head of the log",
        ADMIN,
        says("refused", "missed", "missed", "missed", "missed", "missed", "missed"),
        WINDOW,
        statements=sql(
            "DELETE FROM record.events WHERE notification_id = {tail}",
            "UPDATE record.heads SET size = {tail} - 1 WHERE log = 'events'",
        ),
    ),
    Attack(
        "Delete facts from the end that were signed, and shrink the head",
        ADMIN,
        says("refused", "length", "skeleton", "missed", "missed", "older", "length"),
        THIEF,
        statements=sql(
            "DELETE FROM record.events WHERE notification_id >= {size}",
            "UPDATE record.heads SET size = {size} - 1 WHERE log = 'events'",
        ),
    ),
    Attack(
        "Delete a fact in the middle",
        ADMIN,
        says("refused", "numbers", "skeleton", "versions", "versions", "consistency", "numbers"),
        statements=sql("DELETE FROM record.events WHERE notification_id = {mid}"),
    ),
    Attack(
        "The same, renumber the log and rebuild all hashes",
        ADMIN,
        says("refused", "root", "root", "versions", "versions", "consistency", "versions"),
        statements=sql("DELETE FROM record.events WHERE notification_id = {mid}", *RENUMBER),
        rebuild=True,
    ),
    Attack(
        "The same, and renumber the case's later facts too",
        ADMIN,
        says("refused", "root", "root", "sealed fact", "sealed fact", "consistency", "checkpoint"),
        statements=sql(
            "DELETE FROM record.events WHERE notification_id = {mid}",
            "UPDATE record.events SET originator_version = originator_version + 999 WHERE originator_id = "
            "'{case}' AND notification_id > {mid}",
            "UPDATE record.events SET originator_version = originator_version - 1000 WHERE "
            "originator_version > 999",
            *RENUMBER,
        ),
        rebuild=True,
    ),
    Attack(
        "The same, and seal them again with their real key",
        KEYED,
        says("refused", "root", "root", "missed", "missed", "consistency", "checkpoint"),
        THIEF,
        statements=moved_up,
        rebuild=True,
    ),
    Attack(
        "Delete a whole case",
        ADMIN,
        says("refused", "numbers", "skeleton", "missed", "missed", "consistency", "numbers"),
        THIEF,
        statements=sql("DELETE FROM record.events WHERE originator_id = '{new_case}'"),
    ),
    Attack(
        "The same, renumber the log and rebuild all hashes",
        ADMIN,
        says("refused", "root", "root", "missed", "missed", "consistency", "checkpoint"),
        THIEF,
        statements=sql("DELETE FROM record.events WHERE originator_id = '{new_case}'", *RENUMBER),
        rebuild=True,
    ),
    Attack(
        "Empty the whole log",
        ADMIN,
        says("refused", "length", "skeleton", "events", "older", "older", "length"),
        statements=sql("TRUNCATE record.events", *RENUMBER[2:]),
    ),
    Attack(
        "Give a past time to a fact as it is recorded",
        ADMIN,
        says("refused: stamped anew", "–", "–", "–", "–", "–", "–"),
        statements=sql(
            "INSERT INTO record.events (notification_id, originator_id, originator_version, topic, state, "
            "recorded_at, leaf_hash) SELECT 1, gen_random_uuid(), 1, topic, state, '2020-01-01', leaf_hash"
            " FROM record.events WHERE notification_id = 1",
        ),
        aim="SELECT EXISTS (SELECT FROM record.events WHERE recorded_at < '2021-01-01')",
    ),
    Attack(
        "Insert a fact that never was, sealed with the real key, before the paper checkpoint; rebuild all",
        KEYED,
        says("refused", "root", "root", "missed", "consistency", "consistency", "checkpoint"),
        THIEF,
        statements=inserted(lambda scene: scene.paper_size),
        rebuild=True,
    ),
    Attack(
        "The same, between paper and newest checkpoint",
        KEYED,
        says("refused", "root", "root", "missed", "missed", "consistency", "checkpoint"),
        THIEF,
        statements=inserted(lambda scene: scene.mid),
        rebuild=True,
    ),
    Attack(
        "Add a fact dated a year back as a replica would, so that it isn't stamped",
        KEYED,
        says("missed", "missed", "missed", "time", "time", "time", "time"),
        "A copy that is kept by replication must carry the original times, so that stamping can be left "
        "out by a superuser. Nothing that was signed is changed. casebook verify, and whoever gets a later "
        "pack, sees that the time runs backwards.",
        statements=dated_back_at_the_end("SET session_replication_role = replica"),
        rebuild=True,
    ),
    Attack(
        "Edit a fact as a replica would",
        ADMIN,
        says("refused", "root", "root", "sealed fact", "sealed fact", "consistency", "leaf"),
        statements=sql(
            "SET session_replication_role = replica",
            "UPDATE record.events SET state = state || 'A' WHERE notification_id = {mid}",
        ),
    ),
    Attack(
        "Swap the first facts of two children's cases, and rebuild all hashes",
        ADMIN,
        says("refused", "root", "root", "sealed fact", "consistency", "consistency", "checkpoint"),
        statements=sql(
            "UPDATE record.events e SET state = o.state FROM record.events o WHERE e.originator_version = 1"
            " AND o.originator_version = 1 AND (e.originator_id, o.originator_id)"
            " IN (('{case}', '{other_case}'), ('{other_case}', '{case}'))"
        ),
        rebuild=True,
    ),
    Attack(
        "Record an old fact of a case again, as its newest",
        APP,
        says("missed", "missed", "missed", "sealed fact", "sealed fact", "sealed fact", "sealed fact"),
        "The web server may add facts, and the database can't look into sealed ones; the anchor signs what "
        "is there. Whoever opens the case, or a pack of it, is told that this fact was sealed for another "
        "place.",
        act=replayed,
        ordinary=True,
    ),
    Attack(
        "Record a lie, or a fact in a colleague's name",
        "staff, or whoever holds the web server's password to the database",
        says("missed", "missed", "missed", "missed", "missed", "missed", "missed"),
        "The record proves what was recorded and when, not that it is true, nor who sat at the keyboard. "
        "It can't be taken back either: the colleague's correction will stand beside it. Sign out "
        "of shared machines.",
        act=in_a_colleagues_name,
        ordinary=True,
    ),
)
