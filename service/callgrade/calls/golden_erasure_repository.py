"""The SQL of what a golden set keeps of a call, emptied when the call goes, or its words.

Outcomes, points, splits, raters and moments stay: they are figures, and the calibrations that were reckoned with them
stay what they were.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session, col

from callgrade.db.tables import CalibrationItem, GoldenCall, GoldenLabel
from callgrade.db.types import now

_AS_IT_IS = {"synchronize_session": False}


def of_calls(session: Session, call_ids: Sequence[str]) -> list[str]:
    """The golden calls with words that were made from calls, held until the session ends."""
    wanted = select(col(GoldenCall.id)).where(
        col(GoldenCall.call_id).in_(call_ids), col(GoldenCall.erased_at).is_(None)
    )
    return list(session.execute(wanted.order_by(col(GoldenCall.id)).with_for_update()).scalars())


def of_evaluations(session: Session, evaluation_ids: Sequence[str]) -> list[str]:
    """The golden calls whose labels come from the reviews of evaluations."""
    wanted = select(col(GoldenCall.id)).where(col(GoldenCall.evaluation_id).in_(evaluation_ids))
    return list(session.execute(wanted.order_by(col(GoldenCall.id))).scalars())


def items(session: Session, golden_ids: Sequence[str]) -> Sequence[CalibrationItem]:
    wanted = select(CalibrationItem).where(col(CalibrationItem.golden_call_id).in_(golden_ids))
    return session.execute(wanted).scalars().all()


def set_scorecard(session: Session, item: CalibrationItem, content: str | None) -> None:
    item.scorecard = content
    if item.error is not None:
        item.error = {"type": str(item.error.get("type", "unexpected"))}
    session.add(item)


def blank_labels(session: Session, golden_ids: Sequence[str]) -> None:
    """The reasons of abstentions stand among the outcomes."""
    wanted = select(GoldenLabel).where(col(GoldenLabel.golden_call_id).in_(golden_ids))
    for label in session.execute(wanted).scalars():
        label.quotes, label.note = {}, ""
        label.judgements = {id_: _without_reason(given) for id_, given in label.judgements.items()}
        label.rest = None if label.rest is None else _without_reason(label.rest)
        session.add(label)


def _without_reason(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name != "reason"}


def blank_calls(session: Session, golden_ids: Sequence[str], at: datetime | None = None) -> int:
    emptied: dict[str, Any] = {"content": "", "customer": None, "written_by": "", "about": [], "erased_at": at or now()}
    changed = update(GoldenCall).where(col(GoldenCall.id).in_(golden_ids)).values(emptied)
    session.execute(changed, execution_options=_AS_IT_IS)
    return len(golden_ids)
