"""The ledger: a Merkle tree (RFC 9162) over all facts, and a second one over all reads. The proving side.

Hashing and checking are the verifier's, so that what is proved and what is checked can't differ.
"""

from collections.abc import Iterable

from app.proof.verifier import Range, node_hash


def root_of(hashes: Iterable[bytes]) -> bytes:
    """The root over leaves, given by their hashes."""
    tree = Range()
    tree.extend(hashes)
    return tree.root()


class Tree:
    """A tree with all its nodes, for proofs; leaves are given by their hashes, and counted from 0."""

    def __init__(self, hashes: Iterable[bytes]) -> None:
        # Level by level from the leaves up; a last node without a neighbour moves up as it is.
        self._levels = [list(hashes)]
        while len(self._levels[-1]) > 1:
            below = self._levels[-1]
            above = [node_hash(a, b) for a, b in zip(below[::2], below[1::2], strict=False)]
            self._levels.append(above + below[len(above) * 2 :])

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return len(self._levels[0])

    def inclusion(self, index: int) -> list[bytes]:
        """What shows that leaf `index` is in this tree, from the leaf upwards (RFC 9162, 2.1.3.1).

        Raises IndexError when it isn't.
        """
        if not 0 <= index < self.size:
            raise IndexError(f"no leaf {index} in a tree of {self.size}")
        return self._path(0, index)

    def consistency(self, size: int) -> list[bytes]:
        """What shows that this tree begins with the tree of its first `size` leaves (RFC 9162, 2.1.4.1).

        Raises IndexError when it doesn't, and for a tree of none.
        """
        if not 0 < size <= self.size:
            raise IndexError(f"a tree of {self.size} doesn't begin with one of {size}")
        if size == self.size:
            return []
        # It is the path of the smaller tree's last whole subtree, after that subtree itself, which is left
        # out where it is all of the smaller tree.
        level = (size & -size).bit_length() - 1
        at = (size - 1) >> level
        path = self._path(level, at)
        return path if at == 0 else [self._levels[level][at], *path]

    def _path(self, level: int, at: int) -> list[bytes]:
        """The neighbours on the way from one node to the root."""
        path: list[bytes] = []
        for nodes in self._levels[level:-1]:
            path += nodes[at ^ 1 : (at ^ 1) + 1]
            at >>= 1
        return path
