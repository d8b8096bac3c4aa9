"""A scorecard as one HTML file that needs nothing else: no network, no server, not even JavaScript.

Everything a call brings (its words, ids, a model's reasons) is hostile until shown otherwise: see standalone.py.
"""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from callgrade.domain.calls import Transcript
from callgrade.domain.rubrics import Rubric
from callgrade.domain.scorecards import Scorecard
from callgrade.evaluations.report.figures import clock
from callgrade.evaluations.report.sound import BUCKETS, read_sound
from callgrade.evaluations.report.standalone import asset, environment, policy_of, style_of
from callgrade.evaluations.report.view import make_page
from callgrade.evaluations.report.visible import plain, visible
from callgrade.evaluations.words import word

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent.parent / "templates"
SIGNS = {"good": "✓", "bad": "✗", "partly": "!", "open": "?", "none": "–"}
"""A sign for each tone, so that no verdict is told by colour alone."""


def render_html(
    scorecard: Scorecard,
    transcript: Transcript,
    rubric: Rubric,
    *,
    language: Literal["zh", "en"],
    recording: Path | None = None,
    synthetic: bool = False,
) -> str:
    """The whole page as text, to be written as UTF-8.

    `rubric` is the one that the scorecard was made with and gives the titles. The recording goes in when browsers can
    play it and it has at most `sound.LIMIT_BYTES`; otherwise the page says why it is not there. `synthetic` says that
    the call never happened.
    """
    sound = None if recording is None else read_sound(recording)
    page = make_page(scorecard, transcript, rubric, language, sound, synthetic=synthetic)
    style, script = _style_and_script()
    return (
        _environment(language)
        .get_template("scorecard.html")
        .render(
            page=page,
            page_language="zh-CN" if language == "zh" else "en",
            policy=policy_of(style, script),
            style=style,
            script=script,
        )
    )


def policy() -> str:
    """The Content-Security-Policy that a page made by `render_html` asks for, for the header beside it."""
    return policy_of(*_style_and_script())


def _style_and_script() -> tuple[str, str]:
    return style_of(TEMPLATES / "scorecard.css"), asset(TEMPLATES / "scorecard.js")


@lru_cache
def _environment(language: str) -> "Environment":
    def translated(key: str, **values: object) -> str:
        return word(key, language, **values)

    made = environment(TEMPLATES, word=translated, clock=clock, visible=visible, signs=SIGNS, buckets=BUCKETS)
    made.filters["plain"] = plain
    return made
