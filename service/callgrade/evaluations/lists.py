"""Pages of evaluations, filtered. One index answers each question, however deep the page lies.

order      sorted by                                   answered by
newest     called_at, id descending where agent,       evaluation_by_agent, evaluation_by_team,
           team or a span is asked for; else id        evaluation_of_team, evaluation_by_moment,
                                                       evaluation_newest, evaluation_by_status, flag_newest
oldest     the same, ascending
lowest     total, id ascending, with a flag            flag_by_total
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from pydantic import AwareDatetime
from sqlalchemy import ColumnElement, Select, literal_column, select, tuple_
from sqlmodel import Session

from callgrade.db.tables import Evaluation
from callgrade.domain.errors import InputError
from callgrade.domain.frozen import Frozen
from callgrade.evaluations.statuses import Status
from callgrade.evaluations.tables import EVALUATION, FLAG, STANDS

Order = Literal["newest", "oldest", "lowest"]
MOST = 500
FEW = 500
"""Evaluations that are rather named than looked for."""


class Filters(Frozen):
    """All that are given must hold; of a call whose words were corrected only what stands is listed, unless the call or
    its batch is named. `since` is the first moment of the call, `until` the first after the span;
    `lowest` and `highest` bound the total, both ends included."""

    agent: str | None = None
    team: str | None = None
    rubric: str | None = None
    """`id`, or `id@vN`."""
    status: Status | None = None
    flag: str | None = None
    batch: str | None = None
    call: str | None = None
    """The server's id of the call."""
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    lowest: Decimal | None = None
    highest: Decimal | None = None
    order: Order = "newest"


@dataclass(frozen=True, slots=True)
class Page:
    """`next_cursor` is None on the last page."""

    items: tuple[Evaluation, ...]
    next_cursor: str | None


def list_page(
    session: Session,
    client_id: str,
    filters: Filters,
    *,
    cursor: str | None = None,
    limit: int = 50,
    within: ColumnElement[bool] | None = None,
) -> Page:
    """`within` narrows it to the rows that somebody reaches: `access.rows`. Raises InputError for a cursor that is none
    or belongs to another order."""
    keys = _keys(filters)
    statement = _narrowed(select(Evaluation).where(EVALUATION.c.client_id == client_id), client_id, filters)
    statement = statement.where(*_in_range(session, client_id, filters))
    if within is not None:
        statement = statement.where(within)
    falling = filters.order == "newest"
    if cursor is not None:
        after = tuple_(*_decoded(cursor, keys))
        statement = statement.where(tuple_(*keys) < after if falling else tuple_(*keys) > after)
    limit = max(1, min(limit, MOST))
    order = [key.desc() if falling else key.asc() for key in keys]
    found = session.execute(statement.order_by(*order).limit(limit + 1)).scalars().all()
    items = tuple(found[:limit])
    return Page(items=items, next_cursor=_encoded(items[-1], keys) if len(found) > limit else None)


def _keys(filters: Filters) -> list[Any]:
    if filters.order == "lowest":
        if filters.flag is None:
            raise InputError("order=lowest needs a flag: calls are sorted by their total within one flag")
        return [FLAG.c.total, FLAG.c.evaluation_id]
    by_moment = filters.agent or filters.team or filters.since or filters.until
    if by_moment:
        return [EVALUATION.c.called_at, EVALUATION.c.id]
    return [FLAG.c.evaluation_id if filters.flag else EVALUATION.c.id]


def _narrowed(statement: Select[Any], client_id: str, filters: Filters) -> Select[Any]:
    rubric_id, _, version = (filters.rubric or "").partition("@")
    equal = {
        "agent_id": filters.agent,
        "team": filters.team,
        "rubric_id": rubric_id or None,
        "rubric_version": version or None,
        "status": filters.status,
        "batch_id": filters.batch,
        "call_id": filters.call,
    }
    if filters.call is None and filters.batch is None:
        statement = statement.where(STANDS)
    for name, value in equal.items():
        if value is not None:
            statement = statement.where(EVALUATION.c[name] == value)
    if filters.since is not None:
        statement = statement.where(EVALUATION.c.called_at >= filters.since)
    if filters.until is not None:
        statement = statement.where(EVALUATION.c.called_at < filters.until)
    if filters.flag is not None:
        statement = statement.join(FLAG, FLAG.c.evaluation_id == EVALUATION.c.id).where(
            FLAG.c.client_id == client_id, FLAG.c.flag == filters.flag
        )
        if filters.order == "lowest":
            # a total that is not settled stands nowhere in this order
            statement = statement.where(FLAG.c.total.is_not(None))
    return statement


def _in_range(session: Session, client_id: str, filters: Filters) -> Sequence[ColumnElement[bool]]:
    """That the total lies between both ends.

    Within a flag and in the order of time there are two ways: through the range, and sort; or through the flag, and
    pass over what lies outside. Which is the shorter one a planner cannot know where a list is cut off after a page
    (SQLite took 1.4 s at a million scorecards). So we look: what is in the range is named where it is little, and
    where it is much it is met soon.
    """
    if filters.flag is None or filters.order == "lowest":
        return _between(FLAG.c.total if filters.flag else EVALUATION.c.total, filters)
    if filters.lowest is None and filters.highest is None:
        return ()
    inside = select(FLAG.c.evaluation_id).where(FLAG.c.client_id == client_id, FLAG.c.flag == filters.flag)
    inside = inside.where(*_between(FLAG.c.total, filters)).order_by(FLAG.c.total, FLAG.c.evaluation_id)
    found = session.execute(inside.limit(FEW + 1)).scalars().all()
    if len(found) <= FEW:
        return (FLAG.c.evaluation_id.in_(found),)
    total: ColumnElement[Any] = FLAG.c.total
    if session.get_bind().dialect.name == "sqlite":
        # with the sign no index on totals answers it
        total = literal_column(f"+{FLAG.name}.total", total.type)
    return _between(total, filters)


def _between(total: ColumnElement[Any], filters: Filters) -> Sequence[ColumnElement[bool]]:
    lowest = () if filters.lowest is None else (total >= filters.lowest,)
    return lowest if filters.highest is None else (*lowest, total <= filters.highest)


def _encoded(row: Evaluation, keys: Sequence[Any]) -> str:
    values = [_plain(getattr(row, _attribute(key))) for key in keys]
    text = json.dumps([[key.name for key in keys], values], separators=(",", ":"))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decoded(cursor: str, keys: Sequence[Any]) -> list[Any]:
    try:
        names, values = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if names != [key.name for key in keys]:
            raise ValueError
        return [_value(key.name, value) for key, value in zip(keys, values, strict=True)]
    except (ValueError, TypeError, ArithmeticError):
        raise InputError("the cursor is not one of this list: begin again without it") from None


def _attribute(key: Any) -> str:
    return "id" if key.name == "evaluation_id" else str(key.name)


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _value(name: str, text: Any) -> Any:
    if not isinstance(text, str):
        raise TypeError
    if name == "called_at":
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError
        return moment
    return Decimal(text) if name == "total" else text
