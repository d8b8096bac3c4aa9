"""Whether the judge's quotes stand in the call, and whether they are the ones that people point to."""

from collections.abc import Sequence

from callgrade.calibration.compared import Compared, Said
from callgrade.calibration.figures import share
from callgrade.domain.calibration import EvidenceFidelity
from callgrade.domain.calls import Transcript
from callgrade.domain.folding import fold
from callgrade.stats.results import Why

Span = tuple[int, int, int]
"""Turn, first and last character after folding."""


def fidelity(items: Sequence[Compared]) -> EvidenceFidelity | None:
    """None where the judge quoted nothing at all."""
    evidence = [found for item in items if item.proposed for found in item.proposed.judgement.evidence]
    if not evidence:
        return None
    hits = compared = 0
    for item in items:
        mine, theirs = _quoted(item.proposed), _labelled(item)
        if not (mine and theirs and item.proposed and item.proposed.fault and item.truth and item.truth.fault):
            continue
        there = spans(item.transcript, theirs)
        if not there:
            continue
        compared += len(mine)
        hits += sum(
            any(overlaps(span, other) for span in spans(item.transcript, [quote]) for other in there) for quote in mine
        )
    founded = share(sum(found.founded for found in evidence), len(evidence), Why.NO_ITEMS)
    return EvidenceFidelity(quotes=len(evidence), founded=founded, overlap=share(hits, compared, Why.NO_ITEMS))


def place(item: Compared) -> tuple[int | None, int | None]:
    """(turn, milliseconds) to look at: where the judge's quote stands, else where a rater's does."""
    if item.proposed is not None:
        found = next((one for one in item.proposed.judgement.evidence if one.founded), None)
        if found is not None:
            return found.turn, found.start_ms
    there = spans(item.transcript, _labelled(item))
    if not there:
        return None, None
    turn = min(there)[0]
    return turn, item.transcript.turns[turn].start_ms


def spans(transcript: Transcript, quotes: Sequence[str]) -> list[Span]:
    """Where quotes stand, each at its first place. Those that stand nowhere are left out."""
    said = [fold(turn.text).text for turn in transcript.turns]
    found = []
    for quote in quotes:
        wanted = fold(quote).text
        turn = next((at for at, text in enumerate(said) if wanted and wanted in text), None)
        if turn is not None:
            start = said[turn].index(wanted)
            found.append((turn, start, start + len(wanted)))
    return found


def overlaps(one: Span, other: Span) -> bool:
    return one[0] == other[0] and one[1] < other[2] and other[1] < one[2]


def _quoted(said: Said | None) -> list[str]:
    return [] if said is None else [found.quote for found in said.judgement.evidence if found.founded]


def _labelled(item: Compared) -> list[str]:
    sides = [item.truth, *item.raters.values()]
    return list(dict.fromkeys(quote for side in sides if side and side.fault for quote in side.quotes))
