"""A scorecard as a table, for spreadsheets: CSV that Excel reads as Chinese, and XLSX.

What was said in a call is hostile until shown otherwise: a cell that begins like a formula would be one. In CSV such
cells get an apostrophe in front (OWASP, CSV injection); XLSX knows texts from formulas.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from callgrade.domain.calls import Transcript
from callgrade.domain.rubrics import Rubric
from callgrade.domain.scorecards import Scorecard
from callgrade.evaluations.report.figures import amount_in_words, clock
from callgrade.evaluations.report.view import Page, make_page
from callgrade.evaluations.report.visible import plain
from callgrade.evaluations.words import word

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

FORMULA = ("=", "+", "-", "@", "\t", "\r")
CRITERIA = ("criteria", "verdict", "outcome", "column.points", "column.max_points", "method", "confidence", "reason")
QUOTES = ("criteria", "speaker", "turn", "time", "evidence", "notes")
"""The columns by their words, behind a number."""
LONGEST_CELL = 32_767
"""Characters that Excel keeps of a cell."""
Cell = str | float | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """`rows` without their head. A cell is text, a number or nothing."""

    name: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def sheets_of(card: Scorecard, transcript: Transcript, rubric: Rubric, language: str) -> tuple[Sheet, Sheet]:
    """(the criteria, the quotes)."""
    page = make_page(card, transcript, rubric, language, None, synthetic=False)
    return (
        Sheet(word("criteria", language), _head(CRITERIA, language), tuple(_criteria(page, card))),
        Sheet(word("evidence", language), _head(QUOTES, language), tuple(_quotes(page, language))),
    )


def summary_of(card: Scorecard, rubric: Rubric, language: str) -> tuple[tuple[str, Cell], ...]:
    """What stands above the table: the call, the form, the total, the verdict."""
    total = None if card.total is None else amount_in_words(card.total, language)
    passed = None if card.passed is None else word("passed" if card.passed else "failed", language)
    return (
        (word("call", language), card.call_id),
        (word("rubric", language), f"{rubric.title.in_language(language)} {card.rubric.id}@{card.rubric.version}"),
        (word("total", language), total),
        (word("verdict", language), passed),
    )


def to_csv(sheet: Sheet) -> bytes:
    """With a byte-order mark, by which Excel knows UTF-8, and line ends as it writes them."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(map(_safe, sheet.head))
    writer.writerows([_safe(cell) for cell in row] for row in sheet.rows)
    return text.getvalue().encode("utf-8-sig")


def to_xlsx(summary: Iterable[tuple[str, Cell]], sheets: Sequence[Sheet]) -> bytes:
    from xlsxwriter import Workbook

    content = io.BytesIO()
    # texts stay texts, whatever they look like
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with Workbook(content, options) as book:
        bold, wrapped = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
        for number, sheet in enumerate(sheets):
            page = book.add_worksheet(sheet.name[:31])
            above = tuple(summary) if number == 0 else ()
            for row, (name, cell) in enumerate(above):
                page.write_string(row, 0, name, bold)
                page.write_string(row, 1, "" if cell is None else plain(str(cell)))
            start = len(above) + 1 if above else 0
            page.write_row(start, 0, sheet.head, bold)
            for row, cells in enumerate(sheet.rows, start + 1):
                for column, cell in enumerate(cells):
                    _write(page, row, column, cell, wrapped)
            page.freeze_panes(start + 1, 0)
            page.set_column(1, len(sheet.head) - 1, 24)
    return content.getvalue()


def _write(page: "Worksheet", row: int, column: int, cell: Cell, form: "Format") -> None:
    if isinstance(cell, str):
        page.write_string(row, column, plain(cell)[:LONGEST_CELL], form)
    elif cell is not None:
        page.write_number(row, column, cell, form)


def _head(columns: tuple[str, ...], language: str) -> tuple[str, ...]:
    return ("#", *(word(column, language) for column in columns))


def _criteria(page: Page, card: Scorecard) -> Iterator[tuple[Cell, ...]]:
    judged = {judgement.criterion_id: judgement for judgement in card.judgements}
    for shown in page.cards:
        judgement = judged[shown.id]
        worth = (judgement.points, judgement.max_points)
        said = (shown.title.text, shown.verdict, shown.outcome)
        yield (float(shown.number), *said, *worth, shown.method_name, judgement.confidence, shown.reason)


def _quotes(page: Page, language: str) -> Iterator[tuple[Cell, ...]]:
    for shown in page.cards:
        for quote in shown.quotes:
            yield (
                float(shown.number),
                shown.title.text,
                word(f"speaker.{quote.speaker}", language) if quote.founded else None,
                None if quote.turn is None else float(quote.turn + 1),
                None if quote.start_ms is None else clock(quote.start_ms),
                quote.text,
                " · ".join(quote.remarks),
            )


def _safe(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float):
        return f"{cell:g}"
    text = plain(cell)
    return f"'{text}" if text.startswith(FORMULA) else text
