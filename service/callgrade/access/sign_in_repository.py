"""The SQL of sessions in browsers, of attempts to begin one, and of sign-ins begun elsewhere."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, delete, or_, update
from sqlalchemy import select as sql
from sqlmodel import Session, col, select

from callgrade.access.repository import insert_once
from callgrade.db.tables import BegunSignIn, LedTeam, SignIn, SignInFailures, User
from callgrade.db.tables.core import table_of

_SIGN_IN, _USER, _LED = table_of(SignIn), table_of(User), table_of(LedTeam)

# sessions


def add(session: Session, row: SignIn) -> None:
    session.add(row)
    session.flush()


_OF_USER = ("id", "client_id", "login", "name", "role", "agent_id", "team", "language", "disabled_at")
# each request asks it, and putting it together takes several times as long
_ADMITTED = (
    sql(_SIGN_IN.c.seen_at, _SIGN_IN.c.ends_at, *(_USER.c[name] for name in _OF_USER), _LED.c.team.label("led"))
    .join(_USER, _USER.c.id == _SIGN_IN.c.user_id)
    .outerjoin(_LED, _LED.c.user_id == _USER.c.id)
    .where(_SIGN_IN.c.token_hash == bindparam("token_hash"))
)


def admitted(session: Session, token_hash: str) -> Sequence[Row[Any]]:
    """The session and whose it is, a row for each team that they lead (`led`, None without any). Empty where there is
    no such session."""
    return session.execute(_ADMITTED, {"token_hash": token_hash}).all()


def note_seen(session: Session, token_hash: str, at: datetime, grain: timedelta) -> None:
    mine = (col(SignIn.token_hash) == token_hash) & (col(SignIn.seen_at) <= at - grain)
    session.execute(update(SignIn).where(mine).values(seen_at=at))


def of(session: Session, user_id: str) -> Sequence[SignIn]:
    """The last seen first."""
    return session.exec(select(SignIn).where(SignIn.user_id == user_id).order_by(col(SignIn.seen_at).desc())).all()


def drop(session: Session, token_hash: str) -> str | None:
    """Whose it was."""
    gone = delete(SignIn).where(col(SignIn.token_hash) == token_hash).returning(col(SignIn.user_id))
    user_id: str | None = session.execute(gone).scalar_one_or_none()
    return user_id


def drop_of(session: Session, user_id: str) -> int:
    """All of somebody's."""
    done: Any = session.execute(delete(SignIn).where(col(SignIn.user_id) == user_id))
    return int(done.rowcount)


def drop_ended(session: Session, at: datetime, idle: timedelta) -> int:
    ended = or_(col(SignIn.ends_at) <= at, col(SignIn.seen_at) <= at - idle)
    done: Any = session.execute(delete(SignIn).where(ended))
    return int(done.rowcount)


# attempts


def held_failures(session: Session, subject: str, at: datetime) -> SignInFailures:
    """Nobody else counts here before this session ends."""
    insert_once(session, SignInFailures, {"subject": subject, "number": 0, "first_at": at})
    wanted = select(SignInFailures).where(SignInFailures.subject == subject).with_for_update()
    return session.exec(wanted.execution_options(populate_existing=True)).one()


def drop_failures(session: Session, subject: str) -> None:
    session.execute(delete(SignInFailures).where(col(SignInFailures.subject) == subject))


def drop_old_failures(session: Session, before: datetime) -> int:
    row = SignInFailures
    unblocked = or_(col(row.blocked_until).is_(None), col(row.blocked_until) <= before)
    done: Any = session.execute(delete(row).where(col(row.first_at) <= before, unblocked))
    return int(done.rowcount)


# begun elsewhere


def add_begun(session: Session, row: BegunSignIn) -> None:
    session.add(row)
    session.flush()


def take_begun(session: Session, state_hash: str) -> BegunSignIn | None:
    """Of several who bring the same, one gets it."""
    gone = delete(BegunSignIn).where(col(BegunSignIn.state_hash) == state_hash).returning(BegunSignIn)
    taken: BegunSignIn | None = session.execute(gone).scalar_one_or_none()
    return taken


def drop_old_begun(session: Session, at: datetime) -> int:
    done: Any = session.execute(delete(BegunSignIn).where(col(BegunSignIn.ends_at) <= at))
    return int(done.rowcount)
