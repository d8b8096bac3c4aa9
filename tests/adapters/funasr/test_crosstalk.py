"""A leak of the other channel is muted, two people talking at once are not."""

from pathlib import Path

import numpy as np

from callgrade.adapters.audio import BLOCK, RATE, blocks
from callgrade.adapters.funasr.crosstalk import Crosstalk
from callgrade.catalog.resources import resource_folder

RECORDINGS = resource_folder("golden_set") / "recordings"


def voices(name: str) -> np.ndarray:
    return np.concatenate(list(blocks(RECORDINGS / name)), axis=1)


def test_a_quieter_copy_is_muted_and_the_original_is_not() -> None:
    speech = voices("polite-sale.wav").sum(axis=0)[: 4 * BLOCK]
    crosstalk = Crosstalk()
    first, second = crosstalk.without(np.stack([speech, 0.3 * speech]))
    assert np.array_equal(first, speech)
    assert np.abs(second).max() < 1e-3
    assert crosstalk.muted_ms > 3000


def test_a_copy_turned_upside_down_is_a_copy() -> None:
    speech = voices("polite-sale.wav").sum(axis=0)[:BLOCK]
    assert np.abs(Crosstalk().without(np.stack([-0.3 * speech, speech]))[0]).max() < 1e-3


def test_two_people_at_once_are_left_alone() -> None:
    one, other = voices("polite-sale.wav").sum(axis=0), voices("rude-agent.wav").sum(axis=0)
    count = min(len(one), len(other))
    crosstalk = Crosstalk()
    crosstalk.without(np.stack([one[:count], 0.3 * other[:count]]))
    assert crosstalk.muted_ms / (count / RATE * 1000) < 0.01


def test_channels_that_do_not_leak_are_left_alone() -> None:
    crosstalk = Crosstalk()
    sound = voices("coercion.wav")
    assert crosstalk.without(sound) is sound
    assert crosstalk.muted_ms == 0


def test_one_channel_and_odd_ends_pass() -> None:
    sound = np.full((1, 700), 0.1, np.float32)
    assert Crosstalk().without(sound) is sound
    assert Crosstalk().without(np.stack([sound[0], 0.1 * sound[0]])).shape == (2, 700)


def test_the_golden_opus_file_leaks(tmp_path: Path) -> None:
    crosstalk = Crosstalk()
    for block in blocks(RECORDINGS / "variants" / "rude-agent.ogg"):
        crosstalk.without(block)
    assert crosstalk.muted_ms > 10_000
