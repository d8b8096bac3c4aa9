"""Decoding: every codec of call centres, a row a channel, and a clear word about everything that is no recording."""

import random
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callgrade.adapters.audio import BLOCK, RATE, blocks, survey
from callgrade.domain.errors import RecordingError
from tests.adapters.sounds import RECORDINGS, hush, tone, wav

CODECS = {
    "pcm.wav": "pcm_s16le",
    "mulaw.wav": "pcm_mulaw",
    "alaw.wav": "pcm_alaw",
    "gsm.wav": "gsm_ms",
    "raw.gsm": "gsm",
    "g726.wav": "g726",
    "mp3.mp3": "mp3float",
    "opus.ogg": "opus",
    "aac.m4a": "aac",
    "amr.amr": "amrnb",
    "flac.flac": "flac",
    "video.mp4": "aac",
}


def whole(path: Path) -> np.ndarray:
    return np.concatenate(list(blocks(path)), axis=1)


@pytest.mark.parametrize("name", CODECS)
def test_every_codec_becomes_the_same_sound(name: str) -> None:
    recording = survey(RECORDINGS / name, max_minutes=1)
    assert (recording.channels, recording.codec) == (1, CODECS[name])
    assert recording.duration_ms == pytest.approx(3200, abs=70)  # codecs fill up their last frame
    sound = whole(RECORDINGS / name)[0]
    assert sound.dtype == np.float32
    assert len(sound) / RATE * 1000 == pytest.approx(recording.duration_ms, abs=2)
    assert envelope_likeness(sound, whole(RECORDINGS / "pcm.wav")[0]) > 0.9


def envelope_likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Correlation of the loudness in steps of 16 ms: codecs change the wave and come up to 64 ms late."""
    count = min(len(one), len(other)) // 256
    loudness = [np.sqrt((x[: count * 256].reshape(count, 256) ** 2).mean(axis=1)) for x in (one, other)]
    return max(np.corrcoef(np.roll(loudness[0], -shift), loudness[1])[0, 1] for shift in range(6))


def test_channels_stay_apart_and_keep_their_order(tmp_path: Path) -> None:
    path = wav(tmp_path / "stereo.wav", np.stack([tone(2), hush(2)]))
    recording = survey(path, max_minutes=1)
    assert (recording.channels, recording.rate, recording.same_sound) == (2, 8000, False)
    first, second = whole(path)
    assert np.abs(first).max() > 0.25
    assert np.abs(second).max() == 0


def test_blocks_have_one_size_but_for_the_last(tmp_path: Path) -> None:
    path = wav(tmp_path / "long.wav", np.stack([tone(4), tone(4, 300)]))
    shapes = [block.shape for block in blocks(path)]
    assert shapes == [(2, BLOCK)] * 3 + [(2, 64_000 - 3 * BLOCK)]


@pytest.mark.parametrize("gain", [1.0, 0.3, -1.0])
def test_twin_channels_are_noticed_however_loud(tmp_path: Path, gain: float) -> None:
    speech = whole(RECORDINGS / "pcm.wav")[0]
    path = wav(tmp_path / "twins.wav", np.stack([speech, speech * gain]), rate=RATE)
    assert survey(path, max_minutes=1).same_sound


def test_a_silent_channel_is_no_twin(tmp_path: Path) -> None:
    assert not survey(wav(tmp_path / "half.wav", np.stack([tone(1), hush(1)])), max_minutes=1).same_sound
    assert not survey(wav(tmp_path / "none.wav", np.stack([hush(1), hush(1)])), max_minutes=1).same_sound


def test_ten_milliseconds_are_a_recording(tmp_path: Path) -> None:
    path = wav(tmp_path / "blip.wav", tone(0.01)[None])
    assert survey(path, max_minutes=1).duration_ms == 10
    assert whole(path).shape == (1, 160)


def test_numbers_that_are_none_become_silence(tmp_path: Path) -> None:
    import av

    path = tmp_path / "float.wav"
    sound = np.full((1, 1600), np.nan, np.float32)
    sound[0, 800:] = 7.0
    with av.open(str(path), "w") as out:
        stream = out.add_stream("pcm_f32le", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(sound, format="flt", layout="mono")
        frame.sample_rate = 16_000
        out.mux([*stream.encode(frame), *stream.encode(None)])
    assert set(np.unique(whole(path))) == {0.0, 1.0}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.wav", b"", "is empty (0 bytes)"),
        ("text.wav", "坐席：您好\n客户：你好\n".encode() * 40, "not a recording that can be read"),
        ("list.m3u8", b"#EXTM3U\n#EXTINF:9,\nhttp://127.0.0.1:1/a.ts\n#EXT-X-ENDLIST\n", "not a recording"),
        ("list.wav", b"ffconcat version 1.0\nfile /etc/hostname\n", "not a recording"),
        ("header.wav", (RECORDINGS / "pcm.wav").read_bytes()[:44], "holds"),
        ("cut.m4a", (RECORDINGS / "aac.m4a").read_bytes()[:8000], "cut off before its index"),
    ],
)
def test_what_is_no_recording_is_said_to_be_none(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=r".") as caught:
        survey(path, max_minutes=1)
    assert message in str(caught.value)
    assert str(caught.value).startswith(name)


def test_a_video_without_sound_has_no_audio_stream() -> None:
    with pytest.raises(RecordingError, match="no audio stream"):
        survey(RECORDINGS / "video-without-sound.mp4", max_minutes=1)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="no such file"):
        survey(tmp_path / "nowhere.wav", max_minutes=1)
    with pytest.raises(RecordingError, match="is not a file"):
        survey(tmp_path, max_minutes=1)


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = wav(tmp_path / "secret.wav", tone(1)[None])

    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # the superuser, as whom tests may run, is never refused
    with pytest.raises(RecordingError, match=r"secret\.wav: cannot be opened: Permission denied"):
        survey(path, max_minutes=1)


def test_six_channels_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="has 6 channels"):
        survey(wav(tmp_path / "six.wav", np.stack([tone(1)] * 6)), max_minutes=1)


@pytest.mark.parametrize("name", ["pcm.wav", "mulaw.wav", "flac.flac"])
def test_half_a_call_is_not_taken_for_a_whole_one(tmp_path: Path, name: str) -> None:
    content = (RECORDINGS / name).read_bytes()
    path = tmp_path / name
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(RecordingError, match=r"cut short or damaged: its header states 3\.2 s, 1\.\d s can be"):
        survey(path, max_minutes=1)


@pytest.mark.parametrize("stated", [0, 2**32 - 1])
def test_headers_written_before_the_length_was_known_are_fine(tmp_path: Path, stated: int) -> None:
    path = wav(tmp_path / "streamed.wav", tone(2)[None], stated_bytes=stated)
    assert survey(path, max_minutes=1).duration_ms == 2000


def test_the_cap_counts_sound_and_not_the_headers_word(tmp_path: Path) -> None:
    path = wav(tmp_path / "long.wav", tone(7)[None], stated_bytes=100)
    assert survey(wav(tmp_path / "fits.wav", tone(6)[None]), max_minutes=0.1).duration_ms == 6000
    with pytest.raises(RecordingError, match=r"longer than 0\.1 minutes; raise CALLGRADE_ASR__MAX_MINUTES"):
        survey(wav(tmp_path / "streamed.wav", tone(7)[None], stated_bytes=2**32 - 1), max_minutes=0.1)
    assert survey(path, max_minutes=0.1).duration_ms < 6000  # a header that states less hides the rest from everybody


@pytest.mark.parametrize("name", ["mp3.mp3", "amr.amr"])
def test_damaged_packets_are_left_out_and_told(tmp_path: Path, name: str) -> None:
    content = bytearray((RECORDINGS / name).read_bytes())
    third = len(content) // 3
    content[third : 2 * third] = random.Random(1).randbytes(third)
    path = tmp_path / name
    path.write_bytes(content)
    (note,) = survey(path, max_minutes=1).notes
    assert note.startswith("damaged recording: ")
    assert len(whole(path)[0]) > RATE


def test_a_long_recording_is_never_held_whole(tmp_path: Path) -> None:
    path = wav(tmp_path / "hour.wav", np.stack([tone(600), tone(600, 300)]))
    whole_mb = 600 * RATE * 2 * 4 / 1e6
    tracemalloc.start()
    try:
        survey(path, max_minutes=60)
        assert sum(block.shape[1] for block in blocks(path)) == 600 * RATE
        peak_mb = tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()
    assert peak_mb < whole_mb / 20


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(sorted(CODECS)),
    edits=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=12),
    kept=st.floats(0.05, 1),
)
def test_whatever_the_bytes_it_is_sound_or_a_recording_error(
    tmp_path: Path, name: str, edits: list[tuple[int, int]], kept: float
) -> None:
    content = bytearray((RECORDINGS / name).read_bytes())
    for place, value in edits:
        content[place] = value
    path = tmp_path / "spoilt.bin"
    path.write_bytes(content[: round(len(content) * kept)])
    try:
        recording = survey(path, max_minutes=1)
    except RecordingError as error:
        assert str(error).startswith("spoilt.bin: ")
        return
    sound = whole(path)
    assert sound.shape[0] == recording.channels
    assert sound.shape[1] / RATE * 1000 == pytest.approx(recording.duration_ms, abs=60)
    assert np.isfinite(sound).all()
