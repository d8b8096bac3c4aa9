"""Where one channel holds speech: stretches of sound for the recogniser, found while the sound streams by.

A detector says from where to where there is speech, `Channel` cuts that sound out and keeps no more of the call than a
later segment may need. `Gate` makes spans from the speech probabilities of the silero model; fsmn gives them itself.
"""

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from callgrade.adapters.audio import RATE, Samples

WINDOW = 512
"""Samples (32 ms) that the silero model judges at once, at 16 kHz."""
SPEECH_FROM, SPEECH_UNTIL = 0.5, 0.35
"""Speech begins at the first probability and goes on down to the second (silero's own defaults)."""
PAUSE_MS = 300
"""A pause this long ends a segment. Longer than `PADDING_MS` and `TAIL_MS`, so that segments never share sound."""
SHORTEST_MS = 128
"""Anything shorter is a click. 好 and 嗯 last about 200 ms."""
PADDING_MS, TAIL_MS = 140, 40
"""Sound added before and after for the recogniser, so that no first consonant is clipped. Times do not include it.
Silero notices a beginning 44 ms late in the median and 163 ms at worst, an end never early (golden set)."""
LONGEST_MS = 20_000
"""Longer speech is cut at its quietest moment in the last third: recognisers' memory grows with the square of it."""
_QUIET_MS = 96
_LOOKBACK_MS = 2_000
"""How far behind the sound a detector may place the beginning of speech that it has only now noticed."""

Span = tuple[int, int]
"""[start, end) in samples from the start of the call."""


@dataclass(frozen=True)
class Segment:
    """Speech of one channel in [start, end), in samples from the start of the call.

    `samples` begins a little earlier, at `first`, and ends a little later.
    """

    channel: int
    start: int
    end: int
    first: int
    samples: Samples


def to_ms(samples: int) -> int:
    return samples * 1000 // RATE


def to_samples(ms: int) -> int:
    return ms * RATE // 1000


class Gate:
    """Speech probabilities, window by window, in; spans out. Knows no sound."""

    def __init__(self) -> None:
        self._windows = 0
        self._start: int | None = None
        self._end = 0

    @property
    def open_since(self) -> int | None:
        """Where the speech that has not ended yet began, in samples."""
        return None if self._start is None else self._start * WINDOW

    def feed(self, probabilities: Iterable[float]) -> Iterator[Span]:
        for probability in probabilities:
            at = self._windows
            self._windows += 1
            if probability >= SPEECH_FROM or (self._start is not None and probability >= SPEECH_UNTIL):
                self._start = at if self._start is None else self._start
                self._end = at + 1
            elif self._start is not None and (at + 1 - self._end) * WINDOW >= to_samples(PAUSE_MS):
                yield from self.close()

    def close(self) -> Iterator[Span]:
        """Ends what is open, as the end of the call does."""
        start, self._start = self._start, None
        if start is not None and (self._end - start) * WINDOW >= to_samples(SHORTEST_MS):
            yield start * WINDOW, self._end * WINDOW


class Channel:
    """Cuts the spans of one channel out of its sound."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._sound: Samples = np.zeros(0, np.float32)
        self._first = 0
        self._given = 0

    @property
    def heard(self) -> int:
        """Samples added so far."""
        return self._first + len(self._sound)

    def add(self, sound: Samples) -> None:
        self._sound = np.concatenate([self._sound, sound])

    def segments(self, spans: Iterable[Span], open_since: int | None) -> Iterator[Segment]:
        """Finished `spans`, and speech still open that has grown too long, as segments; then forgets old sound."""
        for start, end in spans:
            start = max(start, self._given, self._first)
            start = yield from self._cut(start, min(end, self.heard))
            if min(end, self.heard) - start >= to_samples(SHORTEST_MS):
                yield self._segment(start, min(end, self.heard), padding=to_samples(TAIL_MS))
        keep_from = self.heard - to_samples(_LOOKBACK_MS)
        if open_since is not None:
            start = yield from self._cut(max(open_since, self._given, self._first), self.heard)
            keep_from = min(keep_from, start - to_samples(PADDING_MS))
        self._forget(keep_from)

    def _cut(self, start: int, end: int) -> Generator[Segment, None, int]:
        """Segments of speech longer than `LONGEST_MS`; returns where the rest begins."""
        while end - start > to_samples(LONGEST_MS):
            middle = self._quietest(start)
            yield self._segment(start, middle, padding=0)  # the rest must not hear the same word again
            start = middle
        return start

    def _quietest(self, start: int) -> int:
        longest, quiet = to_samples(LONGEST_MS), to_samples(_QUIET_MS)
        begin = start + longest * 2 // 3
        sound = self._sound[begin - self._first : start + longest - self._first].astype(np.float64)
        energy = np.concatenate([[0.0], np.cumsum(sound * sound)])
        return begin + int(np.argmin(energy[quiet:] - energy[:-quiet])) + quiet // 2

    def _segment(self, start: int, end: int, *, padding: int) -> Segment:
        first = max(self._first, self._given, start - to_samples(PADDING_MS))
        last = min(self.heard, end + padding)
        self._given = last
        return Segment(self.number, start, end, first, self._sound[first - self._first : last - self._first].copy())

    def _forget(self, before: int) -> None:
        keep = max(0, before - self._first)
        self._sound = self._sound[keep:].copy()
        self._first += keep
