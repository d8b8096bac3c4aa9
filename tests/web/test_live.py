"""The event stream: which topics changed, and nothing else; to nobody who is not signed in any more."""

import json
from collections.abc import Iterator
from datetime import timedelta
from time import monotonic
from typing import Any

import httpx
import pytest
from sqlmodel import select

from callgrade.access.principals import Principal
from callgrade.db.tables import SignIn
from callgrade.db.types import now
from callgrade.web import live
from callgrade.web.dependencies import session_cookie
from callgrade.web.live import Pulse, Topic
from tests.api.wire import Address


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "TICK_S", 0.05)
    monkeypatch.setattr(live, "ADMIT_TICKS", 2)


def listening(rooms: Any, address: Address, role: str) -> Any:
    cookies = {session_cookie(rooms.desk.settings): rooms.token(role)}
    return httpx.stream("GET", f"http://127.0.0.1:{address[1]}/events", cookies=cookies, timeout=20)


def events(answer: Any) -> Iterator[tuple[str, Any]]:
    name = ""
    for line in answer.iter_lines():
        kind, _, rest = line.partition(": ")
        if kind == "event":
            name = rest
        elif kind == "data":
            yield name, json.loads(rest)


def set_topics(rooms: Any, *topics: Topic) -> None:
    rooms.service.app.state.pages.state.pulse = Pulse(rooms.desk, topics)


def test_it_tells_which_topics_have_changed_to_those_who_may_open_them(rooms, address) -> None:
    # they change all the time: whatever the stream saw first, another look finds another value
    set_topics(
        rooms,
        Topic("batches", "batches:read", lambda _session, _visitor: monotonic()),
        Topic("releases", "releases:read", lambda _session, _visitor: "as ever"),
        Topic("audit", "audit:read", lambda _session, _visitor: monotonic()),
    )
    with listening(rooms, address, "qa_lead") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        told = events(answer)
        assert next(told) == ("hello", [])
        assert next(told) == ("changed", ["batches"])


def test_it_ends_with_the_session_and_keeps_nobody_signed_in(rooms, address) -> None:
    set_topics(rooms)
    with listening(rooms, address, "qa_lead") as answer:
        told = events(answer)
        next(told)
        long_ago = now() - timedelta(hours=7)
        with rooms.desk.database.writing() as session:
            for row in session.exec(select(SignIn)):
                row.seen_at = long_ago
        rooms.browser("qa_lead").get("/nothing", headers={"Desk-Background": "1"})
        with rooms.desk.database.reading() as session:
            assert [row.seen_at for row in session.exec(select(SignIn))] == [long_ago]
        rooms.desk.sign_ins.sign_out(rooms.token("qa_lead"))
        assert next(told) == ("signed-out", [])
        assert list(told) == []


def test_it_ends_when_the_process_is_asked_to(rooms, address) -> None:
    set_topics(rooms)
    with listening(rooms, address, "qa_lead") as answer:
        told = events(answer)
        next(told)
        rooms.desk.stopping.set()
        assert list(told) == []


def test_nobody_listens_who_is_not_signed_in(rooms) -> None:
    answer = rooms.browser().get("/events", headers={"Accept": "text/event-stream"})
    assert answer.status_code in (303, 401)


def test_a_look_serves_all_streams_of_a_client_and_own_topics_their_visitor_alone(rooms, monkeypatch) -> None:
    monkeypatch.setattr(live, "TICK_S", 60.0)
    looked: list[str] = []

    def look(_session: Any, visitor: Principal) -> int:
        looked.append(visitor.actor)
        return len(looked)

    pulse = Pulse(rooms.desk, [Topic("batches", "batches:read", look), Topic("queue", "reviews:read", look, own=True)])
    visitors = [rooms.desk.sign_ins.admit(rooms.token("qa_lead", name)) for name in ("a", "b", "a")]
    found = [pulse.look(visitor) for visitor in visitors]
    assert len(looked) == 3
    assert found[0]["batches"] == found[1]["batches"]
    assert found[0]["queue"] != found[1]["queue"]
    assert found[0] == found[2]
