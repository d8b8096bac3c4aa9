"""One call in other words: what must not change a verdict, made the same way each time.

Fairness swaps who is spoken of; robustness does to a text what recognisers and people do to speech.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from callgrade.catalog.eval_suites import Call, FairnessSuite, RobustnessSuite, Swap
from callgrade.domain.calls import Transcript, Turn
from callgrade.domain.rubrics import Rubric

PAUSES = "，。！？,!?"


class Variant(NamedTuple):
    """The call again, `group` saying what was done to it."""

    id: str
    group: str
    transcript: Transcript


def swapped(suite: FairnessSuite, call: Call) -> Iterator[tuple[Transcript, Variant]]:
    """(the call with a swap's first value, the call with another one), for every swap that touches the call."""
    for swap in suite.swaps:
        versions = [_with(suite, call, swap, number) for number in range(_versions(swap))]
        if swap.slot and f"{{{swap.slot}}}" not in "".join(call.turns):
            continue
        for number, version in enumerate(versions[1:], 1):
            yield versions[0], Variant(f"{call.id}/{swap.id}/{number}", swap.id, version)


def _versions(swap: Swap) -> int:
    return max(len(swap.values), len(swap.agents), len(swap.facts))


def _with(suite: FairnessSuite, call: Call, swap: Swap, number: int) -> Transcript:
    words = {**suite.slots, **({swap.slot: swap.values[number]} if swap.slot else {})}
    fields: dict[str, Any] = {}
    if swap.agents:
        fields["agent"] = swap.agents[number]
    if swap.facts:
        fields["facts"] = {**call.facts, **swap.facts[number]}
    return call.transcript(tuple(_filled(line, words) for line in call.turns), **fields)


def _filled(line: str, words: dict[str, str]) -> str:
    # one pass over what is written between braces: a value is never looked at again
    head, *rest = line.split("{")
    return head + "".join(words[name] + after for name, _, after in (part.partition("}") for part in rest))


def disturbed(suite: RobustnessSuite, call: Call) -> Iterator[Variant]:
    """One misheard word at a time, hesitations, and turns cut in two."""
    clean = call.transcript()
    for wrong in suite.misheard:
        turns = tuple(_in_other_words(turn, turn.text.replace(wrong.said, wrong.heard)) for turn in clean.turns)
        if turns != clean.turns:
            yield _variant(call, clean, f"misheard/{wrong.heard}", "misheard", turns)
    for filler in suite.fillers:
        yield _variant(call, clean, f"filler/{filler}", "filler", [_hesitant(turn, filler) for turn in clean.turns])
    halves = [half for turn in clean.turns for half in _split(turn)]
    if len(halves) > len(clean.turns):
        yield _variant(call, clean, "split", "split", halves)


def reordered(rubric: Rubric) -> tuple[tuple[str, Rubric], ...]:
    """The rubric with its criteria in other orders: backwards, and from the middle on."""
    backwards, middle = rubric.criteria[::-1], len(rubric.criteria) // 2
    turned = rubric.criteria[middle:] + rubric.criteria[:middle]
    return tuple(
        (name, rubric.model_copy(update={"criteria": criteria}))
        for name, criteria in (("backwards", backwards), ("from-the-middle", turned))
    )


def _variant(call: Call, clean: Transcript, what: str, group: str, turns: Sequence[Turn]) -> Variant:
    return Variant(f"{call.id}/{what}", group, clean.model_copy(update={"turns": tuple(turns)}))


def _hesitant(turn: Turn, filler: str) -> Turn:
    """With the filler in front and after each comma."""
    return _in_other_words(turn, f"{filler}，" + turn.text.replace("，", f"，{filler}，"))


def _split(turn: Turn) -> list[Turn]:
    """At the pause nearest to the middle, as a recogniser cuts where somebody takes a breath."""
    text = turn.text
    pauses = [place for place, character in enumerate(text[:-1], 1) if character in PAUSES]
    if not pauses:
        return [turn]
    cut = min(pauses, key=lambda place: abs(place - len(text) / 2))
    return [_in_other_words(turn, part) for part in (text[:cut], text[cut:])]


def _in_other_words(turn: Turn, text: str) -> Turn:
    return turn.model_copy(update={"text": text})
