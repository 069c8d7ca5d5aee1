import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from app.proof.ledger import Tree, root_of
from app.proof.verifier import NotVerified, Range, check_consistency, check_inclusion, leaf_hash
from tests.record.vectors import VECTORS

PUBLISHED = Path(__file__).parents[3] / "shared" / "vectors" / "merkle"
LEAVES = [leaf_hash(bytes([n % 251, n // 251])) for n in range(257)]
ROOTS = [root_of(LEAVES[:n]) for n in range(257)]


def cases(kind: str) -> list[Any]:
    files = sorted((PUBLISHED / kind).rglob("*.json"))
    return [pytest.param(json.loads(file.read_text()), id=str(file.relative_to(PUBLISHED))) for file in files]


def decoded(texts: list[str] | None) -> list[bytes]:
    return [b64decode(text or "") for text in texts or []]


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published vectors lie beside a checkout, not in it")
@pytest.mark.parametrize("case", cases("inclusion"))
def test_a_published_inclusion_proof(case: dict[str, Any]) -> None:
    def check() -> None:
        leaf, root = decoded([case["leafHash"], case["root"]])
        check_inclusion(case["leafIdx"], case["treeSize"], leaf, decoded(case["proof"]), root)

    refused_where_wanted(check, case)


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published vectors lie beside a checkout, not in it")
@pytest.mark.parametrize("case", cases("consistency"))
def test_a_published_consistency_proof(case: dict[str, Any]) -> None:
    def check() -> None:
        root1, root2 = decoded([case["root1"], case["root2"]])
        check_consistency(case["size1"], case["size2"], root1, root2, decoded(case["proof"]))

    refused_where_wanted(check, case)


def refused_where_wanted(check: Any, case: dict[str, Any]) -> None:
    if case["wantErr"]:
        with pytest.raises(NotVerified):
            check()
    else:
        check()


def test_the_record_s_own_roots_and_proofs_to_the_byte() -> None:
    hashes = [bytes.fromhex(event["leaf_hash"]) for event in VECTORS["events"]]
    assert [root_of(hashes[: n + 1]).hex() for n in range(len(hashes))] == VECTORS["roots"]
    proofs = [
        [[step.hex() for step in Tree(hashes[:size]).inclusion(n)] for n in range(size)]
        for size in range(1, len(hashes) + 1)
    ]
    assert proofs == VECTORS["inclusion"]
    found = {
        f"{n}-{len(hashes)}": [step.hex() for step in Tree(hashes).consistency(n)]
        for n in range(1, len(hashes))
    }
    assert found == VECTORS["consistency"]


def test_every_leaf_of_every_tree_up_to_256_leaves_is_shown_to_be_in_it() -> None:
    for size in range(1, 257):
        tree = Tree(LEAVES[:size])
        for index in range(size):
            check_inclusion(index, size, LEAVES[index], tree.inclusion(index), ROOTS[size])


def test_every_tree_up_to_256_leaves_is_shown_to_begin_with_every_smaller_one() -> None:
    for size in range(1, 257):
        tree = Tree(LEAVES[:size])
        for smaller in range(1, size + 1):
            check_consistency(smaller, size, ROOTS[smaller], ROOTS[size], tree.consistency(smaller))


def test_a_tree_that_grows_in_any_steps_has_the_root_of_the_whole() -> None:
    for step in (1, 2, 3, 7, 64, 100):
        tree = Range()
        for start in range(0, 256, step):
            tree.extend(LEAVES[start : min(start + step, 256)])
            assert tree.root() == ROOTS[tree.size]


ORACLE = InmemoryTree(algorithm="sha256")
for entry in range(70):
    ORACLE.append_entry(b"leaf %d" % entry)
TREES = [Tree(leaf_hash(b"leaf %d" % entry) for entry in range(size)) for size in range(71)]


@settings(max_examples=10_000, deadline=None)
@given(st.integers(1, 70), st.integers(0, 69), st.integers(0, 69))
def test_pymerkle_agrees(size: int, less: int, at: int) -> None:
    first, index = size - less % size, at % size
    tree, roots = TREES[size], (ORACLE.get_root(first), ORACLE.get_root(size))
    hashed = leaf_hash(b"leaf %d" % index)
    check_inclusion(index, size, hashed, tree.inclusion(index), roots[1])
    check_consistency(first, size, *roots, tree.consistency(first))
    # Their path holds the leaf too.
    assert {hashed, *tree.inclusion(index)} == set(ORACLE.prove_inclusion(index + 1, size).path)


@given(st.integers(2, 256), st.data())
def test_a_proof_with_anything_changed_is_refused(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = Tree(LEAVES[:size]).inclusion(index)
    at = data.draw(st.integers(0, len(proof) - 1))
    for wrong in (
        proof[:-1],
        [*proof, LEAVES[0]],
        [*proof[:at], bytes(32), *proof[at + 1 :]],
        [*proof[:at], proof[at][:-1], *proof[at + 1 :]],
    ):
        with pytest.raises(NotVerified):
            check_inclusion(index, size, LEAVES[index], wrong, ROOTS[size])
