"""Golden sets in the database: their calls, their labels, and who looked at a holdout."""

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session

from callgrade.access.principals import Principal
from callgrade.access.rows import reviews_within
from callgrade.calibration.tables import GOLDEN_CALL, GOLDEN_SET, LABEL, READING
from callgrade.db.tables import Call, GoldenCall, GoldenLabel, GoldenSet, HoldoutReading, Review
from callgrade.db.types import new_id
from callgrade.domain import golden
from callgrade.domain.calls import Transcript
from callgrade.domain.errors import UnknownResourceError
from callgrade.domain.golden import Label, Split
from callgrade.domain.splits import Pair
from callgrade.evaluations.tables import CALL, EVALUATION, STANDS
from callgrade.reviews.repository import insert_missing
from callgrade.reviews.tables import REVIEW


class StoredCall(NamedTuple):
    """A golden call and the server's id of it, by which calibration items name it."""

    id: str
    call: golden.GoldenCall


class SetRow(NamedTuple):
    """A set and how many of its calls stand on each side, erased ones left out."""

    set: GoldenSet
    calls: dict[str, int]
    labels: int


# sets


def find(session: Session, principal: Principal, id_: str, *, own: bool = False) -> GoldenSet:
    """One of the client's or a shipped one; with `own` the client's alone. Raises UnknownResourceError."""
    found = session.get(GoldenSet, id_)
    if found is None or found.client_id not in ((principal.client_id,) if own else (None, principal.client_id)):
        raise UnknownResourceError("there is no such golden set")
    return found


def named(session: Session, principal: Principal, name: str) -> GoldenSet | None:
    """The client's own set of this name."""
    statement = select(GoldenSet).where(GOLDEN_SET.c.client_id == principal.client_id, GOLDEN_SET.c.name == name)
    return session.execute(statement).scalar_one_or_none()


def add_set(session: Session, row: GoldenSet) -> bool:
    """False where it is there already, or somebody else brings it in at this moment."""
    return insert_missing(session, GOLDEN_SET, [row.model_dump()]) == 1


def hold(session: Session, set_id: str) -> GoldenSet:
    """The set, to which nobody else adds until this session ends: splits are drawn by what stands already."""
    statement = select(GoldenSet).where(GOLDEN_SET.c.id == set_id).with_for_update()
    found: GoldenSet = session.execute(statement.execution_options(populate_existing=True)).scalar_one()
    return found


def sets(session: Session, principal: Principal) -> list[SetRow]:
    """What the client may hold a judge against: its own and the shipped ones, the newest first."""
    mine = GOLDEN_SET.c.client_id.is_(None) | (GOLDEN_SET.c.client_id == principal.client_id)
    found = session.execute(select(GoldenSet).where(mine).order_by(GOLDEN_SET.c.created_at.desc())).scalars().all()
    count: dict[str, dict[str, int]] = {}
    alive = GOLDEN_CALL.c.erased_at.is_(None) & GOLDEN_CALL.c.set_id.in_([one.id for one in found])
    by_split = select(GOLDEN_CALL.c.set_id, GOLDEN_CALL.c.split, func.count()).where(alive)
    for set_id, split, number in session.execute(by_split.group_by(GOLDEN_CALL.c.set_id, GOLDEN_CALL.c.split)):
        count.setdefault(set_id, {})[split] = number
    labelled = select(GOLDEN_CALL.c.set_id, func.count()).join(LABEL, LABEL.c.golden_call_id == GOLDEN_CALL.c.id)
    rows = session.execute(labelled.where(alive).group_by(GOLDEN_CALL.c.set_id))
    labels: dict[str, int] = {row[0]: row[1] for row in rows}
    return [SetRow(one, count.get(one.id, {}), labels.get(one.id, 0)) for one in found]


# calls


def call_named(session: Session, set_id: str, name: str) -> GoldenCall | None:
    statement = select(GoldenCall).where(GOLDEN_CALL.c.set_id == set_id, GOLDEN_CALL.c.name == name)
    return session.execute(statement).scalar_one_or_none()


def find_call(session: Session, set_id: str, name: str) -> GoldenCall:
    """Raises UnknownResourceError where there is none, or its words are gone."""
    found = call_named(session, set_id, name)
    if found is None or found.erased_at is not None:
        raise UnknownResourceError("there is no such call in the golden set")
    return found


def calls(session: Session, set_id: str, splits: Collection[Split]) -> list[StoredCall]:
    """By name, without erased ones."""
    rows = session.execute(select(GoldenCall).where(_alive(set_id, splits)).order_by(GOLDEN_CALL.c.name)).scalars()
    return [StoredCall(row.id, as_call(row)) for row in rows]


def placed(session: Session, set_id: str) -> list[tuple[Pair, Split]]:
    """Where everybody stands, erased calls too: their agents stay where they are."""
    statement = select(GOLDEN_CALL.c.agent, GOLDEN_CALL.c.customer, GOLDEN_CALL.c.split)
    rows = session.execute(statement.where(GOLDEN_CALL.c.set_id == set_id).order_by(GOLDEN_CALL.c.id))
    return [((row.agent, row.customer), row.split) for row in rows]


def add_calls(session: Session, golden_set: GoldenSet, found: Iterable[golden.GoldenCall], by: str, **more: Any) -> int:
    """Those whose name is free; says how many. `more` are columns of all of them."""
    rows = [_row(golden_set, call, by, more) for call in found]
    return sum(insert_missing(session, GOLDEN_CALL, some) for some in _portions(rows))


def as_call(row: GoldenCall) -> golden.GoldenCall:
    return golden.GoldenCall(
        id=row.name,
        synthetic=row.synthetic,
        written_by=row.written_by,
        split=row.split,
        agent=row.agent,
        customer=row.customer,
        about=tuple(row.about),
        transcript=Transcript.model_validate_json(row.content),
    )


def _row(golden_set: GoldenSet, call: golden.GoldenCall, by: str, more: dict[str, Any]) -> dict[str, Any]:
    row = GoldenCall(
        id=new_id(),
        set_id=golden_set.id,
        client_id=golden_set.client_id,
        name=call.id,
        split=call.split,
        synthetic=call.synthetic,
        written_by=call.written_by,
        agent=call.agent,
        customer=call.customer,
        about=[about.model_dump(mode="json") for about in call.about],
        content=call.transcript.model_dump_json(by_alias=True),
        added_by=by,
        **more,
    )
    return row.model_dump()


def _alive(set_id: str, splits: Collection[Split]) -> ColumnElement[bool]:
    return (
        (GOLDEN_CALL.c.set_id == set_id) & GOLDEN_CALL.c.split.in_(sorted(splits)) & GOLDEN_CALL.c.erased_at.is_(None)
    )


# labels


def labels(session: Session, set_id: str, splits: Collection[Split], rubric: str | None = None) -> list[Label]:
    """In the order in which they were added, those of erased calls left out. `rubric` is an id, or `id@version`."""
    statement = select(GoldenLabel, GOLDEN_CALL.c.name).join(GOLDEN_CALL, LABEL.c.golden_call_id == GOLDEN_CALL.c.id)
    statement = statement.where(_alive(set_id, splits)).order_by(LABEL.c.created_at, LABEL.c.id)
    if rubric is not None:
        id_, _, version = rubric.partition("@")
        statement = statement.where(LABEL.c.rubric_id == id_)
        if version:
            statement = statement.where(LABEL.c.rubric_version == version)
    return [as_label(row[0], row[1]) for row in session.execute(statement)]


def labels_of(session: Session, golden_call: GoldenCall, rubric: str) -> list[Label]:
    id_, _, version = rubric.partition("@")
    statement = select(GoldenLabel).where(
        LABEL.c.golden_call_id == golden_call.id, LABEL.c.rubric_id == id_, LABEL.c.rubric_version == version
    )
    return [as_label(row, golden_call.name) for row in session.execute(statement.order_by(LABEL.c.id)).scalars()]


def rubrics_of(session: Session, golden_call_id: str) -> list[str]:
    """`id@version` of the rubrics by which something was said of a call, the one that most was said by first."""
    statement = select(LABEL.c.rubric_id, LABEL.c.rubric_version).where(LABEL.c.golden_call_id == golden_call_id)
    statement = statement.group_by(LABEL.c.rubric_id, LABEL.c.rubric_version)
    rows = session.execute(statement.order_by(func.count().desc(), LABEL.c.rubric_id, LABEL.c.rubric_version.desc()))
    return [f"{row.rubric_id}@{row.rubric_version}" for row in rows]


def add_labels(session: Session, set_id: str, found: Sequence[Label], review_id: str | None = None) -> int:
    """Those that are not there yet; says how many. Their calls are in the set: others are passed over."""
    names = {label.call for label in found}
    wanted = select(GOLDEN_CALL.c.id, GOLDEN_CALL.c.name, GOLDEN_CALL.c.client_id).where(GOLDEN_CALL.c.set_id == set_id)
    ids = {row.name: row for row in session.execute(wanted) if row.name in names}
    rows = [_label_row(ids[label.call], label, review_id) for label in found if label.call in ids]
    return sum(insert_missing(session, LABEL, some) for some in _portions(rows))


def as_label(row: GoldenLabel, name: str) -> Label:
    return Label(
        call=name,
        rubric=f"{row.rubric_id}@{row.rubric_version}",
        rater=row.rater,
        rater_kind=row.rater_kind,
        kind=row.kind,
        blind=row.blind,
        at=row.at,
        judgements=row.judgements,
        rest=row.rest,
        quotes={id_: tuple(quotes) for id_, quotes in row.quotes.items()},
        note=row.note,
    )


def _label_row(call: Any, label: Label, review_id: str | None) -> dict[str, Any]:
    id_, _, version = label.rubric.partition("@")
    content = label.model_dump(mode="json")
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    row = GoldenLabel(
        id=new_id(),
        golden_call_id=call.id,
        client_id=call.client_id,
        digest=hashlib.sha256(canonical.encode()).hexdigest(),
        rubric_id=id_,
        rubric_version=version,
        at=label.at,
        review_id=review_id,
        **{name: content[name] for name in ("rater", "rater_kind", "kind", "blind", "judgements", "rest", "quotes")},
        note=label.note,
    )
    return row.model_dump()


def _portions(rows: list[dict[str, Any]]) -> Iterable[list[dict[str, Any]]]:
    """A statement takes a limited number of values."""
    return (rows[at : at + 200] for at in range(0, len(rows), 200))


# reviews that labels come from


def submitted(session: Session, principal: Principal, evaluation_ids: Sequence[str]) -> Sequence[Review]:
    """The reviews within reach that somebody committed to, in their order. Those of a call that somebody still grades
    blind are left out: nobody's label shows before both have committed."""
    still = select(REVIEW.c.evaluation_id).where(
        REVIEW.c.evaluation_id.in_(evaluation_ids), REVIEW.c.blind.is_(True), REVIEW.c.state.in_(("open", "awaiting"))
    )
    statement = select(Review).where(
        REVIEW.c.evaluation_id.in_(evaluation_ids),
        REVIEW.c.evaluation_id.not_in(still),
        REVIEW.c.state == "submitted",
        reviews_within(principal, "reviews:read"),
    )
    return session.execute(statement.order_by(REVIEW.c.evaluation_id, REVIEW.c.slot, REVIEW.c.id)).scalars().all()


def reviewable(
    session: Session, principal: Principal, set_id: str, rubric_id: str, limit: int
) -> list[tuple[str, str]]:
    """(evaluation, the call's own id) of what could be added to a set: published, reviewed within reach, not in it yet,
    its words still there; the newest first."""
    there = select(GOLDEN_CALL.c.call_id).where(GOLDEN_CALL.c.set_id == set_id, GOLDEN_CALL.c.call_id.is_not(None))
    graded = select(REVIEW.c.evaluation_id).where(
        REVIEW.c.state == "submitted", reviews_within(principal, "reviews:read")
    )
    statement = (
        select(EVALUATION.c.id, CALL.c.call_id)
        .join(CALL, CALL.c.id == EVALUATION.c.call_id)
        .where(
            EVALUATION.c.client_id == principal.client_id,
            EVALUATION.c.rubric_id == rubric_id,
            EVALUATION.c.status == "published",
            STANDS,
            EVALUATION.c.id.in_(graded),
            CALL.c.id.not_in(there),
            CALL.c.erased_at.is_(None),
        )
    )
    rows = session.execute(statement.order_by(EVALUATION.c.id.desc()).limit(limit))
    return [(row[0], row[1]) for row in rows]


def still_graded(session: Session, evaluation_id: str | None) -> bool:
    """Whether somebody has a blind review of it open."""
    open_ = REVIEW.c.state.in_(("open", "awaiting"))
    statement = select(REVIEW.c.id).where(REVIEW.c.evaluation_id == evaluation_id, REVIEW.c.blind.is_(True), open_)
    return evaluation_id is not None and session.execute(statement.limit(1)).first() is not None


def graded_blind_by(session: Session, set_id: str, user_id: str | None) -> set[str]:
    """The calls that somebody has still to grade blind, by name."""
    if user_id is None:
        return set()
    mine = (REVIEW.c.reviewer_id == user_id) | (REVIEW.c.claimed_by == user_id)
    statement = select(GOLDEN_CALL.c.name).join(REVIEW, REVIEW.c.evaluation_id == GOLDEN_CALL.c.evaluation_id)
    statement = statement.where(GOLDEN_CALL.c.set_id == set_id, mine, REVIEW.c.blind.is_(True))
    return set(session.execute(statement.where(REVIEW.c.state.in_(("open", "awaiting")))).scalars())


def evaluations_of(session: Session, set_id: str) -> dict[str, str]:
    """Evaluation → name, of the golden calls that came from reviews."""
    statement = select(GOLDEN_CALL.c.evaluation_id, GOLDEN_CALL.c.name).where(
        GOLDEN_CALL.c.set_id == set_id, GOLDEN_CALL.c.evaluation_id.is_not(None), GOLDEN_CALL.c.erased_at.is_(None)
    )
    return {row.evaluation_id: row.name for row in session.execute(statement)}


def own_call(session: Session, client_id: str, call_id: str) -> Call | None:
    """The client's call of this external id, erased or not."""
    statement = select(Call).where(CALL.c.client_id == client_id, CALL.c.call_id == call_id)
    return session.execute(statement).scalar_one_or_none()


def rubric_of(session: Session, evaluation_id: str) -> str:
    """`id@version`."""
    statement = select(EVALUATION.c.rubric_id, EVALUATION.c.rubric_version).where(EVALUATION.c.id == evaluation_id)
    row = session.execute(statement).one()
    return f"{row.rubric_id}@{row.rubric_version}"


# the holdout


def readings(session: Session, principal: Principal, set_id: str, rubric_id: str | None = None) -> list[HoldoutReading]:
    """The client's own, the newest first."""
    statement = select(HoldoutReading).where(READING.c.client_id == principal.client_id, READING.c.set_id == set_id)
    if rubric_id is not None:
        statement = statement.where(READING.c.rubric_id == rubric_id)
    return list(session.execute(statement.order_by(READING.c.at.desc(), READING.c.id.desc())).scalars())


def add_reading(session: Session, row: HoldoutReading) -> None:
    session.add(row)
    session.flush()
