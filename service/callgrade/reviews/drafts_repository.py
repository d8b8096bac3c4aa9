"""Drafts in the database."""

from sqlalchemy import select
from sqlmodel import Session

from callgrade.db.tables import Draft, RubricVersion
from callgrade.db.tables.core import table_of
from callgrade.domain.errors import UnknownResourceError
from callgrade.evaluations.tables import RUBRIC_VERSION

DRAFT = table_of(Draft)


def open_one(session: Session, client_id: str, kind: str, subject: str, *, hold: bool = False) -> Draft | None:
    """The client's open draft; with `hold` nobody else changes it until the session ends."""
    here = (DRAFT.c.client_id == client_id, DRAFT.c.kind == kind, DRAFT.c.subject == subject)
    statement = select(Draft).where(*here, DRAFT.c.closed_at.is_(None)).order_by(DRAFT.c.id).limit(1)
    if hold:
        statement = statement.with_for_update()
    found: Draft | None = session.execute(statement).scalar_one_or_none()
    return found


def hold_version(session: Session, rubric_id: str, version: str) -> RubricVersion:
    """Held until the session ends. Raises UnknownResourceError."""
    here = (RUBRIC_VERSION.c.id == rubric_id, RUBRIC_VERSION.c.version == version)
    found: RubricVersion | None = session.execute(
        select(RubricVersion).where(*here).with_for_update(key_share=True)
    ).scalar_one_or_none()
    if found is None:
        raise UnknownResourceError(f"there is no rubric {rubric_id}@{version}")
    return found
