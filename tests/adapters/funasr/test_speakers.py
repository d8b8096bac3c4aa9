"""Voices of one channel: pieces, votes, and memory that does not grow with the square."""

from collections.abc import Sequence

import numpy as np
import pytest

from callgrade.adapters.funasr.speakers import CHUNK, FEWEST, MOST, STEP, Vectors, Voices, chunks


@pytest.mark.parametrize(
    ("length", "count"), [(1, 1), (CHUNK, 1), (CHUNK + 1, 2), (CHUNK + STEP, 2), (CHUNK + 2 * STEP, 3)]
)
def test_pieces_have_one_size_and_cover_the_sound(length: int, count: int) -> None:
    pieces = list(chunks(np.arange(1, length + 1, dtype=np.float32)))
    assert [len(piece) for piece in pieces] == [CHUNK] * count
    assert {int(value) for piece in pieces for value in piece if value} == set(range(1, length + 1))


def voice_of(sound: np.ndarray) -> np.ndarray:
    """A stand-in for the model: loud sound is one voice, quiet sound the other."""
    return np.array([1.0, 0.05] if np.abs(sound).mean() > 0.5 else [0.05, 1.0], np.float32)


def by_loudness(vectors: Vectors) -> Sequence[int]:
    assert len(vectors) <= MOST
    return [int(vector[0] > vector[1]) for vector in vectors]


def test_each_segment_is_the_voice_of_most_of_its_pieces() -> None:
    voices = Voices(voice_of)
    loud, quiet = np.full(CHUNK, 0.9, np.float32), np.full(CHUNK, 0.1, np.float32)
    voices.add(np.concatenate([loud, loud, quiet]))
    voices.add(quiet)
    assert voices.tell_apart(by_loudness) == [1, 0]


def test_little_speech_is_not_enough() -> None:
    voices = Voices(voice_of)
    for _ in range(FEWEST - 1):
        voices.add(np.zeros(CHUNK, np.float32))
    assert not voices.enough
    voices.add(np.zeros(CHUNK, np.float32))
    assert voices.enough


def test_of_a_very_long_call_only_a_choice_is_clustered() -> None:
    voices = Voices(voice_of)
    sounds = [np.full(CHUNK, level, np.float32) for level in (0.9, 0.1)]
    for at in range(MOST + 500):
        voices.add(sounds[at % 2])
    assert voices.tell_apart(by_loudness) == [1 - at % 2 for at in range(MOST + 500)]
