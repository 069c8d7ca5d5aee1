"""The anchor signs what it recomputed, and nothing that contradicts what it signed before."""

from itertools import islice
from threading import Event, Thread

import psycopg
import pytest

from app.checkup import check
from app.proof.anchor import AGAIN_SECONDS, Anchor, AnchorRefuses, _pauses
from app.proof.checkpoints import CheckpointFile, Checkpoints, TornFile
from app.proof.ledger import root_of
from app.proof.note import SigningKey, signed_note
from app.proof.verifier import Checkpoint, read_checkpoint
from app.wording import system
from tests.giving import a_case, a_matched_case, a_pupil, give
from tests.projections.conftest import until
from tests.proof.conftest import Proven


def hashes(proven: Proven, table: str, order: str) -> list[bytes]:
    with psycopg.connect(proven.superuser) as connection:
        rows = connection.execute(f"SELECT leaf_hash FROM record.{table} ORDER BY {order}".encode())
        return [row[0] for row in rows]


def test_a_checkpoint_is_signed_over_both_logs_and_kept_in_database_and_file(proven: Proven) -> None:
    a_case(proven.house)
    proven.log_read()
    proven.log_read()
    notes = proven.anchor().checkpoint()
    assert list(proven.file.notes()) == notes
    for note, origin, table, order in (
        (notes[0], proven.settings.origin, "events", "notification_id"),
        (notes[1], proven.settings.origin + "/reads", "reads", "id"),
    ):
        found, time = read_checkpoint(note, proven.key.verifier_key)
        leaves = hashes(proven, table, order)
        assert (found.origin, found.size, found.root) == (origin, len(leaves), root_of(leaves))
        assert time is not None
        kept = Checkpoints(proven.house.pool).newest(origin)
        assert kept is not None
        assert (kept.size, kept.root, kept.note) == (found.size, found.root, note.decode())


def test_a_log_that_has_not_grown_keeps_its_checkpoint(proven: Proven) -> None:
    a_case(proven.house)
    anchor = proven.anchor()
    assert anchor.checkpoint() == anchor.checkpoint() == proven.anchor().checkpoint()
    assert len(list(proven.file.notes())) == 1


def test_an_empty_record_has_nothing_to_sign(proven: Proven) -> None:
    assert proven.anchor().checkpoint() == []
    assert not proven.file.path.exists()


@pytest.mark.parametrize(
    "attack",
    [
        "DELETE FROM record.events WHERE notification_id = (SELECT max(notification_id) FROM record.events)",
        "DELETE FROM record.events WHERE notification_id = 1",
        "UPDATE record.events SET state = state || 'A' WHERE notification_id = 1",
        "UPDATE record.events SET recorded_at = recorded_at - interval '1 day' WHERE notification_id = 2",
    ],
)
def test_the_anchor_refuses_a_log_that_was_cut_or_changed(proven: Proven, attack: str) -> None:
    a_case(proven.house)
    running = proven.anchor()
    running.checkpoint()
    proven.attack(attack)
    a_pupil(proven.house)
    before = proven.file.path.read_bytes()
    with pytest.raises(AnchorRefuses):
        proven.anchor().checkpoint()
    assert proven.file.path.read_bytes() == before


def test_a_leaf_hash_in_the_database_is_not_believed(proven: Proven) -> None:
    a_case(proven.house)
    proven.attack("UPDATE record.events SET leaf_hash = sha256('x') WHERE notification_id = 1")
    found, _ = read_checkpoint(proven.anchor().checkpoint()[0], proven.key.verifier_key)
    assert found.root != root_of(hashes(proven, "events", "notification_id"))


def test_a_file_that_was_rolled_back_is_noticed(proven: Proven) -> None:
    a_case(proven.house)
    anchor = proven.anchor()
    anchor.checkpoint()
    older = proven.file.path.read_bytes()
    a_pupil(proven.house)
    anchor.checkpoint()
    proven.file.path.write_bytes(older)
    with pytest.raises(AnchorRefuses, match="Bring the file back"):
        proven.anchor().checkpoint()
    proven.file.path.unlink()
    with pytest.raises(AnchorRefuses, match="Bring the file back"):
        proven.anchor().checkpoint()


def a_row(proven: Proven, note: bytes, size: int, root: bytes) -> None:
    with psycopg.connect(proven.settings.database_url) as connection:
        connection.execute(
            "INSERT INTO record.checkpoints (origin, size, root, note) VALUES (%s, %s, %s, %s)",
            [proven.key.name, size, root, note.decode()],
        )


def test_rows_that_its_key_did_not_sign_do_not_stop_it_and_are_named(
    proven: Proven, caplog: pytest.LogCaptureFixture
) -> None:
    a_case(proven.house)
    [first] = proven.anchor().checkpoint()
    stranger = SigningKey(proven.key.name, bytes(32))
    text = str(Checkpoint(proven.key.name, 70, bytes(32)))
    a_row(proven, signed_note(text, stranger.sign(text)), 70, bytes(32))
    a_row(proven, first, 71, bytes(32))
    a_pupil(proven.house)
    [note] = proven.anchor().checkpoint()
    proven.anchor().checkpoint()
    assert read_checkpoint(note, proven.key.verifier_key)[0].size == 3
    passed = [record.getMessage() for record in caplog.records if "passed over" in record.getMessage()]
    assert [size for said in passed for size in ("70", "71") if f"over {size} entries" in said] == [
        "70",
        "71",
    ]
    found = [(fault.log, fault.check, fault.passed_over) for fault in proven.verify().faults]
    assert found == [("checkpoints", "signature", True), ("checkpoints", "checkpoint", True)]
    # Everybody looks past them: the log isn't so long.
    for keys in ((), (proven.key.verifier_key,)):
        newest = Checkpoints(proven.house.pool, keys).newest(proven.key.name)
        assert newest is not None
        assert newest.size == 3


def test_a_row_that_its_key_signed_and_its_file_lacks_stops_it(proven: Proven) -> None:
    a_case(proven.house)
    proven.anchor().checkpoint()
    text = str(Checkpoint(proven.key.name, 70, bytes(32)))
    a_row(proven, signed_note(text, proven.key.sign(text)), 70, bytes(32))
    a_pupil(proven.house)
    with pytest.raises(AnchorRefuses, match="none so new"):
        proven.anchor().checkpoint()


def test_another_key_does_not_go_on_with_the_file(proven: Proven) -> None:
    a_case(proven.house)
    proven.anchor().checkpoint()
    stranger = type(proven.key)(proven.key.name, bytes(32))
    other = Anchor(proven.settings.database_url, stranger.name, stranger, proven.file)
    with pytest.raises(AnchorRefuses, match="this key"):
        other.checkpoint()


def test_after_a_kill_at_any_byte_of_the_file_the_next_checkpoint_is_whole(proven: Proven) -> None:
    a_case(proven.house)
    proven.anchor().checkpoint()
    first = proven.file.path.read_bytes()
    proven.file.add(first.rstrip(b"\n") + b"\n")
    whole = proven.file.path.read_bytes()
    for cut in range(len(first), len(whole)):
        proven.file.path.write_bytes(whole[:cut])
        assert len(list(proven.file.notes())) == 1
        proven.file.add(first.rstrip(b"\n") + b"\n")
        assert proven.file.path.read_bytes() == whole


def test_a_kill_between_file_and_database_is_made_good(proven: Proven) -> None:
    a_case(proven.house)
    note = proven.anchor().checkpoint()[0]
    proven.attack("DELETE FROM record.checkpoints")
    assert Checkpoints(proven.house.pool).newest(proven.settings.origin) is None
    assert proven.anchor().checkpoint() == [note]
    assert Checkpoints(proven.house.pool).newest(proven.settings.origin) is not None


def test_a_file_is_read_on_and_anew_when_it_is_another(proven: Proven) -> None:
    a_case(proven.house)
    first, older = proven.anchor().checkpoint()[0], proven.file.path.read_bytes()
    a_pupil(proven.house)
    second = proven.anchor().checkpoint()[0]
    name, path = proven.key.name, proven.file.path
    file = CheckpointFile(path)
    whole = path.read_bytes()
    for content, last in (
        *((older, first), (whole, second), (older, first), (b"", None), (whole, second)),
        (whole.replace(b"\n3\n", b"\n4\n"), second.replace(b"\n3\n", b"\n4\n")),
        (whole + first[:-1], second),
    ):
        path.write_bytes(content)
        found = file.newest(name)
        assert (found and found[1]) == last
        assert file.origins() == ({name} if last else frozenset())
        assert (file.has(name, "2"), file.has(name, "3")) == (bool(last), last == second)
    assert not file.has(first.decode().splitlines()[-2], first.decode().splitlines()[-1])
    path.write_bytes(whole + b"shopping\n\nlist\n\n")
    with pytest.raises(TornFile):
        file.newest(name)


def test_a_file_with_something_else_in_it_is_not_written_to(proven: Proven) -> None:
    a_case(proven.house)
    proven.file.path.write_bytes(b"shopping list\n\nmilk\n\n")
    with pytest.raises(TornFile):
        proven.anchor().checkpoint()
    assert proven.file.path.read_bytes() == b"shopping list\n\nmilk\n\n"


class Counting(Anchor):
    """How often it tried."""

    tried = 0

    def checkpoint(self) -> list[bytes]:
        self.tried += 1
        return super().checkpoint()


def test_it_refuses_once_and_for_all_to_hear_and_signs_again_when_that_is_mended(
    proven: Proven, caplog: pytest.LogCaptureFixture
) -> None:
    a_case(proven.house)
    proven.anchor().checkpoint()
    dated = "UPDATE record.events SET recorded_at = recorded_at {} interval '1 day' WHERE notification_id = 2"
    proven.attack(dated.format("-"))
    a_pupil(proven.house)
    anchor = Counting(proven.settings.database_url, proven.key.name, proven.key, proven.file)
    stop = Event()
    watching = Thread(target=anchor.run, args=(stop,), kwargs={"again": (0.01, 0.05)})
    watching.start()
    try:
        until(lambda: anchor.tried > 3)
        found = check(proven.house)
        assert found.refused
        assert "they aren't these any more" in found.refused
        assert not found.in_order
        [said] = [part for part in system.parts(found) if part.label == "Checkpoints"]
        assert found.refused in said.text
        assert not said.well
        proven.file.path.rename(proven.file.path.with_name("away"))
        until(lambda: "none so new" in (check(proven.house).refused or ""))
        proven.file.path.with_name("away").rename(proven.file.path)
        proven.attack(dated.format("+"))
        until(lambda: check(proven.house).refused is None)
        until(lambda: check(proven.house).anchoring)
    finally:
        stop.set()
        watching.join()
    logged = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert ["these any more" in said for said in logged][:2] == [True, False]
    # While the file is put back and the entry is mended, the first may be said once more, and not each time.
    assert len(logged) <= 3


def test_it_looks_less_and_less_often_after_it_refused() -> None:
    assert list(islice(_pauses(*AGAIN_SECONDS), 6)) == [60, 120, 240, 480, 900, 900]


def test_a_close_gets_a_checkpoint_at_once_and_a_referral_waits(proven: Proven) -> None:
    case_id, _ = a_matched_case(proven.house)
    stop = Event()
    watching = Thread(target=proven.anchor().run, args=(stop,), kwargs={"every": 3600.0})
    watching.start()
    checkpoints = Checkpoints(proven.house.pool)
    try:

        def newest() -> int:
            found = checkpoints.newest(proven.settings.origin)
            return found.size if found else 0

        # The first is due at once, because nothing was signed before.
        until(lambda: newest() > 0)
        first = newest()
        a_pupil(proven.house)
        give(proven.house, "cases/close", {"outcome": "resolved", "reason": "Settled"}, case_id)
        until(lambda: newest() > first)
        assert newest() >= first + 2
    finally:
        stop.set()
        watching.join()
