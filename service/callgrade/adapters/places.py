"""How many attempts at deliveries may be under way at once, so that slow receivers leave room for all others."""

from collections import Counter
from urllib.parse import urlsplit

AT_ONCE = 64
EACH = 16
"""Of one receiver, as long as it answers."""


def receiver_of(url: str) -> str:
    """Whoever answers there: webhooks of several clients may go to one host."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


class Places:
    """One thread's. A receiver that did not answer gets one attempt at a time until it does, and nobody gets more than
    half of what is left: however many hang, the next one still finds a place."""

    def __init__(self, at_once: int = AT_ONCE, each: int = EACH):
        self._at_once, self._each = at_once, each
        self._taken: Counter[str] = Counter()
        self._silent: set[str] = set()

    @property
    def taken(self) -> int:
        return self._taken.total()

    def free(self, receiver: str) -> int:
        own = (1 if receiver in self._silent else self._each) - self._taken[receiver]
        left = self._at_once - self.taken
        return max(0, min(own, (left + 1) // 2))

    def take(self, receiver: str, number: int) -> None:
        self._taken[receiver] += number

    def leave(self, receiver: str, number: int = 1) -> None:
        self._taken[receiver] -= number
        if not self._taken[receiver]:
            del self._taken[receiver]

    def answered(self, receiver: str, *, at_all: bool) -> None:
        (self._silent.discard if at_all else self._silent.add)(receiver)
