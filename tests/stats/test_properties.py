"""What holds of every coefficient, whatever the ratings."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from callgrade.stats.agreement import (
    brennan_prediger,
    cohen_kappa,
    conger_kappa,
    fleiss_kappa,
    gwet_ac1,
    gwet_ac2,
    krippendorff_alpha,
    percent_agreement,
    weighted_kappa,
)
from callgrade.stats.ratings import Ratings

SCALE = (1.0, 1.5, 2.0, 4.0)
MANY = {
    "percent": percent_agreement,
    "fleiss": fleiss_kappa,
    "conger": conger_kappa,
    "bp": brennan_prediger,
    "ac1": gwet_ac1,
    "ac2": gwet_ac2,
    "nominal": lambda r: krippendorff_alpha(r, "nominal"),
    "ordinal": lambda r: krippendorff_alpha(r, "ordinal"),
    "interval": lambda r: krippendorff_alpha(r, "interval"),
    "ratio": lambda r: krippendorff_alpha(r, "ratio"),
}
PAIRS = {"cohen": cohen_kappa, "linear": weighted_kappa, "quadratic": lambda r: weighted_kappa(r, "quadratic")}
NOMINAL = ("percent", "fleiss", "conger", "bp", "ac1", "nominal")

rows = st.integers(2, 4).flatmap(
    lambda raters: st.lists(
        st.lists(st.one_of(st.none(), st.sampled_from(SCALE)), min_size=raters, max_size=raters),
        min_size=1,
        max_size=12,
    )
)
pairs = st.lists(st.tuples(*[st.one_of(st.none(), st.sampled_from(SCALE))] * 2), min_size=1, max_size=15)
quick = settings(max_examples=60, deadline=None)


def made(table, scale=SCALE):
    columns = {f"r{i}": list(column) for i, column in enumerate(zip(*table, strict=True))}
    return Ratings.from_columns(columns, categories=scale)


def same(a, b):
    assert a.why == b.why
    assert a.value == (None if b.value is None else pytest.approx(b.value, abs=1e-9))


@quick
@given(rows, st.randoms(use_true_random=False))
def test_the_order_of_items_and_of_raters_is_nothing(table, random):
    shuffled = [row[::-1] for row in table]
    random.shuffle(shuffled)
    for statistic in MANY.values():
        same(statistic(made(shuffled)), statistic(made(table)))


@quick
@given(pairs)
def test_two_raters_may_change_places(table):
    for statistic in PAIRS.values():
        same(statistic(made([row[::-1] for row in table])), statistic(made(table)))


@quick
@given(rows, st.permutations(SCALE))
def test_names_of_categories_are_nothing_where_they_have_no_order(table, names):
    other = dict(zip(SCALE, names, strict=True)) | {None: None}
    renamed = [[other[value] for value in row] for row in table]
    for name in NOMINAL:
        same(MANY[name](made(renamed)), MANY[name](made(table)))


@quick
@given(rows)
def test_values_are_bounded_or_say_why(table):
    missing = any(None in row for row in table)  # then the margins may come of other items than the agreement
    for name, statistic in MANY.items():
        found = statistic(made(table))
        assert (found.value is None) == (found.why is not None)
        if found.value is not None:
            assert np.isfinite(found.value)
            assert found.value <= 1 + 1e-9
            if name == "percent" or (name in NOMINAL and not missing):
                assert found.value >= (0 if name == "percent" else -1 - 1e-9)


@quick
@given(rows)
def test_equal_ratings_agree_fully(table):
    alike = [[row[0]] * len(row) for row in table]
    assume(len({row[0] for row in table} - {None}) >= 2)
    for statistic in MANY.values():
        assert statistic(made(alike)).value == pytest.approx(1)


@quick
@given(pairs)
def test_two_raters_of_conger_are_cohen_s_where_none_is_missing(table):
    full = [row for row in table if None not in row]
    assume(full)
    same(conger_kappa(made(full)), cohen_kappa(made(full)))


@quick
@given(rows)
def test_a_scale_twice_as_wide_changes_nothing(table):
    wide = [[None if value is None else 2 * value for value in row] for row in table]
    for statistic in MANY.values():
        same(statistic(made(wide, tuple(2 * c for c in SCALE))), statistic(made(table)))
