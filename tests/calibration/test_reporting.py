"""Figures of a run: held to a table that can be worked out by hand, and silent about what must not be known."""

import pytest

from callgrade.calibration.fidelity import overlaps, spans
from callgrade.stats.results import Why
from tests.calibration.judged import FORM, NO_FAULT, card, judgement, label, of_pairs, report
from tests.calibration.made import a_call

YES, NO, ONE = {"answer": "yes"}, {"answer": "no"}, {"occurrences": 1}


def test_a_table_worked_out_by_hand():
    # 50 calls, right × proposed: 20 both yes, 5 and 10 apart, 15 both no (Cohen's textbook table): kappa 0.40
    cells = [(YES, YES)] * 20 + [(YES, NO)] * 5 + [(NO, YES)] * 10 + [(NO, NO)] * 15
    cards = {(f"g-{at}", 0): card(f"g-{at}", warm=said) for at, (_, said) in enumerate(cells)}
    calls = [a_call(f"g-{at}", agent=f"agent {at % 25}") for at in range(50)]
    labels = [label(f"g-{at}", "a", warm=right) for at, (right, _) in enumerate(cells)]
    found = report(cards, labels, calls).by_id["warm"]
    assert found.model.kappa.value == pytest.approx(0.40)
    assert found.model.kappa.low < 0.40 < found.model.kappa.high
    assert found.model.percent.value == pytest.approx(0.70)
    assert found.confusion.matrix == ((15, 10), (5, 20))
    fault = found.confusion.fault
    assert (fault.true, fault.said) == (25, 20)
    assert fault.recall.value == pytest.approx(15 / 25)
    assert fault.precision.value == pytest.approx(15 / 20)
    assert found.bias.value == pytest.approx(5 / 50)
    assert found.prevalence.value == pytest.approx(0.5)
    assert (found.compared, found.agents, found.truth, found.raters) == (50, 25, {"single": 50}, None)


def test_counts_are_weighted_and_more_than_two_is_two():
    found = of_pairs([(0, 0), (1, 1), (4, 2), (0, 7), (2, 1)])
    assert found.categories == (0, 1, 2)
    assert found.model.weights == "linear"
    assert found.confusion.matrix == ((1, 0, 1), (0, 1, 0), (0, 1, 1))


def test_few_agents_make_an_interval_by_calls_and_it_says_so():
    pairs = [(0, 0), (1, 1), (0, 1), (1, 1), (0, 0), (1, 0)] * 10
    assert of_pairs(pairs, agents=9).model.kappa.why == Why.TOO_FEW_GROUPS.value
    assert of_pairs(pairs, agents=9).model.kappa.low is not None
    assert of_pairs(pairs, agents=12).model.kappa.why is None


def test_raters_are_held_against_each_other_on_the_same_calls():
    found = of_pairs([(1, 1), (0, 0), (0, 1), (1, 1)], raters=[(1, 1), (0, 0), (0, 1)])
    assert found.raters.names == ("r0", "r1")
    assert found.raters.kind == "person"
    assert (found.raters.kappa.n, found.raters.percent.value) == (3, pytest.approx(2 / 3))


def test_the_judge_is_held_against_each_rater_as_they_are_against_each_other():
    pairs = [(1, 1), (0, 0), (0, 1), (1, 1), (1, 0), (0, 0)] * 4
    twice = of_pairs(pairs, raters=[(right, right) for right, _ in pairs])
    assert twice.with_raters.value == pytest.approx(twice.model.kappa.value)
    assert (twice.with_raters.low, twice.with_raters.high) == pytest.approx(
        (twice.model.kappa.low, twice.model.kappa.high), abs=0.05
    )
    # agrees wholly with one rater, and with the other as that one does
    apart = of_pairs(pairs, raters=[(said, right) for right, said in pairs])
    assert apart.with_raters.value == pytest.approx((1 + apart.raters.kappa.value) / 2)
    assert of_pairs(pairs).with_raters.why == Why.NO_PAIRS.value


def test_models_and_people_are_told_apart():
    labels = [label("g-1", "a", warm=YES), label("g-1", "m", warm=YES, rater_kind="model")]
    assert report({("g-1", 0): card("g-1", warm=YES)}, labels).by_id["warm"].raters.kind == "mixed"


def test_three_raters_have_fleiss():
    labels = [label(f"g-{at}", who, warm=YES if at else NO) for at in range(4) for who in "abc"]
    cards = {(f"g-{at}", 0): card(f"g-{at}", warm=YES) for at in range(4)}
    assert report(cards, labels).by_id["warm"].raters.coefficient == "fleiss_kappa"


def test_abstentions_failures_and_silence_are_counted_and_rate_nothing():
    cards = {
        ("g-1", 0): card("g-1", warm="cannot_assess", bait=ONE),
        ("g-2", 0): card("g-2", warm="failed", bait=ONE),
        ("g-3", 0): card("g-3", warm=YES, bait=judgement("bait", "cannot_assess", reason="no_model")),
        ("g-4", 0): card("g-4", warm="not_applicable", bait=ONE),
    }
    labels = [label(f"g-{at}", warm=YES) for at in range(1, 5)]
    found = report(cards, labels)
    warm, bait = found.by_id["warm"], found.by_id["bait"]
    assert (warm.compared, warm.failed, warm.applicability, warm.abstained.value) == (1, 1, 1, 0.25)
    assert (bait.not_judged, bait.calls, bait.abstained.n) == (1, 4, 3)


def test_samples_are_held_against_each_other():
    cards = {(f"g-{at}", k): card(f"g-{at}", warm=YES if at or not k else NO) for at in range(4) for k in range(3)}
    found = report(cards, [label(f"g-{at}", warm=YES) for at in range(4)], samples=3).by_id["warm"]
    assert found.compared == 4
    assert found.repeatability.samples == 3
    assert found.repeatability.percent.value == pytest.approx((3 + 1 / 3) / 4)
    assert report({("g-1", 0): card("g-1", warm=YES)}, []).by_id["warm"].repeatability is None


def test_disagreements_are_ranked_and_lead_to_the_moment():
    cards = {
        ("near", 0): card("near", bait={"occurrences": 2}),
        ("missed", 0): card("missed", bait=NO_FAULT),
        ("same", 0): card("same", bait=ONE),
        ("invented", 0): card("invented", bait=judgement("bait", {"occurrences": 3}, "随时取消")),
    }
    labels = [label("near", bait=ONE), label("same", bait=ONE), label("invented", bait=NO_FAULT)]
    labels.append(label("missed", bait=ONE, quotes={"bait": ("好",)}))
    found = report(cards, labels).disagreements
    assert [one.call for one in found] == ["invented", "missed", "near"]
    assert [one.turn for one in found] == [0, 1, None]
    assert [one.distance for one in found] == [1, 0.5, 0.5]
    assert found[1].raters == {"r1": {"occurrences": 1, "aggravated": 0}}
    assert "随时取消" not in str(found)


def test_nothing_of_the_holdout_is_listed():
    cards = {("g-1", 0): card("g-1", bait=ONE)}
    labels = [label("g-1", bait=NO_FAULT)]
    assert len(report(cards, labels).disagreements) == 1
    hidden = report(cards, labels, split="holdout")
    assert hidden.disagreements == ()
    assert "g-1" not in hidden.model_dump_json()


def test_quotes_must_stand_in_the_call_and_are_held_against_those_of_raters():
    made_up = judgement("bait", ONE, "随时", "取消").model_copy()
    bad = made_up.evidence[1].model_copy(update={"grounding": "unfounded", "turn": None, "why": "not_found"})
    cards = {
        ("g-1", 0): card("g-1", bait=made_up),
        ("g-2", 0): card("g-2", bait=made_up.model_copy(update={"evidence": (made_up.evidence[0], bad)})),
    }
    labels = [label("g-1", bait=ONE, quotes={"bait": ("时取",)}), label("g-2", bait=ONE, quotes={"bait": ("取消",)})]
    found = report(cards, labels).by_id["bait"].evidence
    assert (found.quotes, found.founded.value) == (4, 0.75)
    assert (found.overlap.n, found.overlap.value) == (3, pytest.approx(2 / 3))
    assert report(cards, labels).by_id["slips"].evidence is None


def test_places_of_quotes():
    words = a_call().transcript
    assert spans(words, ["取消", "没说过", ""]) == [(0, 2, 4)]
    assert overlaps((0, 2, 4), (0, 3, 9))
    assert not overlaps((0, 2, 4), (0, 4, 9))
    assert not overlaps((0, 2, 4), (1, 2, 4))


def test_what_it_cost_is_summed_and_unknown_stays_unknown():
    usage = [
        {"requests": 1, "prompt_tokens": 10, "completion_tokens": 2, "cost": 0.5, "ms": 100},
        {"requests": 0, "cache_hits": 1, "ms": 1},
        {"requests": 1, "prompt_tokens": 30, "cost": 0.25, "ms": 300},
    ]
    cards = {("g-1", 0): card("g-1", warm=YES)}
    spent = report(cards, [], usage=usage).spent
    assert (spent.requests, spent.cache_hits, spent.prompt_tokens, spent.cost) == (2, 1, 40, 0.75)
    assert spent.median_ms == 200
    assert report(cards, [], usage=[*usage, {"requests": 1, "cost": None}]).spent.cost is None
    assert report(cards, []).spent.median_ms is None


def test_no_words_of_a_call_stand_in_a_report():
    cards = {("g-1", 0): card("g-1", bait=judgement("bait", ONE, "随时取消", reason="他说随时取消"))}
    text = report(cards, [label("g-1", bait=NO_FAULT, quotes={"bait": ("随时取消",)})]).model_dump_json()
    assert "随时" not in text


def test_an_empty_run_is_a_report_all_the_same():
    found = report({}, [])
    assert [one.verdict.kind for one in found.criteria] == ["not_judged"] * len(FORM.criteria)
    assert {one.verdict.reason.en for one in found.criteria} == {"no call was judged yet"}
