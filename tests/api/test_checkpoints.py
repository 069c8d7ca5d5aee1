"""Checkpoints over HTTP: whoever has an account can hold the record to them; listed witnesses sign them."""

from base64 import b64decode
from dataclasses import replace
from pathlib import Path

import pytest

from app import create_app
from app.api import checkpoints
from app.house import House
from app.proof import published
from app.proof.anchor import Anchor
from app.proof.checkpoints import CheckpointFile
from app.proof.ledger import Tree, root_of
from app.proof.log_rows import LOGS
from app.proof.note import SigningKey
from app.proof.published import parts_of_consistency
from app.proof.verifier import Checkpoint, Note, check_consistency, leaf_hash, read_checkpoint
from app.settings import Settings
from tests.api.conftest import ROLES, School
from tests.conftest import ORIGIN

KEY = SigningKey(ORIGIN, bytes(range(32)))
WITNESS = SigningKey("governors.example", bytes(range(1, 33)))


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A school that lists one witness."""
    return replace(settings, witness_keys=f"{WITNESS.verifier_key.timed}\n")


@pytest.fixture
def anchor(settings: Settings, tmp_path: Path) -> Anchor:
    return Anchor(settings.database_url, ORIGIN, KEY, CheckpointFile(tmp_path / "checkpoints.txt"))


def three_checkpoints(school: School, anchor: Anchor) -> None:
    for _ in range(3):
        _signed(school, anchor)


def cosigned(note: str, key: SigningKey = WITNESS, time: int = 1_800_000_000) -> str:
    text = Note.parse(note.encode()).text
    return text + "\n" + key.cosign(text, time)


def test_the_newest_of_both_logs_is_there_for_every_account(school: School, anchor: Anchor) -> None:
    assert school.get("/checkpoints/latest").status_code == 404
    notes = [note.decode() for note in _signed(school, anchor)]
    for role in ROLES:
        if role in school.tokens:
            answer = school.get("/checkpoints/latest", role)
            assert answer.status_code == 200
            assert answer.content_type == "text/plain; charset=utf-8"
            assert answer.get_data(as_text=True) == "\n".join(notes)
    assert school.get("/checkpoints/latest?log=reads").get_data(as_text=True) == notes[1]
    assert school.get("/checkpoints/latest?log=neither").status_code == 422
    assert school.get("/checkpoints/latest", None).status_code == 401


def _signed(school: School, anchor: Anchor) -> list[bytes]:
    school.get(f"/concerns/{school.make('/concerns', {'facts': 'Seen.'}, 'dsl')}", "dsl")
    return anchor.checkpoint()


def _size(school: School, log: str) -> int:
    kept = school.house.published.newest(log)
    assert kept
    return kept.size


def test_the_list_is_newest_first_and_its_pages_follow_each_other(school: School, anchor: Anchor) -> None:
    three_checkpoints(school, anchor)
    whole = school.get("/checkpoints").get_data(as_text=True)
    found, path = [], "/checkpoints?limit=1"
    while path:
        answer = school.get(path)
        found.append(answer.get_data(as_text=True))
        link = answer.headers.get("Link", "")
        path = link.partition(">")[0].removeprefix("</api/v1") if link else ""
    assert "\n".join(found) == whole
    sizes = [Checkpoint.parse(Note.parse(one.encode()).text).size for one in found]
    assert sizes == sorted(sizes, reverse=True)
    assert len(sizes) == 3
    reads = school.get("/checkpoints?log=reads&limit=1").get_data(as_text=True)
    assert reads.startswith(f"{ORIGIN}/reads\n")
    assert school.get("/checkpoints?cursor=x").status_code == 422

    # An answer that is known already isn't sent again.
    first = school.get("/checkpoints/latest")
    seen = {"If-None-Match": first.headers["ETag"]}
    assert school.get("/checkpoints/latest", headers=seen).status_code == 304
    _signed(school, anchor)
    assert school.get("/checkpoints/latest", headers=seen).status_code == 200


def test_a_proof_shows_that_a_log_only_grew(school: School, anchor: Anchor) -> None:
    three_checkpoints(school, anchor)
    for log in LOGS:
        check_proofs(school, log)


def check_proofs(school: School, log: str) -> None:
    notes = [one.note.encode() for one in school.house.published.listed(log, below=None, limit=9)]
    found = [read_checkpoint(note, KEY.verifier_key)[0] for note in notes]
    for newer, older in ((0, 1), (0, 2), (1, 2), (1, 1)):
        first, second = found[older], found[newer]
        answer = school.get(f"/checkpoints/proof?log={log}&from={first.size}&to={second.size}")
        proof = [b64decode(line) for line in answer.get_data(as_text=True).splitlines()]
        check_consistency(first.size, second.size, first.root, second.root, proof)


def test_asking_for_them_is_no_look_at_anybody_and_has_to_be_in_order(school: School, anchor: Anchor) -> None:
    assert school.get("/checkpoints/proof?from=1&to=1").status_code == 404
    three_checkpoints(school, anchor)
    newest = _size(school, "events")
    for asked, status in {
        f"from=1&to={newest + 1}": 404,
        f"from={newest}&to=1": 422,
        "from=0&to=1": 422,
        "from=1": 422,
        "from=1&to=-1": 422,
        f"from={'9' * 19}&to=1": 422,
        f"from=1&to={'9' * 18}": 404,
    }.items():
        assert school.get(f"/checkpoints/proof?{asked}").status_code == status, asked
    before = school.looks()
    for path in ("", "/latest", f"/proof?from=1&to={newest}"):
        assert school.get(f"/checkpoints{path}").status_code == 200
    assert school.looks() == before


def test_a_long_log_is_read_a_bit_at_a_time(
    school: School, anchor: Anchor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published, "BLOCK", 4)
    monkeypatch.setattr(published, "_AT_A_TIME", 4)
    for _ in range(10):
        _signed(school, anchor)
    newest = _size(school, "events")
    sizes = sorted({1, 3, 4, 5, newest // 2, newest - 1, newest})
    house = school.house
    with house.pool.connection() as connection:
        rows = connection.execute("SELECT leaf_hash FROM record.events ORDER BY notification_id").fetchall()
    leaves = [row[0] for row in rows][:newest]
    expected = {(a, b): Tree(leaves[:b]).consistency(a) for b in sizes for a in sizes if a <= b}
    assert {pair: house.published.proof("events", *pair) for pair in expected} == expected

    impatient = create_app(school.house.settings, House(house.settings))
    monkeypatch.setattr(published, "PROOF_SECONDS", 0.0)
    other = School(impatient, impatient.extensions["casebook"].house, school.tokens)
    with other.house:
        answers = [other.get(f"/checkpoints/proof?from=1&to={newest}") for _ in range(newest)]
    statuses = [answer.status_code for answer in answers]
    assert statuses[0] == 503
    assert answers[0].headers["Retry-After"] == "1"
    assert statuses[-1] == 200


def test_every_proof_of_a_small_tree_is_made_of_the_right_parts() -> None:
    leaves = [leaf_hash(bytes([n])) for n in range(70)]
    for second in range(1, 71):
        tree = Tree(leaves[:second])
        for first in range(1, second + 1):
            roots = [root_of(leaves[start:end]) for start, end in parts_of_consistency(first, second)]
            assert roots == tree.consistency(first)


def test_a_listed_witness_signs_and_everybody_sees_it(school: School, anchor: Anchor) -> None:
    notes = [note.decode() for note in _signed(school, anchor)]
    for n, note in enumerate(notes):
        for _again in range(2):
            answer = school.post("/checkpoints/cosignatures", "inspector", {"note": cosigned(note)})
            assert answer.status_code == 200, answer.get_data(as_text=True)
            kept = answer.get_data()
            assert Note.parse(kept).signed_by(WITNESS.verifier_key.timed) == [1_800_000_000]
            assert read_checkpoint(kept, KEY.verifier_key)[0].size > 0
            assert kept in school.get("/checkpoints/latest", "dsl").get_data()
        assert school.get("/checkpoints/latest").get_data().count(b"governors.example") == n + 1


def test_what_no_listed_witness_signed_is_not_kept(school: School, anchor: Anchor) -> None:
    note = _signed(school, anchor)[0].decode()
    text = Note.parse(note.encode()).text
    origin, size, root = text.splitlines()
    stranger = SigningKey("governors.example", bytes(32))
    other_root = f"{origin}\n{size}\n{root[::-1].lstrip('=')}=\n"
    good = cosigned(note)
    for sent in (
        note,
        cosigned(note, stranger),
        good.replace(f"\n{size}\n", f"\n{int(size) + 1}\n"),
        good.replace(text, f"{text}more\n"),
        f"{other_root}\n" + WITNESS.cosign(other_root, 5),
        good[:-8] + "AAAA" + good[-4:],
        text + "\n" + WITNESS.sign(text),
        "not a note",
        "\r\n",
    ):
        answer = school.post("/checkpoints/cosignatures", "inspector", {"note": sent})
        assert answer.status_code == 409, (sent, answer.get_data(as_text=True))
        assert answer.get_json()["detail"]
    for body in ({}, {"note": 1}, {"note": ""}, {"note": note, "more": 1}, {"note": "a" * 10_001}):
        assert school.post("/checkpoints/cosignatures", "inspector", body).status_code == 422
    assert school.get("/checkpoints/latest").get_data().count(b"governors") == 0


def test_an_account_brings_a_bounded_number_of_signatures(
    school: School, anchor: Anchor, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = _signed(school, anchor)[0].decode()
    monkeypatch.setattr(checkpoints, "SIGNATURES", replace(checkpoints.SIGNATURES, times=2))
    statuses = [
        school.post("/checkpoints/cosignatures", "chair", {"note": cosigned(note, time=time)}).status_code
        for time in (*range(3), 0)
    ]
    assert statuses == [200, 200, 429, 200]
    assert school.post("/checkpoints/cosignatures", "head", {"note": cosigned(note)}).status_code == 200
