"""`casebook project` as a process: it ends when it is told to, at whatever moment."""

import subprocess
import sys

import pytest

INTERRUPTED = """
import os, signal, sys, threading

signal.signal(signal.SIGINT, signal.default_int_handler)
begin = threading.Thread.start

def start(thread):
    begin(thread)
    if thread.name == sys.argv[1]:
        os.kill(os.getpid(), signal.SIGINT)

threading.Thread.start = start
from app.cli import main
sys.exit(main(["project"]))
"""


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("thread", ["alerts", "forgetting", "projector"])
def test_ctrl_c_while_it_begins_ends_all_of_it(thread: str) -> None:
    """As a demo's death asks for it: before the projector itself listens, no thread must be left to go on."""
    script = [sys.executable, "-c", INTERRUPTED, thread]
    with subprocess.Popen(script, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            process.communicate(timeout=20)
        finally:
            process.kill()
