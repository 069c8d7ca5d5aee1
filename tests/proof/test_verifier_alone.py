"""The verifier as somebody outside has it: one file, Python, and `cryptography`."""

import json
import subprocess
import sysconfig
import venv
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import app.proof.verifier as verifier
from app.proof.note import signed_note
from app.proof.verifier import Checkpoint, Note, Proven, _clocks, told, verify_pack
from tests.proof.packs import (
    ALL_EVENTS,
    CASE,
    KEYS,
    LOG,
    TIME,
    WITNESS,
    checkpoint,
    cosigned,
    small_pack,
)

NEEDED = ("cryptography", "cffi", "_cffi_backend*", "pycparser")
PACK = small_pack(sealed=[f"{CASE}/3"])


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the copied file, a pack, a checkpoint, and the one library that it needs."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "verifier.py").write_bytes(Path(verifier.__file__).read_bytes())
    (folder / "pack.zip").write_bytes(PACK)
    (folder / "checkpoint.txt").write_bytes(checkpoint(5))
    (folder / "fork.txt").write_bytes(checkpoint(5, leaves=[bytes(56)] * 5))
    venv.create(folder / "env", symlinks=True)
    (libraries,) = (folder / "env" / "lib").glob("python*/site-packages")
    installed = Path(sysconfig.get_path("platlib"))
    for pattern in NEEDED:
        for found in installed.glob(pattern):
            (libraries / found.name).symlink_to(found)
    return folder


def run(alone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [alone / "env" / "bin" / "python", "-I", *arguments],
        cwd=alone,
        env={"PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def verify(alone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(alone, "verifier.py", "pack.zip", "--log-key", str(LOG.verifier_key), *arguments)


def test_nothing_of_ours_is_there(alone: Path) -> None:
    for name in ("app", "domain", "psycopg", "flask", "eventsourcing"):
        assert "ModuleNotFoundError" in run(alone, "-c", f"import {name}").stderr


def test_it_verifies_and_says_how_old_the_checkpoint_is_and_which_key_signed(alone: Path) -> None:
    done = verify(alone)
    assert (done.returncode, done.stderr) == (0, "")
    assert "complete and unaltered up to the checkpoint over 7 entries" in done.stdout
    assert "2026-09-10 00:28:20Z" in done.stdout
    assert "days ago" in done.stdout
    assert str(LOG.verifier_key) in done.stdout
    assert "otherwise than with this pack" in done.stdout
    assert "Estyn" in done.stdout
    assert "A demonstration: invented people" in done.stdout
    assert "He hits me" not in done.stdout


def test_it_shows_the_history_from_the_proven_facts(alone: Path) -> None:
    lines = verify(alone, "--show").stdout.split("\n")
    begin = lines.index("2026-09-10 00:26:42Z  Mentee case: referred")
    assert lines[begin + 1] == f"    fact 1, {CASE}/1"
    shown = "\n".join(lines[begin:])
    assert '    words: She said "I\'m fine", {"_type_":"x"} — 明' in shown
    assert "    childs words: He hits me" in shown
    assert "    minutes: 30" in shown
    assert "    reasons: friendships\n" in shown
    assert "None" not in shown
    assert shown.index("happened on: 2026-09-09") < shown.index("She said") < shown.index("recorded by")
    assert (
        "    sealed, because its key isn't in this pack or was destroyed: focus, friend_came, notes" in shown
    )
    assert shown.index("referred") < shown.index("matched") < shown.index("Concern: raised")


def test_programs_get_it_as_json(alone: Path) -> None:
    said = json.loads(verify(alone, "--json", "--show", "--checkpoint", "checkpoint.txt").stdout)
    assert said["verified"] is True
    assert (said["checkpoint"]["size"], said["checkpoint"]["time"]) == (7, TIME)
    assert said["log_key"] == str(LOG.verifier_key)
    assert said["facts"][3]["payload"]["childs_words"] == "He hits me"
    assert "facts" not in json.loads(verify(alone, "--json").stdout)
    refused = verify(alone, "--json", "--checkpoint", "fork.txt")
    assert json.loads(refused.stdout) == {
        "verified": False,
        "check": "consistency",
        "where": "the pack doesn't begin as the checkpoint over 5 entries",
    }


def test_what_doesnt_verify_ends_with_one_and_says_which_check_and_where(alone: Path) -> None:
    done = verify(alone, "--checkpoint", "fork.txt")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "NOT VERIFIED. consistency: the pack doesn't begin as the checkpoint over 5 entries\n"
    )
    assert verify(alone, "--checkpoint", "pack.zip").returncode == 1
    assert verify(alone, "--witness", str(WITNESS.verifier_key)).returncode == 1


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("pack.zip",),
        ("pack.zip", "--log-key", "mistyped"),
        ("nowhere.zip", "--log-key", str(LOG.verifier_key)),
        ("pack.zip", "--log-key", str(LOG.verifier_key), "--checkpoint", "nowhere.txt"),
        ("pack.zip", "--log-key", str(LOG.verifier_key), "--witness", "x"),
        ("pack.zip", "--log-key", str(LOG.verifier_key), "--what"),
    ],
)
def test_what_cant_be_read_is_wrong_usage(alone: Path, arguments: tuple[str, ...]) -> None:
    done = run(alone, "verifier.py", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


def lines(pack: bytes, now: float = TIME + 7_200, **said: Any) -> str:
    return "\n".join(told(verify_pack(pack, KEYS, **said), now, show=True))


def test_the_age_is_said_in_the_unit_that_fits() -> None:
    for passed, text in (
        (59, "0 minutes ago"),
        (60, " 1 minute ago"),
        (7_199, "119 minutes ago"),
        (7_200, "2 hours ago"),
    ):
        assert text in lines(PACK, TIME + passed)
    assert "3 days ago" in lines(PACK, TIME + 3 * 86_400 + 5)
    assert "in the future" in lines(PACK, TIME - 61)
    without_time = LOG.sign(Note.parse(checkpoint()).text)
    note = signed_note(Note.parse(checkpoint()).text, without_time)
    assert "it bears no time" in lines(small_pack(note=note))


def test_witnesses_are_named_with_their_times() -> None:
    found = lines(small_pack(note=cosigned(checkpoint())), witnesses=[WITNESS.verifier_key])
    assert "Witness:     governor.example, 2026-09-10 00:29:20Z" in found


def test_what_somebody_typed_does_nothing_to_a_terminal() -> None:
    typed = "\x1b[2Jone\ntwo\u202ethree\ud800"
    fact = Proven(0, str(CASE), 1, "mentee-case.referred", TIME * 1_000_000, {}, ("words",), {"words": typed})
    found = replace(verify_pack(PACK, KEYS), facts=(fact,))
    shown = "\n".join(told(found, TIME, show=True))
    assert "words: \\x1b[2Jone\n        two\\u202ethree\\ud800" in shown


def test_times_that_no_calendar_has_are_no_fault() -> None:
    fact = Proven(0, str(CASE), 1, "mentee-case.referred", 2**63 - 1, {}, (), {})
    found = replace(verify_pack(PACK, KEYS), facts=(fact,), time=2**63)
    assert "at no time that a calendar has" in "\n".join(told(found, TIME, show=True))


def test_what_is_dated_otherwise_than_a_checkpoint_allows_is_said_and_refuses_nothing() -> None:
    at = [event.at_us // 1_000_000 for event in ALL_EVENTS]
    found = verify_pack(small_pack(note=checkpoint(time=at[6] - 600)), KEYS, [checkpoint(5)])
    # These seven are a demo's, which invents its times.
    assert found.clocks == ()
    whole, older = found.checkpoint, Checkpoint(LOG.name, 6, bytes(32))
    assert list(_clocks(found.facts, [(whole, TIME), (older, at[6] + 100), (older, None)])) == []
    *_, said = _clocks(found.facts, [(whole, at[6] - 600)])
    assert said == "fact 6 is dated 10 minutes after the checkpoint that has it (7 entries)"
    lines = told(replace(found, clocks=(said,)), TIME)
    assert f"CLOCKS:      {said}: one was wrong, or was set." in list(lines)
    # It would be dated an hour back, if this was signed when it says.
    assert list(_clocks(found.facts, [(older, at[6] + 3600)])) == [
        "fact 6 is dated 60 minutes before a checkpoint that hasn't it (6 entries)"
    ]
