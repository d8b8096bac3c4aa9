"""Means over all calls, of which people reviewed a few and the machine proposed a score for each.

Where calls were drawn by chance, what people changed of these puts the mean of the proposals right (stats.combined):
each drawn call weighs 1 over how likely it was. What was looked at for a reason (a red line, a complaint, a call that
somebody picked) stands for no other call and is left out. Where that cannot be trusted yet, people's own mean over the
drawn calls is the figure; where next to nothing was drawn, the mean of what was published, which speaks of that alone.

Of what was drawn some is not reviewed yet. Within a stratum that is taken for chance too: a call drawn with probability
π of which stratum a share r is reviewed counts as drawn with π r (Oh & Scheuren 1983, weighting classes).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from callgrade.domain.estimates import FEWEST, Estimate, Figure, mean, share
from callgrade.domain.estimates import Why as NotCombined
from callgrade.domain.sampling import together
from callgrade.reviews.averages_repository import Drawn, Proposed, Published

if TYPE_CHECKING:
    from callgrade.stats.combined import HonestMean
    from callgrade.stats.results import Statistic


Place = tuple[int, str | None]
"""The number of a period, and an agent, a team or (None) the whole."""


class Labelled:
    """Calls that were drawn and reviewed: what people said of each, what was proposed, and how likely it was to be
    drawn and reviewed. As columns, which is how they are reckoned with."""

    def __init__(self) -> None:
        self.labels: list[float] = []
        self.proposed: list[float] = []
        self.chances: list[float] = []

    def add(self, label: float | None, proposed: float | None, chance: float) -> None:
        """Without a label, or without a proposal, a call tells nothing of how far they differ."""
        if label is not None and proposed is not None:
            self.labels.append(label)
            self.proposed.append(proposed)
            self.chances.append(chance)


class Counted(NamedTuple):
    """What was published of a group of calls, and what was proposed."""

    published: Published = Published()
    proposed: Proposed = Proposed()


class Sampled(NamedTuple):
    """The reviewed calls among the drawn ones: with a score each, and with a verdict (1 passed, 0 not)."""

    scores: Labelled
    verdicts: Labelled


def sampled(drawn: Iterable[Drawn]) -> tuple[dict[Place, Sampled], dict[Place, Sampled]]:
    """By period and key, and by period alone (under None)."""
    calls = _once(drawn)
    share_of = _reviewed_share(calls)
    lines: dict[Place, Sampled] = {}
    whole: dict[Place, Sampled] = {}
    for call in calls:
        if not call.reviewed:
            continue
        chance = call.probability * share_of[call.period, call.stratum]
        for found, place in ((lines, (call.period, call.key)), (whole, (call.period, None))):
            some = found.get(place)
            if some is None:
                some = found[place] = Sampled(Labelled(), Labelled())
            some.scores.add(call.total, call.proposed, chance)
            some.verdicts.add(call.passed, call.proposed_passed, chance)
    return lines, whole


def score(counted: Counted, found: Sampled | None) -> Figure:
    """The mean score."""
    done, all_ = counted
    return _figure(
        found.scores if found else Labelled(), all_.n, all_.total, mean(done.n, done.total, done.squares), rare=False
    )


def passed(counted: Counted, found: Sampled | None) -> Figure:
    """The share that passed. To fail is rare, so below a hundred labelled calls nothing is combined."""
    done, all_ = counted
    return _figure(
        found.verdicts if found else Labelled(), all_.judged, all_.passed, share(done.passed, done.judged), rare=True
    )


def _figure(labelled: Labelled, proposals: int, proposed: float, published: Estimate, *, rare: bool) -> Figure:
    n = len(labelled.labels)
    if n < FEWEST or proposals < n:
        return Figure(**published.model_dump(), method="published", proposed=proposals)
    # numpy takes longer to load than a page to answer: whoever never drew a call never waits for it
    from callgrade.stats.combined import put_right

    found = put_right(proposed / proposals, proposals, labelled.labels, labelled.proposed, labelled.chances, rare=rare)
    estimate = _estimate(found.shown, share=rare)
    combined = found.method == "combined"
    return Figure(
        **estimate.model_dump(),
        method="combined" if combined else "drawn",
        proposed=proposals,
        left_out=max(0, published.n - n),
        why=None if combined else _why(found),
    )


def _why(found: "HonestMean") -> NotCombined:
    from callgrade.stats.results import Why

    known: dict[Why | None, NotCombined] = {Why.TOO_FEW_LABELLED: "few_labelled", Why.NO_SPREAD: "all_alike"}
    return known.get(found.why, "few_changed")


def _estimate(found: "Statistic", *, share: bool) -> Estimate:
    """A share lies within 0 and 1, which an interval of normal width need not know."""
    low, high = (found.interval.low, found.interval.high) if found.interval else (None, None)
    if not share or found.value is None:
        return Estimate(n=found.n, value=found.value, low=low, high=high)
    ends = (found.value, low, high)
    value, low, high = (None if end is None else min(1.0, max(0.0, end)) for end in ends)
    return Estimate(n=found.n, value=value, low=low, high=high)


def _once(drawn: Iterable[Drawn]) -> list[Drawn]:
    """A call that several plans drew is one, as likely as they make it together."""
    calls: dict[str, Drawn] = {}
    for call in drawn:
        before = calls.get(call.id)
        if before is not None:
            call = call._replace(probability=together((before.probability, call.probability)))
        calls[call.id] = call
    return list(calls.values())


def _reviewed_share(calls: Iterable[Drawn]) -> Mapping[tuple[int, tuple[str, str]], float]:
    there: Counter[tuple[int, tuple[str, str]]] = Counter()
    done: Counter[tuple[int, tuple[str, str]]] = Counter()
    for call in calls:
        there[call.period, call.stratum] += 1
        done[call.period, call.stratum] += call.reviewed
    return {place: done[place] / number for place, number in there.items()}
