"""The SQL of users, the teams they lead, and agents."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, bindparam, case, delete, false, func, or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from callgrade.access.principals import Principal
from callgrade.db.tables import Agent, LedTeam, User
from callgrade.db.tables.core import table_of

AT_ONCE = 500


# users


def user(session: Session, client_id: str, id_: str, *, hold: bool = False) -> User | None:
    wanted = select(User).where(User.id == id_, User.client_id == client_id)
    if hold:
        wanted = wanted.with_for_update().execution_options(populate_existing=True)
    return session.exec(wanted).first()


def user_within(session: Session, principal: Principal, id_: str) -> User | None:
    return session.exec(select(User).where(_within(principal), User.id == id_)).first()


def users_called(session: Session, login: str, client_id: str | None = None) -> Sequence[User]:
    """Of one client or of all: a login is unique in its client."""
    wanted = select(User).where(User.login == login).order_by(col(User.client_id)).limit(2)
    return session.exec(wanted if client_id is None else wanted.where(User.client_id == client_id)).all()


def user_of_issuer(session: Session, issuer: str, subject: str) -> User | None:
    return session.exec(select(User).where(User.issuer == issuer, User.issuer_subject == subject)).first()


def other_who_is(session: Session, user: User) -> User | None:
    """Somebody else who signs in as the same agent."""
    them = select(User).where(User.client_id == user.client_id, User.agent_id == user.agent_id, User.id != user.id)
    return session.exec(them.where(col(User.disabled_at).is_(None)).limit(1)).first()


def users(session: Session, principal: Principal) -> Sequence[User]:
    """Whom the principal may see, by login."""
    return session.exec(select(User).where(_within(principal)).order_by(col(User.login))).all()


def held_admins(session: Session, client_id: str) -> Sequence[User]:
    """Those who may sign in; nobody else changes them before this session ends."""
    admins = select(User).where(User.client_id == client_id, User.role == "admin", col(User.disabled_at).is_(None))
    return session.exec(admins.with_for_update().order_by(col(User.id))).all()


# each request asks it, of whoever sends it
_LED = select(LedTeam).where(col(LedTeam.user_id).in_(bindparam("users", expanding=True))).order_by(col(LedTeam.team))


def led_teams(session: Session, user_ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
    led: dict[str, tuple[str, ...]] = {}
    for row in session.exec(_LED, params={"users": list(user_ids)}):
        led[row.user_id] = (*led.get(row.user_id, ()), row.team)
    return led


def lead(session: Session, user_id: str, teams: Iterable[str]) -> None:
    """These teams and no others."""
    session.execute(delete(LedTeam).where(col(LedTeam.user_id) == user_id))
    session.add_all(LedTeam(user_id=user_id, team=team) for team in sorted(set(teams)))
    session.flush()


def names(session: Session, ids: Iterable[str]) -> dict[str, str]:
    """What these are called, or sign in with."""
    rows = session.exec(select(User.id, User.name, User.login).where(col(User.id).in_(list(ids))))
    return {id_: name or login for id_, name, login in rows}


def number_of_clients(session: Session) -> int:
    """Those that have people."""
    return session.exec(select(func.count(func.distinct(User.client_id)))).one()


def _within(principal: Principal) -> ColumnElement[bool]:
    of_client = col(User.client_id) == principal.client_id
    if principal.reach("people:read") == "all":
        return of_client
    of_teams = col(User.team).in_(sorted(principal.teams)) if principal.teams else false()
    return of_client & or_(of_teams, col(User.id) == principal.user_id)


# agents


def agents(
    session: Session,
    principal: Principal,
    *,
    like: str = "",
    team: str | None = None,
    after: str | None = None,
    limit: int | None = None,
) -> Sequence[Agent]:
    """Whom the principal may see, by their id. `like` stands in the id or the name; `after` is the last of the page
    before."""
    wanted = select(Agent).where(Agent.client_id == principal.client_id).order_by(col(Agent.agent_id))
    if principal.reach("people:read") != "all":
        wanted = wanted.where(col(Agent.team).in_(sorted(principal.teams)))
    if like:
        wanted = wanted.where(
            or_(col(Agent.agent_id).contains(like, autoescape=True), col(Agent.name).icontains(like, autoescape=True))
        )
    if team is not None:
        wanted = wanted.where(Agent.team == team)
    if after is not None:
        wanted = wanted.where(Agent.agent_id > after)
    return session.exec(wanted.limit(limit)).all()


def teams_of(session: Session, client_id: str, agent_ids: Iterable[str]) -> dict[str, str]:
    """The team of today of each agent who has one."""
    wanted = sorted(set(agent_ids))
    found: dict[str, str] = {}
    for start in range(0, len(wanted), AT_ONCE):
        some = col(Agent.agent_id).in_(wanted[start : start + AT_ONCE])
        rows = select(Agent.agent_id, Agent.team).where(
            Agent.client_id == client_id, some, col(Agent.team).is_not(None)
        )
        found |= {agent_id: team for agent_id, team in session.exec(rows) if team}
    return found


def teams(session: Session, principal: Principal) -> Sequence[str]:
    """That somebody is in today, of those the principal may see."""
    rows = select(Agent.team).where(Agent.client_id == principal.client_id, col(Agent.team).is_not(None)).distinct()
    if principal.reach("people:read") != "all":
        rows = rows.where(col(Agent.team).in_(sorted(principal.teams)))
    return sorted(team for team in session.exec(rows) if team)


def put_agents(session: Session, client_id: str, rows: Sequence[Mapping[str, Any]]) -> int:
    """Each is made or replaced; says how many are new. Whoever signs in as one of them is in the new team, too."""
    table, new = table_of(Agent), 0
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    for start in range(0, len(rows), AT_ONCE):
        some = [{"client_id": client_id, **row} for row in rows[start : start + AT_ONCE]]
        ids = [row["agent_id"] for row in some]
        known = (
            select(func.count()).select_from(Agent).where(Agent.client_id == client_id, col(Agent.agent_id).in_(ids))
        )
        new += len(some) - session.exec(known).one()
        statement = dialect.insert(table).values(some)
        kept = {name: statement.excluded[name] for name in some[0] if name not in ("client_id", "agent_id")}
        # who left stays gone since then
        since = func.coalesce(table.c.left_at, statement.excluded.left_at)
        kept["left_at"] = case((statement.excluded.left_at.is_not(None), since))
        session.execute(statement.on_conflict_do_update(index_elements=["client_id", "agent_id"], set_=kept))
    _move_users(session, client_id, [row["agent_id"] for row in rows])
    return new


def _move_users(session: Session, client_id: str, agent_ids: Sequence[str]) -> None:
    of_today = select(Agent.team).where(Agent.client_id == client_id, Agent.agent_id == User.agent_id).scalar_subquery()
    for start in range(0, len(agent_ids), AT_ONCE):
        some = col(User.agent_id).in_(agent_ids[start : start + AT_ONCE])
        them = (col(User.client_id) == client_id) & (col(User.role) == "agent") & some
        session.execute(
            update(User).where(them).values(team=of_today), execution_options={"synchronize_session": False}
        )
