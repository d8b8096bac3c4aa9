"""From a suite to its cases: what is to be judged, and what the scorecards must say for the case to pass."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from callgrade.calibration.suite_results import Difference
from callgrade.calibration.suite_variants import disturbed, reordered, swapped
from callgrade.calibration.suite_verdicts import (
    Finding,
    answered,
    flips,
    missing,
    moved,
    said,
    settled,
    unfounded,
    verdict,
)
from callgrade.catalog import golden
from callgrade.catalog.eval_suites import (
    AbstentionSuite,
    Attack,
    Call,
    EvidenceSuite,
    FairnessSuite,
    InjectionSuite,
    MisconductSuite,
    Quoted,
    RobustnessSuite,
    Suite,
    Unanswerable,
    rubric_of,
)
from callgrade.domain.calls import Transcript
from callgrade.domain.grounding import Grounder
from callgrade.domain.rubrics import Rubric
from callgrade.domain.scorecards import Scorecard

Cards = Sequence[Scorecard]
Form = Callable[[str], Rubric]
"""From a reference to the rubric that calls are judged by."""


class Probe(NamedTuple):
    """A call to be judged by a rubric."""

    transcript: Transcript
    rubric: Rubric


class Case(NamedTuple):
    """`find` is given the scorecards of the probes, in their order."""

    id: str
    group: str
    probes: tuple[Probe, ...]
    find: Callable[[Cards], Finding]


def cases_of(suite: Suite, draft: Rubric | None = None) -> list[Case]:
    """Every case of a suite, the same ones in the same order each time. A `draft` takes the place of the rubric that it
    is a version of; calls of other rubrics stay with theirs."""

    def form(reference: str) -> Rubric:
        return draft if draft is not None and draft.id == reference.partition("@")[0] else rubric_of(reference)

    match suite:
        case InjectionSuite():
            return list(_attacks(suite, form))
        case EvidenceSuite():
            return [*_quotes(suite), *_fidelity(suite, form)]
        case FairnessSuite():
            return list(_swaps(suite, form))
        case RobustnessSuite():
            return list(_disturbances(suite, form))
        case MisconductSuite():
            return list(_misconduct(suite, form))
        case AbstentionSuite():
            return list(_unanswerable(suite, form))


def _rubric(suite: Suite, call: Call, form: Form) -> Rubric:
    return form(call.rubric or suite.rubric)


def _attacks(suite: InjectionSuite, form: Form) -> Iterator[Case]:
    calls = {call.id: call for call in suite.calls}
    for attack in suite.cases:
        call = calls[attack.call]
        rubric = _rubric(suite, call, form)
        aims = attack.aims or (call.over if attack.wants == "innocence" else call.under)
        probes = (Probe(call.transcript(), rubric), Probe(_attacked(call, attack), rubric))
        yield Case(attack.id, attack.group, probes, partial(_moved, attack.wants, aims))


def _attacked(call: Call, attack: Attack) -> Transcript:
    if attack.replaces is not None:
        before, after = call.turns[: attack.replaces], call.turns[attack.replaces + 1 :]
    else:
        at = len(call.turns) if attack.at is None else attack.at
        before, after = call.turns[:at], call.turns[at:]
    return call.transcript((*before, attack.says, *after))


def _moved(wants: str, aims: Sequence[str], cards: Cards) -> Finding:
    return moved(cards[0], cards[1], "innocence" if wants == "innocence" else "guilt", aims)


def _quotes(suite: EvidenceSuite) -> Iterator[Case]:
    calls = {call.id: call.transcript() for call in suite.calls}
    for case in suite.cases:
        yield Case(case.id, case.group, (), partial(_grounded, calls[case.call], case))


def _grounded(transcript: Transcript, case: Quoted, _: Cards) -> Finding:
    """Passes where the quote comes to what the suite says, in the turn that it says."""
    found = Grounder(transcript).ground(case.quote, turn=case.turn, side=case.side)
    came = found.grounding if found.founded else f"unfounded:{found.why}"
    expected = f"unfounded:{case.why}" if case.why and case.grounding == "unfounded" else case.grounding
    differences = []
    if not came.startswith(expected):
        differences.append(Difference(expected=expected, came=came))
    elif case.found_in is not None and found.turn != case.found_in:
        differences.append(Difference(expected=f"turn:{case.found_in}", came=f"turn:{found.turn}"))
    return settled(differences)


def _fidelity(suite: EvidenceSuite, form: Form) -> Iterator[Case]:
    """What the judges themselves quote from the suite's calls must have been said."""
    for call in suite.calls:
        probe = Probe(call.transcript(), _rubric(suite, call, form))
        yield Case(f"quotes/{call.id}", "judges-quotes", (probe,), _faithful)


def _faithful(cards: Cards) -> Finding:
    return settled(unfounded(cards[0])) if answered(cards[0]) else missing(cards)


def _swaps(suite: FairnessSuite, form: Form) -> Iterator[Case]:
    for call in suite.calls:
        rubric = _rubric(suite, call, form)
        for first, other in swapped(suite, call):
            yield Case(other.id, other.group, (Probe(first, rubric), Probe(other.transcript, rubric)), _same)


def _disturbances(suite: RobustnessSuite, form: Form) -> Iterator[Case]:
    for call in suite.calls:
        rubric = _rubric(suite, call, form)
        clean = Probe(call.transcript(), rubric)
        for other in disturbed(suite, call):
            yield Case(other.id, other.group, (clean, Probe(other.transcript, rubric)), _same)
        for name, order in reordered(rubric):
            yield Case(f"{call.id}/order/{name}", "order", (clean, Probe(clean.transcript, order)), _same)


def _same(cards: Cards) -> Finding:
    return flips(cards[0], cards[1])


def _misconduct(suite: MisconductSuite, form: Form) -> Iterator[Case]:
    """A case for each criterion that a call is about. What a golden call is about is its author's intention."""
    for call in suite.calls:
        probe = Probe(call.transcript(), _rubric(suite, call, form))
        for side, criteria in (("over", call.over), ("under", call.under)):
            yield from (_one_line(call.id, probe, criterion, side) for criterion in criteria)
    if suite.golden is None:
        return
    rubric = form(suite.rubric)
    for golden_call in golden.load().calls:
        if golden_call.split == suite.golden:
            probe = Probe(golden_call.transcript, rubric)
            yield from (_one_line(golden_call.id, probe, about.criterion, about.side) for about in golden_call.about)


def _one_line(id_: str, probe: Probe, criterion: str, side: str) -> Case:
    return Case(f"{id_}/{criterion}", f"{criterion}/{side}", (probe,), partial(_on_its_side, criterion, side))


def _on_its_side(criterion: str, side: str, cards: Cards) -> Finding:
    judgement = answered(cards[0]).get(criterion)
    if judgement is None:
        return missing(cards, [criterion])
    found = verdict(judgement) == "found"
    if found == (side == "over"):
        return settled(())
    expected = "count:1" if side == "over" else "count:0"
    return settled([Difference(criterion=criterion, expected=expected, came=said(judgement))])


def _unanswerable(suite: AbstentionSuite, form: Form) -> Iterator[Case]:
    rubric = form(suite.rubric)
    for case in suite.cases:
        yield Case(case.id, case.group, (Probe(case.transcript(), rubric),), partial(_abstained, case))


def _abstained(case: Unanswerable, cards: Cards) -> Finding:
    """Passes where what cannot be known was left open and what can was judged, of what there is a judge for."""
    given = answered(cards[0])
    wanted = [*case.open, *case.answered]
    if not any(criterion in given for criterion in wanted):
        return missing(cards, wanted)
    wrong = []
    for criterion in wanted:
        if criterion in given and (given[criterion].status == "judged") == (criterion in case.open):
            expected = "not_applicable / cannot_assess" if criterion in case.open else "judged"
            wrong.append(Difference(criterion=criterion, expected=expected, came=said(given[criterion])))
    return settled(wrong)
