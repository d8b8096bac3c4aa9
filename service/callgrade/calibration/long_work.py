"""Work that takes minutes, one at a time beside what is served: what comes of it stands in the database.

A process that ends takes its work with it, and whoever asks is then offered to go on: everything that is done here can
be begun again and goes on where it stopped.
"""

import logging
import threading
from collections.abc import Callable

from callgrade.domain.errors import CallgradeError

log = logging.getLogger(__name__)
MOST_KEPT = 100


class LongWork:
    """One a process. A piece of work has a name; what went wrong with it is told until it is begun again."""

    def __init__(self) -> None:
        self._turn, self._beginning = threading.Lock(), threading.Lock()
        self._under_way: set[str] = set()
        self._failed: dict[str, str] = {}

    def begin(self, name: str, work: Callable[[], object]) -> bool:
        """False where it is under way already."""
        with self._beginning:
            if name in self._under_way:
                return False
            self._failed.pop(name, None)
            self._under_way.add(name)
        # a daemon: whoever stops the service does not wait for it
        threading.Thread(target=self._work, args=(name, work), name="long-work", daemon=True).start()
        return True

    def is_under_way(self, name: str) -> bool:
        return name in self._under_way

    def failure(self, name: str) -> str | None:
        """For people; a bug's own text may hold what was said and is not told."""
        return self._failed.get(name)

    def _work(self, name: str, work: Callable[[], object]) -> None:
        try:
            with self._turn:
                work()
        except CallgradeError as error:
            self._fail(name, str(error))
        except Exception as error:
            log.error("long work failed (%s)", type(error).__name__)
            log.debug("long work failed", exc_info=True)
            self._fail(name, f"internal error ({type(error).__name__})")
        finally:
            self._under_way.discard(name)

    def _fail(self, name: str, told: str) -> None:
        while len(self._failed) >= MOST_KEPT:
            self._failed.pop(next(iter(self._failed)), None)
        self._failed[name] = told
