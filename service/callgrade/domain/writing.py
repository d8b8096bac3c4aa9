"""Which writing words are in: what is looked for in hanzi and Latin letters cannot be missed in any other."""

import re
from collections.abc import Iterable

_OURS = re.compile(r"[A-Za-z0-9À-ɏ０-９Ａ-Ｚａ-ｚ\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
"""Hanzi, Latin letters and digits: what lists of phrases are written in."""


def legible(texts: Iterable[str]) -> bool:
    """Whether there are words, and at least half of their letters are hanzi, Latin or digits: only of such words can it
    be told that something is not among them. Kana, Hangul, Cyrillic, Thai… are not; languages that are written alike
    are not told apart."""
    said = "".join(texts)
    others = _OURS.sub("", said)
    ours, foreign = len(said) - len(others), sum(character.isalpha() for character in others)
    return ours > 0 and ours >= foreign
