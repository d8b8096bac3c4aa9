"""The outline of a recording of any format, for the worker that has just heard it: pages then need no decoder."""

from itertools import pairwise
from pathlib import Path

import numpy as np

from callgrade.adapters.audio import RATE, blocks
from callgrade.evaluations.report.sound import BUCKETS, Outline

WINDOW = RATE // 100
"""Samples whose peak is kept while the length is not known yet: 10 ms; three hours come to a million of them."""
QUIETEST_FULL = 0.02
"""A quiet recording still has an outline to look at, but silence is not blown up into one."""


def outline(path: Path) -> Outline | None:
    """(length in milliseconds, for each channel `BUCKETS` peaks of 0..1); None of nothing. Raises RecordingError,
    MissingExtraError."""
    windows: list[np.ndarray] = []
    samples = 0
    for block in blocks(path):
        samples += block.shape[1]
        padded = np.pad(np.abs(block), ((0, 0), (0, -block.shape[1] % WINDOW)))
        windows.append(padded.reshape(block.shape[0], -1, WINDOW).max(axis=2))
    if not windows:
        return None
    peaks = np.concatenate(windows, axis=1)
    ends = np.linspace(0, peaks.shape[1], BUCKETS + 1).astype(int)
    # a short one has buckets without a window: they show what came just before
    last = peaks.shape[1] - 1
    parts = [peaks[:, min(start, last) : max(end, start + 1)] for start, end in pairwise(ends)]
    highest = np.stack([part.max(axis=1) for part in parts], axis=1)
    scaled = highest / max(float(highest.max()), QUIETEST_FULL)
    return samples * 1000 // RATE, tuple(tuple(round(float(peak), 3) for peak in channel) for channel in scaled)
