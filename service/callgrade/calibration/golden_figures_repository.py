"""Golden sets in figures: who labelled how much, what was read of a holdout, and how far double grading is."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import case, func, select
from sqlmodel import Session

from callgrade.access.principals import Principal
from callgrade.calibration.tables import GOLDEN_CALL, LABEL, READING
from callgrade.db.tables import GoldenCall
from callgrade.domain.errors import UnknownResourceError
from callgrade.domain.golden import Split
from callgrade.evaluations.tables import EVALUATION
from callgrade.reviews.tables import REVIEW


class RaterRow(NamedTuple):
    """How much somebody said of the calls of a set. `blind` and `decided` (as a third rater) are among `labels`;
    `last` is None where no moment was written down."""

    rater: str
    kind: str
    labels: int
    blind: int
    decided: int
    last: datetime | None


class CallRow(NamedTuple):
    """A call of a set in a line. `raters` counts who rated it, `decided` what third raters said."""

    id: str
    name: str
    split: Split
    synthetic: bool
    written_by: str
    evaluation_id: str | None
    raters: int
    decided: int


class Grading(NamedTuple):
    """One blind review of a golden call; `reviewer_id` None: it waits in the pool."""

    golden_call_id: str
    name: str
    split: Split
    rubric: str
    reviewer_id: str | None
    state: str
    due_at: datetime
    submitted_at: datetime | None


def raters(session: Session, set_ids: Collection[str]) -> dict[str, list[RaterRow]]:
    """By set, whoever said most first; of the holdout too, for these are numbers alone."""
    statement = (
        select(
            GOLDEN_CALL.c.set_id, LABEL.c.rater, LABEL.c.rater_kind, func.count(),
            func.sum(case((LABEL.c.blind.is_(True), 1), else_=0)),
            func.sum(case((LABEL.c.kind == "adjudicated", 1), else_=0)),
            func.max(LABEL.c.at),
        )
        .join(GOLDEN_CALL, LABEL.c.golden_call_id == GOLDEN_CALL.c.id)
        .where(GOLDEN_CALL.c.set_id.in_(set_ids), GOLDEN_CALL.c.erased_at.is_(None))
        .group_by(GOLDEN_CALL.c.set_id, LABEL.c.rater, LABEL.c.rater_kind)
        .order_by(func.count().desc(), LABEL.c.rater)
    )  # fmt: skip
    found: dict[str, list[RaterRow]] = {}
    for set_id, *told in session.execute(statement):
        found.setdefault(set_id, []).append(RaterRow(*told))
    return found


def read_how_often(session: Session, principal: Principal, set_ids: Collection[str]) -> dict[str, dict[str, int]]:
    """By set and rubric id, how often the client has read the holdout."""
    statement = select(READING.c.set_id, READING.c.rubric_id, func.count()).where(
        READING.c.client_id == principal.client_id, READING.c.set_id.in_(set_ids)
    )
    found: dict[str, dict[str, int]] = {}
    for set_id, rubric_id, number in session.execute(statement.group_by(READING.c.set_id, READING.c.rubric_id)):
        found.setdefault(set_id, {})[rubric_id] = number
    return found


def rubrics(session: Session, set_id: str) -> dict[str, int]:
    """`id@version` → labels by it, the most used first."""
    statement = (
        select(LABEL.c.rubric_id, LABEL.c.rubric_version, func.count())
        .join(GOLDEN_CALL, LABEL.c.golden_call_id == GOLDEN_CALL.c.id)
        .where(GOLDEN_CALL.c.set_id == set_id, GOLDEN_CALL.c.erased_at.is_(None))
        .group_by(LABEL.c.rubric_id, LABEL.c.rubric_version)
        .order_by(func.count().desc(), LABEL.c.rubric_id, LABEL.c.rubric_version)
    )
    return {f"{id_}@{version}": number for id_, version, number in session.execute(statement)}


def call_rows(
    session: Session, set_id: str, splits: Collection[Split], *, after: str | None = None, limit: int
) -> list[CallRow]:
    """By name, those after the call of this name; erased ones are left out."""
    decided = LABEL.c.kind == "adjudicated"
    statement = (
        select(
            GOLDEN_CALL.c.id, GOLDEN_CALL.c.name, GOLDEN_CALL.c.split, GOLDEN_CALL.c.synthetic,
            GOLDEN_CALL.c.written_by, GOLDEN_CALL.c.evaluation_id,
            func.count(func.distinct(case((~decided, LABEL.c.rater)))),
            func.sum(case((decided, 1), else_=0)),
        )
        .outerjoin(LABEL, LABEL.c.golden_call_id == GOLDEN_CALL.c.id)
        .where(
            GOLDEN_CALL.c.set_id == set_id,
            GOLDEN_CALL.c.split.in_(sorted(splits)),
            GOLDEN_CALL.c.erased_at.is_(None),
        )
        .group_by(GOLDEN_CALL.c.id)
        .order_by(GOLDEN_CALL.c.name)
    )  # fmt: skip
    if after is not None:
        statement = statement.where(GOLDEN_CALL.c.name > after)
    return [CallRow(*row) for row in session.execute(statement.limit(limit))]


def call_of_id(session: Session, set_id: str, id_: str) -> GoldenCall:
    """Raises UnknownResourceError where there is none, or its words are gone."""
    found = session.get(GoldenCall, id_)
    if found is None or found.set_id != set_id or found.erased_at is not None:
        raise UnknownResourceError("there is no such call in the golden set")
    return found


def gradings(session: Session, set_id: str, golden_call_id: str | None = None) -> list[Grading]:
    """Blind reviews of the set's calls, the newest call first; withdrawn ones are left out."""
    rubric = EVALUATION.c.rubric_id + "@" + EVALUATION.c.rubric_version
    statement = (
        select(
            GOLDEN_CALL.c.id, GOLDEN_CALL.c.name, GOLDEN_CALL.c.split, rubric, REVIEW.c.reviewer_id, REVIEW.c.state,
            REVIEW.c.due_at, REVIEW.c.submitted_at,
        )
        .join(REVIEW, REVIEW.c.evaluation_id == GOLDEN_CALL.c.evaluation_id)
        .join(EVALUATION, EVALUATION.c.id == REVIEW.c.evaluation_id)
        .where(
            GOLDEN_CALL.c.set_id == set_id,
            GOLDEN_CALL.c.erased_at.is_(None),
            REVIEW.c.blind.is_(True),
            REVIEW.c.state != "withdrawn",
        )
        .order_by(REVIEW.c.id.desc())
    )  # fmt: skip
    if golden_call_id is not None:
        statement = statement.where(GOLDEN_CALL.c.id == golden_call_id)
    return [Grading(*row) for row in session.execute(statement)]


def uncollected(session: Session, set_id: str) -> set[str]:
    """Golden calls of which a committed blind review is no label yet."""
    there = select(LABEL.c.review_id).where(LABEL.c.review_id.is_not(None))
    statement = (
        select(GOLDEN_CALL.c.id)
        .join(REVIEW, REVIEW.c.evaluation_id == GOLDEN_CALL.c.evaluation_id)
        .where(
            GOLDEN_CALL.c.set_id == set_id,
            REVIEW.c.blind.is_(True),
            REVIEW.c.state == "submitted",
            REVIEW.c.id.not_in(there),
        )
    )
    return set(session.execute(statement).scalars())


def unassigned(session: Session, set_id: str, limit: int) -> list[tuple[str, str, Split, str]]:
    """(id, name, split, rubric) of the calls that came from a review and that nobody grades blind, or has."""
    taken = select(REVIEW.c.evaluation_id).where(REVIEW.c.blind.is_(True), REVIEW.c.state != "withdrawn")
    statement = (
        select(
            GOLDEN_CALL.c.id, GOLDEN_CALL.c.name, GOLDEN_CALL.c.split,
            EVALUATION.c.rubric_id + "@" + EVALUATION.c.rubric_version,
        )
        .join(EVALUATION, EVALUATION.c.id == GOLDEN_CALL.c.evaluation_id)
        .where(
            GOLDEN_CALL.c.set_id == set_id,
            GOLDEN_CALL.c.erased_at.is_(None),
            GOLDEN_CALL.c.evaluation_id.not_in(taken),
        )
        .order_by(GOLDEN_CALL.c.name)
        .limit(limit)
    )  # fmt: skip
    return [(row[0], row[1], row[2], row[3]) for row in session.execute(statement)]
