"""Attacks on checkpoints and on the log key."""

from collections.abc import Callable
from typing import Final

import psycopg

from app.proof.epoch import keep_in, stated
from app.proof.log_rows import LOGS
from app.proof.note import SigningKey
from app.proof.verifier import Gap, Note
from tests.proof.attack import Attack, Scene, says, signed_tree
from tests.proof.attack_means import ADMIN, APP, THIEF, rewritten, rolled_back, sql

HOST: Final = "root on the machine of the anchor"
BOTH: Final = "database administrator who stole the log key and the data keys"


def in_the_database(note: bytes) -> list[str]:
    """Puts a checkpoint in the place of whatever the database has of this log from its size on."""
    origin, size, root = Note.parse(note).text.split("\n")[:3]
    return [
        f"DELETE FROM record.cosignatures WHERE origin = '{origin}' AND size >= {size}",
        f"DELETE FROM record.checkpoints WHERE origin = '{origin}' AND size >= {size}",
        "INSERT INTO record.checkpoints (origin, size, root, note)"
        f" VALUES ('{origin}', {size}, decode('{root}', 'base64'), '{note.decode()}')",
    ]


def rebuilt(scene: Scene, key: SigningKey) -> bytes:
    """The log rewritten, and signed again as far as it was."""
    scene.alter(*rewritten("mid")(scene), rebuild=True)
    note = signed_tree(key, scene.key.name, [row.leaf for row in scene.rows()][: scene.size])
    scene.alter(*in_the_database(note))
    return note


def stranger(scene: Scene) -> SigningKey:
    return SigningKey(scene.key.name, bytes(range(32)))


def cut(scene: Scene) -> bytes:
    """The log cut behind the paper checkpoint, and signed again."""
    scene.alter(
        f"DELETE FROM record.events WHERE notification_id >= {scene.size}",
        f"UPDATE record.heads SET size = {scene.size} - 1 WHERE log = 'events'",
    )
    note = scene.signed()
    scene.alter(*in_the_database(note))
    return note


def and_in_the_file(change: Callable[[Scene], bytes]) -> Callable[[Scene], None]:
    """The same, and the anchor's file tells the same story."""

    def act(scene: Scene) -> None:
        note = change(scene)
        newest = f"{scene.key.name}\n{scene.size}\n".encode()
        others = [one for one in scene.proven.file.notes() if not one.startswith(newest)]
        scene.proven.file.path.write_bytes(b"".join(one + b"\n" for one in [*others, note]))

    return act


def everything_rolled_back(scene: Scene) -> None:
    rolled_back(scene)
    scene.proven.file.path.write_bytes(scene.file_then)


def without_any(scene: Scene) -> None:
    scene.alter(*rewritten("mid")(scene), rebuild=True)
    scene.alter("DELETE FROM record.cosignatures", "DELETE FROM record.checkpoints")
    scene.proven.file.path.unlink()


def a_false_checkpoint(scene: Scene) -> None:
    note = signed_tree(stranger(scene), scene.key.name, [row.leaf for row in scene.rows()])
    with psycopg.connect(scene.proven.settings.database_url) as connection:
        connection.execute(in_the_database(note)[-1].encode())


def a_false_witness(scene: Scene) -> None:
    line = stranger(scene).cosign("another text\n", 1_800_000_000)
    name = line.split(" ")[1]
    with psycopg.connect(scene.proven.settings.database_url) as connection:
        connection.execute(
            "INSERT INTO record.cosignatures (origin, size, witness, line) VALUES (%s, %s, %s, %s)",
            [scene.key.name, scene.paper_size, name, line],
        )


def a_false_epoch(scene: Scene) -> None:
    gaps = {log: Gap(scene.size, 1, 1) for log in LOGS}
    epoch = stated(scene.key.name, [], gaps, [], "nobody", "nothing", [stranger(scene)])
    with psycopg.connect(scene.proven.settings.database_url) as connection:
        keep_in(connection, epoch)


def in_the_anchors_name(scene: Scene) -> None:
    with psycopg.connect(scene.proven.settings.database_url) as connection:
        connection.execute("INSERT INTO record.refusals (why) VALUES ('All is well.')")


def an_account_of_ones_own(scene: Scene) -> None:
    with psycopg.connect(scene.proven.settings.database_url) as connection:
        connection.execute(
            "INSERT INTO access.accounts (id, role) VALUES (gen_random_uuid(), 'dsl') RETURNING id"
        )


def another_root(which: int) -> Callable[[Scene], None]:
    """One of the notes in the anchor's file says another root; counted among those over facts."""

    def act(scene: Scene) -> None:
        notes = list(scene.proven.file.notes())
        ours = [n for n, note in enumerate(notes) if note.startswith(f"{scene.key.name}\n".encode())]
        lines = notes[ours[which]].split(b"\n")
        lines[2] = b"A" * 43 + b"="
        notes[ours[which]] = b"\n".join(lines)
        scene.proven.file.path.write_bytes(b"".join(note + b"\n" for note in notes))

    return act


def scribbled(scene: Scene) -> None:
    raw = scene.proven.file.path.read_bytes()
    scene.proven.file.path.write_bytes(raw.replace(b"\n", b"\nx", 1))


def renamed(scene: Scene) -> None:
    scene.alter(*rewritten("mid")(scene), "UPDATE record.origin SET origin = 'another.example'", rebuild=True)


IN_THE_FILE: Final = "Nothing of the record is changed, and the anchor's file still has all that was signed."
IN_THE_DATABASE: Final = (
    "Nothing of the record is changed. casebook verify still has the checkpoints in the database; the anchor "
    "signs nothing until the file is brought back from its backup."
)
OUTSIDE: Final = (
    "Whoever changes what database and anchor both remember leaves nothing inside that could tell. A "
    "checkpoint kept elsewhere does: give it to casebook verify too."
)

CHECKPOINTS: Final = (
    Attack(
        "Drop the checkpoints from the database",
        ADMIN,
        says("refused", "–", "–", "–", "–", "–", "missed"),
        IN_THE_FILE + " The anchor puts the newest back.",
        statements=sql("DELETE FROM record.cosignatures", "DELETE FROM record.checkpoints"),
    ),
    Attack(
        "Put a false checkpoint into the database",
        APP,
        says("missed", "missed", "–", "–", "–", "–", "signature"),
        "The web server may add rows there. A checkpoint is believed for its signature alone: the anchor "
        "passes it over, says so in its log, and goes on signing.",
        act=a_false_checkpoint,
        ordinary=True,
    ),
    Attack(
        "Put a false witness's signature into the database",
        APP,
        says("missed", "–", "–", "–", "–", "–", "missed"),
        "The web server may add rows there. Whoever checks names the witnesses whom they trust: no other "
        "signature says anything, and a bad one of a named witness is refused (see the packs). Casebook "
        "shows none that can't be read, none in the log key's name, and no bad one of a listed witness.",
        act=a_false_witness,
        ordinary=True,
    ),
    Attack(
        "Put the statement of an epoch that never began into the database",
        APP,
        says("missed", "missed", "–", "–", "–", "–", "epoch"),
        "The web server may add rows there. A statement is believed for its signature, or for a signed "
        "checkpoint under its name; the anchor believes those beside its file alone, passes this one over, "
        "says so in its log, and goes on signing. A true one that comes later stands beside it.",
        act=a_false_epoch,
        ordinary=True,
    ),
    Attack(
        "Say in the anchor's name that it refuses to sign, or that it doesn't",
        APP,
        says("missed", "missed", "–", "–", "–", "–", "missed"),
        "The web server may add rows there, dated when they were added. Nothing is proven by them, and the "
        "status shows them until the anchor says otherwise: in seconds where it signs, within a quarter of "
        "an hour where it refuses. That facts wait for a checkpoint for longer than half an hour is shown "
        "whatever anybody says.",
        act=in_the_anchors_name,
        ordinary=True,
    ),
    Attack(
        "Make an account for oneself beside the record, or give one another role",
        APP,
        says("missed", "–", "–", "–", "–", "–", "missed"),
        "Accounts aren't facts, and the web server writes them. Nothing that was recorded is changed by it; "
        "what is read or recorded by such an account is noted under its number, for which the record has "
        "nobody's name.",
        act=an_account_of_ones_own,
        ordinary=True,
    ),
    Attack(
        "Rewrite a fact, rebuild all hashes, and put a checkpoint signed with a key of one's own into the "
        "database",
        ADMIN + " with the data keys",
        says("–", "root", "root", "missed", "missed", "consistency", "signature, checkpoint"),
        THIEF,
        act=lambda scene: rebuilt(scene, stranger(scene)),
    ),
    Attack(
        "Rewrite a fact, rebuild all hashes, and give the record another name, under which nothing was "
        "signed yet",
        ADMIN + " with the data keys",
        says("–", "name", "root", "missed", "missed", "consistency", "origin"),
        THIEF,
        act=renamed,
    ),
    Attack(
        "Alter the newest checkpoint in the anchor's file",
        HOST,
        says("–", "signature", "–", "–", "–", "–", "signature"),
        act=another_root(-1),
    ),
    Attack(
        "Alter an older checkpoint in the anchor's file",
        HOST,
        says("–", "missed", "–", "–", "–", "–", "signature"),
        "The anchor needs the newest alone; casebook verify reads all.",
        act=another_root(0),
    ),
    Attack(
        "Scribble into the anchor's file",
        HOST,
        says("–", "file", "–", "–", "–", "–", "file"),
        act=scribbled,
    ),
    Attack(
        "Delete the anchor's file",
        HOST,
        says("–", "file", "–", "–", "–", "–", "missed"),
        IN_THE_DATABASE,
        act=lambda scene: scene.proven.file.path.unlink(),
    ),
    Attack(
        "Cut the newest checkpoints off the anchor's file",
        HOST,
        says("–", "file", "–", "–", "–", "–", "missed"),
        IN_THE_DATABASE,
        act=lambda scene: scene.proven.file.path.write_bytes(scene.file_then),
    ),
    Attack(
        "Delete the file and the database's checkpoints, rewrite a fact and rebuild all hashes",
        BOTH,
        says("–", "missed", "root", "missed", "missed", "consistency", "missed"),
        OUTSIDE,
        act=without_any,
    ),
    Attack(
        "Roll back everything at once: database and anchor's file",
        "whoever restores the whole machine",
        says("–", "missed", "skeleton", "missed", "missed", "older", "missed"),
        OUTSIDE + " After each restore compare with such a one before anything is recorded.",
        act=everything_rolled_back,
    ),
    Attack(
        "Steal the log key, rewrite a fact, and sign the rewritten log in the database",
        BOTH,
        says("–", "root", "root", "missed", "missed", "consistency", "checkpoint"),
        THIEF,
        act=lambda scene: rebuilt(scene, scene.key),
    ),
    Attack(
        "The same, and in the anchor's file too",
        BOTH + ", and is root there",
        says("–", "missed", "root", "missed", "missed", "consistency", "missed"),
        OUTSIDE,
        act=and_in_the_file(lambda scene: rebuilt(scene, scene.key)),
    ),
    Attack(
        "Steal the log key, cut the log, and sign the smaller one in the database",
        BOTH,
        says("–", "length", "skeleton", "missed", "missed", "older", "length"),
        THIEF,
        act=lambda scene: cut(scene),
    ),
    Attack(
        "The same, and in the anchor's file too",
        BOTH + ", and is root there",
        says("–", "missed", "skeleton", "missed", "missed", "older", "missed"),
        OUTSIDE,
        act=and_in_the_file(cut),
    ),
)
