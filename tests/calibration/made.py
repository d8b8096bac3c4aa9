"""Reviewed calls and golden sets, for the tests of calibration. Made up; nobody said any of it."""

from typing import Any

from callgrade.access.principals import Principal
from callgrade.calibration import golden
from callgrade.db.session import Database
from callgrade.domain.calls import Transcript
from callgrade.domain.golden import GoldenCall, Label
from callgrade.domain.outcomes import Answer, Occurrences
from callgrade.reviews.service import ReviewDesk
from tests.reviews.made import FORM, proposed, review

RUBRIC = FORM.reference


def grade(database: Database, who: Principal, review_id: str, *, warm: str = "yes", bait: int = 0) -> None:
    """Somebody judges everything by themselves, and commits."""
    desk = ReviewDesk(database)
    told = {"expected": 0, "reason": "听过了"}
    desk.decide(who, review_id, "warm", "override", outcome=Answer(answer=warm), **told)
    desk.decide(who, review_id, "clear", "cannot_judge", **told)
    desk.decide(who, review_id, "slips", "override", outcome=Occurrences(occurrences=1), **told)
    desk.decide(who, review_id, "bait", "override", outcome=Occurrences(occurrences=bait), **told)
    desk.finish(who, review_id)


def reviewed(database: Database, who: Principal, call_id: str = "C-1", **more: Any) -> str:
    """A published evaluation, by its id."""
    made = proposed(database, call_id, **more)
    grade(database, who, review(database, made, reviewer_id=who.user_id))
    return made.id


def own_set(database: Database, lead: Principal, name: str = "sales-2026") -> str:
    with database.writing() as session:
        return golden.create(session, lead, name, "销售 2026").id


def a_call(name: str = "g-1", split: str = "dev", **more: Any) -> GoldenCall:
    turns = [{"speaker": "agent", "text": "随时取消"}, {"speaker": "customer", "text": "=1+1 好"}]
    words = Transcript.model_validate({"call_id": name, "turns": turns})
    told = {"agent": f"agent of {name}", "customer": f"customer of {name}", **more}
    return GoldenCall(id=name, synthetic=True, written_by="nobody", split=split, transcript=words, **told)


def a_label(call: str = "g-1", rater: str = "r1", **more: Any) -> Label:
    told = {"judgements": {"warm": {"answer": "yes"}, "bait": {"occurrences": 1}}, "blind": True, **more}
    return Label(call=call, rubric=RUBRIC, rater=rater, rater_kind="person", **told)
