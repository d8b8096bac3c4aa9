"""A worker process for the tests of the engine, to be killed: `python -m tests.engine_worker`, settings by environment.

Prints its name once it works, and works until it is ended.
"""

import signal
import threading

from callgrade.adapters.blobs import FsspecBlobs
from callgrade.db.session import Database
from callgrade.engine import Engine
from callgrade.engine import engine as room
from callgrade.settings import load_settings
from callgrade.wiring.service import make_pipeline


def main() -> None:
    # a dead worker is noticed at the second look
    room.ADOPT_S = 1.0
    settings = load_settings()
    database = Database(settings.database)
    engine = Engine(settings, make_pipeline(settings, database, FsspecBlobs(settings.blobs)))
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    engine.launch()
    print(engine.executor_id, flush=True)
    ended.wait()
    engine.shutdown(grace_s=5)
    database.close()


if __name__ == "__main__":
    main()
