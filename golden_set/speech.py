"""Speech for the golden set: espeak-ng through its C library, with the time of every character.

The command line of espeak-ng gives sound only; the library also reports at which sample each word (in Chinese:
each character) begins, which is what makes the demo's times true and not estimated. Needs `libespeak-ng.so.1`
(Debian package `libespeak-ng1`). The voice is always `cmn-latn-pinyin`: `cmn` of espeak-ng 1.51 spells hanzi as
English letters.
"""

import ctypes
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

Samples = NDArray[np.float32]
ESPEAK_RATE = 22050
PUNCTUATION = "，。？！、；："
_MU = 255.0
_RETRIEVAL, _UTF8, _PHONEME_EVENTS = 2, 1, 1
_RATE, _PITCH, _RANGE = 1, 3, 4
_LIST_TERMINATED, _WORD, _CLAUSE_END, _PHONEME = 0, 1, 5, 7


@dataclass(frozen=True)
class Voice:
    """`variant` of espeak-ng ("" or f1…f5, m1…m8), `speed` in its words a minute (80–450), `pitch` and `range` 0–99."""

    variant: str
    speed: int
    pitch: int
    range: int = 50


@dataclass(frozen=True)
class Spoken:
    """One utterance: mono samples in [-1, 1] at 22,050 Hz, and one (start, end) in seconds per spoken character.

    `spans` maps the character's offset in the text to its time; punctuation has none.
    """

    samples: Samples
    spans: dict[int, tuple[float, float]]

    def trimmed(self) -> "Spoken":
        """The same without the silence before the first and after the last character."""
        begin = min(start for start, _ in self.spans.values())
        end = max(end for _, end in self.spans.values())
        samples = self.samples[round(begin * ESPEAK_RATE) : round(end * ESPEAK_RATE)]
        return Spoken(samples, {at: (start - begin, stop - begin) for at, (start, stop) in self.spans.items()})


class _EventId(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    ]


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class _Engine:
    """The library keeps its state in globals: one engine a process, never shared between threads."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL("libespeak-ng.so.1")
        rate = self._library.espeak_Initialize(_RETRIEVAL, 0, None, _PHONEME_EVENTS)
        if rate != ESPEAK_RATE:
            raise RuntimeError(f"espeak-ng: expected {ESPEAK_RATE} Hz, got {rate}; is espeak-ng-data installed?")
        self._chunks: list[Samples] = []
        self._marks: list[tuple[int, int, int, str]] = []
        self._callback = _Callback(self._receive)  # kept: the library holds only a bare pointer to it
        self._library.espeak_SetSynthCallback(self._callback)

    def _receive(self, wave: Any, count: int, events: Any) -> int:
        if wave and count:
            chunk = np.ctypeslib.as_array(wave, shape=(count,)).astype(np.float32) / np.float32(32768)
            self._chunks.append(chunk)
        index = 0
        while events[index].type != _LIST_TERMINATED:
            event = events[index]
            name = event.id.string.decode("utf-8", "replace") if event.type == _PHONEME else ""
            self._marks.append((event.type, event.text_position - 1, event.sample, name))
            index += 1
        return 0

    def speak(self, text: str, voice: Voice) -> tuple[Samples, list[tuple[int, int, int, str]]]:
        name = "cmn-latn-pinyin" + (f"+{voice.variant}" if voice.variant else "")
        if self._library.espeak_SetVoiceByName(name.encode()) != 0:
            raise RuntimeError(f"espeak-ng: no voice {name}")
        for parameter, value in ((_RATE, voice.speed), (_PITCH, voice.pitch), (_RANGE, voice.range)):
            self._library.espeak_SetParameter(parameter, value, 0)
        self._chunks, self._marks = [], []
        data = text.encode()
        self._library.espeak_Synth(data, len(data) + 1, 0, 0, 0, _UTF8, None, None)
        self._library.espeak_Synchronize()
        return np.concatenate(self._chunks), self._marks


@cache
def _engine() -> _Engine:
    return _Engine()


def speak(text: str, voice: Voice) -> Spoken:
    """Speak Chinese text (hanzi and the marks of `PUNCTUATION` only).

    Raises ValueError when espeak-ng did not announce each character once: then its times cannot be trusted.
    """
    samples, marks = _engine().speak(text, voice)
    expected = [at for at, character in enumerate(text) if character not in PUNCTUATION]
    spans: dict[int, tuple[float, float]] = {}
    opened: int | None = None
    begin = 0
    for kind, position, sample, name in marks:
        pause = kind == _PHONEME and name.startswith("_:")
        if opened is not None and (kind in (_WORD, _CLAUSE_END) or pause):
            spans[opened] = (begin / ESPEAK_RATE, sample / ESPEAK_RATE)
            opened = None
        # at the end of a clause espeak-ng may announce its mark, or position -1, as a word
        if kind == _WORD and position in expected:
            opened, begin = position, sample
    if sorted(spans) != expected:
        raise ValueError(f"espeak-ng named the characters {sorted(spans)} of {text!r}, expected {expected}")
    return Spoken(samples, spans)


def resample(samples: Samples, source: int, target: int) -> Samples:
    """Polyphase resampling between rates in Hz."""
    divisor = int(np.gcd(source, target))
    return np.asarray(resample_poly(samples, target // divisor, source // divisor), dtype=np.float32)


def telephone(samples: Samples) -> Samples:
    """What a telephone line leaves of 8 kHz samples: mu-law companding (ITU-T G.711, continuous form) in 8 bits."""
    clipped = np.clip(samples, -1, 1)
    companded = np.round(np.sign(clipped) * np.log1p(_MU * np.abs(clipped)) / np.log1p(_MU) * 127) / 127
    return np.asarray(np.sign(companded) * np.expm1(np.abs(companded) * np.log1p(_MU)) / _MU, dtype=np.float32)
