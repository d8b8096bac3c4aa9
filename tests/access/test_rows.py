"""Which rows somebody reaches, asked of the database."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import select

from callgrade.access.permissions import ROLES, Role
from callgrade.access.principals import Principal
from callgrade.access.rows import calls_within, evaluations_within, reviews_within
from callgrade.db.session import Database
from callgrade.db.tables import Call, Client, Evaluation, Review, User
from callgrade.domain.errors import ForbiddenError

AT = datetime(2026, 11, 1, tzinfo=UTC)


def visitor(role: Role, user: str | None = None, client: str = "c", **more: Any) -> Principal:
    actor = f"user:{user}" if user else "key:k"
    return Principal(client_id=client, actor=actor, scopes=ROLES[role], role=role, user_id=user, **more)


@pytest.fixture
def filled(database: Database) -> Database:
    """Calls a..f: two agents of north, one of south; `b` is published, the reviews are as below."""
    with database.writing() as session:
        session.add_all([Client(id="c", name="c"), Client(id="d", name="d")])
        session.flush()
        session.add_all(User(id=id_, client_id="c", login=id_, role="reviewer") for id_ in ("lin", "mei"))
        for name, client, agent, team, status in (
            ("a", "c", "1", "north", "proposed"),
            ("b", "c", "1", "north", "published"),
            ("c", "c", "2", "north", "proposed"),
            ("d", "c", "3", "south", "published"),
            ("e", "c", None, None, "proposed"),
            ("f", "d", "1", "north", "published"),
        ):
            told: dict[str, Any] = {"client_id": client, "agent_id": agent, "team": team}
            session.add(Call(id=name, call_id=name, channel="phone", language="zh", **told))
            session.flush()
            rubric = {"rubric_id": "r", "rubric_version": "v1", "rubric_digest": "d"}
            session.add(Evaluation(id=name, call_id=name, dedupe=name, status=status, called_at=AT, **told, **rubric))
        session.flush()
        for name, agent, team, more in (
            ("a", "1", "north", {"reviewer_id": "lin"}),
            ("b", "1", "north", {"reviewer_id": "mei", "state": "submitted"}),
            ("c", "2", "north", {}),
            ("d", "3", "south", {}),
            ("e", None, None, {"reviewer_id": "lin", "blind": True}),
            ("f", "1", "north", {}),
        ):
            told = {"client_id": "d" if name == "f" else "c", "agent_id": agent, "team": team, "due_at": AT}
            told |= {"attempt": 1, "why": "sample", "rubric_id": "r", "called_at": AT}
            session.add(Review(id=name, evaluation_id=name, **told, **more))
    return database


def reached(database: Database, principal: Principal) -> tuple[str, str, str]:
    """The names of calls, evaluations and reviews, each in one word."""
    with database.reading() as session:
        calls = session.exec(select(Call.id).where(calls_within(principal)))
        evaluations = session.exec(select(Evaluation.id).where(evaluations_within(principal)))
        reviews = list(session.exec(select(Review.id).where(reviews_within(principal)))) if can(principal) else []
        return "".join(sorted(calls)), "".join(sorted(evaluations)), "".join(sorted(reviews))


def can(principal: Principal) -> bool:
    return "reviews:read" in principal.scopes


def test_who_reaches_what(filled: Database) -> None:
    north, south = frozenset({"north"}), frozenset({"south"})
    table: list[tuple[Principal, tuple[str, str, str]]] = [
        (visitor("client"), ("abcde", "abcde", "abcde")),
        (visitor("client", client="d"), ("f", "f", "f")),
        (visitor("admin", "mei"), ("abcde", "abcde", "abcde")),
        (visitor("qa_lead", "mei", teams=north), ("abc", "abc", "abc")),
        (visitor("qa_lead", "mei", teams=north | south), ("abcd", "abcd", "abcd")),
        # a lead of no team reaches no call, and the reviews that are theirs
        (visitor("qa_lead", "mei"), ("", "", "b")),
        # what is lin's, and the pool; `e` is still to be judged blind
        (visitor("reviewer", "lin"), ("acde", "acd", "acde")),
        (visitor("reviewer", "lin", teams=south), ("ade", "ad", "ade")),
        (visitor("reviewer", "mei", teams=north), ("bc", "bc", "bc")),
        # who takes calls does not review them
        (visitor("reviewer", "mei", teams=north, agent_id="2"), ("b", "b", "b")),
        (visitor("agent", "x", agent_id="1", teams=north), ("b", "b", "")),
        (visitor("agent", "x", agent_id="2", teams=north), ("", "", "")),
        (visitor("agent", "x", teams=north), ("", "", "")),
    ]
    for principal, expected in table:
        assert reached(filled, principal) == expected, principal


def test_what_was_withdrawn_is_nobodys_any_more(filled: Database) -> None:
    with filled.writing() as session:
        review = session.get(Review, "a")
        assert review is not None
        review.state = "withdrawn"
        session.add(review)
    calls, evaluations, _ = reached(filled, visitor("reviewer", "lin", teams=frozenset({"south"})))
    assert (calls, evaluations) == ("de", "d")


def test_a_blind_review_hides_its_evaluation_until_it_is_submitted(filled: Database) -> None:
    lin = visitor("reviewer", "lin")
    assert "e" not in reached(filled, lin)[1]
    with filled.writing() as session:
        review = session.get(Review, "e")
        assert review is not None
        review.state = "submitted"
        session.add(review)
    assert "e" in reached(filled, lin)[1]


def test_an_agent_has_no_reviews_to_reach() -> None:
    with pytest.raises(ForbiddenError):
        reviews_within(visitor("agent", "x", agent_id="1"))
