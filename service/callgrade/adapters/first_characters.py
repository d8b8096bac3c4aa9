"""The characters that a regular expression can begin with, so that a search may pass over all others at once.

A list's pattern is an alternation of some sixty expressions, and Python's matcher tries them one after the other at
every character of a call. Most characters begin none of them: asked about first, they cost one look in a set.
"""

import re
from importlib import import_module
from typing import Any


def compile_search(pattern: str, flags: re.RegexFlag) -> re.Pattern[str]:
    """`pattern` compiled; it finds what it would find anyway, about five times as fast."""
    characters, may_be_empty = _first(import_module("re._parser").parse(pattern, flags))
    if characters is None or may_be_empty or flags & re.IGNORECASE:
        return re.compile(pattern, flags)
    chosen = "".join(re.escape(chr(code)) for code in sorted(characters))
    return re.compile(f"(?=[{chosen}])(?:{pattern})", flags)


def _first(tree: Any) -> tuple[set[int] | None, bool]:
    """The code points that a sequence can begin with (None: any), and whether it can match the empty text."""
    found: set[int] = set()
    for op, argument in tree:
        if str(op) in ("ASSERT", "ASSERT_NOT", "AT"):
            continue  # looks and takes nothing
        characters, may_be_empty = _first_of(str(op), argument)
        if characters is None:
            return None, False
        found |= characters
        if not may_be_empty:
            return found, False
    return found, True


def _first_of(op: str, argument: Any) -> tuple[set[int] | None, bool]:
    if op == "LITERAL":
        return {argument}, False
    if op == "IN":
        return _members(argument), False
    if op == "SUBPATTERN":
        return _first(argument[3])
    if op in ("MAX_REPEAT", "MIN_REPEAT"):
        characters, may_be_empty = _first(argument[2])
        return characters, may_be_empty or argument[0] == 0
    if op == "BRANCH":
        branches = [_first(branch) for branch in argument[1]]
        known = [characters for characters, _ in branches if characters is not None]
        return (set().union(*known) if len(known) == len(branches) else None), any(empty for _, empty in branches)
    return None, False


def _members(argument: Any) -> set[int] | None:
    members: set[int] = set()
    for kind, value in argument:
        if str(kind) == "LITERAL":
            members.add(value)
        elif str(kind) == "RANGE":
            members.update(range(value[0], value[1] + 1))
        else:
            return None
    return members
