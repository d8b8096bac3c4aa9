"""Names: after a cue, before a title, in answer to a question; then wherever the same person is mentioned again."""

import re
from typing import NamedTuple

from callgrade.adapters.redaction import tables
from callgrade.adapters.redaction.digits import LATIN, in_english
from callgrade.adapters.redaction.scanner import Scanner
from callgrade.adapters.redaction.spans import Lines, Span, places
from callgrade.adapters.redaction.tables import FULL_NAME, GIVEN_NAME, SURNAME
from callgrade.adapters.redaction.variants import both

ANSWER_TURNS = 2
"""Turns after 您贵姓 in which a turn that is nothing but a name is the answer."""

_HAN = "[\u4e00-\u9fff]"
_NO_TITLE = f"(?!{'|'.join(title for title in tables.TITLES if len(title) > 1)})"
_SECOND = f"{_NO_TITLE}(?![{tables.NOT_IN_GIVEN}]){_HAN}"
_THIRD = f"(?:{_NO_TITLE}(?![{tables.NOT_THIRD}]){_HAN})?"
_SURNAME = f"(?:{'|'.join(tables.COMPOUND_SURNAMES)}|[{tables.SURNAMES}{tables.TRADITIONAL_SURNAMES}])"
_NAME = f"{_SURNAME}{_SECOND}{_THIRD}"
_END = "(?=[，。！？、,.!?; ]|\n|\\Z)"

_CUED = Scanner(
    f"{tables.NAME_CUES}|{tables.BARE_CUES}|{tables.RARE_NAME_CUES}",
    f"(?:{tables.NAME_CUES})[，,：: 嗯呃啊]{{0,2}}(?P<cued>{_NAME})"
    f"|(?:{tables.BARE_CUES})(?P<bare>{_NAME}|小{_SURNAME}){tables.NAME_ENDS}"
    f"|(?:{tables.NAME_CUES})(?P<dotted>{_HAN}{{1,8}}(?:[·•‧・]{_HAN}{{1,10}})+)"
    f"|(?:{tables.RARE_NAME_CUES})(?P<rare>(?:(?![{tables.NOT_IN_GIVEN}]){_HAN}){{2,4}}){_END}",
)
_SURNAME_ONLY = re.compile(f"姓(?P<surname>{_SURNAME})")
_ASKS = Scanner(tables.ASKS_NAME)
_ENGLISH_ASKS = re.compile(tables.ENGLISH_ASKS_NAME, re.IGNORECASE)
_ANSWER = re.compile(
    both("(?:[嗯啊哦呃对，, 我叫是姓]|是的|名字)*")
    + f"(?:(?P<name>{_NAME})|(?P<surname>{_SURNAME}))"
    + f"(?P<title>{'|'.join(tables.FORMAL_TITLES)})?[。，！…,.!? 的啊吧嗯]*"
)
_BEGINS = re.compile(_SURNAME)
_WHOLE_NAME = re.compile(_NAME)
_COMPOUND = tuple(tables.COMPOUND_SURNAMES)

_CAPITAL = "[A-Z][a-z'’\\-]+"
_ENGLISH = re.compile(
    tables.ENGLISH_NAME_CUES + "[ ,:]{1,2}(?:(?:Mr|Mrs|Ms|Miss|Dr)\\.? )?"
    f"(?P<name>{_CAPITAL}(?: {_CAPITAL}){{0,2}}|[a-z]{{2,}}(?: [a-z]{{2,}})?)"
    f"|(?i:this is )(?P<speaking>{_CAPITAL}(?: {_CAPITAL}){{0,2}})(?= (?:speaking|calling|from|here))"
)
_ENGLISH_ANSWER = re.compile(f"(?:(?:[Ii]t's|[Ii]t is|[Yy]es|[Ss]ure)[, ]+)*(?P<name>{_CAPITAL} {_CAPITAL})[.!]?")


class _Mention(NamedTuple):
    start: int
    end: int
    text: str


def find_names(text: str, lines: Lines) -> list[Span]:
    """Full names, and the surnames and given names that go with a title or stand alone in English."""
    full, surnames = _cued(text)
    full += _before_titles(text)
    answers, answered_surnames = _answers(text, lines)
    full, surnames = full + answers, surnames + answered_surnames
    english = _english(text, lines) if LATIN.search(text) else []
    if not (full or surnames or english):
        return []
    shorter = {name: _without_next_word(text, name) for name in {mention.text for mention in full}}
    full = [_Mention(m.start, m.start + len(shorter[m.text]), shorter[m.text]) for m in full]
    return _chinese_spans(text, full, surnames) + _english_spans(text, english)


def _cued(text: str) -> tuple[list[_Mention], list[_Mention]]:
    full = []
    for match in _CUED.finditer(text):
        group = match.lastgroup or "cued"
        mention = _Mention(match.start(group), match.end(group), match[group])
        if group == "dotted" or not _is_word(mention.text):
            full.append(mention)
    surnames = [
        _Mention(match.start("surname"), match.end("surname"), match["surname"])
        for match in _SURNAME_ONLY.finditer(text)
        if match.start() == 0 or text[match.start() - 1] in tables.BEFORE_SURNAME
    ]
    return full, surnames


def _is_word(name: str) -> bool:
    return name[:2] in tables.NOT_NAMES or name[1:] in tables.NOT_GIVEN


def _before_titles(text: str) -> list[_Mention]:
    """王建国先生, longest reading first; 谢谢王先生 holds a surname only and is no name."""
    found = []
    for end in sorted(at for title in tables.FORMAL_TITLES for at in places(text, title)):
        for size in (4, 3, 2):
            name = text[max(0, end - size) : end]
            if len(name) < size or name in _COMPOUND or not _WHOLE_NAME.fullmatch(name) or _is_word(name):
                continue
            if name.startswith(_COMPOUND) or (size < 4 and name[-1] not in tables.COMMONEST_SURNAMES):
                found.append(_Mention(end - size, end, name))
                break
    return found


def _answers(text: str, lines: Lines) -> tuple[list[_Mention], list[_Mention]]:
    full: list[_Mention] = []
    surnames: list[_Mention] = []
    for line in lines.after((match.start() for match in _ASKS.finditer(text)), ANSWER_TURNS):
        match = _ANSWER.fullmatch(text, *lines.bounds(line))
        if match is None:
            continue
        if match["name"] and not _is_word(match["name"]):
            full.append(_Mention(match.start("name"), match.end("name"), match["name"]))
        elif match["surname"] and (match["title"] or "姓" in match[0]):
            surnames.append(_Mention(match.start("surname"), match.end("surname"), match["surname"]))
    return full, surnames


def _without_next_word(text: str, name: str) -> str:
    """我叫王芳麻烦您… reads as 王芳麻 at first; 王芳 elsewhere says better."""
    short = name[:-1]
    is_better = len(name) == 3 and not short.startswith(_COMPOUND) and text.count(short) > text.count(name)
    return short if is_better else name


def _surname_of(name: str) -> str:
    return name[:2] if name.startswith(_COMPOUND) else name[:1]


def _chinese_spans(text: str, full: list[_Mention], surnames: list[_Mention]) -> list[Span]:
    people = {mention.text for mention in full}
    bearer: dict[str, str] = {}
    for mention in sorted(full):
        # 小芳 and 买买提 have none, and 小 before 姐 is no mention of 小芳
        if _BEGINS.match(mention.text):
            bearer.setdefault(_surname_of(mention.text), mention.text)
    for mention in surnames:
        bearer.setdefault(mention.text, mention.text)
    spans = [Span(m.start, m.end, FULL_NAME, m.text) for m in full]
    spans += [Span(m.start, m.end, SURNAME, bearer[m.text]) for m in surnames]
    for name in people:
        spans += [Span(at, at + len(name), FULL_NAME, name) for at in places(text, name)]
    for surname, name in bearer.items():
        spans += [
            Span(at, at + len(surname), SURNAME, name)
            for at in places(text, surname)
            if text.startswith(tables.TITLES, at + len(surname))
        ]
    for name in people:
        given = name[len(_surname_of(name)) :]
        if len(given) == 2:
            spans += [
                Span(at, at + 2, GIVEN_NAME, name)
                for at in places(text, given)
                if text.startswith(tables.TITLES, at + 2)
            ]
    return spans


def _english(text: str, lines: Lines) -> list[_Mention]:
    found = []
    for match in in_english(_ENGLISH, text):
        group = match.lastgroup or "name"
        words = match[group].split(" ")
        while words and words[-1].lower() in tables.ENGLISH_NOT_NAMES:
            words.pop()
        if words and not any(word.lower() in tables.ENGLISH_NOT_NAMES for word in words):
            name = " ".join(words)
            found.append(_Mention(match.start(group), match.start(group) + len(name), name))
    for line in lines.after((match.start() for match in in_english(_ENGLISH_ASKS, text)), 1):
        if match_ := _ENGLISH_ANSWER.fullmatch(text, *lines.bounds(line)):
            found.append(_Mention(match_.start("name"), match_.end("name"), match_["name"]))
    return found


def _english_spans(text: str, mentions: list[_Mention]) -> list[Span]:
    """Also the first and last name alone: Mr Smith, John."""
    spans = [Span(m.start, m.end, FULL_NAME, m.text.casefold()) for m in mentions]
    for name in {mention.text for mention in mentions}:
        words = name.split(" ")
        parts = [(name, FULL_NAME)]
        if len(words) > 1:
            parts += [(words[0], GIVEN_NAME), (words[-1], SURNAME)]
        for part, kind in parts:
            spans += [
                Span(at, at + len(part), kind, name.casefold())
                for at in places(text, part)
                if len(part) > 2 and not _inside_word(text, at, at + len(part))
            ]
    return spans


def _inside_word(text: str, start: int, end: int) -> bool:
    return (start > 0 and text[start - 1].isalpha() and text[start - 1].isascii()) or (
        end < len(text) and text[end].isalpha() and text[end].isascii()
    )
