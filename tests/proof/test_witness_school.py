"""A governor's laptop and a school: the commands on both sides, over real HTTP and by files."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread
from uuid import uuid4

import pytest
from structlog.testing import capture_logs
from werkzeug.serving import make_server

from app import create_app
from app.cli import main
from app.house import House
from app.proof.checkpoints import Checkpoints
from app.proof.note import SigningKey
from app.proof.verifier import Checkpoint, Note, VerifierKey, read_checkpoint
from app.settings import Settings
from tests.giving import a_case, a_pupil
from tests.proof.conftest import Proven

Run = Callable[..., tuple[int, str, str]]


LOST = (
    "DELETE FROM record.events WHERE notification_id = (SELECT max(notification_id) FROM record.events)",
    "UPDATE record.heads SET size = size - 1 WHERE log = 'events'",
    "DELETE FROM record.checkpoints WHERE size = (SELECT max(size) FROM record.checkpoints)",
)
"""What an older back-up doesn't have: the newest fact, and the checkpoint that covers it."""


@pytest.fixture
def laptop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`casebook witness …` on a machine that has no settings and no database."""
    folder = tmp_path / "laptop"
    folder.mkdir()
    for name in [name for name in os.environ if name.startswith("CASEBOOK_")]:
        monkeypatch.delenv(name)

    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main(["witness", *map(str, arguments), "--state", str(folder / "state")])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


@pytest.fixture
def witness_key(laptop: Run) -> str:
    status, out, _ = laptop("key", "--name", "governors.example")
    assert status == 0
    return out.strip()


@pytest.fixture
def settings(settings: Settings, witness_key: str) -> Settings:
    """A school that lists this witness."""
    return replace(settings, witness_keys=witness_key)


@pytest.fixture
def office(proven: Proven, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`casebook …` where the anchor runs."""
    said = {
        "DATABASE_URL": proven.settings.database_url,
        "LOG_KEY_FILE": proven.settings.log_key_file,
        "CHECKPOINT_FILE": proven.settings.checkpoint_file,
        "WITNESS_KEYS": proven.settings.witness_keys,
        "ORIGIN": proven.settings.origin,
    }

    def run(*arguments: object, **more: object) -> tuple[int, str, str]:
        with monkeypatch.context() as patch:
            for name, value in {**said, **more}.items():
                patch.setenv(f"CASEBOOK_{name}", str(value))
            capsys.readouterr()
            status = main([str(argument) for argument in arguments])
        told = capsys.readouterr()
        return status, told.out, told.err

    return run


@pytest.fixture
def address(proven: Proven) -> Iterator[str]:
    """The school's web server."""
    server = make_server("127.0.0.1", 0, create_app(proven.settings, proven.house), threaded=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    with capture_logs():
        yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def token(house: House, folder: Path, role: str = "referrer") -> Path:
    account = uuid4()
    house.accounts.open(account, role, [], None)
    path = folder / f"token-{role}"
    path.write_text(house.accounts.issue_token(account) + "\n")
    return path


def newest(proven: Proven) -> bytes:
    kept = Checkpoints(proven.house.pool).newest(proven.settings.origin)
    assert kept
    return kept.note.encode()


def test_a_laptop_looks_signs_and_sees_what_must_not_be(
    proven: Proven, laptop: Run, witness_key: str, address: str, tmp_path: Path
) -> None:
    known = ("--log-key", str(proven.key.verifier_key))
    look = ("look", address, "--token-file", token(proven.house, tmp_path), *known)
    assert laptop(*look)[:2] == (1, "")
    assert laptop("seen", *known)[0] == 1

    a_case(proven.house)
    proven.log_read()
    proven.anchor().checkpoint()
    status, out, err = laptop(*look)
    assert status == 0, err
    assert len(out.splitlines()) == 2
    assert "seen for the first time" in err
    key = VerifierKey.parse(witness_key)
    assert Note.parse(newest(proven)).signed_by(key)
    assert out.splitlines()[0] in newest(proven).decode()

    a_pupil(proven.house)
    proven.anchor().checkpoint()
    status, out, err = laptop(*look)
    assert status == 0, err
    assert "All 2 that you saw before are still there, unchanged." in err
    assert "The same as when you last looked." in err
    assert Note.parse(newest(proven)).signed_by(key)
    assert laptop("seen", *known)[1].splitlines() == [
        f"{proven.settings.origin}: 3 entries",
        f"{proven.settings.origin}/reads: 1 entries",
    ]
    assert json.loads(laptop("seen", "--json", *known)[1])[0] == {"origin": proven.settings.origin, "size": 3}

    # Whoever holds the log key rewrites the record, and its checkpoints with it.
    proven.attack(
        "UPDATE record.events SET state = state || 'A' WHERE notification_id = 1",
        "DELETE FROM record.checkpoints",
    )
    proven.file.path.unlink()
    a_pupil(proven.house)
    proven.anchor().checkpoint()
    status, out, err = laptop(*look)
    assert (status, out) == (1, "")
    assert "It isn't shown that the 3 entries which you saw are still there" in err
    [kept] = (tmp_path / "laptop" / "state" / "evidence").iterdir()
    assert str(kept) in err
    assert newest(proven) in kept.read_bytes()
    assert Note.parse(newest(proven)).signed_by(key) == []

    proven.attack("DELETE FROM record.checkpoints")
    status, out, err = laptop(*look)
    assert (status, out) == (1, "")
    assert "shows none any more" in err


def test_an_epoch_is_gone_on_with_when_the_governor_says_so(
    proven: Proven, laptop: Run, office: Run, address: str, tmp_path: Path
) -> None:
    known = ("--log-key", str(proven.key.verifier_key))
    look = ("look", address, "--token-file", token(proven.house, tmp_path), *known)
    for _ in range(3):
        a_pupil(proven.house)
    proven.anchor().checkpoint()
    assert laptop(*look)[0] == 0
    proven.attack(*LOST)
    assert office("new-epoch", "--reason", "The disk failed")[0] == 0
    name = f"{proven.settings.origin}/epoch2"
    status, out, err = laptop(*look)
    assert (status, out) == (1, "")
    assert f"--accept {name}" in err
    assert laptop(*look, "--accept", name)[0] == 0
    for _ in range(2):
        a_pupil(proven.house)
        proven.anchor().checkpoint()
        status, out, err = laptop(*look)
        assert status == 0, err
        assert "are still there, unchanged" in err
        kept = Checkpoints(proven.house.pool).newest(name)
        assert kept
        assert out.splitlines()[0] in kept.note


def test_a_look_that_fails_says_why_and_is_no_alarm(
    proven: Proven, laptop: Run, address: str, tmp_path: Path
) -> None:
    a_case(proven.house)
    proven.anchor().checkpoint()
    known = ("--log-key", str(proven.key.verifier_key))
    good = token(proven.house, tmp_path)
    wrong = tmp_path / "wrong"
    wrong.write_text("casebook_nobody")
    for asked, said in {
        (address, wrong): "doesn't know the token",
        ("http://127.0.0.1:1", good): "can't be reached",
        ("http://school.example", good): "https://",
        ("file:///etc", good): "https://",
        (f"{address}/nowhere", good): "no checkpoint",
    }.items():
        status, out, err = laptop("look", asked[0], "--token-file", asked[1], *known)
        assert (status, out) == (1, ""), asked
        assert said in err, asked
        assert "chair of governors" not in err
    assert laptop("look", address, "--token-file", tmp_path / "none", *known)[0] == 1
    assert laptop("look", address, "--token-file", good, "--log-key", "mistyped")[0] == 2
    # Whose account may not bring a signature still gets it, to send it by hand.
    mere = token(proven.house, tmp_path, "coordinator")
    status, out, err = laptop("look", f"{address}/", "--token-file", mere, *known)
    assert status == 1
    assert out.startswith("— governors.example ")
    assert "The record is in order" in err
    assert laptop("look", address, "--token-file", good, *known, "--no-send")[0] == 0
    assert b"governors" not in newest(proven)


def test_without_a_network_the_same_by_files(
    proven: Proven, laptop: Run, office: Run, witness_key: str, tmp_path: Path
) -> None:
    known = ("--log-key", str(proven.key.verifier_key))
    a_case(proven.house)
    proven.log_read()
    shown, lines, proof = tmp_path / "shown.txt", tmp_path / "lines.txt", tmp_path / "proof.txt"
    shown.write_text(office("checkpoint")[1])
    status, out, err = laptop("sign", shown, *known)
    assert status == 0, err
    lines.write_text(out)
    status, out, err = office("checkpoint", "--add-cosignature", lines)
    assert (status, err) == (0, "")
    assert out.count("Kept: ") == 2
    assert Note.parse(newest(proven)).signed_by(VerifierKey.parse(witness_key))

    a_pupil(proven.house)
    shown.write_text(office("checkpoint")[1])
    status, out, err = laptop("sign", shown, *known)
    assert (status, out) == (1, "")
    assert "casebook checkpoint --proof 2 --log events" in err
    proof.write_text(office("checkpoint", "--proof", 2, "--log", "events")[1])
    status, out, err = laptop("sign", shown, "--proof", proof, *known)
    assert status == 0, err
    lines.write_text(f"Dear school,\n\n{out}")
    assert office("checkpoint", "--add-cosignature", lines)[0] == 0
    assert office("checkpoint", "--proof", 99)[0] == 1

    stranger = SigningKey("governors.example", bytes(32))
    for text in ("", "hello", stranger.cosign(str(Checkpoint("a", 1, bytes(32))), 5), "— x !\n"):
        lines.write_text(text)
        status, out, err = office("checkpoint", "--add-cosignature", lines)
        assert (status, out) == (1, ""), text

    proof.write_text("AAAA\n")
    a_pupil(proven.house)
    shown.write_text(office("checkpoint")[1])
    status, out, err = laptop("sign", shown, "--proof", proof, *known)
    assert (status, out) == (1, "")
    assert "chair of governors" in err


def test_log_keys_change_over_a_term_without_a_gap(proven: Proven, office: Run, tmp_path: Path) -> None:
    a_pupil(proven.house)
    old = proven.key.verifier_key
    office("checkpoint")
    following = tmp_path / "next-log-key"
    status, out, _ = office("log-key", "--make-next", NEXT_LOG_KEY_FILE=following)
    assert status == 0
    assert out.splitlines()[0] == str(old)
    new = VerifierKey.parse(out.splitlines()[1])

    a_pupil(proven.house)
    note = office("checkpoint", NEXT_LOG_KEY_FILE=following)[1].encode()
    assert [Note.parse(note).signed_by(key) for key in (old, new)] == [[None], [None]]
    for keys in ([old], [new], [new, old], [old, new]):
        assert read_checkpoint(note, *keys)[1] is not None
    # The new one takes over: the old key's own checkpoints are checked with the old key.
    a_pupil(proven.house)
    after = office("checkpoint", LOG_KEY_FILE=following)[1].encode()
    assert Note.parse(after).signed_by(old) == []
    databases = {
        "KEYS_DATABASE_URL": proven.settings.keys_database_url,
        "KEK_FILE": proven.settings.kek_file,
        "SECRET_KEY": "tests",
        "LOG_KEY_FILE": following,
    }
    assert office("verify", "--log-key", new, "--log-key", old, **databases)[0] == 0
    assert office("verify", LOG_VKEY=f"{new}\n{old}", **databases)[0] == 0
    status, out, _ = office("verify", "--log-key", new, **databases)
    assert status == 1
    assert "signature" in out
    # The old key's public half goes on being needed: an epoch compares all that was ever signed.
    proven.attack(*LOST)
    lost = ("new-epoch", "--reason", "The disk failed")
    assert "signed" in office(*lost, LOG_KEY_FILE=following)[2]
    status, out, err = office(*lost, LOG_KEY_FILE=following, LOG_VKEY=f"{new}\n{old}")
    assert status == 0, err
    assert "number 3" in out
