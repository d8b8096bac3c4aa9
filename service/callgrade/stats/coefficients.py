"""Each coefficient of agreement, as sums over items.

Cohen (1960, 1968): two raters, chance by each rater's own margins. Scott (1955), Fleiss (1971): by the common margins.
Conger (1980): Cohen for more raters. Brennan & Prediger (1981), Randolph (2005): every category as likely. Gwet
(2008): AC1, chance falls where one category rules; AC2 with weights. Krippendorff (2011): alpha, small samples
corrected. Missing ratings as in Gwet (2014, Handbook of Inter-Rater Reliability, chapter 2): an item with one rating
tells of the margins and not of agreement, but Krippendorff leaves it out altogether.
"""

from collections.abc import Callable

import numpy as np

from callgrade.stats.ratings import Array, Kind, Ratings
from callgrade.stats.results import Why, WrongRatings
from callgrade.stats.sums import Sums, nothing
from callgrade.stats.weights import Weights, agreement_weights, squared_distance

MOST_VALUES = 200
"""Of a measure without a scale: tables of k × k values are made."""
Expected = Callable[[Array, Array], Array]
"""(margins …×k, disagreement weights k×k) → disagreement expected by chance, …"""


def cohen(ratings: Ratings, weights: Weights = "identity") -> Sums:
    """Items that both raters rated; m = k × k cells of the table, first rater × second."""
    if len(ratings.raters) != 2:
        return nothing(Why.NOT_TWO, len(ratings.items))
    codes, size = ratings.codes, _size(ratings)
    if size is None:
        return nothing(Why.NO_SCALE)
    both = (codes >= 0).all(axis=1)
    if not both.any():
        return nothing(Why.NO_PAIRS)
    cells = np.zeros((len(codes), size * size))
    cells[np.flatnonzero(both), codes[both, 0] * size + codes[both, 1]] = 1
    apart = 1 - _weights(ratings, weights)

    def parts(sums: Array) -> tuple[Array, Array]:
        table = sums.reshape(*sums.shape[:-1], size, size)
        total = _at_least_one(table.sum(axis=(-2, -1)))
        first, second = table.sum(axis=-1), table.sum(axis=-2)
        observed = np.einsum("...kl,kl->...", table, apart) / total
        return observed, np.einsum("...k,kl,...l->...", first, apart, second) / total**2

    return Sums(cells, parts, int(both.sum()))


def scott(ratings: Ratings, weights: Weights = "identity") -> Sums:
    """Scott's pi and Fleiss' kappa, also with weights and missing ratings: chance by the margins of all raters."""
    return _pooled(ratings, weights, lambda shares, apart: np.einsum("...k,kl,...l->...", shares, apart, shares))


def brennan_prediger(ratings: Ratings, weights: Weights = "identity") -> Sums:
    """Every category is as likely."""
    return _pooled(ratings, weights, lambda shares, apart: np.full(shares.shape[:-1], apart.mean()))


def gwet(ratings: Ratings, weights: Weights = "identity") -> Sums:
    """AC1, and AC2 with weights."""

    def expected(shares: Array, apart: Array) -> Array:
        size = len(apart)
        return np.asarray(1 - (1 - apart).sum() * (shares * (1 - shares)).sum(axis=-1) / (size * (size - 1)))

    return _pooled(ratings, weights, expected)


def conger(ratings: Ratings, weights: Weights = "identity") -> Sums:
    """Cohen's kappa for any number of raters: chance by the margins of each pair of raters. Sums: pair disagreement,
    items with pairs, then raters × categories."""
    checked = _pairable(ratings)
    if isinstance(checked, Why):
        return nothing(checked)
    raters, size, codes = len(ratings.raters), checked.shape[1], ratings.codes
    apart = 1 - _weights(ratings, weights)
    said = np.stack([codes == c for c in range(size)], axis=2).astype(np.float64)
    paired, counts = checked.sum(axis=1) >= 2, checked
    per_item = np.column_stack([_disagreement(counts, apart), paired, said.reshape(len(codes), -1)])

    def parts(sums: Array) -> tuple[Array, Array]:
        given = sums[..., 2:].reshape(*sums.shape[:-1], raters, size)
        shares = given / _at_least_one(given.sum(axis=-1))[..., None]
        total = shares.sum(axis=-2)
        everyone = np.einsum("...k,kl,...l->...", total, apart, total)
        themselves = np.einsum("...rk,kl,...rl->...", shares, apart, shares)
        return sums[..., 0] / _at_least_one(sums[..., 1]), (everyone - themselves) / (raters * (raters - 1))

    return Sums(per_item, parts, int(paired.sum()))


def krippendorff(ratings: Ratings, kind: Kind | None = None, weights: Weights | None = None) -> Sums:
    """Alpha. `kind`: the metric, the ratings' own when left out; `weights` take its place (Gwet's ordinal weights give
    another coefficient than Krippendorff's ordinal metric). m = coincidences of the values that occur."""
    metric = kind or ratings.kind
    if metric == "interval" and weights is None:
        return _interval_alpha(ratings)
    checked = _pairable(ratings)
    if isinstance(checked, Why):
        return nothing(checked)
    counts = np.where((checked.sum(axis=1) >= 2)[:, None], checked, 0.0)
    values = np.array(ratings.categories) if ratings.categories is not None else ratings.used
    if metric == "ratio" and (values < 0).any():
        raise WrongRatings("a ratio has no negative values")
    given = None if weights is None else 1 - _weights(ratings, weights)
    used = counts.any(axis=0)
    counts, values = counts[:, used], values[used]
    if given is not None:
        given = given[np.ix_(used, used)]
    size = len(values)
    number = counts.sum(axis=1)
    pairs = counts[:, :, None] * (counts[:, None, :] - np.eye(size)) / np.maximum(number - 1, 1)[:, None, None]

    def parts(sums: Array) -> tuple[Array, Array]:
        together = sums.reshape(*sums.shape[:-1], size, size)
        margins = together.sum(axis=-1)
        total = _at_least_one(margins.sum(axis=-1))
        far = squared_distance(values, metric, margins) if given is None else given
        observed = (together * far).sum(axis=(-2, -1)) / total
        apart = (margins[..., :, None] * margins[..., None, :] * far).sum(axis=(-2, -1))
        return observed, apart / (total * np.maximum(total - 1, 1))

    return Sums(pairs.reshape(len(pairs), -1), parts, int((number >= 2).sum()))


def _interval_alpha(ratings: Ratings) -> Sums:
    """From moments, so that a measure may have as many values as it likes. Sums: squared distances of an item's pairs
    over its number less 1, then numbers, values and squares."""
    known = ~np.isnan(ratings.values)
    number = known.sum(axis=1)
    paired = number >= 2
    if not paired.any():
        return nothing(Why.NO_PAIRS if ratings.items else Why.NO_ITEMS)
    # from the middle, so that squares of large numbers do not swallow small distances
    at = np.where(known & paired[:, None], ratings.values - np.nanmean(ratings.values), 0.0)
    total, squares = at.sum(axis=1), (at**2).sum(axis=1)
    apart = np.maximum(2 * (number * squares - total**2), 0) / np.maximum(number - 1, 1)
    per_item = np.column_stack([np.where(paired, apart, 0.0), np.where(paired, number, 0), total, squares])

    def parts(sums: Array) -> tuple[Array, Array]:
        n = _at_least_one(sums[..., 1])
        expected = 2 * (n * sums[..., 3] - sums[..., 2] ** 2) / (n * np.maximum(n - 1, 1))
        return sums[..., 0] / n, expected

    return Sums(per_item, parts, int(paired.sum()))


def agreement(ratings: Ratings, weights: Weights = "identity") -> Sums:
    """The share of pairs of ratings that agree, averaged over items; with weights, how far they do."""
    return _pooled(ratings, weights, lambda shares, _: np.ones(shares.shape[:-1]))


def _pooled(ratings: Ratings, weights: Weights, expected: Expected) -> Sums:
    """Chance from pooled margins. Sums: pair disagreement, items with pairs, items, shares by category."""
    counts = _pairable(ratings)
    if isinstance(counts, Why):
        return nothing(counts)
    apart = 1 - _weights(ratings, weights)
    number = counts.sum(axis=1)
    shares = counts / np.maximum(number, 1)[:, None]
    per_item = np.column_stack([_disagreement(counts, apart), number >= 2, number >= 1, shares])

    def parts(sums: Array) -> tuple[Array, Array]:
        margins = sums[..., 3:] / _at_least_one(sums[..., 2])[..., None]
        return sums[..., 0] / _at_least_one(sums[..., 1]), expected(margins, apart)

    return Sums(per_item, parts, int((number >= 2).sum()))


def _disagreement(counts: Array, apart: Array) -> Array:
    """Of an item's pairs of ratings, the mean disagreement; 0 where there is no pair."""
    number = counts.sum(axis=1)
    pairs = np.maximum(number * (number - 1), 1)
    return np.asarray(np.einsum("ik,kl,il->i", counts, apart, counts) / pairs)


def _pairable(ratings: Ratings) -> Array | Why:
    """Items × categories."""
    if not ratings.items:
        return Why.NO_ITEMS
    if ratings.categories is None and len(ratings.used) > MOST_VALUES:
        return Why.TOO_MANY_VALUES
    counts = ratings.counts
    return counts if (counts.sum(axis=1) >= 2).any() else Why.NO_PAIRS


def _size(ratings: Ratings) -> int | None:
    return None if ratings.categories is None else len(ratings.categories)


def _weights(ratings: Ratings, weights: Weights) -> Array:
    categories = ratings.categories if ratings.categories is not None else tuple(ratings.used)
    if len(categories) < 2:
        return np.eye(len(categories))
    return agreement_weights(categories, weights)


def _at_least_one(total: Array) -> Array:
    """A divisor: a draw that drew no such thing has 0 above it too."""
    return np.where(total > 0, total, 1.0)
