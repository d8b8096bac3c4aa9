"""A worker process for the tests of the engine, to be killed: `python -m tests.engine_worker`, settings by environment.

Prints its name once it works, and works until it is ended. It hears in a recording the words of its bytes, so that no
recogniser has to be loaded.
"""

import signal
import threading
from pathlib import Path

from callgrade.adapters.blobs import FsspecBlobs
from callgrade.db.session import Database
from callgrade.domain.calls import Transcript
from callgrade.engine import Engine
from callgrade.engine import engine as room
from callgrade.ports import AgentChannel
from callgrade.settings import load_settings
from callgrade.wiring.service import make_pipeline


class Ears:
    def transcribe(self, path: Path, *, agent_channel: AgentChannel | None = None) -> Transcript:
        turns = [{"speaker": "agent", "text": path.read_bytes().decode(errors="replace")[:40]}]
        return Transcript.model_validate({"call_id": path.name, "turns": turns, "recogniser": "scripted"})


def main() -> None:
    # a dead worker is noticed at the second look
    room.ADOPT_S = 1.0
    settings = load_settings()
    database = Database(settings.database)
    pipeline = make_pipeline(settings, database, FsspecBlobs(settings.blobs))
    pipeline._recordings = Ears()
    engine = Engine(settings, pipeline)
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    engine.launch()
    print(engine.executor_id, flush=True)
    ended.wait()
    engine.shutdown(grace_s=5)
    database.close()


if __name__ == "__main__":
    main()
