"""Characters that are not there to be seen, made visible.

A turn may hold characters that reverse its neighbours, hide words or forge another text. On the page each of them shows
as its number, so that what a reviewer reads is what stands in the transcript.
"""

import re
from collections.abc import Iterator

# Controls but for tab and line feed; soft hyphen; zero-width and directional marks; separators; surrogates; tags.
# The joiners U+200C and U+200D stay: Persian, Indic scripts and emoji are spelt with them.
_HIDDEN = re.compile(
    "([\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f])"
)


def visible(text: str) -> Iterator[tuple[str, bool]]:
    """`text` in parts: (what stands there, False), and (`U+202E`, True) for each hidden character."""
    for number, part in enumerate(_HIDDEN.split(text)):
        if part:
            yield (f"U+{ord(part):04X}", True) if number % 2 else (part, False)


def plain(text: str) -> str:
    """The same as one string, for places that take no mark-up: `[U+202E]`."""
    return "".join(f"[{part}]" if hidden else part for part, hidden in visible(text))
