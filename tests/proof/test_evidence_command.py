"""`casebook evidence` and `casebook verify-pack`, as they are called; and a kill at each step of writing."""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.cli import main
from app.cli.evidence import write_whole
from app.proof.verifier import verify_pack
from app.staff_office import StaffOffice
from domain.staff import SYSTEM
from tests.giving import a_case
from tests.proof.conftest import Proven
from tests.proof.packs import files_of

Casebook = Callable[..., tuple[int, str, str]]
ONE, TWO = b"one pack" * 4_000, b"another pack" * 4_000


@pytest.fixture
def casebook(proven: Proven, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Casebook:
    """Run a command on this test's record: gives exit status, stdout, stderr."""
    settings = proven.settings
    for name in ("database_url", "keys_database_url", "kek_file", "secret_key", "origin", "log_key_file"):
        monkeypatch.setenv(f"CASEBOOK_{name.upper()}", str(getattr(settings, name)))
    monkeypatch.setenv("CASEBOOK_DATA_DIR", str(settings.data_dir / "data"))

    def run(*arguments: Any) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as left:
            status = int(left.code or 0)
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


@pytest.fixture
def case_id(proven: Proven) -> UUID:
    found = a_case(proven.house)
    proven.anchor().checkpoint()
    return found


def test_the_office_makes_a_pack_and_whoever_gets_it_verifies_it(
    proven: Proven, case_id: UUID, casebook: Casebook, tmp_path: Path
) -> None:
    out, key = tmp_path / "pack.zip", str(proven.key.verifier_key)
    status, said, wrong = casebook("evidence", case_id, "--out", out, "--reason", "Inspection")
    assert (status, wrong) == (0, "")
    assert key in said
    assert out.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.glob(".*")) == []
    kept = tmp_path / "kept.txt"
    kept.write_bytes(b"\n".join(proven.file.notes()))
    status, said, _ = casebook("verify-pack", out, "--log-key", key, "--checkpoint", kept, "--show")
    assert status == 0
    assert "Why:         Inspection" in said
    assert "words: Sits alone." in said
    files = files_of(out.read_bytes())
    assert b"Sits alone." in files["history.html"]
    assert files["history.pdf"].startswith(b"%PDF-")
    assert b"verify-pack" in files["README.txt"]
    read = proven.house.reads.readers(case_id)[0]
    assert (read.account, read.role, read.route, read.reason) == (
        SYSTEM,
        "admin",
        "/evidence",
        "Inspection (for somebody outside the school)",
    )


def test_the_same_command_with_the_same_time_makes_the_same_bytes(
    proven: Proven, case_id: UUID, casebook: Casebook, tmp_path: Path
) -> None:
    StaffOffice(proven.house.casework, proven.house.accounts).add("Ms Hughes", "dsl", password="x" * 20)
    proven.anchor().checkpoint()
    say = ("evidence", case_id, "--reason", "Inspection", "--for", "Estyn", "--by", "Ms Hughes")
    first, again, older = (tmp_path / name for name in ("first.zip", "again.zip", "older.zip"))
    assert casebook(*say, "--out", first)[0] == 0
    found = verify_pack(first.read_bytes(), [proven.key.verifier_key])
    assert (found.manifest["made_by"].partition(",")[0], found.manifest["for_whom"]) == ("Ms Hughes", "Estyn")
    assert casebook(*say, "--out", again, "--when", found.manifest["when"])[0] == 0
    assert again.read_bytes() == first.read_bytes()
    smaller = found.checkpoint.size - 1
    assert casebook(*say, "--out", older, "--at", smaller)[0] == 0
    assert verify_pack(older.read_bytes(), [proven.key.verifier_key]).checkpoint.size == smaller


def test_what_cant_be_made_is_said_in_one_line_and_leaves_no_file(
    case_id: UUID, casebook: Casebook, tmp_path: Path
) -> None:
    out = tmp_path / "pack.zip"
    say: tuple[Any, ...] = ("--out", out, "--reason", "Inspection")
    for arguments, part in (
        (("evidence", uuid4(), *say), "isn't there"),
        (("evidence", case_id, *say, "--by", "Nobody"), "no open account"),
        (("evidence", case_id, *say, "--at", "9999"), "no checkpoint over 9999"),
        (("evidence", case_id, "--out", out, "--reason", " "), "Say for whom"),
        (("evidence", case_id, "--out", tmp_path / "nowhere" / "pack.zip", "--reason", "x"), "isn't there"),
    ):
        status, said, wrong = casebook(*arguments)
        assert (status, said, wrong.count("\n")) == (1, "", 1)
        assert part in wrong
    for usage in (["x", *say], [*say], [case_id, *say, "--when", "2026-01-01"]):
        assert casebook("evidence", *usage)[0] == 2
    assert not out.exists()


def test_a_file_that_is_there_is_replaced_only_when_asked(
    proven: Proven, case_id: UUID, casebook: Casebook, tmp_path: Path
) -> None:
    out = tmp_path / "pack.zip"
    out.write_bytes(b"mine")
    before = len(proven.house.reads.readers(case_id))
    status, _, wrong = casebook("evidence", case_id, "--out", out, "--reason", "Inspection")
    assert status == 1
    assert "already there" in wrong
    assert out.read_bytes() == b"mine"
    assert len(proven.house.reads.readers(case_id)) == before
    assert casebook("evidence", case_id, "--out", out, "--reason", "Inspection", "--force")[0] == 0
    verify_pack(out.read_bytes(), [proven.key.verifier_key])


def test_verify_pack_says_one_when_it_doesnt_and_two_for_wrong_usage(
    proven: Proven, casebook: Casebook, tmp_path: Path
) -> None:
    file, key = tmp_path / "pack.zip", str(proven.key.verifier_key)
    file.write_bytes(b"no pack")
    status, said, wrong = casebook("verify-pack", file, "--log-key", key)
    assert (status, said) == (1, "")
    assert wrong.startswith("NOT VERIFIED. archive: ")
    status, said, _ = casebook("verify-pack", file, "--log-key", key, "--json")
    assert (status, json.loads(said)["check"]) == (1, "archive")
    for arguments in ((file,), (file, "--log-key", "x"), (tmp_path / "no.zip", "--log-key", key)):
        assert casebook("verify-pack", *arguments)[0] == 2


@pytest.mark.kill
def test_a_kill_at_any_step_of_writing_leaves_the_whole_file_or_the_one_before(tmp_path: Path) -> None:
    whole, step = 0, 0
    for earlier in (None, ONE):
        step, killed = 0, True
        while killed:
            step += 1
            path = tmp_path / f"{step}.zip"
            path.unlink(missing_ok=True)
            if earlier is not None:
                path.write_bytes(earlier)
            killed = killed_at(step, path)
            found = path.read_bytes() if path.exists() else None
            assert found in (earlier, TWO)
            whole += found == TWO
            write_whole(path, TWO)
            assert path.read_bytes() == TWO
            assert not path.with_name(f".{path.name}.part").exists()
    assert step > 8
    assert whole > 2


def killed_at(step: int, path: Path) -> bool:
    """Let a child write the file and kill itself before the given line; whether it came so far."""
    child = os.fork()
    if child == 0:
        seen = 0

        def before_each_line(frame: FrameType, event: str, _argument: object) -> Any:
            nonlocal seen
            if frame.f_code is not write_whole.__code__:
                return None
            if event == "line":
                seen += 1
                if seen == step:
                    os.kill(os.getpid(), signal.SIGKILL)
            return before_each_line

        sys.settrace(before_each_line)
        write_whole(path, TWO)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)
