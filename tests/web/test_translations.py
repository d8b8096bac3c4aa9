"""Every word of every page is there in Chinese, and none is kept that no page says."""

import re

import pytest

from callgrade.web import words
from callgrade.web.environment import TEMPLATES
from tests.web import translations


def test_the_catalogue_holds_what_the_pages_say_and_nothing_else() -> None:
    assert list(translations.faults(translations.known())) == []


def test_a_missing_fuzzy_or_unused_message_is_a_fault() -> None:
    catalogue = translations.known()
    catalogue.get("Batches").string = ""
    catalogue.get("Calls").flags.add("fuzzy")
    catalogue.delete("Appeals")
    catalogue.add("Nobody says this", "没有人说")
    catalogue.get("%(done)s of %(total)s").string = "%(done)s"
    told = "\n".join(translations.faults(catalogue))
    for fault in (
        "no Chinese: 'Batches'",
        "fuzzy: 'Calls'",
        "not in the catalogue: 'Appeals'",
        "said nowhere: 'Nobody says this'",
        "other values in it than in the English: '%(done)s of %(total)s'",
    ):
        assert fault in told


@pytest.mark.parametrize(
    "path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.relative_to(TEMPLATES).as_posix()
)
def test_no_template_says_a_word_by_itself(path) -> None:
    """What stands between tags outside of `_(…)` is Chinese on no page."""
    unread = r"\{#.*?#\}|\{%-?\s*trans.*?endtrans\s*-?%\}|<kbd>.*?</kbd>|<code>.*?</code>|\{% block kind %\}.*?endblock"
    text = re.sub(unread, " ", path.read_text("utf-8"), flags=re.DOTALL)
    text = re.sub(r"\{\{.*?\}\}|\{%.*?%\}", " ", text, flags=re.DOTALL)
    said = re.sub(r"<[^>]*>", " ", text)
    # CSV and PDF are called so everywhere
    assert [word for word in re.findall(r"[^\W\d_]{2,}", said) if not word.isupper()] == []
    labels = re.findall(r"""\b(?:aria-label|title|placeholder|alt)="([^"]*)\"""", text)
    assert [label for label in labels if re.search(r"[^\W\d_]", label)] == []


def test_the_chinese_is_read_once_and_the_english_not_at_all() -> None:
    assert words.translations("zh").gettext("Batches") == "批次"
    assert words.translations("zh") is words.translations("zh")
    assert words.translations("en").gettext("Batches") == "Batches"
