"""As whom the embedded PostgreSQL runs, and where that account can keep what it needs.

PostgreSQL refuses to run as root. Where root starts it, it runs as an unprivileged account, which must reach
its files; no folder above the data directory is ever opened wider for that.
"""

import os
import pwd
import re
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.embedded.binaries import Binaries
from app.embedded.error import EmbeddedError

# A socket's path has at most 107 bytes on Linux and 103 on macOS, with "/.s.PGSQL.5432" to come.
LONGEST_SOCKET_FOLDER = 88
SHORT = Path("/tmp")  # noqa: S108 - what lies in it has a random name and mode 0700


@dataclass(frozen=True)
class Account:
    """The account that PostgreSQL runs as. `other` is true when it isn't the one that we run as."""

    uid: int
    gid: int
    other: bool

    def process_options(self) -> dict[str, Any]:
        """Keyword arguments that make `subprocess` run a program as this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.other else {}

    def own(self, path: Path) -> None:
        """Hand one file or folder to this account."""
        if self.other:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def may(self, test: str, path: Path) -> bool:
        """Whether this account passes a test of test(1), such as `-x`. Modes alone don't tell."""
        asked = subprocess.run(
            ["/bin/sh", "-c", f'test {test} "$1"', "sh", path],
            cwd="/",
            check=False,
            **self.process_options(),
        )
        return asked.returncode == 0


def postgres_account() -> Account:
    """Ourselves; for root `postgres` if the machine has that account, else `nobody`."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), other=False)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, other=True)
    raise EmbeddedError("PostgreSQL can't run as root, and there is no account `postgres` or `nobody` here.")


def make_data_dir(data_dir: Path, account: Account, *, ours: bool) -> None:
    """Make the data directory, or close it to others where it is empty or already `ours`.

    A folder that somebody else filled keeps its mode: a mistyped `--data-dir /tmp` must not shut /tmp.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        if not ours and any(data_dir.iterdir()):
            return
        if account.other:
            os.chown(data_dir, -1, account.gid)
        data_dir.chmod(0o710 if account.other else 0o700)
    except OSError as fault:
        raise EmbeddedError(f"{data_dir} can't be used as a data directory: {fault.strerror}.") from fault


def choose_home(data_dir: Path, account: Account) -> Path:
    """Where the cluster goes: the data directory, else a new folder that the account can get to."""
    if account.may("-x", data_dir):
        return data_dir
    shared = Path("/var/lib/casebook")
    try:
        shared.mkdir(mode=0o755, exist_ok=True)
        home = Path(tempfile.mkdtemp(dir=shared))
    except OSError:
        home = Path(tempfile.mkdtemp(prefix="casebook-", dir="/var/tmp"))
    os.chown(home, -1, account.gid)
    home.chmod(0o710)
    return home


def make_socket_folder(home: Path, account: Account) -> Path:
    """A folder that only the account (and root) can enter, with a path that libpq takes for one socket's."""
    folder = home / "socket"
    # libpq takes a comma for the end of a host, and PostgreSQL takes quotes and blanks for its own.
    plain = re.fullmatch(r"[A-Za-z0-9/._-]+", str(folder))
    if not plain or len(str(folder)) > LONGEST_SOCKET_FOLDER:
        folder = Path(tempfile.mkdtemp(prefix="casebook-", dir=SHORT))
    folder.mkdir(mode=0o700, exist_ok=True)
    account.own(folder)
    return folder


def is_socket_folder(folder: Path, home: Path, account: Account) -> bool:
    """Whether the folder of an earlier start is still ours: not another's, nor the original's of a copy."""
    if folder.parent not in (home, SHORT):
        return False
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and (found.st_uid, stat.S_IMODE(found.st_mode)) == (account.uid, 0o700)


def reachable_binaries(binaries: Binaries, home: Path, account: Account) -> Binaries:
    """The same programs, copied into `home` when the account can't read them where they are."""
    if account.may("-x", binaries.folder / "postgres"):
        return binaries
    installed = binaries.folder.resolve().parent
    package = installed.parent
    copy = home / f"postgresql-{binaries.major}"
    if not copy.exists():
        unfinished = copy.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        # Programs find their libraries from where they themselves stand; a wheel keeps some in `.libs`.
        for folder in (installed, package.with_suffix(".libs")):
            if folder.is_dir():
                target = unfinished / folder.relative_to(package.parent)
                shutil.copytree(folder, target, symlinks=True, ignore=shutil.ignore_patterns("include"))
        _open_to_all(unfinished)
        unfinished.rename(copy)
    return Binaries(copy / installed.relative_to(package.parent) / "bin", binaries.major)


def _open_to_all(tree: Path) -> None:
    for path in [tree, *tree.rglob("*")]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o755 if path.is_dir() else 0o444))
            if path.parent.name == "bin":
                path.chmod(0o755)
