"""A call that does not fit the model's window is judged in parts, cut between turns. Turn numbers run through."""

from collections.abc import Sequence
from typing import NamedTuple

from callgrade.adapters.llm.call import Line
from callgrade.adapters.llm.tokens import estimate
from callgrade.domain.errors import ContextTooLongError
from callgrade.settings import LLMSettings

MARGIN = 1.3
"""Tokenizers differ: what o200k calls 1,000 tokens another calls 1,300."""
LINE_TOKENS = 6
"""Number and speaker of a line."""
LEAST_TOKENS = 128
"""A part smaller than this says nothing."""
FRAME_TOKENS = 64
"""Messages, fence, and what a part says of itself."""


class Window(NamedTuple):
    """How the model's window is shared out, in tokens."""

    transcript: int
    answer: int


def share(settings: LLMSettings, prefix_tokens: int) -> Window:
    """A quarter of the window at most is kept free for the answer. Raises ContextTooLongError when the rubric
    leaves no room."""
    answer = min(settings.max_tokens, settings.context_tokens // 4)
    transcript = settings.context_tokens - answer - int(prefix_tokens * MARGIN) - FRAME_TOKENS
    if transcript < LEAST_TOKENS:
        raise ContextTooLongError(
            f"the rubric takes about {prefix_tokens:,} of {settings.context_tokens:,} tokens and leaves no room for a "
            "call; raise CALLGRADE_LLM__CONTEXT_TOKENS if the model's window is larger"
        )
    return Window(transcript, answer)


def split(lines: Sequence[Line], room: int) -> list[Sequence[Line]]:
    """Consecutive parts of at most `room` tokens, about equally long. Raises ContextTooLongError for a turn longer
    than that."""
    # one estimate decides for nearly every call
    whole = int((estimate("".join([text for _, _, text in lines])) + LINE_TOKENS * len(lines)) * MARGIN)
    if whole <= room:
        return [lines]
    sizes = [int((estimate(text) + LINE_TOKENS) * MARGIN) + 1 for _, _, text in lines]
    if (longest := max(sizes)) > room:
        number = lines[sizes.index(longest)][0]
        raise ContextTooLongError(
            f"turn {number} alone takes about {longest:,} tokens, and a request has room for {room:,}; "
            "split the turn, or raise CALLGRADE_LLM__CONTEXT_TOKENS if the model's window is larger"
        )
    return _fill(lines, sizes, min(room, -(-sum(sizes) // -(-sum(sizes) // room)) + max(sizes)))


def _fill(lines: Sequence[Line], sizes: Sequence[int], room: int) -> list[Sequence[Line]]:
    parts: list[list[Line]] = [[]]
    filled = 0
    for line, size in zip(lines, sizes, strict=True):
        if parts[-1] and filled + size > room:
            parts.append([])
            filled = 0
        parts[-1].append(line)
        filled += size
    return list(parts)
