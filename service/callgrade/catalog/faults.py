"""A fault in a file: where it is, what is wrong, how to mend it."""

import difflib
from collections.abc import Iterable
from typing import Literal

from callgrade.domain.frozen import Frozen

Path_ = tuple[str | int, ...]
"""A place in a document: `("criteria", 3, "scale", "points")`."""


class Fault(Frozen):
    """`line` and `column` count from 1. `path` is for people: `criteria[fees-unclear].scale`; "" is the whole file."""

    file: str
    line: int = 1
    column: int = 1
    path: str = ""
    message: str
    suggestion: str = ""
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        mend = f" ({self.suggestion})" if self.suggestion else ""
        return f"{self.file}:{self.line}: {self.severity}: {where}{self.message}{mend}"


class Problem(Frozen):
    """A fault before its line is looked up: checks find these, and know nothing of files."""

    at: Path_ = ()
    message: str
    suggestion: str = ""
    severity: Literal["error", "warning"] = "error"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean 'x'?`, or what there is to choose from when nothing is near."""
    known = list(known)
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]!r}?"
    return "known are " + ", ".join(sorted(known)) if known else ""
