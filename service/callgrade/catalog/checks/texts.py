"""Names and guidance: what people and models read."""

import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from callgrade.catalog.draft import Draft
from callgrade.catalog.faults import Path_, Problem
from callgrade.domain.frozen import LocalText
from callgrade.domain.scales import LevelsScale

AUDIO_ZH = (
    "语速",
    "音量",
    "语调",
    "语气",
    "音调",
    "音色",
    "嗓音",
    "普通话",
    "发音",
    "口齿",
    "吐字",
    "拖音",
    "口音",
    "声音",
)
AUDIO_EN = (
    "tone of voice",
    "speaking rate",
    "pace of speech",
    "volume",
    "intonation",
    "pitch",
    "pronunciation",
    "accent",
)
NOT_HEARD = ("不看", "不评", "不听", "不凭", "不判", "只看文字", "只凭文字", "not judged here", "in words", "by words")
"""A sentence with one of these says itself that the ear is not asked."""
_SENTENCE = re.compile(r"[。；;！!？?\n]|\.\s")
_LANGUAGES = {"zh": "Chinese", "en": "English"}


def text_problems(draft: Draft) -> Iterator[Problem]:
    yield from _bilingual(("title",), draft.raw.get("title"), "the rubric")
    for at, section in draft.sections:
        yield from _bilingual((*at, "title"), section.title, "the section")
    for at, criterion in draft.criteria:
        yield from _bilingual((*at, "title"), criterion.title, "the criterion")
        if criterion.judge in ("llm", "human"):
            yield from _guidance(at, criterion.guidance, criterion.judge)
            if isinstance(criterion.scale, LevelsScale):
                yield from _anchors(at, criterion.scale)
        if criterion.judge == "llm":
            yield from _audio(at, criterion.title, criterion.guidance)


def file_name_problems(draft: Draft, path: PurePath) -> Iterator[Problem]:
    """In `<id>/v1.yaml` the names must say what the file says. A file of another name may be called anything."""
    if not re.fullmatch(r"v[0-9]+", path.stem):
        return
    for field, expected in (("version", path.stem), ("id", path.parent.name)):
        written = draft.raw.get(field)
        if expected and isinstance(written, str) and written != expected:
            message = f"{field} is {written!r}, but the file is {path.parent.name}/{path.name}"
            yield Problem(at=(field,), message=message, suggestion=f"write {field}: {expected} or move the file")


def _bilingual(at: Path_, text: Any, whose: str) -> Iterator[Problem]:
    texts = text.model_dump() if isinstance(text, LocalText) else text
    if not isinstance(texts, dict):
        return
    empty = [language for language in _LANGUAGES if not str(texts.get(language) or "").strip()]
    if len(empty) == len(_LANGUAGES):
        yield Problem(at=at, message=f"{whose} has no title", suggestion="write {zh: …, en: …}")
    elif empty:
        message = f"{whose} has no {_LANGUAGES[empty[0]]} title"
        yield Problem(at=at, message=message, suggestion=f"add {empty[0]}: …", severity="warning")


def _guidance(at: Path_, guidance: LocalText, judge: str) -> Iterator[Problem]:
    if not guidance.zh.strip() and not guidance.en.strip():
        message = f"has no guidance, and is judged by {'a model' if judge == 'llm' else 'a person'}"
        mend = "say in guidance: {zh: …, en: …} what counts, what does not, and give an example of each"
        yield Problem(at=at, message=message, suggestion=mend)
        return
    for language, name in _LANGUAGES.items():
        if not guidance.in_language(language) or not getattr(guidance, language).strip():
            message = f"has no {name} guidance"
            yield Problem(at=(*at, "guidance"), message=message, suggestion=f"add {language}: …", severity="warning")


def _anchors(at: Path_, scale: LevelsScale) -> Iterator[Problem]:
    for i, level in enumerate(scale.levels):
        if not level.title.zh.strip() and not level.title.en.strip():
            place = (*at, "scale", "levels", i)
            message = f"the level {level.id!r} does not say what earns it"
            yield Problem(at=place, message=message, suggestion="add title: {zh: …, en: …}", severity="warning")


def _audio(at: Path_, title: LocalText, guidance: LocalText) -> Iterator[Problem]:
    """A model reads words. What the ear decides belongs to `speech` (measured) or to people."""
    mend = "use judge: speech for what is measured, human for what is heard, or say 只看文字, 不听语气 in the guidance"
    word = _heard(title.zh, AUDIO_ZH) or _heard(title.en.lower(), AUDIO_EN)
    if word:
        yield Problem(at=(*at, "judge"), message=f"a model reads words and cannot hear {word!r}", suggestion=mend)
        return
    for text, words in ((guidance.zh, AUDIO_ZH), (guidance.en.lower(), AUDIO_EN)):
        word = _heard(text, words)
        if word:
            message = f"the guidance speaks of {word!r}, which a model that reads words cannot hear"
            yield Problem(at=(*at, "guidance"), message=message, suggestion=mend, severity="warning")
            return


def _heard(text: str, words: tuple[str, ...]) -> str | None:
    for sentence in _SENTENCE.split(text):
        if not any(mark in sentence for mark in NOT_HEARD):
            for word in words:
                if re.search(rf"\b{word}\b" if word.isascii() else word, sentence):
                    return word
    return None
