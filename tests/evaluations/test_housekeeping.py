"""What is done now and then: everything in its turn, whatever fails."""

import threading

from callgrade.adapters.blobs import FsspecBlobs
from callgrade.evaluations.housekeeping import Housekeeping, Task


def test_what_other_rooms_have_to_do_is_done_again_and_again_whatever_fails(database, tmp_path):
    done, twice = [], threading.Event()

    def fail():
        raise RuntimeError("什么都可能在这里")

    def work():
        done.append(1)
        if len(done) > 1:
            twice.set()

    keeping = Housekeeping(
        database,
        FsspecBlobs(str(tmp_path)),
        more=[Task("fails", 0.01, fail), Task("works", 0.01, work)],
    )
    keeping.start()
    try:
        assert twice.wait(60)
    finally:
        keeping.stop()
