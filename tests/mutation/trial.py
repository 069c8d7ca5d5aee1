"""Put mutants on trial: the tests run against each in a process of its own, which it can't leave."""

import os
import resource
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from time import monotonic, sleep
from types import CodeType, ModuleType
from typing import Final, Literal

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.mutation.mutants import Mutant

Verdict = Literal["killed", "hung", "survived"]
MOST_MEMORY: Final = 4 * 2**30
PYTEST: Final = ["-x", "-q", "-p", "no:cacheprovider"]


class _Loader(SourceFileLoader):
    """Loads the mutant where the original was asked for; the file itself is never touched."""

    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self.source = source

    def get_code(self, _name: str) -> CodeType:
        return compile(self.source, self.path, "exec")


class _Finder(MetaPathFinder):
    def __init__(self, root: Path, mutant: Mutant) -> None:
        self.name = mutant.file.removesuffix(".py").replace("/", ".")
        self.loader = _Loader(self.name, str(root / mutant.file), mutant.source)

    def find_spec(
        self, name: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != self.name:
            return None
        return spec_from_file_location(name, self.loader.path, loader=self.loader)


@dataclass
class _Running:
    mutant: Mutant
    until: float
    hung: bool = False


def tried(
    root: Path, mutants: Sequence[Mutant], tests: Sequence[str], *, jobs: int, seconds: float
) -> Iterator[tuple[Mutant, Verdict]]:
    """Each mutant with its verdict, as they come; one that takes longer than `seconds` hung.

    `tests` are pytest's arguments.
    """
    waiting, running = list(reversed(mutants)), dict[int, _Running]()
    while waiting or running:
        while waiting and len(running) < jobs:
            mutant = waiting.pop()
            running[_begin(root, mutant, tests)] = _Running(mutant, monotonic() + seconds)
        for pid, one in list(running.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                del running[pid]
                passed = not one.hung and os.waitstatus_to_exitcode(status) == pytest.ExitCode.OK
                yield one.mutant, "hung" if one.hung else "survived" if passed else "killed"
            elif monotonic() > one.until:
                # First as Ctrl-C does, so that what the tests started is stopped; then for good.
                os.kill(pid, signal.SIGKILL if one.hung else signal.SIGINT)
                one.hung, one.until = True, monotonic() + 20
        sleep(0.02)


def passes(root: Path, tests: Sequence[str], file: str) -> bool:
    """Whether the tests pass on a file as it is, loaded as mutants are."""
    same = Mutant(file, "", "", "", (root / file).read_text("utf-8"))
    [(_, verdict)] = tried(root, [same], tests, jobs=1, seconds=300)
    return verdict == "survived"


def _begin(root: Path, mutant: Mutant, tests: Sequence[str]) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        # In the background of a shell Ctrl-C is ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        # A busy machine is no reason to take a mutant for noticed.
        calm = settings(deadline=None, suppress_health_check=list(HealthCheck))
        # What notices one needn't be made small, which takes a minute where there is a database.
        calm = settings(calm, phases=(Phase.explicit, Phase.generate))
        settings.register_profile("mutation", calm, derandomize=True, database=None)
        settings.load_profile("mutation")
        sys.meta_path.insert(0, _Finder(root, mutant))
        code = int(pytest.main([*PYTEST, *tests]))
    finally:
        os._exit(code)
