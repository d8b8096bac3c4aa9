"""A rubric's page as Markdown (CommonMark with tables): for a repository, a wiki, or printing."""

import re
from collections.abc import Iterator

from callgrade.domain.rubrics import Rubric
from callgrade.evaluations.rubric_page import Chapter, Item, Line, Page, make_page
from callgrade.evaluations.rubric_page.say import Say

_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~&])")
_LIST_MARK = re.compile(r"^(\s*)([-+=])|^(\s*[0-9]+)([.)])(?=\s|$)")


def markdown(rubric: Rubric, language: str) -> str:
    """Everything that the terminal page says, as Markdown, with an overview of the criteria as a table."""
    page = make_page(rubric, language)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(_page(page, Say(language)))).rstrip() + "\n"


def escaped(text: str) -> str:
    """The text as Markdown that shows it as it is. Line breaks become spaces: they would end a list item or a cell."""
    text = _MARKS.sub(r"\\\1", " ".join(text.split("\n")))
    return _LIST_MARK.sub(lambda mark: f"{mark[1] or mark[3] or ''}\\{mark[2] or mark[4]}", text)


def _page(page: Page, say: Say) -> Iterator[str]:
    yield from (f"# {escaped(page.title)}", "")
    yield from _lines(page.lines)
    yield from ("", f"## {say('form.overview')}", "")
    yield from _overview(page, say)
    for chapter in page.chapters:
        yield from _chapter(chapter)


def _overview(page: Page, say: Say) -> Iterator[str]:
    heads = ("form.number", "form.section", "criterion", "form.scale", "form.judge")
    yield _row(say(head) for head in heads)
    yield "|--:|---|---|---|---|"
    for chapter in page.sections:
        for item in chapter.items:
            judge = next(mark.text for mark in item.marks if mark.about == "judge")
            yield _row((str(item.number), chapter.title if chapter.id else "", item.title, item.scale.text, judge))


def _row(cells: Iterator[str] | tuple[str, ...]) -> str:
    return "| " + " | ".join(escaped(cell) for cell in cells) + " |"


def _chapter(chapter: Chapter) -> Iterator[str]:
    id_ = f" `{chapter.id}`" if chapter.facts else ""
    yield from ("", f"{'#' * min(chapter.depth + 1, 6)} {escaped(chapter.title)}{id_}", "")
    if chapter.facts:
        yield from (" · ".join(escaped(fact.short) for fact in chapter.facts), "")
    for item in chapter.items:
        yield from _item(item)
    yield from _lines(chapter.lines)


def _item(item: Item) -> Iterator[str]:
    """Numbered by hand: a list would be interrupted by every heading."""
    marks = " · ".join(escaped(mark.text) for mark in item.marks)
    yield from (f"**{item.number}\\. {escaped(item.title)}** · {escaped(item.scale.text)}", "")
    yield from _bullets(item.scale.below)
    yield from ([""] if item.scale.below else [])
    if item.guidance:
        yield from (escaped(item.guidance), "")
    yield f"- `{item.id}` · {marks}"
    yield from _lines(item.lines)
    yield ""


def _lines(lines: tuple[Line, ...]) -> Iterator[str]:
    for line in lines:
        label = f"**{escaped(line.label)}** " if line.label else ""
        yield f"- {label}{escaped(line.text)}".rstrip()
        yield from (f"  {bullet}" for bullet in _bullets(line.below))


def _bullets(texts: tuple[str, ...]) -> Iterator[str]:
    yield from (f"- {escaped(text)}" for text in texts)
