"""What the documents tell whoever runs a server to type, typed as it stands there, on real clusters."""

import os
import re
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.house import House
from app.proof.log_key import create_log_key
from app.proof.verifier import VerifierKey, verify_pack
from app.settings import Settings
from tests.giving import a_case
from tests.server.docker import docker_for
from tests.server.plans import ROOT
from tests.server.test_restore import roll, sign
from tests.server.test_running import shown
from tests.server.yard import Yard

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("server")]


def typed(yard: Yard, document: str, begins: str, until: str = "", **instead: str) -> str:
    """Type the line of a document that begins so, and those after it up to another; gives what it said.

    `instead` is what stands for words that are left open there.
    """
    lines = shown((ROOT / "docs" / f"{document}.md").read_text("utf-8"))[0]
    first = next(number for number, line in enumerate(lines) if line.startswith(begins))
    last = next(n for n, line in enumerate(lines) if n >= first and until in line) if until else first
    text = "\n".join(lines[first : last + 1])
    for left_open, said in instead.items():
        text = text.replace(left_open.replace("_", "-"), said, 1)
    ran = subprocess.run(
        ["bash", "-c", f"set -euo pipefail\n{text}"],
        env={"PATH": f"{docker_for(yard)}:{os.environ['PATH']}"},
        cwd=yard.folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ran.returncode == 0, (text, ran.stdout, ran.stderr)
    return ran.stdout


@pytest.fixture
def checked(server: Yard) -> Iterator[Yard]:
    """The server with its public log key in .env, as the first day leaves it, and something signed."""
    roll(server, "Lewis")
    sign(server)
    typed(server, "running", 'echo "CASEBOOK_LOG_VKEY=')
    yield server
    (server.folder / ".env").unlink()


def test_the_whole_record_is_checked_by_the_key_of_the_first_day(checked: Yard, tmp_path: Path) -> None:
    kept = (checked.folder / ".env").read_text()
    assert re.fullmatch(r"CASEBOOK_LOG_VKEY=casebook\.example/yard\+\S+\n", kept)
    line = "sudo docker compose exec -T anchor cat /var/lib/casebook/checkpoints.txt |"
    assert "\nVerified. " in typed(checked, "running", line, "casebook verify")
    # By any other key than that nothing is as it was signed.
    other = create_log_key(tmp_path / "log-key", "casebook.example/yard").verifier_key
    (checked.folder / ".env").write_text(f"CASEBOOK_LOG_VKEY={other}\n")
    with pytest.raises(AssertionError, match=r"isn\\?'t signed by casebook.example/yard"):
        typed(checked, "running", line, "casebook verify")


def test_the_key_that_wraps_all_others_is_rolled_for_the_safe_and_the_old_one_destroyed(
    checked: Yard,
) -> None:
    before = (checked.secrets / "keks" / "kek").read_text()
    said = typed(
        checked, "forgetting", "sudo docker compose run --rm locksmith casebook keys roll", "destroy-old"
    )
    now = (checked.secrets / "keks" / "kek").read_text()
    assert now != before
    assert now in said
    assert re.search(r"(?s)write it down anew for the safe.* previous  0\n.*Destroyed on ", said)
    assert not list((checked.secrets / "keks").glob("kek.previous-*"))


def test_a_witness_gets_a_checkpoint_and_a_proof_as_files(checked: Yard) -> None:
    line = "sudo docker compose exec -T anchor casebook checkpoint >for-the-witness.txt"
    typed(checked, "witness", line, "--proof", **{"1234": "1"})
    note = (checked.folder / "for-the-witness.txt").read_bytes()
    assert note.startswith(b"casebook.example/yard\n")
    assert b"\r" not in note
    assert (checked.folder / "proof.txt").exists()


def test_the_newest_checkpoints_are_got_from_a_machine_that_still_answers(checked: Yard) -> None:
    line = "sudo docker compose exec -T anchor tar"
    typed(checked, "restore", line, "destroyed-newest.tar")
    with tarfile.open(checked.folder / "checkpoints-newest.tar") as found:
        assert "./checkpoints.txt" in found.getnames()


def test_a_pack_is_made_where_the_web_runs_and_signed_by_the_anchor(checked: Yard, tmp_path: Path) -> None:
    settings = Settings(
        database_url=(checked.secrets / "database_url").read_text(),
        keys_database_url=(checked.secrets / "keys_database_url").read_text(),
        kek_file=checked.secrets / "keks" / "kek",
        secret_key=(checked.secrets / "secret_key").read_text(),
        origin="casebook.example/yard",
        data_dir=tmp_path,
    )
    with House(settings) as house:
        cases = {str(a_case(house)), str(a_case(house))}
    sign(checked)
    both = " ".join(cases)
    typed(checked, "evidence", "umask 077", "casebook evidence", **{"CASE_ID CASE_ID": both})
    pack = checked.folder / "pack.zip"
    assert pack.stat().st_mode & 0o777 == 0o600
    [key] = checked.run("anchor", "casebook", "log-key").stdout.split()
    assert cases <= set(verify_pack(pack.read_bytes(), [VerifierKey.parse(key)]).subjects)
