"""The pages over a running service, and people of every role who are signed in to them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event
from typing import Any, get_args

import pytest
from starlette.testclient import TestClient

from callgrade.access.keys import ensure_client
from callgrade.access.permissions import ROLES, Role
from callgrade.access.principals import Principal
from callgrade.db.tables import User
from callgrade.domain.errors import NotAuthenticatedError
from callgrade.web.app import mount
from callgrade.web.dependencies import Desk, session_cookie
from tests.api.made import Service

__all__ = ["Rooms", "rooms"]

ROLE_NAMES: tuple[Role, ...] = get_args(Role)
HERE = {"Sec-Fetch-Site": "same-origin"}
TEAM, AGENT = "sales-2", "8031"


@dataclass
class Seats:
    """Who is signed in, by what their browser presents; `access.signing_in` without the passwords."""

    taken: dict[str, Principal] = field(default_factory=dict)
    quiet: list[bool] = field(default_factory=list)

    def admit(self, token: str, at: datetime | None = None, *, quietly: bool = False) -> Principal:
        self.quiet.append(quietly)
        if token not in self.taken:
            raise NotAuthenticatedError("this session has ended")
        return self.taken[token]


@dataclass
class Rooms:
    """`desk` is what the pages work with."""

    service: Service
    desk: Desk
    seats: Seats

    def token(self, role: Role, **changes: Any) -> str:
        """Of somebody of this role, who leads or reviews for TEAM, or is AGENT; made when they are first needed."""
        name = f"a-{role}"
        if changes or name not in self.seats.taken:
            with self.desk.database.writing() as session:
                client_id = ensure_client(session, changes.pop("client", "default")).id
                user = User(client_id=client_id, login=f"{role}-{len(self.seats.taken)}", role=role)
                session.add(user)
                session.flush()
                told = {
                    "client_id": client_id,
                    "actor": f"user:{user.id}",
                    "user_id": user.id,
                    "role": role,
                    "scopes": ROLES[role],
                    "teams": frozenset({TEAM}) if role == "qa_lead" else frozenset(),
                    "agent_id": AGENT if role == "agent" else None,
                }
            name = f"{name}-{len(self.seats.taken)}" if changes else name
            self.seats.taken[name] = Principal(**{**told, **changes})
        return name

    def browser(self, role: Role | None = None, **changes: Any) -> TestClient:
        """A client that sends what a browser sends from a page of ours."""
        browser = TestClient(self.service.app, raise_server_exceptions=False, follow_redirects=False, headers=HERE)
        if role is not None:
            browser.cookies.set(session_cookie(self.desk.settings), self.token(role, **changes))
        return browser


@pytest.fixture
def rooms(service: Service) -> Iterator[Rooms]:
    served = service.app.state.services
    seats = Seats()
    desk = Desk(
        settings=service.settings,
        database=service.database,
        blobs=served.blobs,
        queue=served.queue,
        intake=served.intake,
        sign_ins=seats,
        stopping=Event(),
    )
    mount(service.app, desk)
    yield Rooms(service, desk, seats)
    desk.stopping.set()
