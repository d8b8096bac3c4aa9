"""A rubric as a page for people: one neutral outline, which the terminal, the Markdown renderer and the pages show."""

from callgrade.evaluations.rubric_page.outline import Chapter, Item, Line, Page
from callgrade.evaluations.rubric_page.page import make_page

__all__ = ["Chapter", "Item", "Line", "Page", "make_page"]
