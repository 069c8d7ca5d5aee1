"""The anchor signs packs for the web, and nothing else for anybody."""

import http.client
from dataclasses import replace
from pathlib import Path

import pytest

from app.documents.evidence import standing
from app.house import House
from app.proof.checkpoints import CheckpointFile, keep
from app.proof.note import SigningKey, signed_note
from app.proof.signer import LONGEST, NotSigned, RemoteKey, may_be_signed, signing_for_others
from app.proof.verifier import Checkpoint, Note
from tests.giving import a_case, a_pupil
from tests.proof.conftest import Proven

KEY = SigningKey("casebook.example/tests", bytes(range(32)))
CHECKPOINT = str(Checkpoint(KEY.name, 7, bytes(32)))
MANIFEST = f"casebook-evidence/1\n{KEY.name}\n7\n{{}}\n{'0' * 64}  checkpoint.txt\n"


@pytest.fixture
def file(tmp_path: Path) -> CheckpointFile:
    kept = CheckpointFile(tmp_path / "checkpoints.txt")
    kept.add(signed_note(CHECKPOINT, KEY.sign(CHECKPOINT)))
    return kept


def test_a_manifest_is_signed_from_elsewhere_as_it_is_here(file: CheckpointFile) -> None:
    with signing_for_others("127.0.0.1", 0, KEY, file, "secret") as port:
        remote = RemoteKey(f"http://127.0.0.1:{port}", "secret")
        line = remote.sign(MANIFEST)
    assert (remote.name, remote.verifier_key) == (KEY.name, KEY.verifier_key)
    assert Note.parse(signed_note(MANIFEST, line)).signed_by(KEY.verifier_key) == [None]


@pytest.mark.parametrize(
    "text",
    [
        CHECKPOINT,
        MANIFEST.replace("\n7\n", "\n8\n"),
        MANIFEST.replace(KEY.name, "casebook.example/other"),
        MANIFEST.replace("evidence/1", "evidence/2"),
        MANIFEST.rstrip("\n"),
        f"casebook-evidence/1\n{KEY.name}\n7\n",
        "",
    ],
)
def test_nothing_else_is_signed(file: CheckpointFile, text: str) -> None:
    assert may_be_signed(MANIFEST, file)
    assert not may_be_signed(text, file)
    with signing_for_others("127.0.0.1", 0, KEY, file, "secret") as port:
        remote = RemoteKey(f"http://127.0.0.1:{port}", "secret")
        with pytest.raises(NotSigned, match="refused"):
            remote.sign(text)


def test_whoever_does_not_know_the_token_gets_nothing(file: CheckpointFile) -> None:
    with signing_for_others("127.0.0.1", 0, KEY, file, "secret") as port:
        with pytest.raises(NotSigned):
            RemoteKey(f"http://127.0.0.1:{port}", "guess")
        remote = RemoteKey(f"http://127.0.0.1:{port}", "secret")
        for method, path in (("POST", "/key"), ("GET", "/sign"), ("GET", "/")):
            with pytest.raises(NotSigned):
                remote._ask(method, path)


def test_a_body_without_end_is_not_waited_for(file: CheckpointFile) -> None:
    with signing_for_others("127.0.0.1", 0, KEY, file, "secret") as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        for length in (str(LONGEST + 1), "-1", "many", "9" * 30):
            connection.putrequest("POST", "/sign")
            connection.putheader("Authorization", "Bearer secret")
            connection.putheader("Content-Length", length)
            connection.endheaders()
            assert connection.getresponse().status == 413
            connection.close()


def test_pages_remember_the_anchors_key_until_another_takes_its_place(proven: Proven) -> None:
    a_case(proven.house)
    proven.anchor().checkpoint()
    for _ in range(3):
        a_pupil(proven.house)
    key, settings = proven.key, proven.settings
    with signing_for_others("127.0.0.1", 0, key, proven.file, "secret") as port:
        elsewhere = replace(
            settings, log_key_file=None, signer_url=f"http://127.0.0.1:{port}", signer_token="secret"
        )
        with House(elsewhere) as house:
            assert standing(house).key == key.verifier_key
    with House(elsewhere) as house:
        assert standing(house).key == key.verifier_key
        text = str(Checkpoint(key.name, 5, bytes(32)))
        other = SigningKey(key.name, bytes(32))
        with house.pool.connection() as connection:
            keep(connection, Checkpoint.parse(text), signed_note(text, other.sign(text)))
        with signing_for_others("127.0.0.1", port, other, proven.file, "secret"):
            found = standing(house)
    # What the former key signed is passed over for what the new one did.
    assert found.events is not None
    assert (found.key, found.events.size) == (other.verifier_key, 5)


def test_an_anchor_that_is_away_is_said_to_be(file: CheckpointFile) -> None:
    with signing_for_others("127.0.0.1", 0, KEY, file, "secret") as port:
        remote = RemoteKey(f"http://127.0.0.1:{port}", "secret")
    with pytest.raises(NotSigned, match="can't be reached"):
        remote.sign(MANIFEST)
