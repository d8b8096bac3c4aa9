"""How many requests a key may make."""

import threading
import time
from collections.abc import Callable

from callgrade.domain.errors import TooManyRequestsError

FEW = 10_000


class Rates:
    """One allowance a key: a minute's requests at most at once, filled up evenly (a token bucket).

    It is kept in the memory of one process, because one write a request would cost more than most requests do: behind
    n processes a key has up to n times as much. It keeps a client's runaway loop from starving the others; what a
    model's provider allows is kept over all hosts, elsewhere.
    """

    def __init__(self, per_minute: int, *, clock: Callable[[], float] = time.monotonic):
        """`clock` in seconds, never going back: the wall clock may jump."""
        self._capacity = float(per_minute)
        self._per_second = per_minute / 60
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}
        self._forget_at = FEW
        self._lock = threading.Lock()

    def spend(self, key: str) -> None:
        """One request of `key`. Raises TooManyRequestsError, and counts nothing, where its allowance is used up."""
        with self._lock:
            moment = self._clock()
            left = self._now_left(key, moment)
            if left >= 1:
                self._left[key] = (left - 1, moment)
                self._forget_idle(moment)
                return
        wait = (1 - left) / self._per_second
        raise TooManyRequestsError(
            f"this key may make {self._capacity:.0f} requests a minute; come back in {wait:.1f} s", retry_after_s=wait
        )

    def _now_left(self, key: str, moment: float) -> float:
        left, since = self._left.get(key, (self._capacity, moment))
        return min(self._capacity, left + (moment - since) * self._per_second)

    def _forget_idle(self, moment: float) -> None:
        """A full allowance is what an unknown key has, so it need not be kept."""
        if len(self._left) < self._forget_at:
            return
        self._left = {key: kept for key, kept in self._left.items() if self._now_left(key, moment) < self._capacity}
        self._forget_at = FEW + 2 * len(self._left)  # however many are busy, a request costs the same on average
