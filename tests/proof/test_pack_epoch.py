"""Packs of a record that lost entries and had to begin a new epoch: they carry what was lost."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest

from app.documents.story import Story
from app.embedded import Embedded
from app.proof.ledger import root_of
from app.proof.new_epoch import new_epoch
from app.proof.pack import OFFICE, PackRefused, make_pack
from app.proof.pack_files import Asked, Papers, events_jsonl, keys_json, packed
from app.proof.verifier import (
    FILES,
    FILES_OF_AN_EPOCH,
    Checkpoint,
    Epoch,
    NotVerified,
    Verified,
    compact,
    leaf_hash,
    told,
    unpacked,
    verify_pack,
)
from tests.conftest import fresh
from tests.databases import Templates
from tests.giving import a_case, a_pupil
from tests.proof.conftest import Proven, with_an_anchor
from tests.proof.packs import (
    ALL_EVENTS,
    ALL_KEYS,
    CASE,
    KEYS,
    LEAVES,
    LOG,
    MADE,
    PAPERS,
    checkpoint,
    forged,
    signed,
    zipped,
)


def places(story: Story, _events: bytes, _keys: bytes) -> Papers:
    """What people would read as the places of the entries."""
    found = [entry.index for subject in story.subjects for entry in subject.entries]
    return Papers(str(found).encode(), b"", b"")


FOR: dict[str, Any] = {"for_whom": "Estyn", "why": "Inspection", "papers": places}


@dataclass
class Restored:
    """A record of which seven signed facts came back as four, and the pack of a case in it."""

    proven: Proven
    case_id: UUID
    small: bytes
    large: bytes
    pack: bytes

    def verified(self, pack: bytes, *given: bytes) -> Verified:
        return verify_pack(pack, [self.proven.key.verifier_key], given)

    def refused(self, pack: bytes, check: str, *given: bytes) -> None:
        with pytest.raises(NotVerified) as caught:
            self.verified(pack, *given)
        assert caught.value.check == check, caught.value


@pytest.fixture(scope="module")
def restored(
    cluster: Embedded, templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Restored]:
    folder = tmp_path_factory.mktemp("restored")
    with (
        fresh(cluster, templates, "school", folder) as settings,
        with_an_anchor(settings, cluster, folder) as proven,
    ):
        yield a_restored_record(proven)


def a_restored_record(proven: Proven) -> Restored:
    case_id = a_case(proven.house)
    small = proven.anchor().checkpoint()[0]
    for _ in range(5):
        a_pupil(proven.house)
    large = proven.anchor().checkpoint()[0]
    proven.attack(
        "DELETE FROM record.events WHERE notification_id > 4",
        "UPDATE record.heads SET size = 4 WHERE log = 'events'",
        "DELETE FROM record.checkpoints WHERE size > 2",
    )
    url, key = proven.settings.database_url, proven.key
    new_epoch(url, key, proven.file, by="the head", reason="The disk failed")
    a_pupil(proven.house)
    proven.anchor().checkpoint()
    return Restored(proven, case_id, small, large, make_pack(proven.house, OFFICE, [case_id], **FOR))


def test_a_pack_of_a_later_epoch_carries_the_statement_and_says_what_was_lost(restored: Restored) -> None:
    assert tuple(unpacked(restored.pack)) == FILES_OF_AN_EPOCH
    found = restored.verified(restored.pack)
    assert found.epoch is not None
    assert found.checkpoint.origin == "casebook.example/tests/epoch2"
    assert (found.checkpoint.size, found.facts[0].index) == (6, 2)
    assert unpacked(restored.pack)["history.html"] == b"[2]"
    lines = "\n".join(told(found, 0))
    assert "LOST:        Epoch 2 of this record began" in lines
    assert "3 facts that were signed are gone: numbers 5 to 7." in lines


def test_a_checkpoint_from_before_is_compared_with_what_came_back(restored: Restored) -> None:
    found = restored.verified(restored.pack, restored.small)
    assert found.epoch is not None
    restored.refused(restored.pack, "epoch", restored.large)
    newest = list(restored.proven.file.notes())[-1]
    assert restored.verified(restored.pack, newest, restored.small).checkpoint.size == 6


def test_a_statement_that_was_altered_or_left_out_is_refused_though_the_log_key_signed_it(
    restored: Restored,
) -> None:
    files = unpacked(restored.pack)
    altered = files["epoch.txt"].replace(b"The disk failed", b"Nobody knows...")
    key = restored.proven.key
    restored.refused(zipped({**files, "epoch.txt": altered}), "digest")
    restored.refused(forged({**files, "epoch.txt": altered}, key), "epoch")
    restored.refused(forged({**files, "epoch.txt": b""}, key), "epoch")
    without = {name: content for name, content in files.items() if name != "epoch.txt"}
    restored.refused(forged(without, key), "versions")


def test_a_record_in_its_first_epoch_has_no_statement(restored: Restored) -> None:
    with pytest.raises(PackRefused, match="before entries were lost"):
        make_pack(restored.proven.house, OFFICE, [restored.case_id], checkpoint=restored.small, **FOR)
    assert "epoch.txt" not in FILES


def test_any_byte_of_the_statement_that_is_another_is_refused(restored: Restored) -> None:
    files = unpacked(restored.pack)
    for at in range(len(files["epoch.txt"])):
        altered = bytearray(files["epoch.txt"])
        altered[at] ^= 1
        restored.refused(forged({**files, "epoch.txt": bytes(altered)}, restored.proven.key), "epoch")


# Without a database: the published facts, as if they came back in a later epoch.


def later_pack(number: int, previous: str, kept: int) -> bytes:
    gaps = {"signed": 9, "kept": kept, "restored": 7}
    said = {"made_at": "", "by": "the head", "reason": "", "after": "", "events": gaps, "reads": gaps}
    epoch = Epoch.parse(f"casebook-epoch/1\n{previous}\n{number}\n{compact(said)}\n".encode())
    leaves = [epoch.leaf, *LEAVES]
    found = Checkpoint(epoch.origin, len(leaves), root_of(leaf_hash(leaf) for leaf in leaves))
    events = [replace(event, index=event.index + 1) for event in ALL_EVENTS if event.originator_id == CASE]
    asked = Asked("Ms Hughes", "Estyn", "Inspection", MADE, (CASE,))
    lines, keys = events_jsonl(events), keys_json(ALL_KEYS, events)
    return packed(LOG, found, signed(found), asked, b"".join(leaves), lines, keys, PAPERS, epoch.raw)


def refused_with(pack: bytes, check: str, *given: bytes) -> None:
    with pytest.raises(NotVerified) as caught:
        verify_pack(pack, KEYS, given)
    assert caught.value.check == check, caught.value


def test_what_came_back_is_compared_with_a_checkpoint_of_the_first_epoch_as_far_as_it_can_be() -> None:
    second = later_pack(2, LOG.name, kept=5)
    assert verify_pack(second, KEYS, [checkpoint(size) for size in (1, 4, 5)]).checkpoint.size == 8
    refused_with(second, "epoch", checkpoint(6))
    refused_with(second, "consistency", checkpoint(5, leaves=[*LEAVES[:4], LEAVES[5]]))
    refused_with(second, "checkpoint", signed(Checkpoint("another.example", 3, bytes(32))))
    reads = signed(Checkpoint(f"{LOG.name}/reads", 5, bytes(32)))
    assert verify_pack(second, KEYS, [reads + b"\n" + checkpoint(5)]).checkpoint.size == 8
    # The trees of a second epoch begin with its statement, which a pack of the third doesn't hold.
    before = "casebook.example/st-example/epoch2/demo"
    third = later_pack(3, before, kept=5)
    assert verify_pack(third, KEYS).checkpoint.origin == "casebook.example/st-example/epoch3/demo"
    refused_with(
        third, "checkpoint", signed(Checkpoint("casebook.example/st-example/epoch2/demo", 3, bytes(32)))
    )
    refused_with(third, "checkpoint", checkpoint(3))


def test_the_statement_is_this_records_and_the_first_leaf() -> None:
    files = unpacked(later_pack(2, LOG.name, kept=5))
    other = files["epoch.txt"].replace(b'"kept":5', b'"kept":4')
    refused_with(forged({**files, "epoch.txt": other}), "epoch")
    elsewhere = unpacked(later_pack(2, "another.example/demo", kept=5))
    moved = {**files, "epoch.txt": elsewhere["epoch.txt"]}
    moved["skeleton.bin"] = elsewhere["skeleton.bin"]
    refused_with(forged(moved), "epoch")
