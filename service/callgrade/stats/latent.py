"""What is behind labels that err: Dawid & Skene (1979), Rogan & Gladen (1978)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from callgrade.stats.ratings import Array, Ratings
from callgrade.stats.results import Statistic, Why, WrongRatings

ROUNDS = 1000
STILL = 1e-9


@dataclass(frozen=True, slots=True)
class DawidSkene:
    """`shares`: k. `errors`: raters × k × k, each row what a rater says when the row's class is true. `posterior`:
    items × k."""

    shares: Array
    errors: Array
    posterior: Array


def said_by(ratings: Ratings) -> Array:
    """Items × raters × categories, 1 where said: what `dawid_skene` takes."""
    codes = ratings.codes
    size = len(ratings.categories) if ratings.categories is not None else len(ratings.used)
    return np.asarray(codes[:, :, None] == np.arange(size), dtype=np.float64)


def dawid_skene(said: ArrayLike) -> DawidSkene:
    """`said`: items × raters × categories, how often each rater said what of each item (a rater may have several
    tries). Maximum likelihood by EM, from the majority as a start."""
    counts = np.asarray(said, np.float64)
    if counts.ndim != 3 or not counts.sum():
        raise WrongRatings("items × raters × categories, and at least one label")
    total = counts.sum(axis=1)
    posterior = total / np.maximum(total.sum(axis=1, keepdims=True), 1)
    shares = posterior.mean(axis=0)
    errors = np.zeros((counts.shape[1], counts.shape[2], counts.shape[2]))
    for _ in range(ROUNDS):
        before = posterior
        shares = posterior.mean(axis=0)
        errors = np.einsum("ik,irl->rkl", posterior, counts)
        errors /= np.maximum(errors.sum(axis=2, keepdims=True), 1e-300)
        with np.errstate(divide="ignore"):
            logs = np.log(np.maximum(shares, 1e-300)) + np.einsum(
                "irl,rkl->ik", counts, np.log(np.maximum(errors, 1e-300))
            )
        posterior = np.exp(logs - logs.max(axis=1, keepdims=True))
        posterior /= posterior.sum(axis=1, keepdims=True)
        if np.abs(posterior - before).max() < STILL:
            break
    return DawidSkene(shares, errors, posterior)


def rogan_gladen(share: float, sensitivity: float, specificity: float) -> Statistic:
    """The true share behind a measured one, kept between 0 and 1."""
    for value in (share, sensitivity, specificity):
        if not 0 <= value <= 1:
            raise WrongRatings("share, sensitivity and specificity lie between 0 and 1")
    power = sensitivity + specificity - 1
    if power <= 0:
        return Statistic(None, Why.NO_POWER)
    return Statistic(min(1.0, max(0.0, (share + specificity - 1) / power)))
