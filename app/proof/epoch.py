"""Epochs: where the record goes on after entries were lost of which a checkpoint had been published.

A statement says what is gone. It is kept in the database, for all who ask, and beside the checkpoint file,
for the anchor: whoever can change the database can't make it begin anew. The record keeps its log key.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from psycopg import Connection

from app.proof.checkpoints import CheckpointFile, TornFile, origin_of
from app.proof.log_rows import LOGS
from app.proof.verifier import EPOCH, Epoch, Gap, NotVerified, Range, compact, leaf_hash
from app.whole_file import write_once

_STATEMENTS: Final = "SELECT statement FROM record.epochs ORDER BY epoch"
_KEEP: Final = (
    "INSERT INTO record.epochs (epoch, origin, statement) VALUES (%s, %s, %s) ON CONFLICT (epoch) DO NOTHING"
)
_ORIGIN: Final = """
    SELECT coalesce((SELECT e.origin FROM record.epochs e ORDER BY e.epoch DESC LIMIT 1), o.origin), o.origin
      FROM record.origin o
"""
_SIZES: Final = "SELECT log, size FROM record.heads"
_CALLED: Final = {"events": "facts", "reads": "noted looks"}


def current_origin(connection: Connection[Any]) -> str:
    """Under which name checkpoints of this record are signed now: its own, or its newest epoch's."""
    row = connection.execute(_ORIGIN).fetchone()
    return str(row[0]) if row else ""


def entries(size: int, origin: str, first: str) -> int:
    """How many entries a checkpoint of `size` leaves covers. `first` is the record's own name."""
    return size if origin in (first, origin_of(first, "reads")) else size - 1


def is_epoch_of(origin: str, first: str) -> bool:
    """Whether this names a later epoch of the record `first`."""
    base, demo = first.removesuffix("/demo"), "/demo" if first.endswith("/demo") else ""
    return re.fullmatch(rf"{re.escape(base)}/epoch[0-9]+{demo}", origin) is not None


def statements_in(connection: Connection[Any]) -> list[Epoch]:
    """The epochs that the database tells of, oldest first. Raises NotVerified."""
    return [Epoch.parse(str(text).encode()) for (text,) in connection.execute(_STATEMENTS)]


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
    previous: str, before: Sequence[Epoch], gaps: dict[str, Gap], notes: Sequence[bytes], by: str, reason: str
) -> Epoch:
    """The statement of the epoch after `before`. `notes` are what was published last of the epoch before."""
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
    return Epoch.parse(text.encode() + b"".join(b"\n" + note for note in notes))


def behind(connection: Connection[Any], file: CheckpointFile) -> list[str]:
    """What the record lacks of what was signed, in sentences; none when it is at least as long.

    A quick look at lengths: the anchor and `casebook verify` compare contents. Raises TornFile.
    """
    row = connection.execute(_ORIGIN).fetchone()
    first = str(row[1]) if row else ""
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
