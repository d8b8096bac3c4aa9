"""Agents and their teams, from a file or a program. A call keeps the team of its day; here is the team of today."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any, NamedTuple

from pydantic import Field, StringConstraints, ValidationError
from sqlmodel import Session

from callgrade.access import audit, people_repository
from callgrade.access.principals import Principal
from callgrade.db.types import now
from callgrade.domain.errors import ConflictError, InputError
from callgrade.domain.frozen import Frozen

MOST = 200_000
COLUMNS = {
    "agent_id": "agent_id", "工号": "agent_id", "坐席工号": "agent_id", "坐席": "agent_id",
    "name": "name", "姓名": "name", "名称": "name",
    "team": "team", "团队": "team", "班组": "team", "小组": "team",
    "left": "left", "离职": "left",
}  # fmt: skip
FAULTS = {
    "commas": "is not a table with commas",
    "cells": "has %(cells)s cells, the header %(header)s",
    "twice": "this agent_id stands in line %(line)s already",
    "many": "at most %(most)s agents at once",
    "none": "names no agent",
    "left": "left is yes, no or empty",
    "cell": "%(column)s is missing, or longer than 200 characters",
    "column": "column %(place)s is none of agent_id, name, team, left (工号 姓名 团队 离职)",
    "column-twice": "the column %(column)s stands there twice",
    "no-ids": "there is no column agent_id (工号)",
    "encoding": "is neither UTF-8 nor GBK text; save it as CSV",
}
YES, NO = ("yes", "true", "1", "是", "离职"), ("", "no", "false", "0", "否", "在职")

Short = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*$")
]


class AgentTold(Frozen):
    """One agent, as they are told to us. `agent_id` is the client's own, as calls carry it."""

    agent_id: Short
    name: Short | None = None
    team: Short | None = None
    left: bool = Field(False, description="No longer takes calls. Their calls and results stay.")


class TableError(InputError):
    """A table of agents with a fault: `why`, with its `values`; `line` counts from 1 and is None where it is all."""

    def __init__(self, source: str, at: int | None, why: str, **values: object):
        self.line, self.why, self.values = at, why, values
        place = source if at is None else f"{source}:{at}"
        super().__init__(f"{place}: {FAULTS[why] % values}")


class AgentShown(Frozen):
    agent_id: str
    name: str | None
    team: str | None
    left_at: datetime | None


class Imported(NamedTuple):
    made: int
    changed: int


def put_agents(session: Session, by: Principal, told: Sequence[AgentTold], *, at: datetime | None = None) -> Imported:
    """Makes or replaces each; whoever is not named stays. Raises ConflictError for one that is named twice."""
    at = at or now()
    by.reach("people:write")
    twice = _twice(agent.agent_id for agent in told)
    if twice is not None:
        raise ConflictError(f"agents[{twice}].agent_id: is named before in the same list")
    if len(told) > MOST:
        raise InputError(f"at most {MOST:,} agents at once")
    if not told:
        return Imported(0, 0)
    rows = [
        {
            "agent_id": it.agent_id,
            "name": it.name,
            "team": it.team,
            "left_at": at if it.left else None,
            "updated_at": at,
        }
        for it in told
    ]
    new = people_repository.put_agents(session, by.client_id, rows)
    done = Imported(new, len(rows) - new)
    audit.record(session, by, "agents.imported", by.client_id, {"made": done.made, "changed": done.changed}, at=at)
    return done


def list_agents(
    session: Session,
    principal: Principal,
    *,
    like: str = "",
    team: str | None = None,
    after: str | None = None,
    limit: int | None = None,
) -> list[AgentShown]:
    """Whom the principal may see, by their id; those who left, too. `like` stands in the id or the name; `after` is the
    last id of the page before."""
    found = people_repository.agents(session, principal, like=like, team=team, after=after, limit=limit)
    return [AgentShown(agent_id=it.agent_id, name=it.name, team=it.team, left_at=it.left_at) for it in found]


def list_teams(session: Session, principal: Principal) -> Sequence[str]:
    """That somebody is in today, of those the principal may see."""
    return people_repository.teams(session, principal)


def team_of_today(session: Session, client_id: str, agent_id: str | None) -> str | None:
    return teams_of_today(session, client_id, [agent_id]).get(agent_id) if agent_id else None


def teams_of_today(session: Session, client_id: str, agent_ids: Iterable[str]) -> dict[str, str]:
    """Of each agent who is in one."""
    return people_repository.teams_of(session, client_id, agent_ids)


def read_agents(content: bytes, source: str = "agents.csv") -> list[AgentTold]:
    """A table with a header: agent_id (工号), and name (姓名), team (团队), left (离职) where they are told.

    UTF-8, with or without a mark, or GBK, as spreadsheets write it. Raises TableError.
    """
    rows = csv.reader(io.StringIO(_decoded(content, source), newline=""), strict=True)
    try:
        header = _header(next(rows, []), source)
        return _agents(rows, header, source)
    except csv.Error:
        raise TableError(source, rows.line_num, "commas") from None


def _agents(rows: Any, header: Sequence[str], source: str) -> list[AgentTold]:
    told: list[AgentTold] = []
    lines: dict[str, int] = {}
    for row in rows:
        line = rows.line_num
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(header):
            raise TableError(source, line, "cells", cells=len(row), header=len(header))
        agent = _agent(dict(zip(header, row, strict=True)), source, line)
        if agent.agent_id in lines:
            raise TableError(source, line, "twice", line=lines[agent.agent_id])
        lines[agent.agent_id] = line
        told.append(agent)
        if len(told) > MOST:
            raise TableError(source, line, "many", most=MOST)
    if not told:
        raise TableError(source, None, "none")
    return told


def _agent(cells: dict[str, str], source: str, line: int) -> AgentTold:
    left = cells.pop("left", "").strip().casefold()
    if left not in (*YES, *NO):
        raise TableError(source, line, "left")
    try:
        return AgentTold.model_validate(
            {**{name: text.strip() or None for name, text in cells.items()}, "left": left in YES}
        )
    except ValidationError as error:
        raise TableError(source, line, "cell", column=error.errors()[0]["loc"][0]) from None


def _header(cells: Sequence[str], source: str) -> list[str]:
    header = [COLUMNS.get(cell.strip().casefold(), "") for cell in cells]
    for place, name in enumerate(header):
        if not name:
            raise TableError(source, 1, "column", place=place + 1)
        if name in header[:place]:
            raise TableError(source, 1, "column-twice", column=name)
    if "agent_id" not in header:
        raise TableError(source, 1, "no-ids")
    return header


def _decoded(content: bytes, source: str) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text:
            break
        return text
    raise TableError(source, None, "encoding")


def _twice(ids: Iterable[str]) -> int | None:
    seen: set[str] = set()
    for place, id_ in enumerate(ids):
        if id_ in seen:
            return place
        seen.add(id_)
    return None
