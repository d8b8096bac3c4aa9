"""Gates and back-tests in the database."""

from sqlalchemy import select
from sqlmodel import Session

from callgrade.access.principals import Principal
from callgrade.calibration.run_repository import RUN
from callgrade.db.tables import CalibrationRun, Gate
from callgrade.db.tables.core import table_of

GATE = table_of(Gate)


def add(session: Session, gate: Gate) -> Gate:
    session.add(gate)
    session.flush()
    return gate


def gates(session: Session, principal: Principal, kind: str, subject: str, digest: str | None = None) -> list[Gate]:
    """Of one rubric or prompt, the newest first; with a digest, of exactly that version."""
    here = (GATE.c.client_id == principal.client_id, GATE.c.kind == kind, GATE.c.subject == subject)
    statement = select(Gate).where(*here)
    if digest is not None:
        statement = statement.where(GATE.c.digest == digest)
    return list(session.execute(statement.order_by(GATE.c.id.desc())).scalars())


def newest_back_test(
    session: Session, principal: Principal, kind: str, subject: str, digest: str, rubric_digest: str
) -> CalibrationRun | None:
    """By what is written with the draft's run. A prompt is tried on one rubric at a time."""
    statement = select(CalibrationRun).where(
        RUN.c.client_id == principal.client_id,
        RUN.c.split == "dev",
        RUN.c.rubric_digest == rubric_digest,
        RUN.c.parameters["back_test", "kind"].as_string() == kind,
        RUN.c.parameters["back_test", "subject"].as_string() == subject,
        RUN.c.parameters["back_test", "digest"].as_string() == digest,
    )
    found: CalibrationRun | None = session.execute(statement.order_by(RUN.c.id.desc()).limit(1)).scalars().first()
    return found
