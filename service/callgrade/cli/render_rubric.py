"""Rubrics as a person reads them in a terminal."""

from collections import Counter
from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from callgrade.catalog.rubrics import RubricEntry
from callgrade.cli.output import console
from callgrade.domain.numbers import shown
from callgrade.domain.rubrics import Criterion, Rubric
from callgrade.domain.scales import (
    AnswerScale,
    BonusScale,
    CountsAs,
    DeductScale,
    LevelsScale,
    LikertScale,
    Scale,
    TiersScale,
)
from callgrade.evaluations.words import word


def show_list(entries: Sequence[RubricEntry]) -> None:
    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    for heading in ("id", "status", "criteria", "标题", "title"):
        table.add_column(heading, overflow="fold")
    for entry in entries:
        table.add_row(
            entry.reference, entry.status, str(entry.criteria), escape(entry.title.zh), escape(entry.title.en)
        )
    console().print(table)


def show_rubric(rubric: Rubric, language: str) -> None:
    """Sections and criteria in file order, every number in words."""
    out = console()
    out.print(f"[bold]{escape(rubric.title.in_language(language))}[/]  {rubric.reference}  ({rubric.status})")
    counts = Counter(criterion.judge for criterion in rubric.criteria)
    judges = ", ".join(f"{word(f'method.{judge}', language)} {number}" for judge, number in counts.items())
    out.print(f"{len(rubric.criteria)} criteria: {judges}")
    if rubric.total is not None:
        total = rubric.total
        parts = [f"start {shown(total.start)}"]
        parts += [
            f"{name} {shown(v)}" for name in ("max", "floor", "pass_line") if (v := getattr(total, name)) is not None
        ]
        out.print("total: " + ", ".join(parts))
    titles = {section.id: section for section in rubric.sections}
    shown_section: str | None = None
    for criterion in rubric.criteria:
        if criterion.section != shown_section and criterion.section is not None:
            shown_section = criterion.section
            section = titles[shown_section]
            limit = f" ({shown(section.max)})" if section.max is not None else ""
            out.print(f"\n[bold]{escape(section.title.in_language(language))}[/]{limit}")
        out.print(_criterion_line(criterion, language))
        guidance = criterion.guidance.in_language(language).strip()
        if guidance:
            out.print(f"      [dim]{escape(guidance)}[/]")
    for note in rubric.source_notes:
        out.print(f"\n[dim]note: {escape(note)}[/]")


def _criterion_line(criterion: Criterion, language: str) -> str:
    marks = [word(f"method.{criterion.judge}", language), scale_in_words(criterion.scale)]
    if criterion.critical:
        marks.append("critical")
    if criterion.when:
        marks.append("when " + "; ".join(f"{k} in {list(v)}" for k, v in criterion.when.items()))
    title = escape(criterion.title.in_language(language))
    return f"  [cyan]{criterion.id}[/] {title}  [dim]{escape(' · '.join(marks))}[/]"


def scale_in_words(scale: Scale) -> str:
    """`yes 2, no 0` · `full 15, some 8` · `−10 each, at most −50` · …"""
    if isinstance(scale, AnswerScale):
        return f"yes {shown(scale.yes)}, no {shown(scale.no)}"
    if isinstance(scale, LevelsScale):
        return ", ".join(f"{level.id} {shown(level.points)}" for level in scale.levels)
    if isinstance(scale, LikertScale):
        return f"{scale.min}–{scale.max} × {shown(scale.points_per)}"
    if isinstance(scale, DeductScale):
        return _deduct_in_words(scale)
    if isinstance(scale, TiersScale):
        steps = [f"{'more' if s.up_to is None else f'≤{s.up_to}'}: {shown(s.points)}" for s in scale.steps]
        return f"by {scale.by} " + ", ".join(steps) + ("" if scale.cap is None else f", at least {shown(scale.cap)}")
    if isinstance(scale, BonusScale):
        needs = f" if clean: {', '.join(scale.requires_clean)}" if scale.requires_clean else ""
        return f"bonus {shown(scale.points_)}{needs}"
    effect = f"counts as {scale.effect.counts_as}" if isinstance(scale.effect, CountsAs) else scale.effect
    return f"violation {scale.severity}, {effect}"


def _deduct_in_words(scale: DeductScale) -> str:
    parts = [f"−{shown(scale.points_)} each"]
    if scale.free:
        parts.append(f"{scale.free} free")
    if scale.aggravated != 1:
        parts.append(f"aggravated ×{shown(scale.aggravated)}")
    if scale.cap is not None:
        parts.append(f"at most −{shown(scale.cap)}")
    return ", ".join(parts)
