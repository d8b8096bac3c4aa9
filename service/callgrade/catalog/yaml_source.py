"""Strict YAML that remembers where everything stood.

YAML 1.2's core schema: `yes`, `no`, `on` and dates stay words. Faults instead of guesses: duplicate keys, tags,
merge keys, several documents. Read from the parser's events, because the usual constructors stop at the first
duplicate key and give no place for a plain number. Limits keep a hostile file cheap: size, depth, what aliases
expand to.

libyaml reads first: it takes a tenth of the time, and a whole catalogue is read whenever a new database is filled. It
speaks YAML 1.1 and says less about a fault, so ruamel reads anew wherever that could make a difference.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from callgrade.catalog.faults import Fault, Path_

MAX_BYTES = 1_000_000
MAX_DEPTH = 40
MAX_VALUES = 200_000
"""Values a document may hold once its aliases are expanded."""

_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_READ_IN_TWO_WAYS = re.compile("[\t\x85\u2028\u2029\ufeff]")
"""Line breaks of YAML 1.1, marks that count as columns or not, and tabs, which only one of the parsers refuses."""
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
}


@dataclass(slots=True)
class Node:
    """A value and its place, from 1. For an entry of a mapping the place is its key's (see `keys`)."""

    line: int
    column: int
    value: Any
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)
    size: int = 1
    depth: int = 1

    def plain(self) -> Any:
        """The value as plain dicts, lists and scalars."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


@dataclass(frozen=True)
class YamlFile:
    """What a file says, and where. `root` is None when it could not be read at all; then `faults` says why."""

    source: str
    text: str
    root: Node | None
    faults: tuple[Fault, ...]

    @cached_property
    def data(self) -> Any:
        return None if self.root is None else self.root.plain()

    def place(self, path: Path_) -> tuple[int, int]:
        """Line and column of a path, or of the nearest thing around it that exists."""
        node, place = self.root, (1, 1)
        for step in path:
            if node is None:
                break
            if isinstance(node.value, dict) and step in node.value:
                node, place = node.value[step], node.keys[str(step)]
            elif isinstance(node.value, list) and isinstance(step, int) and 0 <= step < len(node.value):
                node = node.value[step]
                place = (node.line, node.column)
            else:
                break
        return place


def read_yaml(path: Path, source: str | None = None) -> YamlFile:
    """Read a file. Never raises for what is in it; a missing or unreadable file is a fault as well."""
    source = source or str(path)
    try:
        raw = path.read_bytes()[: MAX_BYTES + 1]
    except OSError as error:
        return _unread(source, f"cannot be read: {error.strerror or error}")
    if len(raw) > MAX_BYTES:
        return _unread(source, f"is larger than {MAX_BYTES:,} bytes", suggestion="split it")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        return _unread(source, f"is not UTF-8 (byte {raw[error.start]:#04x})", line, "save the file as UTF-8")
    return parse_yaml(text, source)


def parse_yaml(text: str, source: str, *, first_line: int = 1) -> YamlFile:
    """Parse a text. `first_line` is the line of its first line in `source` (front matter starts at 2). Never raises."""
    return _read_quickly(text, source, first_line) or _read_carefully(text, source, first_line)


def _read_quickly(text: str, source: str, first_line: int) -> YamlFile | None:
    """None where there is a fault, or where the two versions of YAML may read the text in two ways."""
    if _READ_IN_TWO_WAYS.search(text):
        return None
    try:
        from yaml import YAMLError
        from yaml.cyaml import CParser
    except ImportError:  # PyYAML was built without libyaml
        return None
    builder = _Builder(source, first_line)
    try:
        builder.feed(_events(CParser(text)))
    except (YAMLError, _StopError):
        return None
    if builder.root is None or builder.faults:
        return None
    return YamlFile(source, text, builder.root, ())


def _events(parser: Any) -> Iterator[Any]:
    """Raises _StopError at a block of text, about whose indentation libyaml is not as strict."""
    while parser.check_event():
        event = parser.get_event()
        if getattr(event, "style", None) in ("|", ">"):
            raise _StopError
        yield event


def _read_carefully(text: str, source: str, first_line: int) -> YamlFile:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    builder = _Builder(source, first_line)
    try:
        builder.feed(YAML(typ="safe", pure=True).parse(text))
    except _StopError:
        pass
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(part for part in (error.problem, error.context) if part)
        builder.fault(what or "is not YAML", mark, "check indentation, quotes and colons near here")
    except YAMLError as error:
        builder.fault(" ".join(str(error).split())[:200], None, "remove what is not plain text")
    except (ValueError, TypeError, AttributeError, IndexError, KeyError, AssertionError, OverflowError) as error:
        # ruamel's scanner leaks these on malformed directives, escapes and block indicators
        builder.fault(f"is not YAML: {error}", None, "check directives (%), escapes and block indicators")
    root = builder.root if not builder.broken else None
    if root is None and not builder.faults:
        builder.fault("is empty", None)
    return YamlFile(source, text, root, tuple(builder.faults))


def _unread(source: str, message: str, line: int = 1, suggestion: str = "") -> YamlFile:
    return YamlFile(source, "", None, (Fault(file=source, line=line, message=message, suggestion=suggestion),))


class _StopError(Exception):
    """There is no point in reading on."""


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come yet; `key` is the mapping key that waits for its value."""

    node: Node
    anchor: str | None
    key: str | None = None
    key_place: tuple[int, int] = (1, 1)


class _Builder:
    """Builds nodes from the parser's events, without recursion."""

    def __init__(self, source: str, first_line: int):
        self.source, self.first_line = source, first_line
        self.root: Node | None = None
        self.faults: list[Fault] = []
        self.broken = False
        self._open: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._values = 0

    def fault(self, message: str, mark: Any, suggestion: str = "", *, fatal: bool = True) -> None:
        line, column = self._place(mark)
        self.faults.append(Fault(file=self.source, line=line, column=column, message=message, suggestion=suggestion))
        self.broken = self.broken or fatal

    def feed(self, events: Iterator[Any]) -> None:
        for event in events:
            match type(event).__name__:
                case "DocumentStartEvent" if self.root is not None:
                    self.fault("holds a second document", event.start_mark, "keep one document per file")
                    raise _StopError
                case "ScalarEvent":
                    self._scalar(event)
                case "AliasEvent":
                    self._alias(event)
                case "MappingStartEvent":
                    self._begin(event, {})
                case "SequenceStartEvent":
                    self._begin(event, [])
                case "MappingEndEvent" | "SequenceEndEvent":
                    self._end()

    def _place(self, mark: Any) -> tuple[int, int]:
        return (self.first_line, 1) if mark is None else (mark.line + self.first_line, mark.column + 1)

    def _begin(self, event: Any, empty: dict[str, Node] | list[Node]) -> None:
        self._refuse_tag(event)
        if len(self._open) >= MAX_DEPTH:
            self.fault(f"is nested deeper than {MAX_DEPTH} levels", event.start_mark)
            raise _StopError
        self._refuse_as_key(event)
        self._open.append(_Open(Node(*self._place(event.start_mark), empty), _anchor(event)))

    def _end(self) -> None:
        done = self._open.pop()
        if done.anchor:
            self._anchors[done.anchor] = done.node
        self._put(done.node)

    def _scalar(self, event: Any) -> None:
        self._refuse_tag(event)
        parent = self._open[-1] if self._open else None
        if parent is not None and isinstance(parent.node.value, dict) and parent.key is None:
            self._key(parent, event)
            return
        node = Node(*self._place(event.start_mark), self._value(event))
        if anchor := _anchor(event):
            self._anchors[anchor] = node
        self._put(node)

    def _key(self, parent: _Open, event: Any) -> None:
        key = self._word(event)
        if key == "<<" and not event.style:
            self.fault(
                "merge keys (<<) are not part of YAML 1.2", event.start_mark, "write the fields out", fatal=False
            )
        if key in parent.node.keys:
            line, _ = parent.node.keys[key]
            message = f"the key {key!r} stands twice in the same mapping (first in line {line})"
            self.fault(message, event.start_mark, "remove one of them", fatal=False)
        parent.key, parent.key_place = key, self._place(event.start_mark)

    def _alias(self, event: Any) -> None:
        self._refuse_as_key(event)
        node = self._anchors.get(_anchor(event) or "")
        if node is None:
            self.fault(f"the alias *{_anchor(event)} has no finished anchor before it", event.start_mark)
            raise _StopError
        self._put(node)

    def _put(self, node: Node) -> None:
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        parent.node.size += node.size
        parent.node.depth = max(parent.node.depth, node.depth + 1)
        if parent.node.size > MAX_VALUES or parent.node.depth > MAX_DEPTH:
            limit = f"{MAX_VALUES:,} values or {MAX_DEPTH} levels"
            self.fault(f"holds more than {limit} once its aliases are expanded", None, "write it out without aliases")
            raise _StopError
        if isinstance(parent.node.value, list):
            parent.node.value.append(node)
            return
        key = str(parent.key)
        if key not in parent.node.value:
            parent.node.value[key], parent.node.keys[key] = node, parent.key_place
        parent.key = None

    def _value(self, event: Any) -> Any:
        """YAML 1.2, core schema; a quoted or block scalar is always a word."""
        text = self._word(event)
        if event.style or event.tag is not None:
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _INTEGER.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            number = float(text)
            if math.isfinite(number):
                return number
        elif not _NOT_FINITE.fullmatch(text):
            return text
        self.fault(f"{text[:40]} is not a finite number", event.start_mark, fatal=False)
        return 0

    def _word(self, event: Any) -> str:
        text: str = event.value
        if any("\ud800" <= char <= "\udfff" for char in text):
            self.fault("holds half of a surrogate pair", event.start_mark, "write the character itself", fatal=False)
            return text.encode("utf-8", "replace").decode()
        return text

    def _refuse_tag(self, event: Any) -> None:
        tag = None if event.tag is None else str(event.tag)
        if tag not in (None, "tag:yaml.org,2002:str", "!"):
            self.fault(f"the tag {tag} is not allowed", event.start_mark, "write plain YAML", fatal=False)

    def _refuse_as_key(self, event: Any) -> None:
        parent = self._open[-1] if self._open else None
        if parent is not None and isinstance(parent.node.value, dict) and parent.key is None:
            self.fault("a key must be a word", event.start_mark, "write `key: value`")
            raise _StopError


def _anchor(event: Any) -> str | None:
    return None if event.anchor is None else str(event.anchor)
