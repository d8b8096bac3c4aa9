"""Two texts beside each other, with what went and what came marked: by characters in Chinese, by words elsewhere."""

import re
from collections.abc import Iterator, Sequence
from difflib import Match, SequenceMatcher

from rich.text import Text

GONE, NEW = "red strike", "bold green"
ARROW = " → "

_TOKEN = re.compile(r"[A-Za-z0-9_@−-]+(?:\.[0-9]+)?|\s+|.", re.S)
_ALIKE = 0.5
"""Below this share of common tokens two texts are told one after the other, not one inside the other."""
_SHORT = 3
"""Runs of fewer common characters between two changes are no help to the eye."""


def compared(before: str, after: str, in_colour: bool) -> Text:
    """What changed, inside the text where both are much alike; else `before → after`."""
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    if min(len(old), len(new)) < 2 * _SHORT or matcher.ratio() < _ALIKE:
        return Text.assemble((before, GONE), ARROW, (after, NEW))
    text = Text()
    for gone, new_, common in _runs(matcher, old, new):
        if gone:
            text.append(gone if in_colour else f"[-{gone}-]", style=GONE)
        if new_:
            text.append(new_ if in_colour else f"{{+{new_}+}}", style=NEW)
        text.append(common)
    return text


def compared_lines(before: Sequence[str], after: Sequence[str], in_colour: bool) -> Iterator[Text]:
    """Line by line: what stands in both is left out."""
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for tag, start, end, new_start, new_end in matcher.get_opcodes():
        if tag == "equal":
            continue
        paired = min(end - start, new_end - new_start)
        for i in range(paired):
            yield compared(before[start + i], after[new_start + i], in_colour)
        yield from (Text(f"− {line}", style=GONE) for line in before[start + paired : end])
        yield from (Text(f"+ {line}", style=NEW) for line in after[new_start + paired : new_end])


def _runs(matcher: SequenceMatcher[str], old: list[str], new: list[str]) -> Iterator[tuple[str, str, str]]:
    """(gone, new, common) one after the other; short common runs between two changes count as changed."""
    blocks = [block for block in matcher.get_matching_blocks() if _helps(block, old)]
    a = b = 0
    for block in blocks:
        gone, came = "".join(old[a : block.a]), "".join(new[b : block.b])
        yield gone, came, "".join(old[block.a : block.a + block.size])
        a, b = block.a + block.size, block.b + block.size
    yield "".join(old[a:]), "".join(new[b:]), ""


def _helps(block: Match, old: list[str]) -> bool:
    at_an_end = block.a == 0 or block.a + block.size == len(old)
    return at_an_end or sum(map(len, old[block.a : block.a + block.size])) >= _SHORT
