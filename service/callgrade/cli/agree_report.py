"""What `agree` says of one criterion: figures with intervals, prevalence, bias, and how many items are still needed."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from callgrade.cli.agree_csv import Rated
from callgrade.stats import agreement
from callgrade.stats.agreement import HowSure
from callgrade.stats.bias import rater_bias
from callgrade.stats.icc import icc
from callgrade.stats.intervals import FEWEST_GROUPS
from callgrade.stats.ratings import Ratings
from callgrade.stats.results import Statistic
from callgrade.stats.samples import Advice, advice


@dataclass(frozen=True, slots=True)
class Report:
    """`figures`: name → statistic, in the order they are shown in; the JSON and `agree_render` know these names."""

    rated: Rated
    ratings_number: int
    pairable: int
    """Items with at least two ratings."""
    by_agent: int | None
    """How many agents were drawn from, None where items were."""
    figures: dict[str, Statistic]
    prevalence: dict[str, float]
    bias: dict[str, Statistic]
    advice: Advice | None

    def as_json(self) -> dict[str, Any]:
        ratings, scale = self.rated.ratings, self.rated.scale
        return {
            "criterion": self.rated.criterion or None,
            "kind": ratings.kind,
            "scale": None if scale is None else list(scale.labels),
            "scale_given": scale is not None and scale.given,
            "items": len(ratings.items),
            "pairable_items": self.pairable,
            "raters": list(ratings.raters),
            "ratings": self.ratings_number,
            "drawn": "items" if self.by_agent is None else "agents",
            "figures": {name: _as_json(found) for name, found in self.figures.items()},
            "prevalence": self.prevalence,
            "bias": {name: _as_json(found) for name, found in self.bias.items()},
            "advice": None
            if self.advice is None
            else {
                "items_for_kappa_0.10": self.advice.needed,
                "missing": self.advice.missing,
                "enough_for_a_verdict": self.advice.verdict,
                "report": self.advice.report,
            },
        }


def report(rated: Rated, *, draws: int) -> Report:
    """All figures that its kind and its number of raters allow."""
    ratings, scale = rated.ratings, rated.scale
    known = ~np.isnan(ratings.values)
    agents = None if ratings.agents is None else len(set(ratings.agents))
    by_agent = agents is not None and agents >= FEWEST_GROUPS
    how: HowSure = {"interval": True, "by_agent": by_agent, "draws": draws}
    shares = agreement.prevalence(ratings) if scale else {}
    pairable = int((known.sum(axis=1) >= 2).sum())
    return Report(
        rated,
        int(known.sum()),
        pairable,
        agents if by_agent else None,
        _figures(ratings, how, scaled=scale is not None),
        {label: shares.get(number, 0.0) for label, number in zip(scale.labels, scale.numbers, strict=True)}
        if scale
        else {},
        rater_bias(ratings, draws=draws) if _has_direction(rated) else {},
        advice(pairable, max(shares.values(), default=None)) if scale else None,
    )


def _has_direction(rated: Rated) -> bool:
    """More and less mean something of numbers, of an order, and of two words: there, how much oftener the second."""
    scale = rated.scale
    return scale is None or not scale.words or scale.kind == "ordinal" or len(scale.labels) == 2


def _figures(ratings: Ratings, how: HowSure, *, scaled: bool) -> dict[str, Statistic]:
    two, ordered = len(ratings.raters) == 2, ratings.kind != "nominal"
    found = {"percent_agreement": agreement.percent_agreement(ratings, **how)}
    if scaled and two:
        found["cohen_kappa"] = agreement.cohen_kappa(ratings, **how)
        if ordered:
            found["weighted_kappa_linear"] = agreement.weighted_kappa(ratings, "linear", **how)
            found["weighted_kappa_quadratic"] = agreement.weighted_kappa(ratings, "quadratic", **how)
    elif scaled:
        found["fleiss_kappa"] = agreement.fleiss_kappa(ratings, **how)
    found["krippendorff_alpha"] = agreement.krippendorff_alpha(ratings, **how)
    if scaled:
        found["gwet_ac1"] = agreement.gwet_ac1(ratings, **how)
        if ordered:
            found["gwet_ac2_quadratic"] = agreement.gwet_ac2(ratings, "quadratic", **how)
    if ratings.kind in ("interval", "ratio"):
        found["icc_2_1"] = icc(ratings, "ICC(2,1)")
    return found


def _as_json(found: Statistic) -> dict[str, Any]:
    interval = found.interval
    return {
        "value": found.value,
        "low": None if interval is None else interval.low,
        "high": None if interval is None else interval.high,
        "level": None if interval is None else interval.level,
        "method": None if interval is None else interval.method,
        "n": found.n,
        "why": None if found.why is None else found.why.name.lower(),
    }
