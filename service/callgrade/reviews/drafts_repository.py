"""Drafts in the database."""

from sqlalchemy import select
from sqlmodel import Session

from callgrade.db.tables import Draft, PromptVersion, RubricVersion
from callgrade.db.tables.core import table_of
from callgrade.domain.errors import UnknownResourceError
from callgrade.evaluations.tables import PROMPT_VERSION, RUBRIC_VERSION

DRAFT = table_of(Draft)


def open_one(session: Session, client_id: str, kind: str, subject: str, *, hold: bool = False) -> Draft | None:
    """The client's open draft; with `hold` nobody else changes it until the session ends."""
    here = (DRAFT.c.client_id == client_id, DRAFT.c.kind == kind, DRAFT.c.subject == subject)
    statement = select(Draft).where(*here, DRAFT.c.closed_at.is_(None)).order_by(DRAFT.c.id).limit(1)
    if hold:
        statement = statement.with_for_update()
    found: Draft | None = session.execute(statement).scalar_one_or_none()
    return found


def hold_version(session: Session, kind: str, subject: str, version: str) -> RubricVersion | PromptVersion:
    """Held until the session ends. Raises UnknownResourceError."""
    model, table = (RubricVersion, RUBRIC_VERSION) if kind == "rubric" else (PromptVersion, PROMPT_VERSION)
    here = (table.c.id == subject, table.c.version == version)
    statement = select(model).where(*here).with_for_update(key_share=True)
    found: RubricVersion | PromptVersion | None = session.execute(statement).scalar_one_or_none()
    if found is None:
        raise UnknownResourceError(f"there is no {kind} {subject}@{version}")
    return found
