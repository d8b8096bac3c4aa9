"""Conditions on the facts of a call: what a criterion applies to, what makes an occurrence serious."""

from collections.abc import Mapping

from pydantic import JsonValue

FactConditions = dict[str, tuple[JsonValue, ...]]
"""Fact name → the values allowed. All must hold; an unknown fact leaves it open."""


def holds(conditions: FactConditions, facts: Mapping[str, JsonValue]) -> bool | None:
    """Whether the facts meet the conditions; None while a fact that decides is unknown (absent or null)."""
    verdict: bool | None = True
    for name, allowed in conditions.items():
        value = facts.get(name)
        if value is None:
            verdict = None
        elif not any(type(value) is type(option) and value == option for option in allowed):
            return False
    return verdict
