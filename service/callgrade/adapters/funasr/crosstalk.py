"""Taking one speaker's leak out of the other speaker's channel.

Stereo codecs at low bit rates share sound between channels: in a 24 kbit/s Opus file each side is heard on the other
one, 6 to 16 dB quieter, and is recognised there as well, as words of the wrong speaker. Such a leak is a copy: in each
short window the channels are correlated, which two people who talk at once are not (0.9 and more in none of 729 windows
of two unrelated calls laid over each other; above 0.97 over whole turns of such an Opus file).
"""

import numpy as np

from callgrade.adapters.audio import RATE, Block
from callgrade.adapters.funasr.segments import WINDOW

COPY_FROM = 0.9
QUIETER_BY = 2.0
"""Ratio of energies (3 dB) from which on one of two alike windows is the copy; nearer ones are left alone."""
_QUIET = 1e-12


class Crosstalk:
    """Mutes copies window by window and adds up how long they were. One channel passes untouched."""

    def __init__(self) -> None:
        self._muted = 0

    @property
    def muted_ms(self) -> int:
        return self._muted * WINDOW * 1000 // RATE

    def without(self, block: Block) -> Block:
        if block.shape[0] != 2:
            return block
        sound = np.pad(block, ((0, 0), (0, -block.shape[1] % WINDOW))).reshape(2, -1, WINDOW)
        energy = np.einsum("cws,cws->cw", sound, sound) + _QUIET
        likeness = np.abs(np.einsum("ws,ws->w", sound[0], sound[1])) / np.sqrt(energy[0] * energy[1])
        copied = (likeness >= COPY_FROM) & (energy.max(axis=0) >= QUIETER_BY * energy.min(axis=0))
        if not copied.any():
            return block
        self._muted += int(copied.sum())
        sound = sound.copy()
        sound[energy.argmin(axis=0)[copied], np.flatnonzero(copied)] = 0
        return sound.reshape(2, -1)[:, : block.shape[1]]
