"""The SQL of sessions in browsers, of attempts to begin one, and of sign-ins begun elsewhere."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, or_, update
from sqlmodel import Session, col, select

from callgrade.access.repository import insert_once
from callgrade.db.tables import BegunSignIn, SignIn, SignInFailures, User

# sessions


def add(session: Session, row: SignIn) -> None:
    session.add(row)
    session.flush()


# each request asks it, and putting it together takes several times as long
_ADMITTED = (
    select(SignIn, User)
    .join(User, col(User.id) == col(SignIn.user_id))
    .where(col(SignIn.token_hash) == bindparam("token_hash"))
)


def admitted(session: Session, token_hash: str) -> tuple[SignIn, User] | None:
    return session.exec(_ADMITTED, params={"token_hash": token_hash}).first()


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
