"""Recordings of any container and codec as blocks of 16 kHz sound, one row a channel, in bounded memory.

A recording is read twice: `survey` decodes it once without keeping anything, so that its true length, its damage and
whether its two channels differ are known before the recogniser spends a second on it (3 h of stereo take about 11 s);
`blocks` then hands out the sound. Nothing is believed that a header says: headers of recorders that crashed, streamed
or were cut lie.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from callgrade.domain.errors import MissingExtraError, RecordingError

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame

Samples = NDArray[np.float32]
"""Shape (samples,), values in [-1, 1], `RATE` a second."""
Block = NDArray[np.float32]
"""Shape (channels, samples), values in [-1, 1], `RATE` samples a second."""

RATE = 16_000
BLOCK = 32 * 512
"""Samples in a block, the last one excepted: 1.024 s, a whole number of the voice detector's windows."""
CHANNELS = (1, 2)
RATES = (4_000, 192_000)
"""Hz. A file that states another rate is damaged, and resampling it takes memory without bound."""

_CONTAINERS = (
    "wav,w64,rf64,aiff,au,caf,flac,mp3,ogg,mov,mp4,m4a,3gp,matroska,webm,amr,amrnb,amrwb,gsm,aac,ac3,"
    "asf,avi,flv,mpeg,mpegts,g722,g726,g726le"
)
"""What is opened at all. Playlists and scripts (hls, concat…) are not: they make the decoder open other files and
addresses, and a recording comes from strangers."""
_EXACT_HEADERS = frozenset({"wav", "w64", "rf64", "aiff", "au", "caf", "flac", "mov", "mp4", "matroska", "webm"})
"""Containers that state their length. The others estimate it from a bit rate, which proves nothing."""
_NEVER_FILLED_IN = 2**32 - 2**20
_LONGEST_CHUNK = 2**24
_SHORTFALL_MS, _SHORTFALL_SHARE = 1_000, 0.02
_SAME_SOUND = 1e-4
"""Channels carry the same sound if one is the other, louder or quieter, but for this share of its energy (-40 dB).
Lossy codecs do not keep equal channels equal to the bit."""


@dataclass(frozen=True)
class Recording:
    """What decoding a recording to its end has shown. `rate` is the file's own, in Hz."""

    path: Path
    channels: int
    rate: int
    codec: str
    duration_ms: int
    same_sound: bool
    """Two channels that carry the same sound: a mono call in a stereo file."""
    notes: tuple[str, ...] = ()


def survey(path: Path, *, max_minutes: float) -> Recording:
    """Decode the whole recording and keep nothing of it.

    Raises RecordingError: not a file, no audio in it, more than two channels, longer than `max_minutes`, cut short.
    """
    with _opened(path) as source:
        meter = _Meter(path, max_minutes)
        for frame in source.frames():
            meter.take(frame)
        if not meter.samples:
            raise RecordingError(_nothing_in_it(source), source=path.name)
        return Recording(
            path=path,
            channels=meter.channels,
            rate=meter.rate,
            codec=source.codec,
            duration_ms=meter.duration_ms,
            same_sound=meter.same_sound,
            notes=(*source.notes(), *_shortfall(path, source, meter.duration_ms)),
        )


def blocks(path: Path) -> Iterator[Block]:
    """The recording in blocks of `BLOCK` samples a channel; the last one is shorter. Holds one block at a time.

    Values that are no numbers become silence: one NaN would deafen the voice detector for the rest of the call.
    """
    pending: list[Block] = []
    waiting = 0
    with _opened(path) as source:
        for piece in _resampled(source):
            pending.append(piece)
            waiting += piece.shape[1]
            while waiting >= BLOCK:
                joined = np.concatenate(pending, axis=1)
                yield _clean(joined[:, :BLOCK])
                pending = [joined[:, BLOCK:]]
                waiting -= BLOCK
    if waiting:
        yield _clean(np.concatenate(pending, axis=1))


def _clean(block: Block) -> Block:
    return np.clip(np.nan_to_num(block), -1, 1)


@dataclass
class _Source:
    """An opened container and the one audio stream of it that is read."""

    container: Any
    stream: Any
    path: Path
    damaged: int = field(default=0)

    @property
    def codec(self) -> str:
        return str(self.stream.codec_context.name)

    @property
    def promised_ms(self) -> int | None:
        """The length the header states, or None where it states none or only estimates."""
        formats = set(str(self.container.format.name).split(","))
        if not formats & _EXACT_HEADERS:
            return None
        if "wav" in formats and (stated := _stated_by_wav(self.path)):
            return stated
        if self.stream.duration:
            return int(self.stream.duration * self.stream.time_base * 1000)
        return int(self.container.duration / 1000) if self.container.duration else None

    def frames(self) -> Iterator["AudioFrame"]:
        """Decoded frames; packets that cannot be decoded are counted and passed over."""
        from av.error import FFmpegError

        packets = self.container.demux(self.stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except FFmpegError:
                self.damaged += 1
                return  # the container itself breaks off: nothing can be read past this
            try:
                yield from packet.decode()
            except FFmpegError:
                self.damaged += 1

    def notes(self) -> list[str]:
        notes = []
        streams = len(self.container.streams.audio)
        if streams > 1:
            notes.append(f"{streams} audio tracks in the file; only the first was transcribed")
        if self.damaged:
            notes.append(
                f"damaged recording: {self.damaged} packet(s) could not be decoded and were left out; "
                "times after them are too early"
            )
        return notes


@contextmanager
def _opened(path: Path) -> Iterator[_Source]:
    try:
        import av
    except ImportError as error:
        raise MissingExtraError("asr", "reading a recording") from error
    av.logging.set_level(None)  # ffmpeg's own remarks would land on standard error
    _require_file(path)
    try:
        # `file:` keeps names such as `http:…` or `concat:…` from being taken for protocols
        container = av.open(f"file:{path}", options={"format_whitelist": _CONTAINERS}, metadata_errors="replace")
    except av.error.FFmpegError as error:
        raise RecordingError(
            "not a recording that can be read: no known audio container begins like this. "
            "Is it text, encrypted, or cut off before its index?",
            source=path.name,
        ) from error
    with container:
        if not container.streams.audio:
            raise RecordingError("has no audio stream in it: was the sound recorded?", source=path.name)
        if container.streams.audio[0].codec_context is None:
            raise RecordingError("its sound is in a codec that is not known here", source=path.name)
        yield _Source(container, container.streams.audio[0], path)


def _require_file(path: Path) -> None:
    if not path.exists():
        raise RecordingError("no such file", source=str(path))
    if not path.is_file():
        raise RecordingError("is not a file", source=path.name)
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise RecordingError(f"cannot be opened: {error.strerror}", source=path.name) from error
    if empty:
        raise RecordingError("is empty (0 bytes): the recorder wrote nothing, or the copy failed", source=path.name)


class _Meter:
    """Length, channels and likeness of the channels, from decoded frames."""

    def __init__(self, path: Path, max_minutes: float) -> None:
        self.path, self.max_minutes = path, max_minutes
        self.channels = self.rate = self.samples = 0
        self._products = np.zeros((2, 2))

    @property
    def duration_ms(self) -> int:
        return round(self.samples * 1000 / self.rate)

    @property
    def same_sound(self) -> bool:
        (first, both), (_, second) = self._products
        return bool(first * second > 0 and both * both >= (1 - _SAME_SOUND) * first * second)

    def take(self, frame: "AudioFrame") -> None:
        channels = frame.layout.nb_channels
        self._require_sane_rate(frame.sample_rate)
        if not self.samples:
            self.channels, self.rate = channels, frame.sample_rate
            self._require_known_channels()
        elif channels != self.channels:
            raise RecordingError(
                f"changes from {self.channels} to {channels} channel(s) on the way", source=self.path.name
            )
        self.samples += round(frame.samples * self.rate / frame.sample_rate)
        if self.samples > self.max_minutes * 60 * self.rate:
            raise RecordingError(
                f"is longer than {self.max_minutes:g} minutes; raise CALLGRADE_ASR__MAX_MINUTES if that is wanted",
                source=self.path.name,
            )
        if channels == 2:
            self._compare(frame)

    def _require_sane_rate(self, rate: int) -> None:
        if not RATES[0] <= rate <= RATES[1]:
            raise RecordingError(f"states {rate} Hz: its header is damaged", source=self.path.name)

    def _require_known_channels(self) -> None:
        if self.channels not in CHANNELS:
            raise RecordingError(
                f"has {self.channels} channels; a call has one (both sides mixed) or two (a side each). "
                "Export it with one channel a speaker",
                source=self.path.name,
            )

    def _compare(self, frame: "AudioFrame") -> None:
        sound = frame.to_ndarray().astype(np.float64)
        sound = sound if sound.shape[0] == 2 else sound.reshape(-1, 2).T
        self._products += np.nan_to_num(sound @ sound.T)


def _nothing_in_it(source: _Source) -> str:
    if source.damaged:
        return f"holds no sound that can be decoded ({source.codec}, {source.damaged} damaged packet(s))"
    return "holds an audio stream of no length"


def _stated_by_wav(path: Path) -> int | None:
    """Milliseconds by the size of the data chunk: of a cut file the decoder only tells what is left.

    None where the size was never filled in (0, or close to the largest number: recorders that stream).
    """
    rate = 0
    with path.open("rb") as file:
        file.seek(12)
        while len(head := file.read(8)) == 8:
            name, size = head[:4], int.from_bytes(head[4:], "little")
            if name == b"data":
                return size * 1000 // rate if rate and 0 < size < _NEVER_FILLED_IN else None
            body = file.read(size + size % 2) if size < _LONGEST_CHUNK else b""
            if len(body) < size:
                return None
            if name == b"fmt ":
                rate = int.from_bytes(body[8:12], "little")
    return None


def _shortfall(path: Path, source: _Source, measured_ms: int) -> list[str]:
    """Raises RecordingError where the header states clearly more sound than there is."""
    promised = source.promised_ms
    if promised is None or promised - measured_ms <= max(_SHORTFALL_MS, promised * _SHORTFALL_SHARE):
        return []
    raise RecordingError(
        f"is cut short or damaged: its header states {promised / 1000:.1f} s, "
        f"{measured_ms / 1000:.1f} s can be decoded. Half a call must not be graded as a whole one: copy it again, "
        "or, to grade what is there, rewrite it (ffmpeg -i in.wav out.wav)",
        source=path.name,
    )


def _resampled(source: _Source) -> Iterator[Block]:
    from av.audio.resampler import AudioResampler

    resampler: AudioResampler | None = None
    shape: tuple[str, int] | None = None
    for frame in source.frames():
        frame.pts = None  # gaps and jumps in the stamps would make the resampler refuse the frame
        if shape != (frame.format.name, frame.sample_rate):
            if resampler is not None:
                yield from _arrays(resampler.resample(None))
            shape = (frame.format.name, frame.sample_rate)
            resampler = AudioResampler(format="fltp", layout=frame.layout, rate=RATE)
        assert resampler is not None
        yield from _arrays(resampler.resample(frame))
    if resampler is not None:
        yield from _arrays(resampler.resample(None))


def _arrays(frames: "Iterable[AudioFrame]") -> Iterator[Block]:
    return (frame.to_ndarray().astype(np.float32, copy=False) for frame in frames)
