"""A rubric's page: everything it says, in the order of the file, so that it can be held beside its source."""

from collections import Counter
from collections.abc import Iterator

from callgrade.catalog.diff import TotalRange, possible_totals
from callgrade.catalog.rubrics import digest, sources_of
from callgrade.domain.form import build
from callgrade.domain.rubrics import Rubric, Total
from callgrade.domain.scales import ViolationScale
from callgrade.evaluations.rubric_page.outline import Chapter, Line, Page
from callgrade.evaluations.rubric_page.programme import programme_lines
from callgrade.evaluations.rubric_page.rules import phrases_in_words
from callgrade.evaluations.rubric_page.say import Say, plain
from callgrade.evaluations.rubric_page.sections import section_chapters


def make_page(rubric: Rubric, language: str) -> Page:
    """The outline of a rubric's page in `language` (`zh…`, anything else is English)."""
    say = Say(language)
    return Page(
        title=say.text(rubric.title, rubric.id),
        reference=rubric.reference,
        lines=tuple(_about_the_form(rubric, say)),
        sections=tuple(section_chapters(rubric, say)),
        appendix=tuple(_appendix(rubric, say)),
    )


def _about_the_form(rubric: Rubric, say: Say) -> Iterator[Line]:
    yield Line("version", say("form.version"), say.both(rubric.reference, say(f"status.{rubric.status}")))
    for source in sources_of(rubric):
        yield Line("source", say("form.source"), " · ".join(filter(None, (source.document, source.heading))))
    if rubric.applies_when:
        yield Line("applies_when", say("form.applies_when"), say.conditions(rubric.applies_when))
    number = say("criteria_number", number=len(rubric.criteria))
    judges = say.judges(Counter(criterion.judge for criterion in rubric.criteria))
    yield Line("criteria", say("criteria"), say("form.beside", text=number, other=judges))
    yield from _total_lines(rubric, say)
    yield Line("digest", say("form.digest"), digest(rubric))


def _total_lines(rubric: Rubric, say: Say) -> Iterator[Line]:
    total = rubric.total
    if total is None:
        yield Line("total", say("total"), say("no_total"))
    else:
        yield Line("total", say("total"), say.listed(_total(total, rubric, say), "form.comma"))
        reached = possible_totals(rubric)[None]
        yield Line("possible", say("form.possible"), range_in_words(reached, say))
    line = total.pass_line if total else None
    yield Line("pass_line", say("pass_line"), _pass_line(rubric, say) if line is None else say.points(line))
    if total and total.grades:
        grades = (
            say("form.grade", title=say.both(say.text(g.title, g.id), g.id), points=plain(g.at_least))
            for g in total.grades
        )
        yield Line("grades", say("form.grades"), "", tuple(grades))


def range_in_words(reached: TotalRange, say: Say) -> str:
    if reached.low is None:
        return say("form.unbounded_range", high=plain(reached.high))
    return say("form.range", low=plain(reached.low), high=plain(reached.high))


def _pass_line(rubric: Rubric, say: Say) -> str:
    effects = (effect for c in rubric.criteria if isinstance(c.scale, ViolationScale) for effect in _effects(c.scale))
    lines = any(section.pass_line is not None for section in rubric.sections)
    return say("form.no_violation_passes" if "fail_call" in effects and not lines else "no_pass_line")


def _effects(scale: ViolationScale) -> Iterator[object]:
    yield scale.effect
    if scale.aggravated is not None:
        yield scale.aggravated.effect


def _total(total: Total, rubric: Rubric, say: Say) -> Iterator[str]:
    if total.max is not None:
        yield f"{say('form.max')} {plain(total.max)}"
    else:
        yield say.both(f"{say('form.max')} {plain(build(rubric).max)}", say("form.worked_out"))
    yield f"{say('form.start')} {plain(total.start)}"
    yield say("form.no_floor") if total.floor is None else f"{say('form.floor')} {plain(total.floor)}"
    yield say(f"total.combine.{total.combine}")


def _appendix(rubric: Rubric, say: Say) -> Iterator[Chapter]:
    if rubric.programme is not None:
        lines = tuple(programme_lines(rubric.programme, say))
        yield Chapter("programme", say("form.programme"), lines=lines)
    if rubric.phrase_lists:
        lists = (Line(id_, id_, phrases_in_words(words, say)) for id_, words in rubric.phrase_lists.items())
        yield Chapter("phrase_lists", say("form.phrase_lists"), lines=tuple(lists))
    if rubric.source_notes:
        notes = (Line("source_notes", "", note) for note in rubric.source_notes)
        yield Chapter("source_notes", say("form.source_notes"), lines=tuple(notes))
