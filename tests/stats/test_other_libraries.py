"""What krippendorff, statsmodels and pingouin make of the same random ratings; run once, kept in `other_libraries.json`
with their versions. scikit-learn and scipy are asked live in the other tests."""

import json
from pathlib import Path

import numpy as np
import pytest

from callgrade.stats import coefficients
from callgrade.stats.agreement import brennan_prediger, fleiss_kappa, krippendorff_alpha, weighted_kappa
from callgrade.stats.annotators import benjamini_yekutieli
from callgrade.stats.icc import FORMS, icc
from callgrade.stats.intervals import clopper_pearson, standard_error, wilson
from callgrade.stats.pairs import mcnemar
from tests.stats.reference import from_items

THEIRS = json.loads(Path(__file__).with_name("other_libraries.json").read_text("utf-8"))
SCALE = [1, 2, 3, 4, 5]
COMPLETE = from_items(THEIRS["complete_items_x_raters"], categories=SCALE)
GAPS = from_items(THEIRS["gaps_items_x_raters"], categories=SCALE)


@pytest.mark.parametrize("kind", ["nominal", "ordinal", "interval", "ratio"])
def test_alpha_with_gaps_is_that_of_krippendorff(kind):
    assert krippendorff_alpha(GAPS, kind).value == pytest.approx(THEIRS["krippendorff"][kind])


def test_fleiss_and_randolph_are_those_of_statsmodels():
    assert fleiss_kappa(COMPLETE).value == pytest.approx(THEIRS["statsmodels"]["fleiss_kappa"])
    assert brennan_prediger(COMPLETE).value == pytest.approx(THEIRS["statsmodels"]["randolph"])


@pytest.mark.parametrize(("name", "weights"), [("cohen", "identity"), ("linear", "linear"), ("quadratic", "quadratic")])
def test_kappa_and_its_error_are_those_of_statsmodels(name, weights):
    theirs, pair = THEIRS["statsmodels"][name], COMPLETE.of("r0", "r1")
    assert weighted_kappa(pair, weights).value == pytest.approx(theirs["kappa"])
    assert standard_error(coefficients.cohen(pair, weights), correction=0) == pytest.approx(theirs["se"], rel=1e-6)


@pytest.mark.parametrize("form", FORMS)
def test_icc_and_its_interval_are_those_of_pingouin(form):
    theirs = THEIRS["pingouin"]["icc"][form.replace("ICC(2", "ICC(A").replace("ICC(3", "ICC(C")]
    found = icc(COMPLETE, form)
    ours = [found.value, found.interval.low, found.interval.high]
    assert ours == [pytest.approx(theirs[0]), *(pytest.approx(end, abs=0.0051) for end in theirs[1:])]


def test_tests_and_intervals_are_those_of_statsmodels():
    theirs = THEIRS["statsmodels"]
    before = [True] * 40 + [False] * 12 + [True] * 3 + [False] * 45
    after = [True] * 40 + [True] * 12 + [False] * 3 + [False] * 45
    assert mcnemar(before, after).p == pytest.approx(theirs["mcnemar_12_3"])
    for interval, name in ((clopper_pearson(3, 40), "clopper_pearson_3_40"), (wilson(3, 40), "wilson_3_40")):
        assert [interval.low, interval.high] == pytest.approx(theirs[name])
    many = theirs["benjamini_yekutieli"]
    assert benjamini_yekutieli(np.array(many["p"])).tolist() == many["falls"]
