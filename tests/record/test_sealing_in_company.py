"""Sealing among other threads: a library that lets go of the interpreter's lock for a microsecond's work
waits for its turn to go on, and with company a fact takes three times as long.
"""

from resource import RUSAGE_SELF, getrusage
from threading import Thread

from app.record.sealing import seal, unseal
from tests.record.test_sealing import KEY, PLACE, PUB


def test_sealing_and_opening_let_nobody_else_run_meanwhile() -> None:
    times, threads = 500, 4

    def work() -> None:
        for _ in range(times):
            assert unseal(KEY, *PLACE, seal(KEY, *PLACE, PUB, {"notes": "x" * 300}))

    workers = [Thread(target=work) for _ in range(threads)]
    before = getrusage(RUSAGE_SELF).ru_nvcsw
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert getrusage(RUSAGE_SELF).ru_nvcsw - before < times * threads / 4
