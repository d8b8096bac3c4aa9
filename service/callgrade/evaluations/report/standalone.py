"""One HTML file that needs nothing else: its style, the policy that names what it may run, and its templates.

What is marked safe in it is our own style and script, which its Content-Security-Policy names by their hashes, so that
nothing else on the page can run or reach out.
"""

import base64
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

SHARED = Path(__file__).parent.parent / "templates" / "standalone.css"
"""Colours, type and what every such page has, in both themes."""


@lru_cache
def asset(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def style_of(path: Path) -> str:
    """What every such page looks like, and then what this one does."""
    return asset(SHARED) + asset(path)


def policy_of(style: str, script: str | None = None) -> str:
    """The Content-Security-Policy of a page with this style, and with this script and sound where there is one."""
    allowed = ["default-src 'none'", f"style-src '{_hash(style)}'"]
    if script is not None:
        allowed += [f"script-src '{_hash(script)}'", "media-src data:"]
    return "; ".join((*allowed, "base-uri 'none'", "form-action 'none'"))


def environment(folder: Path, *, trim_blocks: bool = False, **known: Any) -> "Environment":
    """Templates that escape everything; `known` is there in all of them."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        lstrip_blocks=True,
        trim_blocks=trim_blocks,
    )
    made.globals.update(known)
    return made


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
