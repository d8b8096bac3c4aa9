"""Is a confidence of 0.8 right eight times in ten? And how to make it so: fitted on one set, applied to another."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from callgrade.stats.deferred import optimize, special
from callgrade.stats.intervals import wilson
from callgrade.stats.ratings import Array
from callgrade.stats.results import Interval, Statistic, Why, WrongRatings, undefined

NEAREST = 1e-6
"""To 0 and 1: beyond it a logit means nothing."""


@dataclass(frozen=True, slots=True)
class Bin:
    low: float
    high: float
    n: int
    confidence: float
    """The mean of what was said."""
    right: float
    """The share that was right."""
    interval: Interval
    """Wilson's, of that share."""


@dataclass(frozen=True, slots=True)
class Calibrator:
    """A rising map from confidence to probability: Platt's sigmoid of a + b · logit(p), or steps between points."""

    kind: Literal["platt", "isotonic"]
    a: tuple[float, ...]
    """Platt: (a, b). Isotonic: confidences, rising."""
    b: tuple[float, ...] = ()
    """Isotonic: their probabilities."""
    n: int = 0

    def __call__(self, confidence: ArrayLike) -> Array:
        p = np.asarray(confidence, np.float64)
        if self.kind == "platt":
            return np.asarray(special.expit(self.a[0] + self.a[1] * _logit(p)))
        return np.asarray(np.interp(p, self.a, self.b))

    def as_dict(self) -> dict[str, Any]:
        """For JSON; `from_dict` reads it back."""
        return {"kind": self.kind, "a": list(self.a), "b": list(self.b), "n": self.n}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> "Calibrator":
        return cls(stored["kind"], tuple(stored["a"]), tuple(stored["b"]), stored["n"])


def brier(confidence: ArrayLike, right: ArrayLike) -> Statistic:
    """Mean squared distance of confidence (0 to 1) from outcome (0 or 1): 0 is perfect, 0.25 a coin (Brier 1950)."""
    p, hit = _checked(confidence, right)
    return undefined(Why.NO_ITEMS) if not len(p) else Statistic(float(((p - hit) ** 2).mean()), n=len(p))


def bins(confidence: ArrayLike, right: ArrayLike, *, number: int = 10) -> tuple[Bin, ...]:
    """Bins of equal width, empty ones left out; 1 belongs to the last."""
    p, hit = _checked(confidence, right)
    place = np.minimum((p * number).astype(np.int64), number - 1)
    n = np.bincount(place, minlength=number)
    said, came = (np.bincount(place, weights=x, minlength=number) for x in (p, hit))
    return tuple(
        Bin(
            i / number,
            (i + 1) / number,
            int(n[i]),
            float(said[i] / n[i]),
            float(came[i] / n[i]),
            wilson(round(came[i]), int(n[i])),
        )
        for i in np.flatnonzero(n)
    )


def ece(confidence: ArrayLike, right: ArrayLike, *, number: int = 10) -> Statistic:
    """Expected calibration error: |confidence - share right| averaged over bins by their numbers. Few items in a bin
    make it larger than it is."""
    parts = bins(confidence, right, number=number)
    n = sum(part.n for part in parts)
    if not n:
        return undefined(Why.NO_ITEMS)
    return Statistic(sum(part.n * abs(part.confidence - part.right) for part in parts) / n, n=n)


def fit_platt(confidence: ArrayLike, right: ArrayLike) -> Calibrator | Why:
    """Platt (1999) on the logit, outcomes drawn in a little so that no certainty comes of few items; b is not negative.
    A reason in the place of a calibrator when all outcomes are the same."""
    p, hit = _checked(confidence, right)
    if (why := _unfit(hit)) is not None:
        return why
    yes, no = hit.sum(), len(hit) - hit.sum()
    target = np.where(hit == 1, (yes + 1) / (yes + 2), 1 / (no + 2))
    x = _logit(p)

    def loss(ab: Array) -> tuple[float, Array]:
        z = ab[0] + ab[1] * x
        apart = special.expit(z) - target
        return float((np.logaddexp(0, z) - target * z).sum()), np.array([apart.sum(), (apart * x).sum()])

    found = optimize.minimize(loss, np.array([0.0, 1.0]), jac=True, method="L-BFGS-B", bounds=[(None, None), (0, None)])
    return Calibrator("platt", tuple(map(float, found.x)), n=len(p))


def fit_isotonic(confidence: ArrayLike, right: ArrayLike) -> Calibrator | Why:
    """The best rising steps (pool adjacent violators), straight lines in between; from some hundreds of items on."""
    p, hit = _checked(confidence, right)
    if (why := _unfit(hit)) is not None:
        return why
    at, which, n = np.unique(p, return_inverse=True, return_counts=True)
    share = np.bincount(which, weights=hit) / n
    fitted = optimize.isotonic_regression(share, weights=n).x
    return Calibrator("isotonic", tuple(map(float, at)), tuple(map(float, fitted)), n=len(p))


def _unfit(hit: Array) -> Why | None:
    if not len(hit):
        return Why.NO_ITEMS
    return Why.ONE_CLASS if hit.min() == hit.max() else None


def _logit(p: Array) -> Array:
    return np.asarray(special.logit(np.clip(p, NEAREST, 1 - NEAREST)))


def _checked(confidence: ArrayLike, right: ArrayLike) -> tuple[Array, Array]:
    p, hit = np.asarray(confidence, np.float64), np.asarray(right, np.float64)
    if p.shape != hit.shape or p.ndim != 1:
        raise WrongRatings("a confidence and an outcome for each item")
    if not ((p >= 0) & (p <= 1)).all():
        raise WrongRatings("a confidence lies between 0 and 1")
    if not np.isin(hit, (0.0, 1.0)).all():
        raise WrongRatings("an outcome is 0 or 1")
    return p, hit
