"""Outlines of calls' sound in the database: worked out once, by whoever has the sound at hand."""

from typing import Any

from sqlalchemy import bindparam, select
from sqlmodel import Session

from callgrade.db.tables import Outline as OutlineRow
from callgrade.db.tables.core import table_of
from callgrade.evaluations.report.sound import Outline
from callgrade.evaluations.repository import insert_new

OUTLINE = table_of(OutlineRow)
UNKNOWN: tuple[None, tuple[()]] = (None, ())
"""Of a recording that nobody could draw."""
_KEPT = select(OUTLINE.c.content).where(OUTLINE.c.call_id == bindparam("wanted"))


def kept(session: Session, call_id: str) -> tuple[int | None, tuple[tuple[float, ...], ...]] | None:
    """None where nobody has looked yet."""
    content: dict[str, Any] | None = session.execute(_KEPT, {"wanted": call_id}).scalar_one_or_none()
    return None if content is None else (content["duration_ms"], tuple(tuple(one) for one in content["channels"]))


def keep(session: Session, call_id: str, outline: Outline | tuple[None, tuple[()]]) -> None:
    """The first one stays."""
    length, channels = outline
    content = {"duration_ms": length, "channels": [list(channel) for channel in channels]}
    insert_new(session, OUTLINE, [OutlineRow(call_id=call_id, content=content).model_dump()])
