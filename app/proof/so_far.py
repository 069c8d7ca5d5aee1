"""One log, read along block by block: and what is wrong with the first entry that isn't sound."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from uuid import UUID

from app.proof.epoch import begun
from app.proof.log_rows import Block, LogRow
from app.proof.verifier import Epoch, NotVerified, open_header


class Wrong(Exception):
    """An entry's number, the check that it fails, and what is wrong."""

    def __init__(self, number: int, check: str, text: str) -> None:
        super().__init__(number, check, text)
        self.number = number


class SoFar:
    """One log, read up to some entry, in each epoch's tree. `covered`: how far the newest checkpoint goes."""

    def __init__(self, log: str, covered: int, every_header: bool, epochs: Sequence[Epoch]) -> None:
        self.count = 0
        self.versions: dict[bytes, int] = {}
        self._trees = {number: begun(epoch) for number, epoch in enumerate([None, *epochs], 1)}
        # Of an earlier epoch nothing is compared beyond what later ones kept of it.
        self._ends = {
            number: min(epoch.gaps[log].kept for epoch in epochs[number - 1 :])
            for number in range(1, len(epochs) + 1)
        }
        self._events = log == "events"
        self._covered = 0 if every_header else covered
        self._last_us = 0

    def root(self, epoch: int) -> bytes:
        """The root over what was read, as this epoch has it."""
        return self._trees[epoch].root()

    def sound(self, block: Block) -> tuple[Sequence[bytes], Wrong | None]:
        """The hashes of what comes next, as far as it is sound, and what is wrong with the entry after them.

        Whole columns are compared; only where two differ is the row looked for. The first at fault counts.
        """
        first, upto = self.count + 1, len(block)
        wrong: Wrong | None = None
        expected = range(first, first + upto)
        if block.numbers != tuple(expected):
            upto = _alike(block.numbers, expected)
            wrong = Wrong(first + upto, "numbers", f"entry {first + upto} is missing")
        if block.stored[:upto] != tuple(block.hashed[:upto]):
            upto = _alike(block.stored, block.hashed)
            wrong = Wrong(first + upto, "leaf", f"entry {first + upto} was altered after it was recorded")
        times = [self._last_us, *block.times[:upto]]
        if times != sorted(times):
            upto = next(at for at, (before, then) in enumerate(pairwise(times)) if then < before)
            text = f"entry {first + upto} is dated before the entry before it"
            wrong = Wrong(first + upto, "time", text)
        self._last_us = times[-1]
        if self._events:
            try:
                self._take_turns(block, upto)
            except Wrong as error:
                wrong, upto = error, error.number - first
            try:
                # What was put elsewhere after a checkpoint doesn't fit it: what comes after it is opened.
                for at in range(max(self._covered - self.count, 0), upto):
                    _check_header(block.row(at))
            except Wrong as error:
                wrong, upto = error, error.number - first
        return block.hashed[:upto], wrong

    def _take_turns(self, block: Block, upto: int) -> None:
        """Each fact's version follows its subject's last. Raises Wrong."""
        versions, known = self.versions, self.versions.get
        turns = zip(range(self.count + 1, self.count + 1 + upto), block.owners, block.versions, strict=False)
        for number, owner, version in turns:
            before = known(owner, 0)
            if version != before + 1:
                text = f"entry {number} is version {version} of {UUID(bytes=owner)}, after {before}"
                raise Wrong(number, "versions", text)
            versions[owner] = version

    def add(self, hashes: Sequence[bytes]) -> None:
        """Put what comes next into the trees."""
        for number, tree in self._trees.items():
            end = self._ends.get(number)
            tree.extend(hashes if end is None else hashes[: max(end - self.count, 0)])
        self.count += len(hashes)

    def end_at(self, size: int) -> None:
        """There are no more rows. Raises Wrong when the log's head says otherwise."""
        if self.count != size:
            text = f"the log has {self.count} entries, its head says {size}"
            raise Wrong(min(self.count, size) + 1, "length", text)


def _alike(some: Iterable[object], others: Iterable[object]) -> int:
    """How many at the start are the same, of two that differ."""
    return next(at for at, (one, other) in enumerate(zip(some, others, strict=False)) if one != other)


def _check_header(row: LogRow) -> None:
    try:
        open_header(row.state, str(UUID(bytes=row.owner)), row.version, row.name.decode())
    except NotVerified as error:
        raise Wrong(row.number, error.check, f"entry {row.number}: {error.where}") from None
