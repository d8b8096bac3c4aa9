"""What a recogniser's raw answer for one segment says: words, when each was spoken, and in what mood.

FunASR's models answer in different ways. SenseVoice puts tags before the text and names its words; paraformer parts all
words with spaces and gives times only; a punctuation model then inserts marks, drops the spaces and capitalises. Here
every answer becomes clean text with `Token`s that point into it.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from callgrade.domain.calls import Token

EMOTIONS = frozenset({"neutral", "angry", "happy", "sad", "fearful", "disgusted", "surprised"})
LANGUAGES = frozenset({"zh", "en", "yue", "ja", "ko"})
_TAG = re.compile(r"<\|([^|<>]*)\|>")
_WORD_MARKS = re.compile(r"▁|@@$")
_SEARCH = 4
"""Characters that a word may lie past the place where it is expected, punctuation and spaces not counted."""


@dataclass(frozen=True)
class Word:
    """A recognised word or character, spoken in [start_ms, end_ms) of its segment. `confidence`: see `Token`."""

    text: str
    start_ms: int
    end_ms: int
    confidence: float | None = None


@dataclass(frozen=True)
class Heard:
    """One segment's answer. `tokens` count milliseconds from the start of the segment's sound."""

    text: str
    tokens: tuple[Token, ...] = ()
    emotion: str | None = None
    language: str | None = None


def read_answer(answer: Mapping[str, Any], confidences: Sequence[float] | None = None) -> Heard:
    """`answer` is an item of `AutoModel.generate`; `confidences` are used only if there is one for each time stamp."""
    raw = str(answer.get("text") or "")
    tags = [tag.lower() for tag in _TAG.findall(raw)]
    plain = _TAG.sub(" ", raw)
    text = join_words(plain)
    return Heard(
        text=text,
        tokens=align(text, _words(plain, answer, confidences)),
        emotion=next((tag for tag in tags if tag in EMOTIONS), None),
        language=next((tag for tag in tags if tag in LANGUAGES), None),
    )


def punctuated(heard: Heard, text: str) -> Heard:
    """`heard` with the text that a punctuation model made of it.

    A model that changed, lost or invented a word is not followed: then `heard` comes back as it was.
    """
    text = join_words(text)
    if _letters(text) != _letters(heard.text):
        return heard
    words = [Word(heard.text[t.start : t.end], t.start_ms, t.end_ms, t.confidence) for t in heard.tokens]
    return replace(heard, text=text, tokens=align(text, words))


def join_words(text: str) -> str:
    """Spaces stay between words of scripts that part words with them: `我 要 5 g 套 餐` → `我要5 g套餐`."""
    joined = ""
    for word in text.split():
        apart = joined and not _wide(joined[-1]) and not _wide(word[0])
        joined += f" {word}" if apart else word
    return joined


def align(text: str, words: Iterable[Word]) -> tuple[Token, ...]:
    """One token for each word that stands in `text`, in order; a word that does not stand there gets none.

    Case, spaces and punctuation may differ between words and text: recognisers time the words before punctuation.
    """
    letters = [(at, character) for at, character in enumerate(text) if character.isalnum()]
    flat = "".join(character.casefold()[:1] for _, character in letters)
    tokens: list[Token] = []
    cursor = 0
    for word in words:
        sought = "".join(c.casefold()[:1] for c in _WORD_MARKS.sub("", word.text) if c.isalnum())
        found = flat.find(sought, cursor, cursor + len(sought) + _SEARCH) if sought else -1
        if found < 0:
            continue
        cursor = found + len(sought)
        start, end = letters[found][0], letters[cursor - 1][0] + 1
        tokens.append(Token(start, end, word.start_ms, max(word.start_ms, word.end_ms), word.confidence))
    return tuple(tokens)


def _words(plain: str, answer: Mapping[str, Any], confidences: Sequence[float] | None) -> list[Word]:
    times = [(round(start), round(end)) for start, end in answer.get("timestamp") or ()]
    texts = _texts_for(len(times), plain, answer.get("words"))
    sure: Sequence[float | None] = confidences or []
    sure = sure if len(sure) == len(times) else [None] * len(times)
    return [Word(text, *time, confidence) for text, time, confidence in zip(texts, times, sure, strict=True)]


def _texts_for(count: int, plain: str, named: Sequence[str] | None) -> Sequence[str]:
    """The words that `count` time stamps belong to. Where that cannot be told there are none: no time is guessed."""
    candidates = (named or (), plain.split(), [character for character in plain if not character.isspace()])
    return next((words for words in candidates if len(words) == count), [""] * count)


def _wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"


def _letters(text: str) -> str:
    return "".join(character.casefold() for character in text if character.isalnum())
