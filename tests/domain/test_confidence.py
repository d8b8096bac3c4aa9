"""What is measured of a proposal, and what is not."""

import pytest

from callgrade.domain.confidence import Features, agreement_of_rules, features_of, raw, rules_beside
from callgrade.domain.judgements import Evidence, Judgement, cannot_assess
from tests.domain.forms import answer, rubric, violation

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
    assert features_of(judged().model_copy(update={"logprob": 0.9})).measured == ("logprob",)
    assert features_of(cannot_assess("warm", "llm", "")).measured == ()


def test_the_weakest_quote_counts():
    assert features_of(judged(EXACT, NEARLY)).grounding == 0.7
    assert features_of(judged(EXACT)).grounding == 1.0


PHRASES = {"find": {"phrases": ["稳赚"]}, "count": "matches"}
FORM = rubric(
    violation("mislead", "fail_call", errors=[41]),
    violation("promise", "flag", errors=[7, 41], judge="rules", rule=PHRASES),
    violation("insult", "flag", errors=[8], judge="rules", rule=PHRASES),
    answer("warm", 6, errors=[9]),
)


def counted(id_, number, **more):
    told = {"status": "judged", "outcome": {"occurrences": number}, "method": "llm", **more}
    return Judgement(criterion_id=id_, **told)


def test_rules_that_look_for_the_same_named_error_agree_or_do_not():
    assert [one.id for one in rules_beside(FORM, FORM.by_id["mislead"])] == ["promise"]
    assert rules_beside(FORM, FORM.by_id["promise"]) == (), "a rule is no check of itself"
    said = {"promise": counted("promise", 1, method="rules"), "insult": counted("insult", 0, method="rules")}
    assert agreement_of_rules(FORM, counted("mislead", 2), said) == 1.0, "a fault is a fault, however often"
    assert agreement_of_rules(FORM, counted("mislead", 0), said) == 0.0
    absent = {"promise": Judgement(criterion_id="promise", status="not_applicable", method="rules")}
    assert agreement_of_rules(FORM, counted("mislead", 0), absent) == 1.0
    assert features_of(counted("mislead", 0), rules=1.0).measured == ("rules",)


def test_rules_that_cannot_tell_measure_nothing():
    open_ = {"promise": cannot_assess("promise", "rules", "")}
    assert agreement_of_rules(FORM, counted("mislead", 0), open_) is None
    assert agreement_of_rules(FORM, counted("mislead", 0), {}) is None
    assert agreement_of_rules(FORM, judged(), {"promise": counted("promise", 1)}) is None
    assert agreement_of_rules(FORM, cannot_assess("mislead", "llm", ""), {"promise": counted("promise", 1)}) is None


def test_a_missing_measurement_is_not_made_up():
    both = Features(repeat=0.64, grounding=1.0)
    assert raw(both, ("repeat", "grounding")) == pytest.approx(0.8)
    assert raw(both, ("repeat",)) == 0.64
    assert raw(Features(grounding=1.0), ("repeat", "grounding")) is None
    assert raw(both, ()) is None
