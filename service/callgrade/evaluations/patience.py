"""Waiting for the database, or for room on its disk, instead of giving up what has been done already."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from callgrade.domain.errors import NotReadyError

T = TypeVar("T")
SHORTEST_S, LONGEST_S = 0.5, 30.0
_LOG = logging.getLogger(__name__)


async def patiently(work: Callable[[], Awaitable[T]]) -> T:
    """What `work` gives, begun again for as long as it raises NotReadyError."""
    pause = SHORTEST_S
    while True:
        try:
            return await work()
        except NotReadyError as error:
            _LOG.warning("waiting %.1f s: %s", pause, error)
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_S)
