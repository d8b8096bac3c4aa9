"""A calibration report as one HTML file that needs nothing else: no network, no script.

Ids and titles come from people and files, so that Jinja escapes everything; the only style is ours, named by its hash.
"""

import base64
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from callgrade.calibration.report_view import SIGNS, WIDTH, Link, between, decimal, make_view, share
from callgrade.calibration.report_words import say
from callgrade.domain.calibration import CalibrationReport

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"


def render_html(
    report: CalibrationReport, *, language: Literal["zh", "en"], link: Link = lambda call, turn: None
) -> str:
    """The whole page as text, to be written as UTF-8. `link` leads from a disagreement to its moment, where the page is
    served beside the calls."""
    page = make_view(report, language, link)
    style = _style()
    return (
        _environment(language)
        .get_template("calibration.html")
        .render(page=page, page_language="zh-CN" if language == "zh" else "en", policy=policy(), style=style)
    )


def policy() -> str:
    """The Content-Security-Policy that the page asks for."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


@lru_cache
def _style() -> str:
    return (TEMPLATES / "calibration.css").read_text(encoding="utf-8")


@lru_cache
def _environment(language: str) -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        lstrip_blocks=True,
        trim_blocks=True,
    )

    def translated(key: str, **values: object) -> str:
        return say(key, language, **values)

    environment.globals.update(say=translated, signs=SIGNS, width=WIDTH, decimal=decimal, share=share, between=between)
    return environment
