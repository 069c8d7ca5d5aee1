"""The anchor signs packs for the web, and nothing else for anybody."""

import http.client
from pathlib import Path

import pytest

from app.proof.checkpoints import CheckpointFile
from app.proof.note import SigningKey, signed_note
from app.proof.signer import LONGEST, NotSigned, RemoteKey, may_be_signed, signing_for_others
from app.proof.verifier import Checkpoint, Note

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


def test_an_anchor_that_is_away_is_said_to_be(file: CheckpointFile) -> None:
    with signing_for_others("127.0.0.1", 0, KEY, file, "secret") as port:
        remote = RemoteKey(f"http://127.0.0.1:{port}", "secret")
    with pytest.raises(NotSigned, match="can't be reached"):
        remote.sign(MANIFEST)
