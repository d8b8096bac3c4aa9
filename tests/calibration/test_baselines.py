"""A run held against what was there before."""

from collections.abc import Mapping

import pytest

from callgrade.calibration.baselines import baseline_of, baseline_path, compare, read_baseline, write_baseline
from callgrade.calibration.suite_results import CaseResult, Rate, SuiteResult
from callgrade.domain.errors import ConfigurationError, NotFoundError
from callgrade.domain.frozen import LocalText

MANY = {f"c{number}": "passed" for number in range(100)}


def result(outcomes: Mapping[str, str], *, margin: float = 0.0, digest: str = "sha256:1", judge: str = "rules"):
    cases = tuple(CaseResult(id=id_, group="g", outcome=outcome) for id_, outcome in outcomes.items())
    told = {"title": LocalText(), "about": LocalText(), "digest": digest, "judge": judge, "rate": Rate(value=None)}
    return SuiteResult(suite="small", n=len(cases), passed=0, not_judged=0, margin=margin, cases=cases, **told)


def test_the_same_again_is_no_regression():
    before = result({"a": "passed", "b": "failed", "c": "not_judged"})
    found = compare(before, baseline_of(before))
    assert (found.regressed, found.common, found.before, found.now, found.stale) == (False, 2, 0.5, 0.5, False)


def test_without_a_margin_no_gain_makes_up_for_a_loss():
    found = compare(result({"a": "failed", "b": "passed"}), baseline_of(result({"a": "passed", "b": "failed"})))
    assert found.regressed
    assert (found.newly_failed, found.newly_passed) == (("a",), ("b",))


@pytest.mark.parametrize(("lost", "regressed"), [(2, False), (3, True)])
def test_a_margin_allows_so_much_and_no_more(lost, regressed):
    now = MANY | {f"c{number}": "failed" for number in range(lost)}
    assert compare(result(now, margin=0.02), baseline_of(result(MANY))).regressed is regressed


def test_what_is_not_judged_any_more_has_not_been_passed():
    found = compare(result({"a": "not_judged"}), baseline_of(result({"a": "passed"})))
    assert found.regressed
    assert found.newly_failed == ("a",)


def test_cases_that_are_new_or_gone_make_no_judge_better_or_worse():
    before = baseline_of(result({"a": "passed", "gone": "passed"}))
    found = compare(result({"a": "passed", "new": "failed"}, digest="sha256:2"), before)
    assert (found.regressed, found.common, found.new, found.gone, found.stale) == (False, 1, 1, 1, True)


def test_a_baseline_of_nothing_says_nothing():
    found = compare(result({"a": "not_judged"}), baseline_of(result({"a": "not_judged"})))
    assert (found.regressed, found.before, found.now) == (False, None, None)


def test_it_is_written_read_and_named_after_suite_and_judge(tmp_path):
    made = result({"b": "failed", "a": "passed"}, judge="qwen/qwen3:32b")
    path = write_baseline(tmp_path / "made", made)
    assert path == baseline_path(tmp_path / "made", "small", "qwen/qwen3:32b")
    assert path.name == "small.qwen-qwen3-32b.json"
    assert read_baseline(tmp_path / "made", "small", "qwen/qwen3:32b") == baseline_of(made)


def test_without_a_baseline_nothing_can_be_checked(tmp_path):
    with pytest.raises(NotFoundError, match="--write-baseline"):
        read_baseline(tmp_path, "small", "rules")
    (tmp_path / "small.rules.json").write_text("{}")
    with pytest.raises(ConfigurationError, match="eval-baseline"):
        read_baseline(tmp_path, "small", "rules")
