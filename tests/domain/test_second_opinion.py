"""When a second opinion is asked at all, and when it firmly says otherwise."""

from datetime import UTC, datetime

import pytest

from callgrade.domain.calibration import Figure
from callgrade.domain.judgements import EXCLUDED, Judgement
from callgrade.domain.outcomes import Answer, Occurrences
from callgrade.domain.second_opinion import Check, Opinion, Source, decide, differs, says_fault
from tests.domain.forms import answer, bonus, rubric, violation


def checked(low, **more):
    told = {"split": "dev", "calls": 60, "faults": 20, "brier": 0.1, "base": 0.22, **more}
    return Check(kappa=Figure(value=0.7, low=low, high=0.9, n=60), **told)


@pytest.mark.parametrize(
    ("faults", "none", "check", "gate", "needed"),
    [
        (19, 500, None, "insufficient_data", 1),
        (500, 5, None, "insufficient_data", 15),
        (20, 20, None, "insufficient_data", None),
        (50, 50, checked(0.6, faults=9), "insufficient_data", 1),
        (50, 50, checked(0.6, faults=53), "insufficient_data", 3),
        (50, 50, checked(0.39), "below", None),
        (50, 50, checked(None), "below", None),
        (50, 50, checked(0.6, brier=0.22), "below", None),
        (50, 50, checked(0.4), "on", 0),
    ],
)
def test_the_gate(faults, none, check, gate, needed):
    found = decide(faults, none, check)
    assert (found.gate, found.needed) == (gate, needed)
    assert all((found.reason.zh, found.reason.en, found.action.zh, found.action.en))


def said(outcome=None, **more):
    status = "judged" if outcome is not None else "not_applicable"
    return Judgement(criterion_id="c", outcome=outcome, **{"status": status, "method": "llm", **more})


def test_what_a_proposal_says():
    form = rubric(violation("bait", "fail_call"), answer("warm", 5), bonus("extra", 5), total={"max": 20})
    bait, warm, extra = form.criteria
    assert says_fault(bait, said(Occurrences(occurrences=1))) is True
    assert says_fault(bait, said(Occurrences(occurrences=0))) is False
    assert says_fault(bait, said()) is False, "what does not apply has not happened"
    assert says_fault(warm, said()) is None
    assert says_fault(warm, said(Answer(answer="no"))) is True
    assert says_fault(extra, said(Answer(answer="no"))) is None, "a bonus knows no fault"
    assert says_fault(bait, said(reason=EXCLUDED)) is None
    assert says_fault(bait, said(Occurrences(occurrences=1), method="human")) is None
    assert says_fault(bait, Judgement(criterion_id="c", status="cannot_assess", method="llm")) is None


@pytest.mark.parametrize(
    ("proposed", "probability", "fault"),
    [
        (False, 0.9, True),
        (False, 0.89, None),
        (True, 0.1, False),
        (True, 0.11, None),
        (True, 0.99, None),
        (None, 0.99, None),
    ],
)
def test_only_a_firm_disagreement_is_one(proposed, probability, fault):
    opinion = Opinion(
        rubric="r@v1", rubric_digest="d", criterion_id="c", criterion_digest="d", recipe="x", library="x",
        trained_at=datetime(2026, 11, 22, tzinfo=UTC), source=Source(kind="reviews", name="r", digest="d", calls=400),
        verdict=decide(50, 50, checked(0.6)),
    )  # fmt: skip
    found = differs(opinion, "o1", proposed, probability)
    assert (None if found is None else found.fault) == fault
    if found is not None:
        assert found.probability >= opinion.firm
        assert (found.opinion, found.calls) == ("o1", 400)
