"""Telling the voices of a mono recording apart by the speaker model's vectors.

The clustering is FunASR's own; around it stands what it does not say: under `FEWEST` chunks (about 15 s of speech) it
puts everything into one cluster, and from about 2,000 it needs memory for their square, or another package.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from callgrade.adapters.audio import RATE, Samples

CHUNK, STEP = RATE * 3 // 2, RATE * 3 // 4
"""Samples that one vector is made of, and from one chunk to the next: what the model was made for."""
FEWEST, MOST = 20, 2_000

Vectors = NDArray[np.float32]
"""Shape (chunks, dimensions)."""
Cluster = Callable[[Vectors], Sequence[int]]
Embed = Callable[[Samples], NDArray[np.float32]]


def chunks(sound: Samples) -> Iterator[Samples]:
    """Overlapping pieces of exactly `CHUNK` samples; the last one ends with the sound, short sound is filled up."""
    for start in range(0, max(1, len(sound) - CHUNK + STEP), STEP):
        piece = sound[max(0, min(start, len(sound) - CHUNK)) :][:CHUNK]
        yield np.pad(piece, (0, CHUNK - len(piece)))


@dataclass
class Voices:
    """The vectors of a call, segment by segment."""

    embed: Embed
    _vectors: list[NDArray[np.float32]] = field(default_factory=list)
    _segments: list[int] = field(default_factory=list)
    _count: int = 0

    def add(self, sound: Samples) -> None:
        for chunk in chunks(sound):
            self._vectors.append(self.embed(chunk))
            self._segments.append(self._count)
        self._count += 1

    @property
    def enough(self) -> bool:
        """Whether the clustering can find more than one voice at all."""
        return len(self._vectors) >= FEWEST

    def tell_apart(self, cluster: Cluster) -> list[int]:
        """A voice number for each segment in the order added: what most of its chunks are. Needs `enough`."""
        vectors = np.stack(self._vectors)
        labels = _labels(vectors, cluster)
        votes: list[Counter[int]] = [Counter() for _ in range(self._count)]
        for segment, label in zip(self._segments, labels, strict=True):
            votes[segment][label] += 1
        return [vote.most_common(1)[0][0] for vote in votes]


def _labels(vectors: Vectors, cluster: Cluster) -> list[int]:
    """Clusters an even choice of at most `MOST` vectors; the others join the nearest cluster's middle (cosine)."""
    chosen = np.unique(np.linspace(0, len(vectors) - 1, min(MOST, len(vectors))).astype(int))
    found = np.asarray(cluster(vectors[chosen]))
    if len(chosen) == len(vectors):
        return [int(label) for label in found]
    names = np.unique(found)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    middles = np.stack([unit[chosen][found == name].mean(axis=0) for name in names])
    middles /= np.linalg.norm(middles, axis=1, keepdims=True)
    return [int(names[nearest]) for nearest in np.argmax(unit @ middles.T, axis=1)]
