"""Published worked examples, and how each becomes ratings."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from callgrade.stats.ratings import Ratings


@cache
def numbers() -> dict[str, Any]:
    return json.loads(Path(__file__).with_name("reference_numbers.json").read_text("utf-8"))


def from_table(counts: Any) -> Ratings:
    """Two raters, from a k × k table of counts: rows the first, columns the second."""
    pairs = [(i, j) for i, row in enumerate(counts) for j, n in enumerate(row) for _ in range(round(n))]
    first, second = zip(*pairs, strict=True)
    return Ratings.from_columns({"first": first, "second": second}, categories=range(len(counts)))


def from_observers(rows: Any, categories: Any = None, **more: Any) -> Ratings:
    """From observers × units."""
    said = sorted({value for row in rows for value in row if value is not None})
    return Ratings.from_columns({f"r{i}": row for i, row in enumerate(rows)}, categories=categories or said, **more)


def from_items(rows: Any, **more: Any) -> Ratings:
    """From subjects × raters."""
    columns = {f"r{i}": column for i, column in enumerate(np.array(rows, dtype=float).T)}
    return Ratings.from_columns(columns, **more)
