"""A calibration report as one HTML file that needs nothing else: no network, no script.

Ids and titles come from people and files, so that Jinja escapes everything; the only style is ours, named by its hash.
"""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from callgrade.calibration.report_view import SIGNS, WIDTH, Link, between, decimal, make_view, share
from callgrade.calibration.report_words import say
from callgrade.domain.calibration import CalibrationReport
from callgrade.evaluations.report.standalone import environment, policy_of, style_of

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"


def render_html(
    report: CalibrationReport, *, language: Literal["zh", "en"], link: Link = lambda call, turn: None
) -> str:
    """The whole page as text, to be written as UTF-8. `link` leads from a disagreement to its moment, where the page is
    served beside the calls."""
    page = make_view(report, language, link)
    return (
        _environment(language)
        .get_template("calibration.html")
        .render(page=page, page_language="zh-CN" if language == "zh" else "en", policy=policy(), style=_style())
    )


def policy() -> str:
    """The Content-Security-Policy that the page asks for."""
    return policy_of(_style())


def _style() -> str:
    return style_of(TEMPLATES / "calibration.css")


@lru_cache
def _environment(language: str) -> "Environment":
    def translated(key: str, **values: object) -> str:
        return say(key, language, **values)

    known = {"say": translated, "signs": SIGNS, "width": WIDTH, "decimal": decimal, "share": share, "between": between}
    return environment(TEMPLATES, trim_blocks=True, **known)
