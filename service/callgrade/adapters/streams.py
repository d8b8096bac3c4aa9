"""Pieces that come in one after the other, as a stream to read from."""

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Pull = Callable[[], bytes]
"""The next piece; empty at the end."""


class Pulled(io.RawIOBase):
    """What is pulled. Never holds more than one piece."""

    def __init__(self, pull: Pull):
        self._pull, self._rest = pull, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        target = memoryview(buffer).cast("B")
        if not self._rest:
            self._rest = memoryview(self._pull())
        count = min(len(target), len(self._rest))
        target[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
