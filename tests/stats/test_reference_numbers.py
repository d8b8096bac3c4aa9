"""Every published number, to the digits that it is printed with."""

import numpy as np
import pytest

from callgrade.stats import coefficients
from callgrade.stats.agreement import (
    brennan_prediger,
    cohen_kappa,
    conger_kappa,
    fleiss_kappa,
    gwet_ac1,
    gwet_ac2,
    krippendorff_alpha,
    percent_agreement,
    scott_pi,
    weighted_kappa,
)
from callgrade.stats.bias import bland_altman
from callgrade.stats.gwet_error import gwet_standard_error
from callgrade.stats.icc import icc
from callgrade.stats.intervals import standard_error
from callgrade.stats.latent import dawid_skene, rogan_gladen
from callgrade.stats.ratings import Ratings
from tests.stats.reference import from_items, from_observers, from_table, numbers


def printed(value: float, published: float) -> bool:
    """Equal to the last digit that was printed."""
    digits = len(repr(published).partition(".")[2])
    return abs(value - published) <= 0.5000001 * 10**-digits


def check(found: dict[str, float | None], expected: dict[str, float]) -> None:
    assert found.keys() == expected.keys()
    wrong = {name: (found[name], value) for name, value in expected.items() if not printed(found[name], value)}
    assert not wrong


def test_cohen_1968():
    example = numbers()["cohen_1968_weighted_kappa"]
    ratings = from_table(np.array(example["proportions"]) * example["n"])
    weighted = weighted_kappa(ratings, example["disagreement_weights"]).value
    found = {"kappa": cohen_kappa(ratings).value, "weighted_kappa": weighted}
    check(found, example["expect"])
    check(found, example["published"])


def test_agresti_pathologists():
    example = numbers()["agresti_pathologists_118"]
    ratings = from_table(example["counts"])
    found = {
        "kappa": cohen_kappa(ratings).value,
        "se": standard_error(coefficients.cohen(ratings), correction=0),
        "linear": weighted_kappa(ratings, "linear").value,
        "quadratic": weighted_kappa(ratings, "quadratic").value,
    }
    check(found, example["expect"])


def test_shrout_and_fleiss_1979():
    example = numbers()["shrout_fleiss_1979"]
    ratings = from_items(example["ratings_targets_x_judges"], kind="interval")
    forms = ("ICC(1,1)", "ICC(2,1)", "ICC(3,1)", "ICC(1,k)", "ICC(2,k)", "ICC(3,k)")
    found = [icc(ratings, form).value for form in forms]
    check(dict(zip(example["expect"], found, strict=True)), example["expect"])
    check(dict(enumerate(found)), dict(enumerate(example["published"])))


def test_krippendorff_2011():
    example = numbers()["krippendorff_2011_4x12"]
    ratings = from_observers(example["observers_x_units"])
    check({kind: krippendorff_alpha(ratings, kind).value for kind in example["expect"]}, example["expect"])
    without = from_observers([row[:11] for row in example["observers_x_units"]], categories=[1, 2, 3, 4, 5])
    found = {
        "gwet_ac1": gwet_ac1(ratings).value,
        "gwet_ac1_se": gwet_standard_error(ratings),
        "gwet_ac2_quadratic": gwet_ac2(ratings, "quadratic").value,
        "fleiss_gwet_missing": fleiss_kappa(ratings).value,
        "conger": conger_kappa(ratings).value,
        "brennan_prediger": brennan_prediger(ratings).value,
        "gwet_ac1_without_unit12": gwet_ac1(without).value,
    }
    check(found, {name: example[name] for name in found})


@pytest.mark.parametrize("name", ["krippendorff_2x10_binary", "krippendorff_2x12_nominal", "wikipedia_3x15"])
def test_krippendorff_s_other_examples(name):
    example = numbers()[name]
    ratings = from_observers(example["observers_x_units"])
    check({kind: krippendorff_alpha(ratings, kind).value for kind in example["expect"]}, example["expect"])


def test_fleiss_1971():
    example = numbers()["fleiss_1971"]
    ratings = from_items(example["subjects_x_raters"], categories=[1, 2, 3, 4, 5])
    found = {
        "fleiss_kappa": fleiss_kappa(ratings).value,
        "krippendorff_nominal": krippendorff_alpha(ratings).value,
        "conger": conger_kappa(ratings).value,
        "gwet_ac1": gwet_ac1(ratings).value,
        "randolph": brennan_prediger(ratings).value,
    }
    check(found, example["expect"])


def test_gwet_s_paradox():
    example = numbers()["gwet_paradox_118_5_2_0"]
    ratings = from_table(example["counts"])
    found = {
        "percent_agreement": percent_agreement(ratings).value,
        "kappa": cohen_kappa(ratings).value,
        "ac1": gwet_ac1(ratings).value,
        "scott_pi": scott_pi(ratings).value,
        "alpha": krippendorff_alpha(ratings).value,
    }
    check(found, example["expect"])


def test_the_abstractors():
    example = numbers()["irrcac_abstractors"]
    ratings = from_table(example["counts"])
    found = {
        "kappa": cohen_kappa(ratings).value,
        "se": standard_error(coefficients.cohen(ratings), correction=0),
        "scott": scott_pi(ratings).value,
        "ac1": gwet_ac1(ratings).value,
        "alpha": krippendorff_alpha(ratings).value,
        "bp": brennan_prediger(ratings).value,
    }
    check(found, example["expect"])


def test_bland_and_altman_1986():
    example = numbers()["bland_altman_1986_pefr"]
    found = bland_altman(example["wright"], example["mini"])
    wide = bland_altman(example["wright"], example["mini"], reach=2)
    expected = example["expect"]
    check({"bias": found.bias.value, "sd": found.spread}, {"bias": expected["bias"], "sd": expected["sd"]})
    check(
        {"low": found.limits.low, "high": found.limits.high},
        dict(zip(("low", "high"), expected["loa_1.96"], strict=True)),
    )
    check(
        {"low": wide.limits.low, "high": wide.limits.high}, dict(zip(("low", "high"), expected["loa_2"], strict=True))
    )
    # the paper went on with rounded numbers: -2.1 - 2 × 38.8 = -79.7
    published = example["published"]
    check({"bias": found.bias.value, "sd": found.spread}, {"bias": published["bias"], "sd": published["sd"]})
    rounded = [published["bias"] - 2 * published["sd"], published["bias"] + 2 * published["sd"]]
    assert published["loa"] == pytest.approx(rounded, abs=1e-9)


def test_dawid_and_skene_1979():
    example = numbers()["dawid_skene_1979"]
    said = np.zeros((45, 5, 4))
    for patient in example["compact"].split():
        number, _, observers = patient.partition(":")
        for observer, tries in enumerate(observers.split("|")):
            for label in tries:
                said[int(number) - 1, observer, int(label) - 1] += 1
    shares = dawid_skene(said).shares
    check(dict(enumerate(shares)), dict(enumerate(example["expect"]["class_marginals"])))
    assert [round(share, 2) for share in shares] == example["published"]


def test_rogan_and_gladen_1978():
    example = numbers()["rogan_gladen"]
    check({"share": rogan_gladen(example["p"], example["se"], example["sp"]).value}, {"share": example["expect"]})


def test_ordinal_weights_and_krippendorff_s_ordinal_metric_are_two_things():
    ratings = from_observers(numbers()["krippendorff_2011_4x12"]["observers_x_units"])
    assert printed(krippendorff_alpha(ratings, "ordinal").value, 0.815)
    assert printed(krippendorff_alpha(ratings, weights="ordinal").value, 0.834)


def test_every_example_of_the_file_is_reproduced_here():
    import inspect
    import sys

    source = inspect.getsource(sys.modules[__name__])
    assert [name for name in numbers() if f'"{name}"' not in source] == []
    assert isinstance(from_table([[1, 0], [0, 1]]), Ratings)
