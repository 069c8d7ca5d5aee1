"""`docker compose` as the scripts of deploy/ use it, where each service is a program of this machine."""

import shlex
import sys
from pathlib import Path

from app.embedded.binaries import find_binaries
from tests.server.plans import compose
from tests.server.yard import Yard

_DOCKER = """#!/bin/sh
# compose up | compose exec OPTIONS SERVICE COMMAND | compose run OPTIONS SERVICE [COMMAND]
set -eu
test "$1" = compose
verb=$2
shift 2
if [ "$verb" = up ]; then exit 0; fi
while :; do
  case $1 in
    --user) shift 2 ;;
    -*) shift ;;
    *) break ;;
  esac
done
service=$1
shift
exec "$(dirname "$0")/$service" "$@"
"""
_DATABASE = """#!/bin/sh
export PGHOST={home} PATH={programs}:$PATH
exec "$@"
"""
_OURS = """#!/bin/sh
umask 022
if [ $# = 0 ]; then set -- {command}; fi
if [ "$1" = casebook ]; then
  shift
  set -- {python} -m app "$@"
fi
cd /
exec env -i {environment} {space} "$@"
"""


def docker_for(yard: Yard) -> Path:
    """A folder for PATH in which `docker` is such a command, for the services of this yard as .env has them.

    `sudo` is there too, for what is typed by whoever isn't root.
    """
    folder = yard.folder / "bin"
    folder.mkdir(exist_ok=True)
    for name, service in compose()["services"].items():
        if name.endswith("-db"):
            programs = shlex.quote(str(find_binaries().folder))
            text = _DATABASE.format(home=shlex.quote(str(yard.folder / "postgres" / name)), programs=programs)
        else:
            environment = yard.environment_of(name)
            text = _OURS.format(
                command=shlex.join(service.get("command") or ["casebook", "serve"]),
                python=shlex.quote(sys.executable),
                environment=shlex.join(f"{key}={value}" for key, value in environment.items()),
                space=shlex.join(yard.space_of(name)),
            )
        _program(folder / name, text)
    _program(folder / "docker", _DOCKER)
    _program(folder / "sudo", '#!/bin/sh\nexec "$@"\n')
    return folder


def _program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)
