"""A rubric as a page for people: one neutral outline, which the terminal and the Markdown renderers both print."""

from callgrade.cli.rubric_page.outline import Chapter, Item, Line, Page
from callgrade.cli.rubric_page.page import make_page

__all__ = ["Chapter", "Item", "Line", "Page", "make_page"]
