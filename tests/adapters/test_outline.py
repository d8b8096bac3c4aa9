"""Outlines of recordings in any format: as the one that is read from a WAV file without a decoder."""

from pathlib import Path

import numpy as np
import pytest

from callgrade.adapters.outline import outline
from callgrade.domain.errors import RecordingError
from callgrade.evaluations.report.sound import BUCKETS
from callgrade.evaluations.report.sound import outline as of_wav

pytest.importorskip("av")
SAMPLES = Path(__file__).parents[2] / "golden_set" / "recordings"


def test_it_looks_as_the_one_of_a_wav_file() -> None:
    path = SAMPLES / "coercion.wav"
    length, channels = outline(path)  # type: ignore[misc]
    length_of_wav, as_wav = of_wav(path.read_bytes())  # type: ignore[misc]
    assert abs(length - length_of_wav) <= 20
    assert [len(channel) for channel in channels] == [BUCKETS, BUCKETS]
    for drawn, plain in zip(channels, as_wav, strict=True):
        assert np.corrcoef(drawn, plain)[0, 1] > 0.97
    assert max(max(channel) for channel in channels) == 1


@pytest.mark.parametrize("path", sorted((SAMPLES / "variants").iterdir()), ids=lambda path: path.name)
def test_any_format_has_one(path: Path) -> None:
    length, channels = outline(path)  # type: ignore[misc]
    assert length > 3_000
    assert {len(channel) for channel in channels} == {BUCKETS}
    assert all(0 <= peak <= 1 for channel in channels for peak in channel)
    assert sum(peak > 0.1 for peak in channels[0]) > BUCKETS / 10


def test_what_is_no_recording_is_none(tmp_path: Path) -> None:
    path = tmp_path / "x.mp3"
    path.write_text("no sound")
    with pytest.raises(RecordingError):
        outline(path)
