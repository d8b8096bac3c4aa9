"""Golden sets of a client's own, for the tests of pages. Made up; nobody said any of it."""

from sqlmodel import Session

from callgrade.access.principals import system
from callgrade.calibration import golden, golden_repository
from callgrade.catalog import load_rubric
from callgrade.domain.calls import Transcript
from callgrade.domain.golden import GoldenCall, Label
from callgrade.domain.options import options
from tests.api.made import RUBRIC

FORM = load_rubric(RUBRIC)
DISPUTED = FORM.criteria[0]


def golden_set(session: Session, owner: str, name: str = "own") -> tuple[str, str]:
    """(set, one call of it): two people rated it blind, and differ on the first criterion. Another is held out."""
    us = system(owner)
    row = golden.create(session, us, name, "自己的")
    calls = [_call("g-1", "dev"), _call("g-2", "holdout")]
    golden.take_in(session, us, row.id, calls, [_label(call.id, rater) for call in calls for rater in (0, 1)])
    return row.id, golden_repository.find_call(session, row.id, "g-1").id


def _call(name: str, split: str) -> GoldenCall:
    turns = [{"speaker": "agent", "text": "随时取消"}, {"speaker": "customer", "text": f"{name} 好"}]
    words = Transcript.model_validate({"call_id": name, "turns": turns})
    return GoldenCall(id=name, synthetic=True, written_by="nobody", split=split, agent=f"a {name}", transcript=words)


def _label(call: str, rater: int) -> Label:
    judgements = {one.id: options(one)[0].model_dump(mode="json") for one in FORM.criteria[1:3]}
    judgements[DISPUTED.id] = options(DISPUTED)[rater].model_dump(mode="json")
    names = {"rater": f"rater-{rater}", "rater_kind": "person", "blind": True}
    return Label(call=call, rubric=FORM.reference, judgements=judgements, note=f"注 {rater}", **names)
