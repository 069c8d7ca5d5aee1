"""Attacks on the keys of facts."""

from typing import Final

from tests.proof.attack import Attack, says
from tests.proof.attack_means import sql

KEYS: Final = "administrator of the key store"
APP_KEYS: Final = f"{KEYS}, or whoever holds the web server's password to it"
FACTS_STAY: Final = "Nothing that was recorded is changed. "

DATA_KEYS: Final = (
    Attack(
        "Destroy the key of a concern, as an erasure does, without one",
        APP_KEYS,
        says("missed", "–", "missed", "missed", "missed", "missed", "keys"),
        FACTS_STAY
        + "What the key sealed can't be read any more, and the pack says so of each of these facts. Keys are "
        "meant to be destroyed, so that nothing can refuse it. No erasure on record tells of this one, and "
        "it isn't on the list of destroyed keys: casebook verify counts, and names it where that list is. A "
        "backup of the key store brings it back.",
        keys=sql(
            "UPDATE keys.data_keys SET wrapped = NULL, destroyed_at = now() WHERE originator_id = '{concern}'"
        ),
    ),
    Attack(
        "Remove the row of a concern's key",
        KEYS,
        says("refused", "–", "keys", "missed", "missed", "missed", "keys"),
        FACTS_STAY
        + "A thief of the log key who makes the pack says that these facts are sealed for good, which is "
        "true of them. A missing row is never taken for an erasure by Casebook.",
        keys=sql("DELETE FROM keys.data_keys WHERE originator_id = '{concern}'"),
    ),
    Attack(
        "Swap the keys of two children's cases",
        APP_KEYS,
        says(
            "missed",
            "–",
            "key commitment",
            "key commitment",
            "key commitment",
            "key commitment",
            "key commitment",
        ),
        "Rolling the key-encryption key writes there too, so that it isn't refused. Whoever opens the case "
        "is told at once, and so is casebook verify where it can read the key-encryption key. Nothing is "
        "lost: swap them back.",
        keys=lambda scene: [
            "UPDATE keys.data_keys k SET wrapped = o.wrapped FROM keys.data_keys o"
            f" WHERE (k.originator_id, o.originator_id) IN (('{scene.case}', '{scene.other_case}'),"
            f" ('{scene.other_case}', '{scene.case}'))"
        ],
    ),
    Attack(
        "Write something else in the place of a key",
        APP_KEYS,
        says("missed", "–", "keys", "missed", "missed", "missed", "keys"),
        FACTS_STAY
        + "It is as good as destroyed, but Casebook says that it is wrong, and never that it was erased. "
        "Restore the key store's backup.",
        keys=sql(
            "UPDATE keys.data_keys SET wrapped = sha256('x') || '\\x0000000000000000' WHERE originator_id "
            "= '{case}'"
        ),
    ),
)
