"""Probabilities become spans, spans become pieces of sound, and no more sound is kept than they need."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callgrade.adapters.audio import BLOCK, RATE
from callgrade.adapters.funasr.segments import (
    LONGEST_MS,
    PADDING_MS,
    SHORTEST_MS,
    TAIL_MS,
    WINDOW,
    Channel,
    Gate,
    Segment,
    Span,
    to_ms,
    to_samples,
)


def spans(probabilities: list[float]) -> list[Span]:
    gate = Gate()
    return [*gate.feed(probabilities), *gate.close()]


def windows(*spans: tuple[int, int]) -> list[Span]:
    return [(start * WINDOW, end * WINDOW) for start, end in spans]


def test_speech_begins_at_the_high_mark_and_ends_at_the_low_one() -> None:
    assert spans([0.4, 0.6, 0.4, 0.4, 0.4, 0.3, *[0.0] * 10]) == windows((1, 5))


def test_a_pause_under_300_ms_does_not_end_it() -> None:
    assert spans([0.9] * 5 + [0.0] * 8 + [0.9] * 5) == windows((0, 18))
    assert spans([0.9] * 5 + [0.0] * 10 + [0.9] * 5) == windows((0, 5), (15, 20))


def test_a_click_is_no_speech() -> None:
    assert spans([0.9] * 3 + [0.0] * 20) == []


def test_speech_at_the_end_of_the_call_is_ended_by_it() -> None:
    assert spans([0.0] * 3 + [0.9] * 6) == windows((3, 9))


def test_open_speech_tells_since_when() -> None:
    gate = Gate()
    assert list(gate.feed([0.0, 0.9, 0.9])) == []
    assert gate.open_since == WINDOW
    assert list(gate.feed([0.0] * 20)) == []  # 64 ms were a click
    assert gate.open_since is None


@given(st.lists(st.floats(0, 1), max_size=300), st.integers(1, 40))
def test_spans_are_long_enough_apart_and_the_same_however_they_are_fed(values: list[float], size: int) -> None:
    gate = Gate()
    piecewise = [span for at in range(0, len(values), size) for span in gate.feed(values[at : at + size])]
    found = [*piecewise, *gate.close()]
    assert found == spans(values)
    assert all(end - start >= to_samples(SHORTEST_MS) for start, end in found)
    assert all(after[0] - before[1] >= to_samples(PADDING_MS + TAIL_MS) for before, after in pairwise(found))


def ramp(seconds: float) -> np.ndarray:
    """Every sample is its own number, so that a segment's sound tells where it was cut."""
    return np.arange(round(seconds * RATE), dtype=np.float32)


def fed(sound: np.ndarray, ended: list[Span]) -> list[Segment]:
    """The sound block by block; each span is told in the block in which a detector would know of its end."""
    channel, found, done = Channel(1), [], 0
    for at in range(0, len(sound), BLOCK):
        channel.add(sound[at : at + BLOCK])
        told = [span for span in ended if done < span[1] + to_samples(300) <= at + BLOCK]
        running = [start for start, end in ended if start < at + BLOCK < end + to_samples(300)]
        found += channel.segments(told, running[0] if running else None)
        done = at + BLOCK
    return found


def test_a_segment_is_padded_but_its_times_are_not() -> None:
    start, end = to_samples(3000), to_samples(4000)
    (segment,) = fed(ramp(6), [(start, end)])
    assert (segment.channel, segment.start, segment.end) == (1, start, end)
    assert segment.first == start - to_samples(PADDING_MS)
    assert segment.samples[0] == segment.first
    assert segment.samples[-1] == end + to_samples(TAIL_MS) - 1


def test_padding_stops_at_the_beginning_of_the_call() -> None:
    (segment,) = fed(ramp(3), [(0, to_samples(1000))])
    assert (segment.first, segment.samples[0]) == (0, 0)


def test_long_speech_is_cut_at_its_quietest_moment() -> None:
    sound = np.full(45 * RATE, 0.5, np.float32)
    sound[17 * RATE : 17 * RATE + 1600] = 0
    found = fed(sound, [(0, 44 * RATE)])
    assert to_ms(found[0].end) == pytest.approx(17_050, abs=40)
    assert all(to_ms(segment.end - segment.start) <= LONGEST_MS for segment in found)
    for before, after in pairwise(found):
        assert before.end == after.start == after.first  # no gap, and nothing heard twice
    assert found[-1].end == 44 * RATE


def test_long_speech_is_handed_out_while_it_goes_on() -> None:
    channel = Channel(0)
    kept = 0
    for at in range(0, 300 * RATE, BLOCK):
        channel.add(np.full(BLOCK, 0.5, np.float32))
        list(channel.segments([], 0))
        kept = max(kept, len(channel._sound))
        assert channel.heard == at + BLOCK
    assert kept <= to_samples(LONGEST_MS) + 3 * BLOCK


def test_silence_is_forgotten() -> None:
    channel = Channel(0)
    for _ in range(100):
        channel.add(np.zeros(BLOCK, np.float32))
        assert list(channel.segments([], None)) == []
        assert len(channel._sound) <= 2 * RATE


def test_a_detector_that_points_before_what_is_kept_gets_what_is_there() -> None:
    channel = Channel(0)
    channel.add(ramp(10))
    list(channel.segments([], None))
    (segment,) = channel.segments([(0, 9 * RATE)], None)
    assert (segment.start, segment.samples[0]) == (8 * RATE, 8 * RATE)
