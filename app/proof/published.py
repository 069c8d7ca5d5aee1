"""What the record shows of itself to anybody with an account, and what witnesses give back.

Checkpoints and proofs hold sizes and digests and nothing about anybody. A proof that a log only grew is made
from rows that are read again; of whole blocks of them one hash is remembered, so that no request has to wait
for a long record, and no process holds it in memory.
"""

from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from threading import Lock
from time import monotonic
from typing import Any, Final

from psycopg import Connection
from psycopg_pool import ConnectionPool

from app.proof.checkpoints import Checkpoints, Kept, origin_of
from app.proof.epoch import current_origin, statements_in
from app.proof.ledger import root_of
from app.proof.log_rows import LOGS, rows_of
from app.proof.verifier import Checkpoint, Note, NotVerified, VerifierKey, leaf_hash

BLOCK: Final = 1024
"""Entries of which one hash is remembered."""
_AT_A_TIME: Final = 32 * BLOCK
PROOF_SECONDS: Final = 1.0
"""How long one request may go on with reading what wasn't read yet."""
_LATELY: Final = 1000
"""How many checkpoints of a log a line without its note is tried against."""
_KEEP: Final = """
    INSERT INTO record.cosignatures (origin, size, witness, line) VALUES (%s, %s, %s, %s)
    ON CONFLICT DO NOTHING
"""


class NotYet(Exception):
    """Much of the log is still to be read before a proof can be made: ask again."""


class NotKept(Exception):
    """It isn't a listed witness's signature under a checkpoint of this record. The text is for people."""


class Published:
    """One process's view. `witnesses` are the verifier keys that the school lists, parted by spaces or lines;
    `keys` gives those of the log that are known here.

    Raises NotVerified for a key that can't be read; and from every call psycopg.Error and PoolTimeout.
    """

    def __init__(
        self,
        pool: ConnectionPool[Any],
        witnesses: str = "",
        keys: Callable[[], Sequence[VerifierKey]] = tuple,
    ) -> None:
        self._pool = pool
        self.witnesses = [VerifierKey.parse(text).timed for text in witnesses.split()]
        self._keys = keys
        self._proofs: dict[str, _Proofs] = {}
        self._lock = Lock()

    def newest(self, log: str) -> Kept | None:
        """The newest checkpoint of a log, "events" or "reads", with every signature."""
        return self._checkpoints().newest(self._name(log))

    def listed(self, log: str, *, below: int | None, limit: int) -> list[Kept]:
        """Checkpoints of a log, newest first, smaller than `below`."""
        return self._checkpoints().listed(self._name(log), below=below, limit=limit)

    def proof(self, log: str, first: int, second: int) -> list[bytes]:
        """What shows that the log at `second` entries begins with the one at `first`.

        Raises IndexError when no checkpoint goes so far, NotYet when much is to be read first.
        """
        newest = self.newest(log)
        if newest is None or not 0 < first <= second <= newest.size:
            raise IndexError(f"no checkpoint goes from {first} to {second}")
        with self._lock:
            proofs = self._proofs.setdefault(newest.origin, _Proofs(log, self._before_rows()))
        return proofs.consistency(self._pool, first, second)

    def keep_cosigned(self, raw: bytes) -> Kept:
        """Keep what listed witnesses signed under a checkpoint; gives it with every signature.

        Raises NotKept.
        """
        try:
            note = Note.parse(raw)
            found = Checkpoint.parse(note.text)
        except NotVerified as error:
            raise NotKept(f"This can't be read as a checkpoint: {error.where}.") from None
        kept = self._checkpoints().at(found.origin, found.size)
        if kept is None or note.text != _text(kept) or found.origin not in map(self._name, LOGS):
            raise NotKept("This record has no such checkpoint. Keep what you have, and compare the two.")
        if not self._keep_from(note, kept):
            raise NotKept("No witness that the school lists has signed this: CASEBOOK_WITNESS_KEYS.")
        return self._checkpoints().at(found.origin, found.size) or kept

    def keep_lines(self, text: str) -> list[Kept]:
        """Keep each line of a listed witness that fits one of the latest checkpoints. Raises NotKept."""
        lines = "".join(f"{line}\n" for line in text.splitlines() if line.startswith("— "))
        lately = (kept for log in LOGS for kept in self.listed(log, below=None, limit=_LATELY))
        done = [
            kept for kept in lately if lines and self._keep_from(_note(kept, lines), kept, all_good=False)
        ]
        if not done:
            raise NotKept(
                "There is no line in it by which a witness that the school lists (CASEBOOK_WITNESS_KEYS) "
                "signed one of the latest checkpoints."
            )
        return done

    def _keep_from(self, note: Note, kept: Kept, *, all_good: bool = True) -> int:
        """How many witnesses signed. With `all_good` a bad signature raises, else it belongs elsewhere."""
        signed = 0
        there = Note.parse(kept.note.encode())
        for witness in self.witnesses:
            for name, signature in note.signatures:
                line = f"— {name} {b64encode(signature).decode()}\n"
                try:
                    if not Note(_text(kept), ((name, signature),)).signed_by(witness):
                        continue
                except NotVerified as error:
                    if all_good:
                        raise NotKept(f"This isn't good: {error.where}.") from None
                    continue
                if not there.signed_by(witness):
                    with self._pool.connection() as connection:
                        connection.execute(_KEEP, [kept.origin, kept.size, name, line])
                signed += 1
        return signed

    def _checkpoints(self) -> Checkpoints:
        return Checkpoints(self._pool, self._keys(), self.witnesses)

    def _before_rows(self) -> list[bytes]:
        """The hash of the leaf with which a later epoch's trees begin."""
        keys = self._keys()
        with self._pool.connection() as connection:
            return [leaf_hash(epoch.leaf) for epoch in statements_in(connection, keys)[-1:]]

    def _name(self, log: str) -> str:
        keys = self._keys()
        with self._pool.connection() as connection:
            return origin_of(current_origin(connection, keys), log)


def _note(kept: Kept, lines: str) -> Note:
    try:
        return Note.parse(f"{_text(kept)}\n{lines}".encode())
    except NotVerified as error:
        raise NotKept(f"This can't be read: {error.where}.") from None


def _text(kept: Kept) -> str:
    return str(Checkpoint(kept.origin, kept.size, kept.root))


class _Proofs:
    """Makes the proofs of one log. `before` are hashes of leaves that aren't rows."""

    def __init__(self, log: str, before: list[bytes]) -> None:
        self._log = log
        self._before = before
        self._blocks: list[bytes] = []
        self._lock = Lock()

    def consistency(self, pool: ConnectionPool[Any], first: int, second: int) -> list[bytes]:
        """RFC 9162, 2.1.4.1, from rows as they are now. Raises NotYet."""
        # One at a time, and whoever waits holds no connection: they would read the same rows.
        if not self._lock.acquire(timeout=PROOF_SECONDS):
            raise NotYet
        try:
            with pool.connection() as connection:
                self._read_blocks(connection, second // BLOCK, monotonic() + PROOF_SECONDS)
                return [self._root(connection, *part) for part in parts_of_consistency(first, second)]
        finally:
            self._lock.release()

    def _read_blocks(self, connection: Connection[Any], wanted: int, deadline: float) -> None:
        while (have := len(self._blocks)) < wanted:
            upto = min(wanted * BLOCK, have * BLOCK + _AT_A_TIME)
            hashes = self._hashes(connection, have * BLOCK, upto)
            while len(block := list(islice(hashes, BLOCK))) == BLOCK:
                self._blocks.append(root_of(block))
            if len(self._blocks) * BLOCK < upto:
                # Rows are missing. What is made of the others proves nothing, and whoever checks will see it.
                return
            if monotonic() > deadline and len(self._blocks) < wanted:
                raise NotYet

    def _root(self, connection: Connection[Any], start: int, end: int) -> bytes:
        """The root over the entries from `start`, counted from 0, to before `end`."""
        if end - start < BLOCK:
            return root_of(self._hashes(connection, start, end))
        # So wide a part begins where a block does, and a tree over the blocks' roots has the same shape.
        nodes = self._blocks[start // BLOCK : end // BLOCK]
        if end % BLOCK:
            nodes = [*nodes, self._root(connection, end - end % BLOCK, end)]
        return root_of(nodes)

    def _hashes(self, connection: Connection[Any], start: int, end: int) -> Iterator[bytes]:
        yield from self._before[start:end]
        before = len(self._before)
        for row in rows_of(connection, self._log, after=max(start - before, 0), upto=end - before):
            yield row.hashed


def parts_of_consistency(first: int, second: int) -> list[tuple[int, int]]:
    """The parts of a tree of `second` leaves whose roots show that it begins with `first`, in order."""
    parts: list[tuple[int, int]] = []
    start, end, whole = 0, second, True
    while first < end:
        middle = start + (1 << (end - start - 1).bit_length() - 1)
        if first <= middle:
            parts.append((middle, end))
            end = middle
        else:
            parts.append((start, middle))
            start, whole = middle, False
    if not whole:
        parts.append((start, end))
    return parts[::-1]
