"""Judges that have earned some autonomy, for tests. Made up; nobody said any of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from callgrade.access.principals import Principal
from callgrade.db.session import Database
from callgrade.db.tables import Autonomy, Evaluation, RubricVersion, SampledCall, SamplingPlan, SamplingRun
from callgrade.domain.autonomy import CALL_LEVEL, keys_of
from callgrade.domain.frozen import LocalText
from callgrade.domain.judgements import Evidence, Judgement
from callgrade.domain.outcomes import Answer, Occurrences
from callgrade.domain.rubrics import Rubric
from callgrade.domain.scorecards import Provenance, Scorecard, score
from callgrade.evaluations import repository as evaluations
from callgrade.reviews import repository
from callgrade.reviews.service import ReviewDesk
from tests.domain.forms import answer, rubric, violation
from tests.evaluations.made import CLIENT, begin, submit, transcript
from tests.reviews.made import DUE

FORM = rubric(
    answer("warm", 6, title={"zh": "热情", "en": "Warm"}),
    violation("bait", "fail_call", title={"zh": "诱导", "en": "Bait"}),
    total={"max": 10, "start": 4},
)
MADE_BY = Provenance(
    prompt={"id": "judge", "version": "v1", "digest": "sha256:p1"},
    model_reported="made-up-model-1",
    recogniser="made-up-recogniser",
)
SAID = Evidence(quote="随时取消", grounding="exact", turn=0, speaker="agent", start=3, end=7, time=None)


def card(form: Rubric = FORM, *, call_id: str = "C-1", warm: str = "yes", bait: int = 0, by: Provenance = MADE_BY):
    """A proposal that could all go through: no quote made up, no violation unless told."""
    told = {
        "warm": _judged("warm", {"answer": warm}),
        "bait": _judged("bait", {"occurrences": bait}),
    }
    made = score(form, told, {"channel": "phone"}, call_id=call_id, digest="sha256:x")
    return made.model_copy(update={"provenance": by})


def registered(database: Database, form: Rubric = FORM) -> RubricVersion:
    with database.reading() as session:
        version = session.get(RubricVersion, (form.id, form.version))
    return version or begin(database, form)


def propose(database: Database, call_id: str = "C-1", shown: Scorecard | None = None, **more: Any) -> Evaluation:
    made = submit(database, transcript(call_id, **more), registered(database))
    with database.writing() as session:
        evaluations.begin(session, made.id, "judging")
        assert evaluations.store_scorecard(session, made.id, 1, shown or card(call_id=call_id))
        return evaluations.find(session, CLIENT, made.id)


def granted(
    database: Database, *criteria: str, shown: Scorecard | None = None, form: Rubric = FORM, **more: Any
) -> dict[str, str]:
    """Automatic by 59 reviewed without a miss, as if somebody had granted it a minute ago; row ids by criterion."""
    registered(database)
    keys = keys_of(form, (shown or card()).provenance)
    figures = {"source": "production", "reviewed": 59, "misses": 0, "effective": 59.0, "level": 0.05}
    figures |= {"confidence": 0.95, "bound": 0.0495, "needed": 0}
    ids = {}
    with database.writing() as session:
        for id_ in criteria or ("warm", "bait"):
            row = Autonomy(
                client_id=CLIENT,
                rubric_id=form.id,
                reason=LocalText(zh="复核 59 通，无漏判", en="0 missed of 59 reviewed.").model_dump_json(),
                set_by="system",
                **{
                    "since": datetime.now(UTC) - timedelta(minutes=1),
                    "state": "automatic",
                    "evidence": {"figures": figures},
                    **keys[id_].model_dump(),
                    **more,
                },
            )
            session.add(row)
            session.flush()
            ids[id_] = row.id
    return ids


def drawing(database: Database, lead: Principal) -> str:
    """A drawing by chance that calls may be said to come from."""
    with database.writing() as session:
        plan = SamplingPlan(client_id=CLIENT, name="n", rubric_id=FORM.id, spec={}, created_by=lead.actor)
        plan.retired_at = datetime.now(UTC)
        session.add(plan)
        session.flush()
        at = datetime.now(UTC)
        run = SamplingRun(
            client_id=CLIENT, plan_id=plan.id, since=at, until=at, seed="s", population=10, drawn=1, drawn_by="u"
        )
        session.add(run)
        session.flush()
        return run.id


def checked(
    database: Database,
    who: Principal,
    run_id: str,
    call_id: str,
    *,
    probability: float = 0.5,
    shown: Scorecard | None = None,
    missed: tuple[str, ...] = (),
) -> str:
    """A call that was drawn, reviewed blind and submitted; `missed` are criteria of which the person says otherwise."""
    made = propose(database, call_id, shown)
    with database.writing() as session:
        row = SampledCall(
            client_id=CLIENT, run_id=run_id, call_id=made.call_id, evaluation_id=made.id, stratum="all", why="sample",
            probability=probability,
        )  # fmt: skip
        session.add(row)
        session.flush()
        assert repository.create(session, made, slot=0, due_at=DUE, why="sample", blind=True, sampled_id=row.id)
        found = repository.REVIEW.c
        statement = repository.select(found.id).where(found.evaluation_id == made.id)
        id_ = session.execute(statement).scalar_one()
    judge(ReviewDesk(database), who, id_, missed=missed)
    return made.id


def judge(desk: ReviewDesk, who: Principal, review_id: str, *, missed: tuple[str, ...] = ()) -> None:
    """Everything by themselves, and commit."""
    warm = Answer(answer="no" if "warm" in missed else "yes")
    bait = Occurrences(occurrences=int("bait" in missed))
    desk.decide(who, review_id, "warm", "override", outcome=warm, reason="听过了", expected=0)
    desk.decide(who, review_id, "bait", "override", outcome=bait, reason="听过了", expected=0)
    desk.finish(who, review_id)


def _judged(id_: str, outcome: dict[str, Any]) -> Judgement:
    return Judgement(
        criterion_id=id_, status="judged", outcome=outcome, method="llm", reason=f"机器认为 {id_}", evidence=(SAID,)
    )


__all__ = ["CALL_LEVEL", "FORM", "MADE_BY", "card", "checked", "drawing", "granted", "judge", "propose", "registered"]
