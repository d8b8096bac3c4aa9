"""Phrases and regular expressions: whether they can match at all, and whether they can blow up.

Rules match against folded text (no punctuation or white space, no fillers, simplified, lower case, 一 as 1;
`domain/folding.py`), so a pattern that asks for anything else never matches. Python's matcher backtracks, so a
pattern with a repeat inside a repeat can take exponential time on a long turn.
"""

import re
import warnings
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from callgrade.catalog.faults import Path_, Problem
from callgrade.domain.folding import fold
from callgrade.domain.rubrics import Phrases

MANY = 50
"""A repeat that may run this often counts as unbounded."""
_REPEATS = {"MAX_REPEAT", "MIN_REPEAT"}
_ADVICE = "write a bounded gap such as .{0,10}, without a repeat inside a repeat"


def phrase_problems(phrases: Phrases, at: Path_) -> Iterator[Problem]:
    for i, phrase in enumerate(phrases.phrases):
        if not fold(phrase).text:
            message = f"nothing is left of {phrase!r} when punctuation and spaces are ignored"
            yield Problem(at=(*at, "phrases", i), message=message, suggestion="write a word")
    for i, pattern in enumerate(phrases.patterns):
        yield from pattern_problems(pattern, (*at, "patterns", i))
    if phrases.lists or phrases.patterns:
        return
    for i, exception in enumerate(phrases.unless):
        if not any(fold(phrase).text in fold(exception).text for phrase in phrases.phrases):
            message = f"{exception!r} contains none of the phrases, so it excepts nothing"
            yield Problem(
                at=(*at, "unless", i),
                message=message,
                suggestion="write a longer word that holds a phrase",
                severity="warning",
            )


def pattern_problems(pattern: str, at: Path_) -> Iterator[Problem]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = import_module("re._parser").parse(pattern)
            # rules join their patterns into one, in the middle of which flags may not stand
            re.compile(f"x|(?:{pattern})")
    except (re.error, RecursionError, OverflowError, ValueError) as error:
        yield Problem(
            at=at,
            message=f"the pattern does not compile: {error}",
            suggestion="escape ( ) [ ] . * + ? with a backslash",
        )
        return
    if tree.state.groupdict or _refers_back(tree):
        message = "the pattern names a group or refers back to one, and rules join their patterns into one"
        yield Problem(at=at, message=message, suggestion="write (…) or (?:…), and repeat the words")
    if tree.getwidth()[0] == 0:
        message = "the pattern matches the empty text, so it would match everywhere"
        yield Problem(at=at, message=message, suggestion="make at least one character obligatory")
    if _explodes(tree):
        yield Problem(at=at, message="the pattern can take exponential time: it repeats a repeat", suggestion=_ADVICE)
    elif _unbounded(tree) > 1:
        message = "the pattern has several unbounded repeats, which is slow on long turns and spans unrelated words"
        yield Problem(at=at, message=message, suggestion=_ADVICE, severity="warning")
    yield from _never_matches(tree, at)


def _name(op: Any) -> str:
    return str(op)


def _children(argument: Any) -> Iterator[Any]:
    """Every sub-pattern inside an operator's argument, however it is packed."""
    if hasattr(argument, "getwidth"):
        yield argument
    elif isinstance(argument, list | tuple):
        for item in argument:
            yield from _children(item)


def _explodes(tree: Any, inside_repeat: bool = False) -> bool:
    for op, argument in tree:
        repeats = _name(op) in _REPEATS and _is_many(argument)
        if inside_repeat and _name(op) in _REPEATS and argument[0] != argument[1]:
            return True
        if inside_repeat and _name(op) == "BRANCH" and _overlap(argument[1]):
            return True
        if any(_explodes(child, inside_repeat or repeats) for child in _children(argument)):
            return True
    return False


def _refers_back(tree: Any) -> bool:
    return any(
        _name(op).startswith("GROUPREF") or any(_refers_back(child) for child in _children(argument))
        for op, argument in tree
    )


def _is_many(argument: Any) -> bool:
    return int(argument[1]) >= MANY


def _overlap(branches: Any) -> bool:
    """Whether two alternatives can begin alike, or one can be empty: then a repeat of them is ambiguous."""
    first = [_first(branch) for branch in branches]
    return None in first or len(set(first)) < len(first)


def _first(branch: Any) -> int | None:
    for op, argument in branch:
        return int(argument) if _name(op) == "LITERAL" else None
    return None


def _unbounded(tree: Any) -> int:
    total = 0
    for op, argument in tree:
        total += _name(op) in _REPEATS and _is_many(argument)
        total += sum(_unbounded(child) for child in _children(argument))
    return total


def _never_matches(tree: Any, at: Path_) -> Iterator[Problem]:
    for char in dict.fromkeys(_literals(tree)):
        folded = fold(char).text
        if folded != char:
            message = f"the pattern asks for {char!r}, which the text it is matched against never holds"
            yield Problem(at=at, message=message, suggestion=f"write {folded!r}" if folded else "leave it out")


def _literals(tree: Any) -> Iterator[str]:
    for op, argument in tree:
        if _name(op) == "LITERAL":
            yield chr(argument)
        elif _name(op) == "IN":
            yield from (chr(code) for kind, code in argument if _name(kind) == "LITERAL")
        else:
            for child in _children(argument):
                yield from _literals(child)
