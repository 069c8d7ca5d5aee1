"""A projector in a process of its own, for tests that end it."""

import os
from pathlib import Path
from threading import Thread
from time import sleep

from app.project import ProjectorProcess
from app.record.keys import KeyStore, load_kek
from app.record.mapper import SealedMapper
from app.record.pool import open_pool
from app.record.recorder import Recorder

if __name__ == "__main__":
    with open_pool(os.environ["DATABASE"]) as pool, open_pool(os.environ["KEYS"]) as keys:
        mapper = SealedMapper(KeyStore(keys, load_kek(Path(os.environ["KEK"]))))
        process = ProjectorProcess(pool, Recorder(pool), mapper)

        def say() -> None:
            while not process.projector.leading:
                sleep(0.01)
            print("leading", flush=True)

        Thread(target=say, daemon=True).start()
        process.run()
