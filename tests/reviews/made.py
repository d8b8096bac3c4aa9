"""Proposals and people in a database, for the tests of the review desk. Made up; nobody said any of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from callgrade.access.permissions import ROLES
from callgrade.access.principals import Principal
from callgrade.db.session import Database
from callgrade.db.tables import Evaluation, LedTeam, RubricVersion, User
from callgrade.domain.judgements import Evidence, Judgement
from callgrade.domain.rubrics import Rubric
from callgrade.domain.scorecards import Provenance, Scorecard, score
from callgrade.evaluations import repository as evaluations
from callgrade.reviews import repository
from tests.domain.forms import answer, deduct, rubric, violation
from tests.evaluations.made import CLIENT, begin, submit, transcript

DUE = datetime(2026, 11, 30, tzinfo=UTC)
SAID = "随时取消"
FORM = rubric(
    answer("warm", 6),
    answer("clear", 4, not_applicable="forbidden"),
    deduct("slips", 2, cap=6),
    violation("bait", "fail_call"),
    total={"max": 20, "start": 10},
)


def person(database: Database, login: str, role: str = "reviewer", *, leads: tuple[str, ...] = (), **more: Any):
    """Somebody who has signed in."""
    registered(database)
    with database.writing() as session:
        user = User(client_id=more.pop("client_id", CLIENT), login=login, role=role, **more)
        session.add(user)
        session.flush()
        session.add_all(LedTeam(user_id=user.id, team=team) for team in leads)
        return visitor(user, leads)


def visitor(user: User, leads: tuple[str, ...] = ()) -> Principal:
    teams = frozenset(leads) | ({user.team} if user.team else set())
    return Principal(
        client_id=user.client_id,
        actor=f"user:{user.id}",
        scopes=ROLES[user.role],
        role=user.role,
        user_id=user.id,
        agent_id=user.agent_id,
        teams=teams,
    )


def judgements(**more: Judgement) -> dict[str, Judgement]:
    """Three that may be approved and an accusation whose quote was never said."""
    founded = Evidence(quote=SAID, grounding="exact", turn=0, speaker="agent", start=3, end=7, time=None)
    made_up = Evidence(quote="保证收益", grounding="unfounded", why="not_found")
    return {
        "warm": _judged("warm", {"answer": "yes"}, founded, confidence=0.97),
        "clear": _judged("clear", {"answer": "no"}, founded, confidence=0.55),
        "slips": _judged("slips", {"occurrences": 1}, founded, confidence=0.93),
        "bait": _judged("bait", {"occurrences": 1}, made_up, confidence=0.99),
        **more,
    }


def proposal(form: Rubric = FORM, call_id: str = "C-1", **more: Judgement) -> Scorecard:
    card = score(form, judgements(**more), {"channel": "phone"}, call_id=call_id, digest="sha256:x")
    return card.model_copy(update={"provenance": Provenance(model_reported="made-up-model")})


def registered(database: Database) -> RubricVersion:
    """The form in the registry, and two clients; made when they are first needed."""
    with database.reading() as session:
        version = session.get(RubricVersion, (FORM.id, FORM.version))
    return version or begin(database, FORM)


def proposed(database: Database, call_id: str = "C-1", **more: Any) -> Evaluation:
    """A call with a proposal."""
    made = submit(database, transcript(call_id, **more), registered(database))
    with database.writing() as session:
        evaluations.begin(session, made.id, "judging")
        assert evaluations.store_scorecard(session, made.id, 1, proposal(call_id=call_id))
        return evaluations.find(session, CLIENT, made.id)


def review(database: Database, evaluation: Evaluation, **more: Any) -> str:
    """A review of it, by its id."""
    fields = {"slot": 0, "due_at": DUE, "why": "low_confidence", **more}
    with database.writing() as session:
        assert repository.create(session, evaluation, **fields)
        statement = repository.select(repository.REVIEW.c.id).where(
            repository.REVIEW.c.evaluation_id == evaluation.id, repository.REVIEW.c.slot == fields["slot"]
        )
        return session.execute(statement).scalar_one()


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 22, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def later(self, **by: float) -> None:
        self.at += timedelta(**by)


def _judged(id_: str, outcome: dict[str, Any], *evidence: Evidence, confidence: float) -> Judgement:
    return Judgement(
        criterion_id=id_,
        status="judged",
        outcome=outcome,
        method="llm",
        reason=f"机器认为 {id_}",
        confidence=confidence,
        evidence=evidence,
    )
