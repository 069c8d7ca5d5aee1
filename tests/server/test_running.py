"""The documents for whoever runs a server say nothing that can't be done."""

import ast
import re
import shlex
import subprocess
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from app.cli import parser
from app.record.kek import load_kek
from app.settings import from_environment
from app.wording import questions, system
from tests.server.plans import ROOT, compose
from tests.server.test_status import NOBODY, STOPPED, WAITING, WELL

DOCS = ROOT / "docs"
TEXT = (DOCS / "running.md").read_text("utf-8")
SHOWING = ("running", "forgetting", "restore", "evidence", "witness", "what-is-proven", "../README")
IN_CONTAINERS = re.compile(r"docker compose (?:exec|run)((?: -\S+| --[\w-]+)*) (\S+) ([a-z][^`\n]*)")
AN_ID = "5c4e3e00-0000-4000-8000-000000000001"


def shown(text: str) -> tuple[list[str], list[str]]:
    """What stands in blocks, line by line, and what stands in the midst of a sentence."""
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    prose = re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)
    lines = [line.partition(" # ")[0].strip() for block in blocks for line in block.splitlines()]
    return lines, re.findall(r"`([^`]+)`", " ".join(prose.split()))


def commands(pieces: list[str]) -> list[list[str]]:
    """The words of each `casebook …` in them, with something in the place of what is left open."""
    found = []
    for piece in pieces:
        whole = re.sub(r'"\$\([^)]*\)"', "KEY", piece)
        for said in re.findall(r"(?:^|[ /(])casebook ([a-z][^|<>]*)", whole):
            words = shlex.split(said.partition(")")[0])
            found.append([AN_ID if re.fullmatch(r"(CASE[-_])?ID|.*…", word) else word for word in words])
    return found


def there_is(words: list[str]) -> bool:
    """Whether casebook has this command, with these options if there are any."""
    whole = any(word.startswith("-") for word in words)
    try:
        parser().parse_args(words if whole else [*words, "--help"])
    except SystemExit as left:
        return left.code == 0
    return True


ALL = {name: shown((DOCS / f"{name}.md").read_text("utf-8")) for name in SHOWING}
TYPED = sorted({tuple(words) for lines, _ in ALL.values() for words in commands(lines)})
NAMED = sorted({tuple(words) for _, spans in ALL.values() for words in commands(spans)})
EXECUTED = {
    (name, service, said)
    for name, both in ALL.items()
    for pieces in both
    for piece in pieces
    for _, service, said in IN_CONTAINERS.findall(piece)
}


def test_they_show_every_command_of_a_first_day_and_of_a_bad_one() -> None:
    assert {" ".join(words[:2]) for words in TYPED} >= {
        *("staff add", "roll import", "keys roll", "keys destroy-old", "keys list", "verify --checkpoint"),
        *("new-epoch --by", "checkpoint --proof", "log-key --make-next", "witness sign"),
    }
    assert {words[0] for words in (*TYPED, *NAMED)} >= {"test-mail", "status", "rebuild", "erase", "evidence"}


@pytest.mark.parametrize("words", TYPED, ids=" ".join)
def test_each_command_that_is_to_be_typed_is_one_that_casebook_takes(words: tuple[str, ...]) -> None:
    parser().parse_args(list(words))


@pytest.mark.parametrize("words", NAMED, ids=" ".join)
def test_each_command_that_is_named_is_there(words: tuple[str, ...]) -> None:
    assert there_is(list(words))


def test_readmes_settings_are_all_that_its_processes_ask_for(tmp_path: Path) -> None:
    said = dict(
        re.findall(r"^export (CASEBOOK_\w+)=(\S+)", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    )
    for name in ("SECRET_KEY_FILE", "SIGNER_TOKEN_FILE"):
        file = tmp_path / name
        file.write_text("x")
        said[f"CASEBOOK_{name}"] = str(file)
    made = from_environment(said)
    for setting, value in asdict(made).items():
        # The anchor's alone, or with a value that is right where none is given.
        others = {"log_key_file", "checkpoint_file", "next_log_key_file", "signer_listen"}
        others |= {"witness_keys", "checkpoint_mail", "demo"}
        assert value or setting in others, setting


def test_readmes_way_to_make_a_key_makes_one(tmp_path: Path) -> None:
    [how] = re.findall(r"\((umask 077; .*?)\)", (ROOT / "README.md").read_text("utf-8"))
    for _ in range(8):
        subprocess.run(["sh", "-c", how.replace("/etc/casebook", str(tmp_path))], check=True)
        assert len(load_kek(tmp_path / "kek")) == 32


def test_each_service_that_it_names_is_there() -> None:
    named = {service for _, service, _ in EXECUTED}
    pieces = [piece for both in ALL.values() for pieces in both for piece in pieces]
    for piece in pieces:
        said = re.fullmatch(r".*compose (?:restart|logs|up)((?: --[a-z-]+| \d+)*)((?: [a-z-]+)*)", piece)
        named |= set(said[2].split()) if said else set()
    assert named >= {"anchor", "web", "projector", "record-db", "keys-db", "locksmith"}
    assert named <= set(compose()["services"])


def test_each_script_that_it_names_is_there() -> None:
    restoring = (ROOT / "docs" / "restore.md").read_text("utf-8")
    assert set(re.findall(r"deploy/[\w-]+\.sh", TEXT)) == {"deploy/make-secrets.sh", "deploy/back-up.sh"}
    named = set(re.findall(r"(?:deploy/|\b)[\w-]+\.sh", TEXT + restoring))
    named = {f"deploy/{Path(name).name}" for name in named}
    assert {path.name for path in (ROOT / "deploy").glob("*.sh")} == {
        *(Path(name).name for name in named),
        "roles.sh",
        "archive.sh",
    }
    assert all((ROOT / name).exists() for name in named)


def test_whatever_status_may_advise_is_explained() -> None:
    titles = [
        next(str(one.value) for one in ast.walk(call.args[0]) if isinstance(one, ast.Constant))
        for call in ast.walk(ast.parse(Path(system.__file__).read_text("utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Advice"
    ]
    broken = replace(WELL, keeping=False, anchoring=False, waiting=(WAITING, NOBODY), lists=(STOPPED,))
    assert len(system.advice(broken)) == 5
    assert len(titles) > 5
    for title in titles:
        assert f'"{title.replace("“{list}”", "…")}"' in TEXT
    assert questions.command("scheme/adopt").title.replace("’", "'") in TEXT


def test_its_example_of_status_is_what_status_says() -> None:
    first_day = replace(WELL, facts=1, newest_at=WELL.at, signed_at=WELL.at, last_sent_at=None)
    assert system.summary(first_day) in " ".join(TEXT.split())
