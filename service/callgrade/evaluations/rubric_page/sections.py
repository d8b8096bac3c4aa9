"""Sections, what they can be worth, and the criteria in them."""

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from callgrade.catalog.diff import TotalRange, parts_of, possible_totals
from callgrade.domain.form import Part, build
from callgrade.domain.rubrics import Criterion, Rubric, Section
from callgrade.evaluations.rubric_page.outline import Chapter, Item, Line
from callgrade.evaluations.rubric_page.rules import rule_line, speech_line
from callgrade.evaluations.rubric_page.say import Say, plain
from callgrade.evaluations.rubric_page.scales import scale_line


def section_chapters(rubric: Rubric, say: Say) -> Iterator[Chapter]:
    """A chapter whenever the section changes, what lies around it first; sections without criteria at the end."""
    headings = _Headings.of(rubric, say)
    numbered = enumerate(rubric.criteria, 1)
    begun: set[str] = set()
    for id_, run in groupby(numbered, key=lambda pair: pair[1].section):
        items = tuple(_item(number, criterion, rubric, say) for number, criterion in run)
        if id_ is None:
            yield Chapter("", say("form.without_section" if rubric.sections else "criteria"), items=items)
            continue
        for outer in headings.around(id_):
            if outer not in begun:
                yield headings.chapter(outer)
                begun.add(outer)
        chapter = headings.chapter(id_)._replace(items=items)
        if id_ in begun:
            chapter = chapter._replace(title=say("form.continued", title=chapter.title), facts=())
        begun.add(id_)
        yield chapter
    yield from (headings.chapter(section.id) for section in rubric.sections if section.id not in begun)


class _Headings(NamedTuple):
    """What stands above the criteria of a section."""

    sections: dict[str, Section]
    parts: dict[str | None, Part]
    reached: dict[str | None, TotalRange]
    say: Say

    @classmethod
    def of(cls, rubric: Rubric, say: Say) -> "_Headings":
        parts = {part.id: part for part in parts_of(build(rubric))}
        return cls({section.id: section for section in rubric.sections}, parts, possible_totals(rubric), say)

    def chapter(self, id_: str) -> Chapter:
        section = self.sections[id_]
        facts = tuple(self._facts(section))
        return Chapter(id_, self.say.text(section.title, id_), depth=1 + len(self.around(id_)), facts=facts)

    def around(self, id_: str) -> list[str]:
        """The sections a section lies in, the outermost first."""
        chain: list[str] = []
        parent = self.sections[id_].parent
        while parent is not None:
            chain.insert(0, parent)
            parent = self.sections[parent].parent
        return chain

    def _facts(self, section: Section) -> Iterator[Line]:
        say, part = self.say, self.parts.get(section.id)
        yield self._max(section, part)
        if section.start is not None:
            yield self._fact("start", plain(section.start))
        elif part is not None and part.start:
            yield self._fact("start", say.both(plain(part.start), say("form.start_full")))
        if section.floor is not None:
            yield self._fact("floor", plain(section.floor))
        elif section.id in self.reached and self.reached[section.id].low is None:
            yield Line("floor", "", say("form.no_floor"))
        if section.weight != 1:
            yield self._fact("weight", f"×{plain(section.weight)}")
        if section.combine != "sum":
            yield Line("combine", "", say(f"form.combine.{section.combine}"))
        if section.pass_line is not None:
            yield self._fact("pass_line", plain(section.pass_line))

    def _max(self, section: Section, part: Part | None) -> Line:
        say = self.say
        if section.max is not None:
            return self._fact("max", plain(section.max))
        if part is not None and part.max:
            return self._fact("max", say.both(plain(part.max), say("form.worked_out")))
        costs = section.id in self.reached and self.reached[section.id].low != 0
        return Line("max", "", say("form.only_costs" if costs else "form.no_points"))

    def _fact(self, about: str, text: str) -> Line:
        return Line(about, self.say(f"form.{about}"), text)


def _item(number: int, criterion: Criterion, rubric: Rubric, say: Say) -> Item:
    return Item(
        number=number,
        id=criterion.id,
        title=say.text(criterion.title, criterion.id),
        scale=scale_line(criterion.scale, rubric, say),
        marks=tuple(_marks(criterion, say)),
        guidance=say.text(criterion.guidance),
        lines=tuple(_criterion_lines(criterion, rubric, say)),
    )


def _marks(criterion: Criterion, say: Say) -> Iterator[Line]:
    if criterion.critical:
        yield Line("critical", say("form.critical"), say("critical.true"))
    for name in ("judge", "side", "evidence"):
        yield Line(name, say(f"form.{name}"), say(f"{name}.{getattr(criterion, name)}"))
    # only what earns points is rescaled; a deduction or a violation is just left out
    left_out = criterion.not_applicable == "rescale" and not criterion.scale.best
    policy = "left_out" if left_out else criterion.not_applicable
    yield Line("not_applicable", say("form.not_applicable"), say(f"not_applicable.{policy}"))


def _criterion_lines(criterion: Criterion, rubric: Rubric, say: Say) -> Iterator[Line]:
    if criterion.when:
        yield Line("when", say("form.when"), say.conditions(criterion.when))
    if criterion.rule is not None:
        yield rule_line(criterion.rule, criterion, say)
    if criterion.speech is not None:
        yield speech_line(criterion.speech, criterion, say)
    if criterion.errors:
        names = (f"{number} {say.text(rubric.error_names.get(number))}".strip() for number in criterion.errors)
        yield Line("errors", say("form.errors"), say.listed(names, "form.semicolon"))
