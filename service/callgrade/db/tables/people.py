"""People who sign in, what keeps them signed in, and the agents whose calls are graded."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from callgrade.db.types import Moment, new_id, now


class User(SQLModel, table=True):
    """A person. `role` is one of access.permissions; `agent_id` ties an agent to the calls they took."""

    __tablename__ = "app_user"  # `user` is a word of PostgreSQL's own
    __table_args__ = (UniqueConstraint("client_id", "login"), UniqueConstraint("issuer", "issuer_subject"))

    id: str = Field(default_factory=new_id, primary_key=True)
    client_id: str = Field(foreign_key="client.id", index=True)
    login: str
    """In lower case; unique over the client."""
    name: str | None = None
    role: str
    password_hash: str | None = None
    """Argon2id; None for who signs in elsewhere."""
    password_until: datetime | None = Field(default=None, sa_type=Moment)
    """Of a password that somebody else made: it is good once, to choose one's own, until then."""
    issuer: str | None = None
    issuer_subject: str | None = None
    """Who an OpenID provider says they are."""
    agent_id: str | None = None
    team: str | None = None
    language: str | None = None
    created_at: datetime = Field(default_factory=now, sa_type=Moment)
    disabled_at: datetime | None = Field(default=None, sa_type=Moment)


class LedTeam(SQLModel, table=True):
    """A team whose calls a lead sees. A lead without any sees none."""

    __tablename__ = "led_team"

    user_id: str = Field(foreign_key="app_user.id", primary_key=True)
    team: str = Field(primary_key=True)


class SignIn(SQLModel, table=True):
    """A browser that is signed in. Only the hash of what it presents is kept."""

    __tablename__ = "sign_in"

    token_hash: str = Field(primary_key=True)
    user_id: str = Field(foreign_key="app_user.id", index=True)
    created_at: datetime = Field(default_factory=now, sa_type=Moment)
    seen_at: datetime = Field(default_factory=now, sa_type=Moment)
    """To the minute."""
    ends_at: datetime = Field(sa_type=Moment)
    """At the latest, however busy it is."""
    browser: str = ""
    """What the person may know it by: name and system, no more."""


class BegunSignIn(SQLModel, table=True):
    """Somebody was sent to the OpenID provider and has not come back. It is used once; of what the browser must bring
    back only hashes are kept."""

    __tablename__ = "begun_sign_in"

    state_hash: str = Field(primary_key=True)
    browser_hash: str
    """Of the cookie of the browser that was sent."""
    nonce: str
    verifier: str
    """PKCE: what the code can be redeemed with."""
    next_path: str
    ends_at: datetime = Field(sa_type=Moment, index=True)


class SignInFailures(SQLModel, table=True):
    """Wrong passwords of late, by a digest of what was tried and from where."""

    __tablename__ = "sign_in_failures"

    subject: str = Field(primary_key=True)
    number: int = 0
    first_at: datetime = Field(default_factory=now, sa_type=Moment)
    blocked_until: datetime | None = Field(default=None, sa_type=Moment)


class Agent(SQLModel, table=True):
    """Who takes calls, whether or not they sign in. A call keeps the team of its day; this is the team of today."""

    __tablename__ = "agent"
    __table_args__ = (Index("agent_by_team", "client_id", "team"),)

    client_id: str = Field(foreign_key="client.id", primary_key=True)
    agent_id: str = Field(primary_key=True)
    """The client's own id, as calls carry it."""
    name: str | None = None
    team: str | None = None
    left_at: datetime | None = Field(default=None, sa_type=Moment)
    updated_at: datetime = Field(default_factory=now, sa_type=Moment)
