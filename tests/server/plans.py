"""What docker-compose.yml and the Dockerfile say, read for tests."""

import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
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
