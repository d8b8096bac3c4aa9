"""A recording made fit for a page: as a `data:` address that browsers play, and as the outline of its sound.

The bytes go in as they are. Chromium and Firefox play µ-law WAV, the telephone's own format (seen with Chromium 156 and
Firefox 153), so nothing is converted, which would double the size of the page.
"""

import base64
import struct
import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

Outline = tuple[int, tuple[tuple[float, ...], ...]]
"""(length in milliseconds, for each channel `BUCKETS` peaks of 0..1)"""
LIMIT_BYTES = 10_000_000
BUCKETS = 480
_PCM, _FLOAT, _A_LAW, _MU_LAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_PLAYABLE_WAV = frozenset({_PCM, _FLOAT, _A_LAW, _MU_LAW})
_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"OggS", "audio/ogg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"ID3", "audio/mpeg"),
    (4, b"ftyp", "audio/mp4"),
    (0, b"\x1a\x45\xdf\xa3", "audio/webm"),
    *((0, bytes([0xFF, second]), "audio/mpeg") for second in (0xFB, 0xFA, 0xF3, 0xF2)),
    *((0, bytes([0xFF, second]), "audio/aac") for second in (0xF1, 0xF9)),
)


@dataclass(frozen=True, slots=True)
class Sound:
    """`src` is a `data:` address. `channels` holds, for each channel, `BUCKETS` peaks of 0..1 over the whole length.

    `duration_ms` is None and `channels` empty where only the browser knows them.
    """

    src: str
    duration_ms: int | None = None
    channels: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Why there is no sound on the page."""

    why: Literal["too_large", "missing", "unplayable"]
    size: str = ""
    limit: str = ""


@dataclass(frozen=True, slots=True)
class _Wave:
    tag: int
    channels: int
    rate: int
    bits: int
    data: bytes


def read_sound(path: Path) -> Sound | LeftOut:
    """The recording at `path`. One that is gone, too large or in a format that browsers lack is left out, no error."""
    try:
        size = path.stat().st_size
        if size > LIMIT_BYTES:
            return LeftOut("too_large", f"{size / 1e6:.1f}", f"{LIMIT_BYTES / 1e6:.0f}")
        content = path.read_bytes()
    except OSError:
        return LeftOut("missing")
    wave = _wave(content)
    if wave is not None:
        return _sound_of_wave(content, wave) if wave.tag in _PLAYABLE_WAV else LeftOut("unplayable")
    kind = next((kind for at, magic, kind in _MAGIC if content[at : at + len(magic)] == magic), None)
    return LeftOut("unplayable") if kind is None else Sound(_data_address(kind, content))


def outline(content: bytes) -> Outline | None:
    """Of a WAV file; None for anything else."""
    wave = _wave(content)
    if wave is None or wave.tag not in _PLAYABLE_WAV:
        return None
    return len(wave.data) // (wave.channels * wave.bits // 8) * 1000 // wave.rate, _outline(wave)


def _data_address(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _sound_of_wave(content: bytes, wave: _Wave) -> Sound:
    frames = len(wave.data) // (wave.channels * wave.bits // 8)
    return Sound(_data_address("audio/wav", content), frames * 1000 // wave.rate, _outline(wave))


def _wave(content: bytes) -> _Wave | None:
    """The format and the samples of a RIFF file; None for anything else, and for one too damaged to tell."""
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        return None
    form: tuple[int, int, int, int] | None = None
    at = 12
    while at + 8 <= len(content):
        name, size = struct.unpack_from("<4sI", content, at)
        body = content[at + 8 : at + 8 + size]
        if name == b"fmt " and len(body) >= 16:
            tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", body)
            tag = struct.unpack_from("<H", body, 24)[0] if tag == _EXTENSIBLE and len(body) >= 26 else tag
            form = (tag, channels, rate, bits)
        if name == b"data" and form:
            tag, channels, rate, bits = form
            return _Wave(tag, channels, rate, bits, body) if channels and rate and bits >= 8 else None
        at += 8 + size + size % 2
    return None


def _outline(wave: _Wave) -> tuple[tuple[float, ...], ...]:
    samples, full = _magnitudes(wave)
    if not samples:
        return ()
    outlines = [_peaks(samples[channel :: wave.channels]) for channel in range(min(wave.channels, 2))]
    loudest = max((max(outline, default=0) for outline in outlines), default=0)
    # a quiet recording still has an outline to look at, but silence is not blown up into one
    scale = max(loudest, full // 50)
    return tuple(tuple(round(peak / scale, 3) for peak in outline) for outline in outlines)


def _magnitudes(wave: _Wave) -> tuple[Sequence[int], int]:
    """The samples in a form whose largest and smallest values tell the peak, and the largest value there can be."""
    if wave.bits == 8 and wave.tag in _TABLES:
        return wave.data.translate(_TABLES[wave.tag]), 255
    if wave.bits == 16 and wave.tag == _PCM:
        samples = array("h", wave.data[: len(wave.data) // 2 * 2])
        if sys.byteorder == "big":
            samples.byteswap()
        return samples, 32768
    return (), 0


def _peaks(samples: Sequence[int]) -> list[int]:
    ends = [len(samples) * i // BUCKETS for i in range(BUCKETS + 1)]
    parts = (samples[start:end] for start, end in pairwise(ends))
    return [max(max(part), -min(part)) if len(part) else 0 for part in parts]


def _mu_law(code: int) -> int:
    """ITU-T G.711, magnitude of a µ-law code, 0..32124."""
    code = ~code & 0x7F
    return (((code & 0x0F) << 3) + 0x84 << (code >> 4)) - 0x84


def _a_law(code: int) -> int:
    """ITU-T G.711, magnitude of an A-law code, 8..32256."""
    code = (code ^ 0x55) & 0x7F
    step, segment = (code & 0x0F) << 4, code >> 4
    return step + 8 if segment == 0 else step + 0x108 << (segment - 1)


_TABLES = {
    _MU_LAW: bytes(_mu_law(code) >> 7 for code in range(256)),
    _A_LAW: bytes(_a_law(code) >> 7 for code in range(256)),
    _PCM: bytes(min(255, abs(code - 128) * 2) for code in range(256)),
}
