"""What is measured, beside what was wanted of it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    name: str
    value: float | int | str
    unit: str = ""
    at_most: float | None = None
    at_least: float | None = None
    must: bool = False
    """Not a matter of speed: where it fails, so does the benchmark."""

    @property
    def holds(self) -> bool | None:
        """None where nothing was wanted."""
        if isinstance(self.value, str) or (self.at_most is None and self.at_least is None):
            return None
        low = self.at_least is None or self.value >= self.at_least
        return low and (self.at_most is None or self.value <= self.at_most)

    @property
    def wanted(self) -> str:
        ends = [f"≤ {self.at_most:g}" if self.at_most is not None else ""]
        ends.append(f"≥ {self.at_least:g}" if self.at_least is not None else "")
        return " and ".join(end for end in ends if end)


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    figures: tuple[Figure, ...]

    @property
    def broken(self) -> list[Figure]:
        return [figure for figure in self.figures if figure.must and figure.holds is False]

    def as_json(self) -> dict[str, Any]:
        figures = [asdict(figure) | {"holds": figure.holds} for figure in self.figures]
        return {"title": self.title, "figures": figures}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Table":
        figures = ({name: value for name, value in f.items() if name != "holds"} for f in document["figures"])
        return cls(document["title"], tuple(Figure(**figure) for figure in figures))

    def text(self) -> str:
        """Aligned columns: name, value, unit, what was wanted, and whether it is."""
        rows = [(f.name, _shown(f.value), f.unit, f.wanted, _mark(f.holds)) for f in self.figures]
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        lines = [
            f"  {name:<{widths[0]}}  {value:>{widths[1]}} {unit:<{widths[2]}}  {wanted:<{widths[3]}} {mark}".rstrip()
            for name, value, unit, wanted, mark in rows
        ]
        return "\n".join([self.title, *lines])


def median(values: Sequence[float]) -> float:
    """The middle one; of an even number the lower of the two in the middle, so that it is one that was measured."""
    return sorted(values)[(len(values) - 1) // 2]


def _shown(value: float | int | str) -> str:
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else value


def _mark(holds: bool | None) -> str:
    return "" if holds is None else "ok" if holds else "MISSED"
