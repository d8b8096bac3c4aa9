"""What is measured of a proposal, and what is not."""

import pytest

from callgrade.domain.confidence import Features, features_of, raw
from callgrade.domain.judgements import Evidence, Judgement, cannot_assess

EXACT = Evidence(quote="随时取消", grounding="exact", turn=0, speaker="agent", start=0, end=4)
NEARLY = Evidence(quote="随时取消", grounding="approximate", turn=0, speaker="agent", start=0, end=4)


def judged(*evidence, method="llm", confidence=None, answer="yes"):
    return Judgement(
        criterion_id="warm", status="judged", outcome={"answer": answer}, method=method, confidence=confidence,
        evidence=evidence,
    )  # fmt: skip


def test_only_what_was_measured_is_a_feature():
    assert features_of(judged()).measured == ()
    assert features_of(judged(EXACT)).measured == ("grounding",)
    assert features_of(judged(EXACT, confidence=0.8)).measured == ("repeat", "grounding")
    assert features_of(judged(confidence=1.0, method="rules")).measured == (), "a rule says nothing twice"
    assert features_of(judged(), logprob=0.9).measured == ("logprob",)
    assert features_of(cannot_assess("warm", "llm", "")).measured == ()


def test_the_weakest_quote_counts():
    assert features_of(judged(EXACT, NEARLY)).grounding == 0.7
    assert features_of(judged(EXACT)).grounding == 1.0


def test_a_rule_that_looks_for_the_same_agrees_or_does_not():
    rule = judged(method="rules")
    assert features_of(judged(), rule=rule).rules == 1.0
    assert features_of(judged(answer="no"), rule=rule).rules == 0.0
    assert features_of(judged(), rule=cannot_assess("warm", "rules", "")).rules is None


def test_a_missing_measurement_is_not_made_up():
    both = Features(repeat=0.64, grounding=1.0)
    assert raw(both, ("repeat", "grounding")) == pytest.approx(0.8)
    assert raw(both, ("repeat",)) == 0.64
    assert raw(Features(grounding=1.0), ("repeat", "grounding")) is None
    assert raw(both, ()) is None
