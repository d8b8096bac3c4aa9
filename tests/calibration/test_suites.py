"""The suites put to the rules, for real, and held against their baselines."""

import pytest

from callgrade.adapters.rules import RuleJudge
from callgrade.adapters.speech import SpeechJudge
from callgrade.calibration.baselines import compare, read_baseline
from callgrade.calibration.suite_results import EvalReport, SuiteResult
from callgrade.calibration.suite_variants import disturbed, reordered, swapped
from callgrade.calibration.suites import SuiteRunner, rate
from callgrade.catalog import load_rubric
from callgrade.catalog.eval_suites import load_suite, suite_ids
from callgrade.catalog.resources import resource_folder
from callgrade.domain.calls import Transcript
from callgrade.domain.rubrics import Rubric
from callgrade.ports import Verdicts
from callgrade.stats.intervals import wilson


@pytest.fixture(scope="module")
def results() -> dict[str, SuiteResult]:
    import asyncio

    async def run() -> dict[str, SuiteResult]:
        runner = SuiteRunner([RuleJudge(), SpeechJudge()], "rules")
        return {id_: await runner.run(load_suite(id_)) for id_ in suite_ids()}

    return asyncio.run(run())


@pytest.mark.parametrize("suite", suite_ids())
def test_the_rules_are_no_worse_than_their_baseline_and_the_baseline_is_of_these_cases(results, suite):
    found = compare(results[suite], read_baseline(resource_folder("evals") / "baselines", suite, "rules"))
    assert not found.regressed, found.newly_failed
    # the golden set may grow or shrink without anybody renewing a baseline; a suite of its own may not
    assert not found.stale, f"callgrade eval run {suite} --judge rules --write-baseline"


@pytest.mark.parametrize("suite", ["abstention", "evidence"])
def test_what_the_rules_must_never_get_wrong(results, suite):
    assert (results[suite].passed, results[suite].not_judged) == (results[suite].n, 0)


def test_a_yes_in_dialect_is_all_that_flips_a_verdict(results):
    """中, 得嘞 and 好伐 are consent, and not in the list that published rubrics hold: in the README's limits."""
    flipped = {case.id for case in results["fairness"].failures}
    assert flipped == {f"yes-in-a-word/dialect-fine/{number}" for number in (1, 2, 5)}


def test_nobody_talks_the_rules_into_anything(results):
    assert results["injection"].failures == ()
    assert results["injection"].rate.low > 0.9


def test_what_the_rules_cannot_judge_is_told_and_never_passes(results):
    misconduct = results["misconduct"]
    llm = {criterion.id for criterion in load_rubric("telesales-misconduct@v1").judged_by("llm")}
    assert set(misconduct.open_criteria) == llm
    for group in misconduct.groups:
        if group.group.split("/")[0] in llm:
            assert (group.passed, group.not_judged, group.rate.value) == (0, group.n, None)
    assert {case.why for case in misconduct.cases if case.outcome == "not_judged"} == {"no_model"}


def test_a_rate_is_of_what_was_judged_and_has_wilsons_interval(results):
    misconduct = results["misconduct"]
    judged = misconduct.n - misconduct.not_judged
    interval = wilson(misconduct.passed, judged)
    assert misconduct.rate.value == misconduct.passed / judged
    assert (misconduct.rate.low, misconduct.rate.high) == (interval.low, interval.high)
    assert rate([]).reason


def test_the_document_lists_failures_and_what_was_not_judged_and_holds_no_words_of_a_call(results):
    document = EvalReport(callgrade="0", judge="rules", suites=tuple(results.values())).document()
    assert document["schema"] == "callgrade.eval-report/1"
    for told, result in zip(document["suites"], results.values(), strict=True):
        assert told["schema"] == "callgrade.eval-result/1"
        assert len(told["failures"]) + len(told["unjudged"]) + told["passed"] == told["n"] == result.n
    misconduct = load_suite("misconduct")
    lines = [line.partition("：")[2] for call in misconduct.calls for line in call.turns if len(line) > 8]
    assert not [line for line in lines if line in str(document)]


async def test_a_call_is_judged_once_however_many_cases_look_at_it():
    class Counting:
        asked: list[Transcript] = []

        async def judge(self, transcript: Transcript, rubric: Rubric) -> Verdicts:
            self.asked.append(transcript)
            return Verdicts()

    suite = load_suite("injection")
    judge = Counting()
    await SuiteRunner([judge], "nobody").run(suite)
    assert len(judge.asked) == len(suite.cases) + len({case.call for case in suite.cases})


async def test_a_draft_is_tried_in_the_place_of_the_rubric_that_it_is_a_version_of():
    shipped = load_rubric("telesales-misconduct@v1")
    deaf = [
        criterion.model_copy(update={"judge": "human", "rule": None}) if criterion.id == "insult" else criterion
        for criterion in shipped.criteria
    ]
    draft = shipped.model_copy(update={"version": "v2", "criteria": tuple(deaf)})
    rules = [RuleJudge(), SpeechJudge()]
    found = await SuiteRunner(rules, "rules", draft=draft).run(load_suite("injection"))
    unjudged = {case.id for case in found.cases if case.outcome == "not_judged"}
    assert {"en-disguise-1", "zh-hidden-2"} <= unjudged
    other = load_rubric("service-quality-core@v1")
    same = await SuiteRunner(rules, "rules", draft=other).run(load_suite("injection"))
    assert same.not_judged == 5


async def test_judges_that_judge_nothing_pass_nothing_but_what_needs_no_judge():
    runner = SuiteRunner([], "nobody")
    for id_ in suite_ids():
        result = await runner.run(load_suite(id_))
        own = [case for case in result.cases if id_ == "evidence" and not case.id.startswith("quotes/")]
        assert (result.passed, result.not_judged) == (len(own), result.n - len(own)), id_


def test_swaps_change_the_slot_and_nothing_else():
    suite = load_suite("fairness")
    pairs = {variant.id: (first, variant.transcript) for first, variant in swapped(suite, suite.calls[0])}
    first, other = pairs["fee-complaint/name/3"]
    assert [a.text.replace("王建国", "阿依古丽") for a in first.turns] == [b.text for b in other.turns]
    assert first.facts == other.facts
    first, other = pairs["fee-complaint/agent-history/1"]
    assert first.turns == other.turns
    assert (first.agent, first.facts) != (other.agent, other.facts)
    assert not any("{" in turn.text for pair in pairs.values() for one in pair for turn in one.turns)


def test_disturbances_keep_the_words_in_their_order():
    suite = load_suite("robustness")
    call = suite.calls[0]
    clean = "".join(turn.text for turn in call.transcript().turns)
    variants = {variant.id: variant.transcript for variant in disturbed(suite, call)}
    assert "".join(turn.text for turn in variants["promised-yield/split"].turns) == clean
    assert len(variants["promised-yield/split"].turns) > len(call.turns)
    heard = "".join(turn.text for turn in variants["promised-yield/misheard/保正"].turns)
    assert heard == clean.replace("保证", "保正")
    assert all(turn.text.startswith("嗯，") for turn in variants["promised-yield/filler/嗯"].turns)


def test_the_same_criteria_are_asked_in_other_orders():
    rubric = load_rubric("telesales-misconduct@v1")
    orders = [[criterion.id for criterion in one.criteria] for _, one in reordered(rubric)]
    assert all(sorted(order) == sorted(c.id for c in rubric.criteria) for order in orders)
    assert len({tuple(order) for order in [*orders, [c.id for c in rubric.criteria]]}) == 3
