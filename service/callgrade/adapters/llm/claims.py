"""What a model claims of a criterion, before anybody has looked whether the words were said."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from callgrade.adapters.llm.schema import AnswerSheet, Item
from callgrade.adapters.llm.shapes import ABSTAIN, NOT_APPLICABLE, outcome_of
from callgrade.adapters.llm.wording import said
from callgrade.domain.outcomes import Outcome
from callgrade.domain.rubrics import Criterion

LONGEST_REASON = 2000


@dataclass(frozen=True, slots=True)
class Claim:
    """`quotes` are (turn, words) as the model gave them: redacted, and not yet found."""

    criterion: Criterion
    status: Literal["judged", "not_applicable", "cannot_assess"]
    outcome: Outcome | None = None
    reason: str = ""
    quotes: tuple[tuple[int | None, str], ...] = ()
    confidence: float | None = None
    logprob: float | None = None
    """The probability that the model gave this verdict, as its provider tells."""
    item: Item | None = None
    """The answer itself, which a repair repeats to the model."""


def read_claims(criteria: Sequence[Criterion], sheet: AnswerSheet, language: str) -> list[Claim]:
    found = zip(criteria, sheet.items(), strict=True)
    return [
        replace(_read(criterion, item, language), logprob=sheet.sure.get(criterion.id)) for criterion, item in found
    ]


def vote(claims: Sequence[Claim], language: str) -> Claim:
    """The verdict of most samples, its share as the confidence, the quotes of all that gave it. A tie abstains.

    Abstaining is a verdict among others: where most samples abstain, so does the vote.
    """
    if len(claims) == 1:
        return claims[0]
    ballots = Counter((claim.status, claim.outcome) for claim in claims)
    (winner, votes), *others = ballots.most_common()
    if others and others[0][1] == votes:
        quotes = tuple(dict.fromkeys(quote for claim in claims for quote in claim.quotes))
        return Claim(claims[0].criterion, "cannot_assess", reason=said("tie", language, n=len(claims)), quotes=quotes)
    agreeing = [claim for claim in claims if (claim.status, claim.outcome) == winner]
    quotes = tuple(dict.fromkeys(quote for claim in agreeing for quote in claim.quotes))
    return replace(agreeing[0], quotes=quotes, confidence=votes / len(claims))


def _read(criterion: Criterion, item: Item, language: str) -> Claim:
    reason = item.reason.strip()[:LONGEST_REASON]
    quotes = tuple((quote.turn, quote.quote) for quote in item.evidence or () if quote.quote.strip())
    if item.verdict == NOT_APPLICABLE:
        return Claim(criterion, "not_applicable", reason=reason, quotes=quotes, item=item)
    if item.verdict == ABSTAIN:
        return Claim(criterion, "cannot_assess", reason=reason, quotes=quotes, item=item)
    try:
        outcome = outcome_of(criterion, item.verdict, item.number, item.grave)
    except ValueError:
        reason = f"{reason} {said('contradiction', language)}".strip()
        return Claim(criterion, "cannot_assess", reason=reason, quotes=quotes, item=item)
    return Claim(criterion, "judged", outcome, reason, quotes, item=item)
