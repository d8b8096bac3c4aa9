"""How likely a model found its own verdicts, from the log-probabilities of their tokens, where a provider tells them.

Asked for (`logprobs`) with answers in a schema alone: there the content is the JSON as it was said, so that each token
has its place in it. What was found is kept with the answer, so that one from the cache is as sure as it was.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Told = tuple[tuple[bytes, float], ...]
"""Tokens in order, each with its natural log-probability."""
MARK = "\n\x1e"
"""Stands between an answer that is kept and what was told of it. JSON holds no such character."""
SAYING = ("verdict", "occurrences", "count", "kinds", "aggravated")
"""What of an answer to a criterion is its verdict; reasons and quotes may be worded in many ways."""
_DECODER = json.JSONDecoder()


def read_told(choice: Mapping[str, Any]) -> Told:
    """Of a chat completion's choice; empty where the provider tells nothing, or nothing that can be read."""
    given = choice.get("logprobs")
    content = given.get("content") if isinstance(given, dict) else None
    if not isinstance(content, list):
        return ()
    try:
        return tuple((_bytes(one), min(0.0, float(one["logprob"]))) for one in content)
    except (KeyError, TypeError, ValueError):
        return ()


def sure_of_verdicts(content: str, told: Told) -> dict[str, float]:
    """Criterion → the probability that the model gave its verdict, given all that it said before: the product over the
    tokens that make it up. Empty where the tokens are not those of the content, or this is no plain JSON."""
    if not told or b"".join(token for token, _ in told) != content.encode():
        return {}
    ends = _ends([token for token, _ in told])
    try:
        return {
            id_: _probability([_bytes_of(content, span) for span in spans], ends, told)
            for id_, spans in _verdicts(content)
            if spans
        }
    except (ValueError, IndexError):
        return {}


def kept_with(content: str, told: Told) -> str:
    """An answer as it is kept."""
    sure = sure_of_verdicts(content, told)
    return f"{content}{MARK}{json.dumps(sure)}" if sure else content


def apart(kept: str) -> tuple[str, dict[str, float]]:
    """(the answer, criterion → probability) of what `kept_with` made; whatever else it is, it is all answer."""
    content, mark, told = kept.rpartition(MARK)
    if not mark:
        return kept, {}
    try:
        found = {str(id_): float(share) for id_, share in json.loads(told).items()}
    except (ValueError, TypeError, AttributeError):
        return kept, {}
    return content, {id_: share for id_, share in found.items() if 0 <= share <= 1}


def _verdicts(content: str) -> Iterator[tuple[str, list[tuple[int, int]]]]:
    """Each criterion with the places of what it says. Raises ValueError, IndexError for what is no such object."""
    for id_, start, _ in _members(content, _skip(content, 0)):
        yield id_, [(first, end) for name, first, end in _members(content, start) if name in SAYING]


def _members(text: str, at: int) -> Iterator[tuple[str, int, int]]:
    """(name, where its value begins, where it ends) of the object that begins at `at`."""
    if text[at] != "{":
        raise ValueError("no object")
    at = _skip(text, at + 1)
    while text[at] != "}":
        name, at = _DECODER.raw_decode(text, at)
        start = _skip(text, _skip(text, at) + 1)
        _, end = _DECODER.raw_decode(text, start)
        yield name, start, end
        at = _skip(text, end)
        at = _skip(text, at + 1) if text[at] == "," else at


def _skip(text: str, at: int) -> int:
    while text[at] in " \t\r\n":
        at += 1
    return at


def _bytes_of(content: str, span: tuple[int, int]) -> tuple[int, int]:
    first = len(content[: span[0]].encode())
    return first, first + len(content[span[0] : span[1]].encode())


def _ends(tokens: Sequence[bytes]) -> list[int]:
    ends, at = [], 0
    for token in tokens:
        at += len(token)
        ends.append(at)
    return ends


def _probability(spans: Sequence[tuple[int, int]], ends: Sequence[int], told: Told) -> float:
    total, start = 0.0, 0
    for end, (_, logprob) in zip(ends, told, strict=True):
        if any(start < last and end > first for first, last in spans):
            total += logprob
        start = end
    return math.exp(total)


def _bytes(one: Mapping[str, Any]) -> bytes:
    """A token may be a part of a character; then its text cannot tell which."""
    given = one.get("bytes")
    return bytes(given) if isinstance(given, list) else str(one["token"]).encode()
