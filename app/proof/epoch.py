"""Epochs: where the record goes on after entries were lost of which a checkpoint had been published.

A statement says what is gone. It is kept in the database, for all who ask, and beside the checkpoint file,
for the anchor: whoever can change the database can't make it begin anew. The record keeps its log key.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from psycopg import Connection

from app.proof.checkpoints import CheckpointFile, TornFile, holds, is_signed, origin_of
from app.proof.log_rows import LOGS
from app.proof.note import Signs, signed_note
from app.proof.verifier import (
    EPOCH,
    Checkpoint,
    Epoch,
    Gap,
    Note,
    NotVerified,
    Range,
    VerifierKey,
    compact,
    leaf_hash,
)
from app.whole_file import write_once

_ROWS: Final = "SELECT epoch, origin, statement FROM record.epochs ORDER BY epoch, made_at, statement"
_KEEP: Final = (
    "INSERT INTO record.epochs (epoch, origin, statement) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
)
_ORIGIN: Final = "SELECT origin FROM record.origin"
_UNDER: Final = """
    SELECT origin, size, root, note FROM record.checkpoints WHERE origin = ANY(%s)
     ORDER BY size DESC, made_at LIMIT 1000
"""
_SIZES: Final = "SELECT log, size FROM record.heads"
_CALLED: Final = {"events": "facts", "reads": "noted looks"}


def own_origin(connection: Connection[Any]) -> str:
    """The record's own name."""
    row = connection.execute(_ORIGIN).fetchone()
    return str(row[0]) if row else ""


def current_origin(connection: Connection[Any], keys: Sequence[VerifierKey] = ()) -> str:
    """Under which name checkpoints of this record are signed now: its own, or its newest epoch's."""
    epochs = statements_in(connection, keys)
    return epochs[-1].origin if epochs else own_origin(connection)


def entries(size: int, origin: str, first: str) -> int:
    """How many entries a checkpoint of `size` leaves covers. `first` is the record's own name."""
    return size if origin in (first, origin_of(first, "reads")) else size - 1


def is_epoch_of(origin: str, first: str) -> bool:
    """Whether this names a later epoch of the record `first`."""
    base, demo = first.removesuffix("/demo"), "/demo" if first.endswith("/demo") else ""
    return re.fullmatch(rf"{re.escape(base)}/epoch[0-9]+{demo}", origin) is not None


def statements_in(connection: Connection[Any], keys: Sequence[VerifierKey] = ()) -> list[Epoch]:
    """The epochs that the database tells of, oldest first, as far as they can be believed.

    `keys` are those of the log, as far as they are known here: see `told_in`.
    """
    first = own_origin(connection)
    return told_in(connection, first, keys, lambda origin: signed_under(connection, origin, keys))[0]


def told_in(
    connection: Connection[Any], first: str, keys: Sequence[VerifierKey], vouched: Callable[[str], bool]
) -> tuple[list[Epoch], list[str]]:
    """The epochs of the record `first`, and what other rows there are, in words.

    The web server may add rows. What counts follows the epoch before it and is signed by one of `keys`; else
    a checkpoint has to be there under the epoch's name, which `vouched` tells, and the row that came first
    counts: as in a record whose epoch is older than signatures of statements, or whose keys aren't known.
    """
    rows = connection.execute(_ROWS).fetchall()
    told: dict[int, list[Epoch]] = {}
    for found in filter(None, (_epoch(*row) for row in rows)):
        told.setdefault(found.number, []).append(found)
    known: set[bytes] = set()
    after: dict[int, set[str]] = {}
    for number in sorted(told, reverse=True):
        # One that a later one names by its digest needs nothing else.
        named = after.get(number + 1, set())
        good = [
            one
            for one in told[number]
            if is_stated(one, keys) or sha256(one.raw).hexdigest() in named or vouched(one.origin)
        ]
        known.update(one.raw for one in good)
        after[number] = {one.after for one in good}
    believed: list[Epoch] = []
    while True:
        following = [
            one
            for one in told.get(len(believed) + 2, ())
            if one.raw in known and chained(first, [*believed, one])
        ]
        if not following:
            break
        believed.append(next((one for one in following if is_stated(one, keys)), following[0]))
    taken = {one.raw.decode() for one in believed}
    return believed, [
        f"what the database has as epoch {number} of this record isn't it"
        for number, _, statement in rows
        if statement not in taken
    ]


def _epoch(number: int, origin: str, statement: str) -> Epoch | None:
    try:
        found = Epoch.parse(statement.encode())
    except NotVerified:
        return None
    return found if (found.number, found.origin) == (number, origin) else None


def is_stated(epoch: Epoch, keys: Sequence[VerifierKey]) -> bool:
    """Whether one of these keys signed the statement itself."""
    try:
        note = Note.parse(epoch.raw)
        return any(note.signed_by(key) for key in keys)
    except NotVerified:
        return False


def signed_under(connection: Connection[Any], origin: str, keys: Sequence[VerifierKey]) -> bool:
    """Whether the database has a checkpoint under this name, signed by one of these keys if any are known."""
    names = [origin_of(origin, log) for log in LOGS]
    return any(
        is_signed(Checkpoint(name, size, root), note, keys)
        if keys
        else holds(note.encode(), Checkpoint(name, size, root))
        for name, size, root, note in connection.execute(_UNDER, [names])
    )


def name_of(first: str, number: int) -> str:
    """What the record `first` is called in its epoch of this number."""
    base, demo = first.removesuffix("/demo"), "/demo" if first.endswith("/demo") else ""
    return f"{base}/epoch{number}{demo}"


def statement_file(file: Path, number: int) -> Path:
    """Where the statement of an epoch lies: beside the checkpoint file."""
    return file.with_name(f"{file.stem}.epoch{number}.txt")


def statements_beside(file: Path) -> list[Epoch]:
    """The epochs that the anchor knows of, oldest first. Raises TornFile."""
    found: list[Epoch] = []
    while (path := statement_file(file, len(found) + 2)).exists():
        try:
            found.append(Epoch.parse(path.read_bytes()))
        except NotVerified as error:
            raise TornFile(f"{path} holds what isn't the statement of an epoch ({error}).") from None
    return found


def chained(first: str, epochs: Sequence[Epoch]) -> bool:
    """Whether each epoch follows the one before, from the record's own name on."""
    origin, after = first, ""
    for number, epoch in enumerate(epochs, 2):
        if (epoch.number, epoch.previous, epoch.after) != (number, origin, after):
            return False
        origin, after = epoch.origin, sha256(epoch.raw).hexdigest()
    return True


def keep_beside(file: Path, epoch: Epoch) -> None:
    """Put a statement beside the checkpoint file, whole and on the disk before this returns.

    Raises FileExistsError when that epoch has one already.
    """
    write_once(statement_file(file, epoch.number), epoch.raw)


def keep_in(connection: Connection[Any], epoch: Epoch) -> None:
    """Put a statement into the database, unless it is there."""
    connection.execute(_KEEP, [epoch.number, epoch.origin, epoch.raw.decode()])


def begun(epoch: Epoch | None) -> Range:
    """The tree of a log before its first entry."""
    tree = Range()
    if epoch:
        tree.append(leaf_hash(epoch.leaf))
    return tree


def stated(
    previous: str,
    before: Sequence[Epoch],
    gaps: dict[str, Gap],
    notes: Sequence[bytes],
    by: str,
    reason: str,
    keys: Sequence[Signs],
) -> Epoch:
    """The statement of the epoch after `before`, signed by `keys`.

    `notes` are what was published last of the epoch before.
    """
    after = sha256(before[-1].raw).hexdigest() if before else ""
    told = {
        "made_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "by": by,
        "reason": reason,
        "after": after,
        **{
            log: {"signed": gaps[log].signed, "kept": gaps[log].kept, "restored": gaps[log].restored}
            for log in LOGS
        },
    }
    head = "\n".join([EPOCH, previous, str(len(before) + 2), compact(told)])
    sentences = list(Epoch.parse(head.encode()).told())[1:]
    text = "\n".join([head, *sentences]) + "\n"
    text += "".join(f"\n{note.decode()}" for note in notes)
    return Epoch.parse(signed_note(text, *(key.sign(text) for key in keys)))


def behind(connection: Connection[Any], file: CheckpointFile) -> list[str]:
    """What the record lacks of what was signed, in sentences; none when it is at least as long.

    A quick look at lengths: the anchor and `casebook verify` compare contents. Raises TornFile.
    """
    first = own_origin(connection)
    epochs = statements_beside(file.path)
    origin = epochs[-1].origin if epochs else first
    sizes: dict[str, int] = dict(connection.execute(_SIZES).fetchall())
    found = []
    for log in LOGS:
        newest = file.newest(origin_of(origin, log))
        signed = entries(newest[0].size, newest[0].origin, first) if newest else 0
        if sizes[log] < signed:
            found.append(f"{signed} {_CALLED[log]} were signed, and the record has {sizes[log]}.")
    return found
