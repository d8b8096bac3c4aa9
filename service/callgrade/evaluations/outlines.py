"""Outlines of calls' sound in the database: worked out once, by whoever has the sound at hand."""

from pydantic_core import from_json
from sqlalchemy import Text, bindparam, cast, select
from sqlmodel import Session

from callgrade.db.tables import Outline as OutlineRow
from callgrade.db.tables.core import table_of
from callgrade.evaluations.report.sound import Outline
from callgrade.evaluations.repository import insert_new

OUTLINE = table_of(OutlineRow)
UNKNOWN: tuple[None, tuple[()]] = (None, ())
"""Of a recording that nobody could draw."""
_KEPT = select(cast(OUTLINE.c.content, Text)).where(OUTLINE.c.call_id == bindparam("wanted"))
Kept = tuple[int | None, tuple[tuple[float, ...], ...]]


def kept(session: Session, call_id: str) -> Kept | None:
    """None where nobody has looked yet."""
    content: str | None = session.execute(_KEPT, {"wanted": call_id}).scalar_one_or_none()
    if content is None:
        return None
    # a thousand numbers, which it reads in a fifth of the time that the standard library takes
    found = from_json(content)
    return found["duration_ms"], tuple(map(tuple, found["channels"]))


def keep(session: Session, call_id: str, outline: Outline | tuple[None, tuple[()]]) -> None:
    """The first one stays."""
    length, channels = outline
    content = {"duration_ms": length, "channels": [list(channel) for channel in channels]}
    insert_new(session, OUTLINE, [OutlineRow(call_id=call_id, content=content).model_dump()])
