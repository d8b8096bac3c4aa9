"""A frozen object as a cache key by identity."""

from typing import Generic, TypeVar

Kept = TypeVar("Kept")


class ByIdentity(Generic[Kept]):
    """Two keys are equal when they hold the very same object.

    For caches of what is worked out once a rubric: hashing a whole rubric on every call would cost more than the
    cache saves. The key holds the object, so its id cannot be used again while the entry lives.
    """

    __slots__ = ("it",)

    def __init__(self, it: Kept):
        self.it = it

    def __hash__(self) -> int:
        return id(self.it)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ByIdentity) and other.it is self.it
