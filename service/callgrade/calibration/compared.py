"""What a judge said of golden calls beside what is right, by criterion: what every figure is made from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from callgrade.calibration.golden import newest
from callgrade.domain.calibration import Truth, is_violation, rating_of, rating_where_absent
from callgrade.domain.calls import Transcript
from callgrade.domain.errors import JudgementError
from callgrade.domain.given import as_judgement
from callgrade.domain.golden import GoldenCall, Label, RaterKind
from callgrade.domain.judgements import EXCLUDED, Judgement
from callgrade.domain.rubrics import Criterion, Rubric
from callgrade.domain.scorecards import Scorecard

Cards = Mapping[tuple[str, int], Scorecard]
"""(call, sample) → what the judge made of it."""


class Said(NamedTuple):
    """One side's word on one criterion of one call. `rating` is None where nothing was rated; of a fault that cannot
    have happened it is 0. `fault` is None where the scale knows none, and where nothing was said."""

    judgement: Judgement
    rating: float | None
    fault: bool | None
    quotes: tuple[str, ...] = ()

    @property
    def status(self) -> str:
        return self.judgement.status


@dataclass(frozen=True, slots=True)
class Compared:
    """One criterion of one golden call. `samples`: the judge's k answers in order, those that came out; the first is
    what is held against the truth. `raters`: those who rated blind."""

    call: str
    agent: str
    transcript: Transcript
    samples: tuple[Said, ...] = ()
    truth: Said | None = None
    source: Truth | None = None
    raters: Mapping[str, Said] = field(default_factory=dict)
    contested: bool = False

    @property
    def proposed(self) -> Said | None:
        return self.samples[0] if self.samples else None

    @property
    def rated(self) -> bool:
        """Whether it has a rating of both sides."""
        return _has_rating(self.proposed) and _has_rating(self.truth)

    @property
    def decided(self) -> bool:
        """Whether both sides say that there is a fault, or none."""
        return _decides(self.proposed) and _decides(self.truth)


class Comparison(NamedTuple):
    """`kinds`: of each rater who rated blind, a person or a model."""

    by_criterion: dict[str, list[Compared]]
    kinds: dict[str, RaterKind]
    other_versions: int


def compare(rubric: Rubric, calls: Sequence[GoldenCall], cards: Cards, labels: Iterable[Label]) -> Comparison:
    """Every criterion of every call that was judged.

    What is right is what a third rater decided; without one, what all raters say who agree; or what the only one says.
    Labels by another version of the rubric count where they fit this one, and give way to those by this one.
    """
    known, other = _usable(rubric, labels)
    samples = 1 + max((sample for _, sample in cards), default=-1)
    found: dict[str, list[Compared]] = {criterion.id: [] for criterion in rubric.criteria}
    for call in calls:
        judged = [card for card in (cards.get((call.id, sample)) for sample in range(samples)) if card is not None]
        by_criterion = [{one.criterion_id: one for one in card.judgements} for card in judged]
        for criterion in rubric.criteria if judged else ():
            answers = tuple(_said(criterion, one[criterion.id]) for one in by_criterion if criterion.id in one)
            found[criterion.id].append(_compared(criterion, call, answers, known.get(call.id, [])))
    return Comparison(found, _kinds(known), other)


def labelled(rubric: Rubric, calls: Sequence[GoldenCall], labels: Iterable[Label]) -> Comparison:
    """As `compare`, of what people said alone: no judge stands beside it."""
    known, other = _usable(rubric, labels)
    found = {
        criterion.id: [_compared(criterion, call, (), known.get(call.id, [])) for call in calls]
        for criterion in rubric.criteria
    }
    return Comparison(found, _kinds(known), other)


def as_said(criterion: Criterion, label: Label, rubric: Rubric) -> Said | None:
    """What a label says of a criterion. None where it says nothing, or what its scale does not take."""
    given = label.said_of(criterion.id)
    if given is None:
        return None
    try:
        judgement = as_judgement(criterion.id, given, rubric)
    except JudgementError:
        return None
    said = _said(criterion, judgement, label.quotes.get(criterion.id, ()))
    return None if said.status == "judged" and said.rating is None else said


def alike(first: Said, second: Said) -> bool:
    if first.rating is None or second.rating is None:
        return (first.status, first.rating) == (second.status, second.rating)
    return first.rating == second.rating


class _Given(NamedTuple):
    label: Label
    said: dict[str, Said]

    @property
    def rater(self) -> str:
        return self.label.rater

    @property
    def rater_kind(self) -> RaterKind:
        return self.label.rater_kind


def _usable(rubric: Rubric, labels: Iterable[Label]) -> tuple[dict[str, list[_Given]], int]:
    """By call, those of this version first; how many are of other versions."""
    counts = [label for label in newest(labels).values() if label.rubric.partition("@")[0] == rubric.id]
    counts.sort(key=lambda label: label.rubric != rubric.reference)
    found: dict[str, list[_Given]] = {}
    for label in counts:
        pairs = ((criterion.id, as_said(criterion, label, rubric)) for criterion in rubric.criteria)
        said = {id_: one for id_, one in pairs if one is not None}
        if said:
            found.setdefault(label.call, []).append(_Given(label, said))
    return found, sum(label.rubric != rubric.reference for label in counts)


def _kinds(known: Mapping[str, Sequence[_Given]]) -> dict[str, RaterKind]:
    return {label.rater: label.rater_kind for given in known.values() for label in given if _rates_blind(label)}


def _compared(criterion: Criterion, call: GoldenCall, answers: tuple[Said, ...], given: list[_Given]) -> Compared:
    said = [one for one in given if criterion.id in one.said]
    truth, source = _truth(criterion.id, said)
    raters: dict[str, Said] = {}
    for one in said:
        if _rates_blind(one):
            raters.setdefault(one.rater, one.said[criterion.id])
    return Compared(
        call=call.id,
        # a call without an agent is a group of its own
        agent=call.agent or f"\0{call.id}",
        transcript=call.transcript,
        samples=answers,
        truth=truth,
        source=source,
        raters=raters,
        contested=bool(said) and truth is None,
    )


def _truth(id_: str, given: list[_Given]) -> tuple[Said | None, Truth | None]:
    decided = next((one.said[id_] for one in given if one.label.kind == "adjudicated"), None)
    if decided is not None:
        return decided, "adjudicated"
    by_rater: dict[str, Said] = {}
    for one in given:
        by_rater.setdefault(one.rater, one.said[id_])
    views = list(by_rater.values())
    if not views or not all(alike(views[0], view) for view in views[1:]):
        return None, None
    return views[0], "single" if len(views) == 1 else "unanimous"


def _rates_blind(given: _Given) -> bool:
    return given.label.kind == "rating" and given.label.blind


def _said(criterion: Criterion, judgement: Judgement, quotes: tuple[str, ...] = ()) -> Said:
    found = tuple(item.quote for item in judgement.evidence if item.founded)
    outcome = judgement.outcome
    if judgement.status == "not_applicable":
        # what the call's facts exclude is no question that anybody was asked
        rating = None if judgement.reason == EXCLUDED else rating_where_absent(criterion)
        return Said(judgement, rating, False)
    return Said(judgement, rating_of(criterion, outcome), is_violation(criterion, outcome), quotes or found)


def _decides(said: Said | None) -> bool:
    return said is not None and said.fault is not None


def _has_rating(said: Said | None) -> bool:
    return said is not None and said.rating is not None
