"""The templates. One environment a language, because each binds its own words."""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from callgrade.evaluations.report import SIGNS
from callgrade.evaluations.report.visible import plain, visible
from callgrade.settings import Language
from callgrade.web.states import STATES
from callgrade.web.static_files import asset
from callgrade.web.words import LANGUAGES, Words

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
ALSO: list[Path] = []
"""Folders that tests add."""
FORMATS = ("number", "points", "percent", "day", "moment", "time", "when", "ago", "lasting", "clock")


@lru_cache
def environment(language: Language, words: Words) -> "Environment":
    """Everything is escaped; a name that is not there is an error, never an empty place."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader([TEMPLATES, *ALSO]),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    extended: Any = made  # the extension adds the method
    extended.install_gettext_translations(words.catalogue, newstyle=True)
    made.policies["ext.i18n.trimmed"] = True
    made.globals.update(
        asset=asset,
        language=language,
        languages=LANGUAGES,
        signs=SIGNS,
        states=STATES,
        visible=visible,
        word=words.word,
        words=words,
    )
    made.filters.update({name: getattr(words, name) for name in FORMATS})
    made.filters["plain"] = plain
    made.globals["ui"] = made.get_template("parts.html").module
    return made
