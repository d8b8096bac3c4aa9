"""Rubrics as a person reads them in a terminal: the list, and one rubric's page."""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text

from callgrade.catalog.rubrics import RubricEntry
from callgrade.cli.sheet import Sheet
from callgrade.domain.rubrics import Rubric
from callgrade.evaluations.rubric_page import Chapter, Item, Line, make_page
from callgrade.evaluations.rubric_page.say import Say, plain

INDENT = 5
COLOURS = {"critical": "bold red", "published": "green", "broken": "bold red"}


def show_list(entries: Sequence[RubricEntry], language: str) -> None:
    """Two lines a rubric: its id, status, languages, criteria, points and judges; its title and source."""
    say, sheet = Say(language), Sheet()
    rows = [_row(entry, say) for entry in entries]
    widths = [max(cell_len(row[column].plain) for row in rows) for column in range(len(rows[0]) - 1)] if rows else []
    for entry, row in zip(entries, rows, strict=True):
        cells = [Text.assemble(cell, " " * (w - cell.cell_len)) for cell, w in zip(row, widths, strict=False)]
        line = Text("  ").join([*cells, row[-1]])
        line.rstrip()
        sheet.text(line)
        if entry.status != "broken":
            title, source = say.text(entry.title), _sources(entry, say)
            sheet.text(Text.assemble(title, ("  " + source, "dim")), 4)


def _row(entry: RubricEntry, say: Say) -> list[Text]:
    status = Text(say(f"status.{entry.status}"), style=COLOURS.get(entry.status, "dim"))
    known = entry.status != "broken"
    texts = [
        " ".join(entry.languages),
        say("criteria_number", number=entry.criteria) if known else "",
        points_of(entry, say) if known else "",
        say.judges(entry.judges),
    ]
    return [Text(entry.reference, style="cyan"), status, *map(Text, texts)]


def points_of(entry: RubricEntry, say: Say) -> str:
    """The most a call can earn; of what a mean is taken; or that the form only counts."""
    if entry.points is None:
        return say("form.counts_only")
    return f"{say('form.mean' if entry.combine == 'mean' else 'form.max')} {plain(entry.points)}"


def _sources(entry: RubricEntry, say: Say) -> str:
    headings: dict[str, list[str]] = {}
    for source in entry.sources:
        headings.setdefault(source.document, []).append(source.heading)
    return say.listed(
        (f"{document} {say.listed(below)}".strip() for document, below in headings.items()), "form.semicolon"
    )


def show_rubric(rubric: Rubric, language: str) -> None:
    """Everything the rubric says, sections and criteria in the order of the file."""
    page, sheet = make_page(rubric, language), Sheet()
    sheet.text(page.title, style="bold")
    print_lines(sheet, page.lines)
    for chapter in page.chapters:
        sheet.gap()
        _print_chapter(sheet, chapter)


def _print_chapter(sheet: Sheet, chapter: Chapter) -> None:
    facts = " · ".join(fact.short for fact in chapter.facts)
    sheet.text(Text.assemble((chapter.title, "bold"), "  ", (facts, "dim")), first="▌" * chapter.depth + " ")
    for item in chapter.items:
        _print_item(sheet, item)
    if all(line.label for line in chapter.lines):
        print_lines(sheet, chapter.lines, 2)
    else:
        for line in chapter.lines:
            sheet.text(line.text, 2, style="dim", first="· ")


def _print_item(sheet: Sheet, item: Item) -> None:
    sheet.apart(Text(item.title, style="bold"), Text(item.scale.text), first=f"{item.number:>{INDENT - 1}} ")
    print_details(sheet, item, INDENT)


def print_details(sheet: Sheet, item: Item, indent: int) -> None:
    """What stands below a criterion's title and points."""
    for line in item.scale.below:
        sheet.text(line, indent, first="  ")
    if item.guidance:
        sheet.text(item.guidance, indent, style="dim")
    marks = Text.assemble((item.id, "cyan"))
    for mark in item.marks:
        marks.append(" · ", style="dim").append(mark.text, style=COLOURS.get(mark.about, "dim"))
    sheet.text(marks, indent)
    print_lines(sheet, item.lines, indent)


def print_lines(sheet: Sheet, lines: Sequence[Line], indent: int = 0) -> None:
    sheet.labelled([(line.label, filter(None, (line.text, *line.below))) for line in lines], indent)
