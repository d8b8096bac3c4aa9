"""How a second opinion does on calls that it was not trained on: the figures that any judge is held against."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from callgrade.calibration.figures import clustered, share
from callgrade.domain.calibration import ANSWERED
from callgrade.domain.second_opinion import FIRM, Check, Firm
from callgrade.stats import coefficients, reliability
from callgrade.stats.intervals import bootstrap
from callgrade.stats.ratings import Array, Ratings
from callgrade.stats.results import Why

HALF = 0.5


def check(split: str, probability: Array, fault: Sequence[bool], agents: Sequence[str], *, firm: float = FIRM) -> Check:
    """Agreement draws agents where there are ten, else calls. `probability` is of the fault, 0..1."""
    true = np.asarray(fault, bool)
    counted = {"split": split, "calls": len(true), "faults": int(true.sum())}
    if not len(true):
        return Check(**counted)
    said = probability >= HALF
    columns = {"truth": true.astype(float).tolist(), "said": said.astype(float).tolist()}
    ratings = Ratings.from_columns(columns, categories=ANSWERED, agents=list(agents))
    hits, frequent = int((true & said).sum()), float(true.mean())
    return Check(
        **counted,
        kappa=clustered(lambda drawn: bootstrap(coefficients.cohen(ratings, "identity"), groups=drawn), agents),
        ac=clustered(lambda drawn: bootstrap(coefficients.gwet(ratings, "identity"), groups=drawn), agents),
        recall=share(hits, int(true.sum()), Why.NEVER_TRUE),
        precision=share(hits, int(said.sum()), Why.NEVER_SAID),
        brier=reliability.brier(probability, true.astype(float)).value,
        base=frequent * (1 - frequent),
        ece=reliability.ece(probability, true.astype(float)).value,
        firm_fault=_firm(probability >= firm, true),
        firm_none=_firm(probability <= 1 - firm, ~true),
    )


def _firm(said: NDArray[np.bool_], right: NDArray[np.bool_]) -> Firm:
    number = int(said.sum())
    return Firm(said=number, right=share(int((said & right).sum()), number, Why.NEVER_SAID))
