"""What docker-compose.yml and the Dockerfile say, read for tests."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[2]
HERE: Final = Path(__file__).parent
CASEBOOK_UID: Final = 10001


def compose() -> dict[str, Any]:
    """docker-compose.yml, its anchors resolved."""
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    return found


def dockerfile() -> list[tuple[str, str]]:
    """The Dockerfile's instructions with their arguments, continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [(line.split(None, 1)[0], line.split(None, 1)[1].strip()) for line in lines if line.strip()]


def value_of(value: str, school: Mapping[str, str]) -> str:
    """A value of the compose file: ${NAME:?why it is needed} or ${NAME:-otherwise}."""
    found = re.fullmatch(r"\$\{(\w+):([?-])(.*)\}", value)
    if not found:
        return value
    return school[found[1]] if found[2] == "?" else school.get(found[1], found[3])


def may_with_keks(service: Mapping[str, Any]) -> str:
    """Whether a service sees the key-encryption keys: none, ro, or rw, which is how they are rolled."""
    found = [one for one in service.get("volumes", []) if one.split(":")[1] == "/run/keks"]
    return ("ro" if found[0].endswith(":ro") else "rw") if found else "none"


def may_contain() -> bool:
    """Whether programs can be given a space of their own here."""
    tried = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "mount", "--make-rprivate", "/"]
    return (
        sys.platform == "linux"
        and os.geteuid() == 0
        and all(shutil.which(name) for name in ("unshare", "setpriv"))
        and subprocess.run(tried, capture_output=True, check=False).returncode == 0
    )


def container(
    service: Mapping[str, Any], secrets: Path, kept: Path, keks: Path, needed: Iterable[str]
) -> list[str]:
    """What a program is started by, to run in a container like a service's."""
    space = [
        "unshare",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
        str(HERE / "contain.sh"),
    ]
    folders = [str(secrets), str(kept), str(keks), may_with_keks(service)]
    return [*space, str(CASEBOOK_UID), *folders, *needed, "--"]


def said_in_env(folder: Path) -> dict[str, str]:
    """What the file .env beside docker-compose.yml says, where there is one: the last word counts."""
    file = folder / ".env"
    return dict(line.split("=", 1) for line in file.read_text().splitlines()) if file.exists() else {}


def build_image(folder: Path) -> Path:
    """A wheel, built from what the Dockerfile copies, and unpacked in `folder`."""
    source, site = folder / "source", folder / "site"
    copied = [said.split() for what, said in dockerfile() if what == "COPY" and "--from" not in said]
    for *names, target in copied:
        for name in names:
            to = source / target / name if len(names) > 1 else source / target
            to.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, to, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, to)
    build: list[str | Path] = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder]
    subprocess.run([*build, source], check=True, capture_output=True)
    [wheel] = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(site)
    return site
