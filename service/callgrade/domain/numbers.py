"""Exact numbers in, plain numbers out.

Points are decimals in files and exact rationals in the arithmetic: rescaling divides, and 79.99…9 must not fail a
line of 80. Integers stay integers, which keeps the common case fast. Rounding happens only where a number is shown.
"""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

Exact = int | Fraction
Points = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json")]


def _number(value: object) -> object:
    # the library takes true for 1 and "5" for 5
    if isinstance(value, bool | str):
        raise ValueError("must be a number")
    return value


as_number = BeforeValidator(_number)
"""For a field that is to come in as a number: of a whole one, 3.0 is taken, true and "3" are not."""


@lru_cache(maxsize=1024)
def exact(value: Decimal) -> Exact:
    """`Decimal("0.5")` → `Fraction(1, 2)`, `Decimal("10")` → `10`."""
    fraction = Fraction(value)
    return fraction.numerator if fraction.denominator == 1 else fraction


def shown(value: Exact | float | Decimal) -> str:
    """Two places, halves up, without trailing zeros beyond the first: 87 → `87.0`, 33.335 → `33.34`."""
    # float → shortest decimal text first, so that 2.675 read back from JSON rounds as written
    decimal = Decimal(repr(value)) if isinstance(value, float) else _decimal(value)
    text = str(decimal.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP))
    return text.removesuffix("0")


def _decimal(value: Exact | Decimal) -> Decimal:
    if isinstance(value, Fraction):
        return Decimal(value.numerator) / Decimal(value.denominator)
    return Decimal(value)
