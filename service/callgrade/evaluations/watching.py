"""How the work goes, told to whoever measures it."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Protocol, Unpack

from callgrade.domain.errors import CallgradeError
from callgrade.domain.scorecards import Scorecard
from callgrade.tracing import Attributes, span


class Watch(Protocol):
    """Called from any thread, and quickly done."""

    def done(self, stage: str, seconds: float, error: str | None) -> None:
        """A piece of work ended; `error` is the type of what stopped it."""
        ...

    def scored(self, card: Scorecard) -> None: ...


class Unwatched:
    """Implements Watch: nobody looks."""

    def done(self, stage: str, seconds: float, error: str | None) -> None:
        return

    def scored(self, card: Scorecard) -> None:
        return


class NoFault(Exception):  # noqa: N818
    """Ends a piece of work early, and nothing is wrong."""

    traced_as = None


@contextmanager
def timed(watch: Watch, stage: str, **attributes: Unpack[Attributes]) -> Iterator[None]:
    """A piece of work, told to `watch` and, with these attributes, traced."""
    begun, error = perf_counter(), None
    with span(stage, **attributes):
        try:
            yield
        except NoFault:
            raise
        except Exception as raised:
            error = raised.type if isinstance(raised, CallgradeError) else "unexpected"
            raise
        finally:
            watch.done(stage, perf_counter() - begun, error)
