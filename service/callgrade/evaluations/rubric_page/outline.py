"""What a rubric's page consists of, before anybody decides how it looks."""

from typing import NamedTuple


class Line(NamedTuple):
    """One thing the page says. `about` is the field it comes from; `below` holds what does not fit a line."""

    about: str
    label: str
    text: str
    below: tuple[str, ...] = ()

    @property
    def short(self) -> str:
        return f"{self.label} {self.text}".strip()

    @property
    def whole(self) -> str:
        return "\n".join(filter(None, (self.text, *self.below)))


class Item(NamedTuple):
    """A criterion. `scale` is its points in words, `marks` are short and speak for themselves, `lines` need a label."""

    number: int
    id: str
    title: str
    scale: Line
    marks: tuple[Line, ...]
    guidance: str
    lines: tuple[Line, ...]

    @property
    def everything(self) -> tuple[Line, ...]:
        return (self.scale, *self.marks, *self.lines)


class Chapter(NamedTuple):
    """A section with its criteria, or another part of the page. `facts` are short, `lines` are paragraphs.

    `depth` is 1 for what stands directly on the page, 2 for a section within that, and so on.
    """

    id: str
    title: str
    depth: int = 1
    facts: tuple[Line, ...] = ()
    items: tuple[Item, ...] = ()
    lines: tuple[Line, ...] = ()


class Page(NamedTuple):
    """`sections` and the criteria in them in the file's order; `appendix` is what surrounds them."""

    title: str
    reference: str
    lines: tuple[Line, ...]
    sections: tuple[Chapter, ...]
    appendix: tuple[Chapter, ...]

    @property
    def chapters(self) -> tuple[Chapter, ...]:
        return (*self.sections, *self.appendix)

    @property
    def items(self) -> dict[str, Item]:
        return {item.id: item for chapter in self.sections for item in chapter.items}
