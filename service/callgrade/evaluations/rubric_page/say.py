"""Words, numbers and conditions in the page's language."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from pydantic import JsonValue

from callgrade.domain.conditions import FactConditions
from callgrade.domain.frozen import LocalText
from callgrade.domain.numbers import Exact
from callgrade.evaluations.words import known_word, word

JUDGES = ("rules", "speech", "llm", "human")
"""In the order of their cost."""


@dataclass(frozen=True)
class Say:
    """Says things in one language: `say("form.floor")`."""

    language: str

    def __call__(self, key: str, **values: object) -> str:
        return word(key, self.language, **values)

    def known(self, key: str, otherwise: str) -> str:
        """For sets that are open."""
        return known_word(key, self.language, otherwise)

    def text(self, text: LocalText | None, otherwise: str = "") -> str:
        return (text.in_language(self.language).strip() if text else "") or otherwise

    def both(self, text: str, other: str) -> str:
        """`成交（closed）`: what it is called here and what it is called in files."""
        return text if text == other else self("form.beside", text=text, other=other)

    def listed(self, parts: Iterable[str], separator: str = "form.list") -> str:
        return self(separator).join(part for part in parts if part)

    def quoted(self, parts: Iterable[str]) -> str:
        between = "" if self.language.startswith("zh") else self("form.list")
        return between.join(self("form.quoted", text=part) for part in parts)

    def judges(self, judges: Mapping[str, int]) -> str:
        """`规则 5 · 模型 9`."""
        return " · ".join(f"{self(f'method.{judge}')} {judges[judge]}" for judge in JUDGES if judges.get(judge))

    def points(self, value: Decimal | Exact) -> str:
        return self("form.points", points=plain(value))

    def conditions(self, conditions: FactConditions) -> str:
        """`方向（direction）为呼出（outbound）`."""
        return self.listed((self._condition(*item) for item in conditions.items()), "form.and")

    def _condition(self, name: str, values: tuple[JsonValue, ...]) -> str:
        fact = self.both(self.known(f"fact.{name}", name), name)
        return self("condition.is", fact=fact, values=self.listed(map(self._value, values), "condition.or"))

    def _value(self, value: JsonValue) -> str:
        raw = str(value).lower() if isinstance(value, bool) else str(value)
        return self.both(self.known(f"value.{raw}", raw), raw)


def plain(value: Decimal | Exact | float) -> str:
    """A number as a person writes it: `10`, `0.5`, `−2`. Exact as it stands in the file; thirds get two places."""
    if isinstance(value, Fraction):
        rounded = Decimal(value.numerator) / Decimal(value.denominator)
        exact = Fraction(rounded) == value
        value = rounded if exact else rounded.quantize(Decimal("0.01"))
    decimal = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    text = f"{decimal:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace("-", "−") if text not in ("-0", "") else "0"


def percent(value: Decimal) -> str:
    return f"{plain(value * 100)}%"
