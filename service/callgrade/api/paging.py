"""Lists are read a page at a time, by the id of the last item seen: as fast on page 10,000 as on the first, and an
item that comes in meanwhile moves nothing."""

import base64
from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field

from callgrade.domain.errors import InputError

T = TypeVar("T")
LARGEST_PAGE = 200

Limit = Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="Items a page.")]
Cursor = Annotated[
    str | None,
    Query(
        max_length=500,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="`next_cursor` of the page before. Opaque; leave it out at first.",
    ),
]


class Page(BaseModel, Generic[T]):
    """Newest first. `next_cursor` is null on the last page."""

    items: list[T]
    next_cursor: str | None = Field(default=None, examples=["MDE5YTJmNmU2Y2Y3N2MzZjhiZDBhMWIyYzNkNGU1ZjY"])


def page_of(items: Sequence[T], cursor: str | None, limit: int, *, key: Callable[[T], str]) -> "Page[T]":
    """A page of a list short enough to be read whole. An item that is gone meanwhile begins at the end: nothing."""
    begin = 0
    if cursor is not None:
        names = [key(item) for item in items]
        after = decoded(cursor)
        begin = names.index(after) + 1 if after in names else len(names)
    chosen = list(items[begin : begin + limit])
    more = begin + limit < len(items)
    return Page(items=chosen, next_cursor=encoded(key(chosen[-1])) if more else None)


def encoded(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def decoded(cursor: str) -> str:
    """Raises InputError for what is no cursor."""
    try:
        key = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError:
        key = ""
    # what no database takes as text is none either
    if not key.isascii() or not key.isprintable() or not key:
        raise InputError("the cursor is not one of this list: begin again without it")
    return key
