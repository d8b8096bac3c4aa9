"""Characters that no database keeps: NUL, and half of a pair (a lone surrogate), which is no character at all.

JSON can write either as an escape, and JSON alone: raw, the first is no JSON and the second no UTF-8. So a body without
such an escape is not looked through.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from callgrade.domain.errors import TranscriptError

UNSTORABLE = "holds a character that cannot be stored (NUL, or half of a pair)"
_SUSPECT = re.compile(rb"\x00|\\u(?:0000|[dD][89a-fA-F])")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z_-]{0,79}")


def is_whole(text: str) -> bool:
    """Whether a database keeps it."""
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def may_hold_unstorable(written: bytes) -> bool:
    return _SUSPECT.search(written) is not None


def require_whole(document: object, *, source: str | None = None) -> None:
    """Raises TranscriptError that names the first place in a parsed document whose text no database keeps."""
    try:
        fault = next(_faults(document, ""), None)
    except RecursionError:
        raise TranscriptError("is nested too deeply", source=source) from None
    if fault is not None:
        raise TranscriptError(f"{fault} {UNSTORABLE}", source=source)


def require_whole_json(written: bytes, *, source: str | None = None) -> None:
    """The same of a document that is still to be parsed. One that is no JSON is left to whoever parses it."""
    if not may_hold_unstorable(written):
        return
    try:
        document = json.loads(written)
    except (ValueError, RecursionError):
        return
    require_whole(document, source=source)


def _faults(value: object, path: str) -> Iterator[str]:
    if isinstance(value, str):
        if not is_whole(value):
            yield f"{path or 'the document'}:"
    elif isinstance(value, Mapping):
        for name, part in value.items():
            if not is_whole(name):
                yield f"{path or 'the document'}: a name"
            yield from _faults(part, _below(path, name))
    elif isinstance(value, list | tuple):
        for place, part in enumerate(value):
            yield from _faults(part, f"{path}[{place}]")


def _below(path: str, name: Any) -> str:
    # names are the sender's own: one that is not plain is not repeated
    shown = str(name) if _PLAIN.fullmatch(str(name)) else "…"
    return f"{path}.{shown}" if path else shown
