"""The report as a page: the verdict first, both languages, nothing that runs, nothing that is not escaped."""

import re

import pytest

from callgrade.calibration.report_page import policy, render_html
from callgrade.calibration.report_view import SHOWN, make_view
from callgrade.calibration.report_words import TABLE, outcome_in_words
from tests.calibration.judged import NO_FAULT, card, label, report
from tests.calibration.made import a_call

YES, NO, ONE = {"answer": "yes"}, {"answer": "no"}, {"occurrences": 1}


@pytest.fixture(scope="module")
def found():
    names = [f"<i>g-{at}</i>" for at in range(12)]
    cards = {(name, 0): card(name, warm=YES if at % 3 else NO, bait=ONE) for at, name in enumerate(names)}
    labels = [
        label(name, who, warm=YES if at % 2 else NO, bait=NO_FAULT, rater_kind="model")
        for at, name in enumerate(names)
        for who in "ab"
    ]
    return report(cards, labels, [a_call(name) for name in names])


@pytest.mark.parametrize("language", ["zh", "en"])
def test_each_criterion_begins_with_verdict_reason_action_and_missing_labels(found, language):
    view = make_view(found, language)
    page = render_html(found, language=language)
    for one in view.criteria:
        first = re.search(rf'id="{one.found.criterion_id}".*?<p class="first">(.*?)</p>', page, re.DOTALL).group(1)
        text = re.sub(r"<[^>]+>", "", first)
        for part in (one.verdict, one.reason, one.action, one.needed):
            assert part
            assert part in text
    assert ("虚构" in page) is (language == "zh")
    assert any("模型" in what or "models" in what for what, _ in view.notices)


def test_what_people_named_is_escaped_and_nothing_runs(found):
    page = render_html(found, language="en")
    assert "<i>g-" not in page
    assert "&lt;i&gt;g-0" in page
    assert "<script" not in page
    assert " style=" not in page
    assert "default-src 'none'" in policy()
    assert "http" not in page.replace("http-equiv", "")


def test_every_chart_has_its_numbers_beside_it(found):
    view = make_view(found, "en")
    page = render_html(found, language="en")
    warm = view.criteria[0]
    assert warm.forest.low <= warm.forest.dot <= warm.forest.high
    assert warm.forest.zero == pytest.approx(40)
    assert f">{warm.found.model.kappa.value:.2f}".replace("-", "−") in page
    assert page.count("<svg") == page.count('aria-hidden="true"') - page.count('<span aria-hidden="true"')


def test_a_disagreement_leads_to_its_moment_where_there_is_one(found):
    page = render_html(found, language="en", link=lambda call, turn: f"/moment?{turn}")
    assert 'href="/moment?' in page
    assert 'href="/moment?' not in render_html(found, language="en")
    assert len(make_view(found, "en").disagreements) == min(SHOWN, len(found.disagreements))


def test_the_holdout_lists_nothing():
    hidden = report({("g-1", 0): card("g-1", bait=ONE)}, [label("g-1", bait=NO_FAULT)], split="holdout")
    assert "从不列出" in render_html(hidden, language="zh")


def test_outcomes_in_words():
    told = [{"answer": "yes"}, {"occurrences": 2, "aggravated": 1}, {"occurrences": 0}, {"kinds": 3}, {"count": 2}]
    assert [outcome_in_words(one, "zh") for one in told] == ["是", "2 处，其中情节严重 1 处", "0 处", "3 种", "2 次"]
    assert outcome_in_words({"status": "cannot_assess"}, "en") == "Cannot assess"
    assert outcome_in_words({"level": "full"}, "en") == "full"
    assert outcome_in_words({"score": 4.0}, "en") == "4.0"


def test_every_word_has_both_languages():
    for key, (chinese, english) in TABLE.items():
        assert chinese, key
        assert english, key
        assert set(re.findall(r"{(\w+)}", chinese)) == set(re.findall(r"{(\w+)}", english)), key
