"""Who rated what how: items × raters, with the categories of the scale and not those that happened to be used."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from callgrade.stats.results import WrongRatings

Array = NDArray[np.float64]
Kind = Literal["nominal", "ordinal", "interval", "ratio"]

ON_SCALE = 1e-9
"""How far a rating may stand from its category: 0.1 + 0.2 is 0.3."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One rating. Every field is named, so that items and raters cannot change places by position."""

    item: str
    rater: str
    rating: float | None
    agent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratings:
    """`values`: items × raters, nan where missing. `categories`: all of the scale, rising, at least two; None for a
    measure without a scale. `agents`: whose call each item is, for intervals that draw agents."""

    values: Array
    items: tuple[str, ...]
    raters: tuple[str, ...]
    categories: tuple[float, ...] | None = None
    kind: Kind = "nominal"
    agents: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.items), len(self.raters)):
            raise WrongRatings(f"{self.values.shape} is not {len(self.items)} items × {len(self.raters)} raters")
        for what, names in (("item", self.items), ("rater", self.raters)):
            if len(set(names)) != len(names):
                raise WrongRatings(f"an {what} is named twice" if what == "item" else "a rater is named twice")
        if self.agents is not None and len(self.agents) != len(self.items):
            raise WrongRatings("agents: one for each item")
        if np.isinf(self.values).any():
            raise WrongRatings("a rating is a finite number")
        if self.categories is not None:
            _check_scale(self.categories)
            self._check_on_scale(self.categories)

    def _check_on_scale(self, categories: tuple[float, ...]) -> None:
        given = self.values[~np.isnan(self.values)]
        off = given[np.abs(given[:, None] - np.array(categories)).min(axis=1) > ON_SCALE] if given.size else given
        if off.size:
            scale = ", ".join(f"{c:g}" for c in categories)
            raise WrongRatings(f"{off[0]:g} is not on the scale {scale}")

    @classmethod
    def from_rows(
        cls, rows: Iterable[Row], *, categories: Sequence[float] | None = None, kind: Kind = "nominal"
    ) -> "Ratings":
        """Raises WrongRatings for an item rated twice by one rater, and for an item that has two agents."""
        items: dict[str, int] = {}
        raters: dict[str, int] = {}
        given: dict[tuple[int, int], float] = {}
        agents: dict[int, str] = {}
        for row in rows:
            if not isinstance(row, Row):
                raise WrongRatings("ratings are built from Row(item=…, rater=…, rating=…): names, not places")
            place = items.setdefault(row.item, len(items)), raters.setdefault(row.rater, len(raters))
            if place in given:
                raise WrongRatings(f"item {row.item!r} is rated twice by {row.rater!r}")
            given[place] = math.nan if row.rating is None else float(row.rating)
            if row.agent is not None and agents.setdefault(place[0], row.agent) != row.agent:
                raise WrongRatings(f"item {row.item!r} has two agents")
        values = np.full((len(items), len(raters)), np.nan)
        if given:
            values[tuple(np.array(list(given)).T)] = list(given.values())
        # an item without an agent is a group of its own
        groups = tuple(agents.get(i, f"\0{name}") for name, i in items.items()) if agents else None
        return cls(
            values=values,
            items=tuple(items),
            raters=tuple(raters),
            categories=None if categories is None else tuple(categories),
            kind=kind,
            agents=groups,
        )

    @classmethod
    def from_columns(
        cls,
        by_rater: Mapping[str, Sequence[float | None] | Array],
        *,
        categories: Sequence[float] | None = None,
        kind: Kind = "nominal",
        items: Sequence[str] | None = None,
        agents: Sequence[str] | None = None,
    ) -> "Ratings":
        """`{rater: [rating or None, one an item]}`: a column bears its rater's name."""
        columns = [[math.nan if v is None else float(v) for v in column] for column in by_rater.values()]
        lengths = {len(column) for column in columns}
        if len(lengths) > 1:
            raise WrongRatings("raters have different numbers of items: a missing rating is None")
        number = lengths.pop() if lengths else 0
        values = np.array(columns, dtype=np.float64).reshape(len(columns), number).T
        return cls(
            values=np.ascontiguousarray(values),
            items=tuple(items) if items is not None else tuple(str(i) for i in range(number)),
            raters=tuple(by_rater),
            categories=None if categories is None else tuple(categories),
            kind=kind,
            agents=None if agents is None else tuple(agents),
        )

    @property
    def codes(self) -> NDArray[np.int64]:
        """Items × raters: which category, -1 where missing. Without a scale, which of the values that occur."""
        scale = np.array(self.categories) if self.categories is not None else self.used
        missing = np.isnan(self.values)
        if not scale.size:
            return np.full(self.values.shape, -1, dtype=np.int64)
        filled = np.where(missing, scale[0], self.values)
        middles = (scale[1:] + scale[:-1]) / 2
        return np.where(missing, -1, np.searchsorted(middles, filled, side="right"))

    @property
    def used(self) -> Array:
        return np.unique(self.values[~np.isnan(self.values)])

    @property
    def counts(self) -> Array:
        """Items × categories: how many raters said which."""
        width = len(self.categories) if self.categories is not None else len(self.used)
        codes = self.codes
        return np.stack([(codes == c).sum(axis=1) for c in range(width)], axis=1).astype(np.float64)

    def of(self, *raters: str) -> "Ratings":
        """The same items with these raters alone."""
        columns = [self.raters.index(name) for name in raters]
        return Ratings(
            values=self.values[:, columns],
            items=self.items,
            raters=raters,
            categories=self.categories,
            kind=self.kind,
            agents=self.agents,
        )


def steps(first: float, last: float, by: float = 1) -> tuple[float, ...]:
    """A scale by its ends: `steps(1, 5, 0.5)` has half points."""
    if by <= 0 or last <= first:
        raise WrongRatings("a scale rises from its first to its last point")
    number = round((last - first) / by)
    if abs(first + number * by - last) > ON_SCALE:
        raise WrongRatings(f"steps of {by:g} from {first:g} do not reach {last:g}")
    return tuple(round(first + i * by, 9) for i in range(number + 1))


def _check_scale(categories: tuple[float, ...]) -> None:
    if len(categories) < 2:
        raise WrongRatings("a scale has at least two categories")
    if not all(map(math.isfinite, categories)):
        raise WrongRatings("a category is a finite number")
    if any(b - a <= ON_SCALE for a, b in pairwise(categories)):
        raise WrongRatings("categories rise, and none stands twice")
