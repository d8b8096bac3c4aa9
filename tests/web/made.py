"""The pages over a running service, and people of every role who are signed in to them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, get_args

import pytest
from starlette.testclient import TestClient

from callgrade.access.keys import ensure_client
from callgrade.access.permissions import Role
from callgrade.api.app import is_ours
from callgrade.db.tables import LedTeam, User
from callgrade.main import make_desk
from callgrade.web.app import mount
from callgrade.web.dependencies import Desk, session_cookie
from tests.api.made import Service

__all__ = ["Rooms", "rooms"]

ROLE_NAMES: tuple[Role, ...] = get_args(Role)
HERE = {"Sec-Fetch-Site": "same-origin"}
TEAM, AGENT = "sales-2", "8031"


@dataclass
class Rooms:
    """`desk` is what the pages work with."""

    service: Service
    desk: Desk
    tokens: dict[str, str] = field(default_factory=dict)

    def user(self, role: Role, login: str = "", client: str = "default", **changes: Any) -> User:
        """Somebody of this role, without a password: a lead of TEAM, or AGENT, where nothing else is said."""
        with self.desk.database.writing() as session:
            told = {"login": login or f"a-{role}", "role": role, "client_id": ensure_client(session, client).id}
            told["agent_id"] = AGENT if role == "agent" else None
            user = User(**{**told, **changes})
            session.add(user)
            session.flush()
            if role == "qa_lead":
                session.add(LedTeam(user_id=user.id, team=TEAM))
        return user

    def token(self, role: Role, login: str = "", **changes: Any) -> str:
        """What the browser of somebody presents who has signed in; the same person for the same login."""
        name = login or f"a-{role}"
        if name not in self.tokens:
            user = self.user(role, name, **changes)
            with self.desk.database.writing() as session:
                self.tokens[name] = self.desk.sign_ins.welcome(session, user)
        return self.tokens[name]

    def browser(self, role: Role | None = None, login: str = "", **changes: Any) -> TestClient:
        """A client that sends what a browser sends from a page of ours."""
        browser = TestClient(self.service.app, raise_server_exceptions=False, follow_redirects=False, headers=HERE)
        if role is not None:
            browser.cookies.set(session_cookie(self.desk.settings), self.token(role, login, **changes))
        return browser


@pytest.fixture
def rooms(service: Service) -> Iterator[Rooms]:
    desk = make_desk(service.app.state.services)
    mount(service.app, desk, elsewhere=is_ours)
    yield Rooms(service, desk)
    desk.stopping.set()
