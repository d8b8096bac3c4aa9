"""The templates. One environment a language, because each binds its own words."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from callgrade.domain.identity import ByIdentity
from callgrade.evaluations.report import SIGNS
from callgrade.evaluations.report.visible import plain, visible
from callgrade.evaluations.words import word
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


def isolated_in(language: Language) -> Callable[[object], Any]:
    """What `ui.said` is: a text from outside, escaped, with its direction kept to itself and hidden characters shown. A
    function and no macro, because a page says a hundred of them."""
    from markupsafe import Markup, escape

    def isolated(text: object) -> Any:
        said = str(text)
        parts = list(visible(said))
        if len(parts) <= 1 and not any(hidden for _, hidden in parts):
            return Markup(f"<bdi>{escape(said)}</bdi>")  # noqa: S704 - what comes from outside is escaped
        shown = Markup("").join(
            Markup('<span class="hidden-character" title="{}">{}</span>').format(
                word("hidden_character", language, code=part), part
            )
            if hidden
            else escape(part)
            for part, hidden in parts
        )
        return Markup("<bdi>{}</bdi>").format(shown)

    return isolated


def signed(tone: str) -> Any:
    """What `ui.sign` is."""
    from markupsafe import Markup, escape

    return Markup(f'<span class="sign" aria-hidden="true">{escape(SIGNS[tone])}</span>')  # noqa: S704


def chipped(tone: str, text: object, strong: bool = False) -> Any:
    """What `ui.chip` is; functions for the reason above."""
    from markupsafe import Markup, escape

    classes = f"chip {escape(tone)}{' strong' if strong else ''}"
    return Markup(f'<span class="{classes}">{signed(tone)} {escape(text)}</span>')  # noqa: S704 - escaped


def keyed(keys: str, what: object) -> Any:
    """What `ui.key` is: a line of the keyboard help."""
    from markupsafe import Markup, escape

    pressed = "".join(f"<kbd>{escape(key)}</kbd>" for key in keys.split(" "))
    return Markup(f"<div><dt>{pressed}</dt><dd>{escape(what)}</dd></div>")  # noqa: S704 - escaped


def remembered(macro: Callable[..., Any], *said: object) -> Any:
    """What a macro makes of parts of a form, which live as long as the form is kept, and is the same on every page that
    shows it. For nothing of a call."""
    return _made(ByIdentity(macro), tuple(map(ByIdentity, said)))


@lru_cache(maxsize=4096)
def _made(macro: ByIdentity[Callable[..., Any]], said: tuple[ByIdentity[object], ...]) -> Any:
    return macro.it(*(one.it for one in said))


@lru_cache
def environment(language: Language, words: Words) -> "Environment":
    """Everything is escaped; a name that is not there is an error, never an empty place."""
    from jinja2 import FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    from callgrade.web.folding import FoldingEnvironment

    made = FoldingEnvironment(
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
    isolated = isolated_in(language)
    # without the detour over what the extension calls by this name
    made.globals["_"] = made.globals["gettext"]
    # our own words, and a % in them is written twice, as in those that have values
    said = {name: lambda message: Markup(words.gettext(message)) % {} for name in ("_", "gettext")}  # noqa: S704
    made.fixed = {**said, "word": words.word, "asset": asset}
    made.globals.update(
        asset=asset,
        language=language,
        languages=LANGUAGES,
        signs=SIGNS,
        states=STATES,
        isolated=isolated,
        isolated_facts=lambda facts: Markup(" · ").join(map(isolated, facts)),
        isolated_local=lambda text: isolated(text.in_language(language)),
        chipped=chipped,
        keyed=keyed,
        remembered=remembered,
        signed=signed,
        word=words.word,
        words=words,
    )
    made.filters.update({name: getattr(words, name) for name in FORMATS})
    made.filters["plain"] = plain
    made.globals["ui"] = made.get_template("parts.html").module
    return made
