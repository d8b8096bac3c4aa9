"""What the drafts of rubrics and of prompts have in common, as pages."""

from typing import Annotated

from fastapi import Form, Query

from callgrade.access.principals import Principal
from callgrade.domain.errors import NotFoundError, UnknownResourceError
from callgrade.reviews.drafts import LONGEST, Drafts, Written
from callgrade.web.dependencies import needs

Writer = Annotated[Principal, needs("rubrics:write")]
Body = Annotated[str, Form(max_length=2 * LONGEST)]
Named = Annotated[str, Form(max_length=200)]
Expected = Annotated[int, Form(ge=0, le=1_000_000)]
Version = Annotated[str | None, Query(max_length=20)]
Then = Annotated[str, Query(max_length=20)]
"""Where saving leads on to: `back-test`, or back to the draft."""


def look(drafts: Drafts, visitor: Principal, id_: str, version: str | None = None) -> Written:
    """The open draft; where there is none, a version as the beginning of one. Raises UnknownResourceError."""
    try:
        return drafts.look(visitor, id_, version)
    except NotFoundError as error:
        raise UnknownResourceError(str(error)) from None
