"""Whether a claim is carried by words that stand in the call.

Where a criterion says `evidence: required`, a verdict that costs points, counts a fault or accuses needs founded
evidence: a count as many different places as it counts, any other verdict one. A bonus is a claim as well: its yes
needs words, its no does not.
"""

from collections.abc import Sequence

from callgrade.adapters.llm.call import Quoted
from callgrade.domain.outcomes import Answer, Count, Kinds, Occurrences, Outcome
from callgrade.domain.rubrics import Criterion
from callgrade.domain.scales import BonusScale


def places_needed(criterion: Criterion, outcome: Outcome | None) -> int:
    """How many different founded places the outcome needs; 0 where it stands without."""
    if outcome is None or criterion.evidence != "required":
        return 0
    if isinstance(criterion.scale, BonusScale):
        return int(isinstance(outcome, Answer) and outcome.answer == "yes")
    counted = count_of(outcome)
    if counted is not None:
        return counted
    return int(criterion.scale.points(outcome) < criterion.scale.best)


def places_found(quotes: Sequence[Quoted]) -> int:
    """Different quotes that were found, all parts of them: one that is half made up carries nothing."""
    return len({tuple((e.turn, e.start, e.end) for e in quote) for quote in quotes if all(e.founded for e in quote)})


def count_of(outcome: Outcome) -> int | None:
    match outcome:
        case Occurrences(occurrences=number) | Count(count=number) | Kinds(kinds=number):
            return number
        case _:
            return None


def reduced(outcome: Outcome, founded: int) -> Outcome:
    """The part of a count that has words to show: the plain occurrences give way first, as what is grave matters
    most."""
    match outcome:
        case Occurrences(aggravated=aggravated):
            return Occurrences(occurrences=founded, aggravated=min(aggravated, founded))
        case Count():
            return Count(count=founded)
        case Kinds():
            return Kinds(kinds=founded)
        case _:
            return outcome
