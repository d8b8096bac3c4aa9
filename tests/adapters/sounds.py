"""Recordings that tests make for themselves."""

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RECORDINGS = Path(__file__).parent / "recordings"


def wav(path: Path, sound: NDArray[np.floating], *, rate: int = 8000, stated_bytes: int | None = None) -> Path:
    """Write `sound`, shape (channels, samples), as 16 bit PCM. `stated_bytes` makes the header lie about the length."""
    channels = len(sound)
    data = (np.clip(sound, -1, 1) * 32767).astype("<i2").T.tobytes()
    header = struct.pack("<HHIIHH", 1, channels, rate, rate * channels * 2, channels * 2, 16)
    stated = len(data) if stated_bytes is None else stated_bytes
    riff = b"WAVEfmt " + struct.pack("<I", len(header)) + header + b"data" + struct.pack("<I", stated)
    path.write_bytes(b"RIFF" + struct.pack("<I", min(len(riff) + stated, 2**32 - 1)) + riff + data)
    return path


def tone(seconds: float, hertz: float = 440, *, rate: int = 8000) -> NDArray[np.float64]:
    return 0.3 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def hush(seconds: float, *, rate: int = 8000) -> NDArray[np.float64]:
    return np.zeros(round(seconds * rate))
