"""One log, read along part by part, in each epoch's tree."""

from collections.abc import Sequence

from app.proof.epoch import begun
from app.proof.parts import Part, Wrong, backdated, out_of_turn
from app.proof.verifier import Epoch


class SoFar:
    """One log, read up to some entry, in each epoch's tree."""

    def __init__(self, log: str, epochs: Sequence[Epoch]) -> None:
        self.count = 0
        self.versions: dict[bytes, int] = {}
        self._trees = {number: begun(epoch) for number, epoch in enumerate([None, *epochs], 1)}
        # Of an earlier epoch nothing is compared beyond what later ones kept of it.
        self._ends = {
            number: min(epoch.gaps[log].kept for epoch in epochs[number - 1 :])
            for number in range(1, len(epochs) + 1)
        }
        self._last_us = 0

    def root(self, epoch: int) -> bytes:
        """The root over what was read, as this epoch has it."""
        return self._trees[epoch].root()

    def sound(self, part: Part) -> tuple[Sequence[bytes], Wrong | None]:
        """The hashes of what comes next, as far as it is sound, and what is wrong with what comes then."""
        if not part.hashes and part.wrong is None:
            return [], None
        if part.after != self.count:
            return [], Wrong(self.count + 1, "numbers", f"entry {self.count + 1} is missing")
        if part.times is not None:
            if part.times[0] < self._last_us:
                return [], backdated(part.after + 1)
            self._last_us = part.times[1]
        wrong = self._turns_of(part) or part.wrong
        return part.hashes[: wrong.number - part.after - 1] if wrong else part.hashes, wrong

    def _turns_of(self, part: Part) -> Wrong | None:
        """The first fact whose version doesn't follow its subject's, of those before what is wrong anyway."""
        versions, known = self.versions, self.versions.get
        for owner, (number, version, last) in part.turns.items():
            before = known(owner, 0)
            if version != before + 1 and (part.wrong is None or number <= part.wrong.number):
                return out_of_turn(number, owner, version, before)
            versions[owner] = last
        return None

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
