"""Confidences are fitted on dev and checked on the holdout, by simulated judges; and given to proposals."""

import numpy as np
import pytest

from callgrade.calibration.compared import Compared, Said
from callgrade.calibration.confidence import Example, check, examples, fit
from callgrade.domain.calls import Transcript
from callgrade.domain.confidence import Features
from callgrade.domain.judgements import Judgement
from callgrade.domain.scorecards import score
from callgrade.reviews.confidence import Confidence, rules_digest, with_confidence
from callgrade.stats.results import Why
from tests.domain.forms import rubric, violation
from tests.reviews.autonomous import FORM, card

WORDS = Transcript.model_validate({"call_id": "g", "turns": [{"speaker": "agent", "text": "您好"}]})


def judge(seed, n, *, boast=0.0):
    """One who says the same again as often as it is right, or oftener by `boast`; of five samples each."""
    rng = np.random.default_rng(seed)
    p = rng.beta(3, 1, n)
    agree = np.clip(rng.binomial(5, np.clip(p + boast, 0, 1)) / 5, 0.2, 1)
    return [Example(Features(repeat=float(a)), bool(r)) for a, r in zip(agree, rng.random(n) < p, strict=True)]


@pytest.mark.parametrize("n", [150, 600], ids=["platt", "isotonic"])
@pytest.mark.parametrize("boast", [0.0, 0.25])
def test_what_was_fitted_on_dev_holds_on_the_holdout(n, boast):
    fitted = fit(judge(1, n, boast=boast), fitted_on="r")
    assert isinstance(fitted, Confidence)
    assert fitted.calibrator["kind"] == ("platt" if n < 300 else "isotonic")
    held_out = judge(2, 2000, boast=boast)
    checked = check(fitted, held_out).checked
    assert checked.n == 2000
    assert checked.ece < 0.06
    assert checked.brier < checked.base, "better than always saying the share that is right"
    assert sum(one.n for one in checked.bins) == 2000
    by_itself = np.mean([abs(one.features.repeat - one.right) ** 2 for one in held_out])
    assert checked.brier <= by_itself + 0.002


def test_of_too_few_of_all_alike_and_of_nothing_measured_there_is_none():
    assert fit(judge(1, 99), fitted_on="r") is Why.TOO_FEW
    assert fit([one._replace(right=True) for one in judge(1, 200)], fitted_on="r") is Why.ONE_CLASS
    assert fit([one._replace(features=Features()) for one in judge(1, 200)], fitted_on="r") is Why.NO_ITEMS
    assert fit([], fitted_on="r") is Why.NO_ITEMS


def test_what_was_measured_for_the_fit_must_be_measured_of_a_proposal():
    fitted = fit(judge(1, 200), fitted_on="r")
    assert fitted.uses == ("repeat",)
    assert fitted.of(Features(grounding=1.0)) is None
    assert 0 < fitted.of(Features(repeat=1.0)) < 1
    assert Confidence.model_validate(fitted.model_dump(mode="json", by_alias=True)) == fitted


def test_repeat_agreement_comes_from_the_samples_of_a_run():
    def said(answer):
        judgement = Judgement(criterion_id="warm", status="judged", outcome={"answer": answer}, method="llm")
        return Said(judgement, float(answer == "yes"), answer == "no")

    told = {"call": "g", "agent": "a", "transcript": WORDS}
    four = Compared(**told, samples=tuple(map(said, ("yes", "yes", "no", "yes"))), truth=said("yes"))
    one = Compared(**told, samples=(said("no"),), truth=said("yes"))
    unlabelled = Compared(**told, samples=(said("no"),))
    assert examples([four, one, unlabelled]) == [Example(Features(repeat=0.75), True), Example(Features(), False)]


def test_a_proposal_gets_what_was_calibrated_or_none():
    grounded = [Example(Features(grounding=1.0 if n % 2 else 0.7), n % 10 > (0 if n % 2 else 5)) for n in range(200)]
    fitted = fit(grounded, fitted_on="r")
    proposal = card()
    sure = {one.criterion_id: one.confidence for one in with_confidence(proposal, {"warm": fitted}, FORM).judgements}
    assert sure["warm"] == pytest.approx(fitted.of(Features(grounding=1.0)))
    assert 0.7 < sure["warm"] < 1
    assert sure["bait"] is None
    repeats = fit(judge(1, 200), fitted_on="r")
    assert with_confidence(proposal, {"warm": repeats}, FORM).judgements[0].confidence is None, "nobody asked twice"
    assert with_confidence(proposal, {}, FORM) is proposal


def beside(find="稳赚"):
    """A form in which a rule looks for the same as the model does, by its error's number."""
    rule = {"find": {"phrases": [find]}, "count": "matches"}
    return rubric(
        violation("mislead", "fail_call", errors=[41]),
        violation("promise", "flag", errors=[41], judge="rules", rule=rule),
    )


def both(form, model, rule):
    said = {
        "mislead": Judgement(criterion_id="mislead", status="judged", outcome={"occurrences": model}, method="llm"),
        "promise": Judgement(criterion_id="promise", status="judged", outcome={"occurrences": rule}, method="rules"),
    }
    return score(form, said, {}, call_id="g", digest="sha256:x")


def test_a_model_that_rules_contradict_is_less_sure_and_by_other_rules_nothing_is_known():
    form = beside()
    found = [Example(Features(rules=float(n % 3 > 0)), n % 10 > (0 if n % 3 else 5)) for n in range(200)]
    fitted = fit(found, fitted_on="r", rules=rules_digest(form, form.by_id["mislead"]))
    assert fitted.uses == ("rules",)

    def sure(form, model, rule):
        return with_confidence(both(form, model, rule), {"mislead": fitted}, form).judgements[0].confidence

    assert sure(form, 0, 0) == sure(form, 1, 1) > 0.8
    assert sure(form, 0, 1) == sure(form, 1, 0) < 0.6
    assert sure(beside("保本"), 0, 0) is None, "that rule's agreement was never measured"


def test_examples_are_held_beside_what_rules_said_of_the_same_call():
    form = beside()
    said = Said(both(form, 0, 1).judgements[0], 0.0, False)
    item = Compared(call="g", agent="a", transcript=WORDS, samples=(said,), truth=said)
    others = {"g": {one.criterion_id: one for one in both(form, 0, 1).judgements}}
    assert examples([item], form, others) == [Example(Features(rules=0.0), True)]
    assert examples([item], form) == [Example(Features(), True)]
