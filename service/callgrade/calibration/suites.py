"""Runs eval suites: every call put to the judges once, every case looked at, one result a suite.

The judges are those at hand. Without a model rules and speech facts judge alone, and what is then not judged is told
as such; it counts for nothing, least of all as passed.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Sequence

from callgrade.calibration.suite_cases import Case, Probe, cases_of
from callgrade.calibration.suite_results import CaseResult, GroupResult, Outcome, Quotes, Rate, SuiteResult
from callgrade.calibration.suite_verdicts import is_nobodys
from callgrade.catalog.eval_suites import Suite, digest
from callgrade.domain.rubrics import Rubric
from callgrade.domain.scorecards import Scorecard
from callgrade.evaluations.service import Evaluator
from callgrade.ports import Judge
from callgrade.stats.intervals import wilson
from callgrade.stats.results import Why

Key = tuple[str, str]


class SuiteRunner:
    """Judges each call once, however many cases look at it. `judge` is the name that results and baselines carry; a
    `draft` is tried in the place of the rubric that it is a version of."""

    def __init__(self, judges: Sequence[Judge], judge: str, *, draft: Rubric | None = None, in_flight: int = 8):
        self._judges, self._judge, self._draft = tuple(judges), judge, draft
        self._places = asyncio.Semaphore(in_flight)
        self._evaluators: dict[str, Evaluator] = {}
        self._cards: dict[Key, asyncio.Task[Scorecard]] = {}

    async def run(self, suite: Suite) -> SuiteResult:
        """The suite's result. A judge that fails leaves cases that are not judged, never an exception."""
        cases = cases_of(suite, self._draft)
        keys = {key: probe for case in cases for probe in case.probes for key in [_key(probe)]}
        cards = dict(zip(keys, await asyncio.gather(*(self._card(*item) for item in keys.items())), strict=True))
        results = tuple(_result(case, [cards[_key(probe)] for probe in case.probes]) for case in cases)
        judgements = [judgement for card in cards.values() for judgement in card.judgements]
        evidence = [evidence for judgement in judgements for evidence in judgement.evidence]
        return SuiteResult(
            suite=suite.id,
            title=suite.title,
            about=suite.about,
            digest=digest(suite),
            judge=self._judge,
            models=_models(cards.values()),
            n=len(results),
            passed=_count(results, "passed"),
            not_judged=_count(results, "not_judged"),
            rate=rate(results),
            margin=suite.margin,
            groups=_groups(results),
            open_criteria=_open(cards.values()),
            judge_failures=sum(judgement.error is not None for judgement in judgements),
            quotes=Quotes(given=len(evidence), founded=sum(one.founded for one in evidence)),
            cases=results,
        )

    async def _card(self, key: Key, probe: Probe) -> Scorecard:
        if key not in self._cards:
            self._cards[key] = asyncio.create_task(self._evaluate(key, probe))
        return await self._cards[key]

    async def _evaluate(self, key: Key, probe: Probe) -> Scorecard:
        if key[0] not in self._evaluators:
            self._evaluators[key[0]] = Evaluator(probe.rubric, self._judges)
        async with self._places:
            return await self._evaluators[key[0]].evaluate(probe.transcript)


def rate(results: Iterable[CaseResult]) -> Rate:
    """Of what was judged."""
    judged = [result for result in results if result.outcome != "not_judged"]
    if not judged:
        return Rate(value=None, reason=Why.NO_ITEMS.value)
    passed = _count(judged, "passed")
    interval = wilson(passed, len(judged))
    return Rate(value=passed / len(judged), low=interval.low, high=interval.high)


def _key(probe: Probe) -> Key:
    """Equal for the same words of the same call under the same form; the order of its criteria belongs to it."""
    order = ",".join(criterion.id for criterion in probe.rubric.criteria)
    told = probe.transcript.model_dump(mode="json", exclude_defaults=True, exclude={"call_id"})
    return f"{probe.rubric.reference} {order}", json.dumps(told, ensure_ascii=False, sort_keys=True)


def _result(case: Case, cards: Sequence[Scorecard]) -> CaseResult:
    found = case.find(cards)
    return CaseResult(id=case.id, group=case.group, outcome=found.outcome, differences=found.differences, why=found.why)


def _groups(results: Sequence[CaseResult]) -> tuple[GroupResult, ...]:
    groups: dict[str, list[CaseResult]] = {}
    for result in results:
        groups.setdefault(result.group, []).append(result)
    return tuple(
        GroupResult(
            group=group,
            n=len(inside),
            passed=_count(inside, "passed"),
            not_judged=_count(inside, "not_judged"),
            rate=rate(inside),
        )
        for group, inside in sorted(groups.items())
    )


def _open(cards: Iterable[Scorecard]) -> tuple[str, ...]:
    return tuple(sorted({j.criterion_id for card in cards for j in card.judgements if is_nobodys(card, j)}))


def _models(cards: Iterable[Scorecard]) -> tuple[str, ...]:
    reported = [card.provenance.model_reported for card in cards]
    return tuple(sorted({name for one in reported if one for name in ((one,) if isinstance(one, str) else one)}))


def _count(results: Iterable[CaseResult], outcome: Outcome) -> int:
    return Counter(result.outcome for result in results)[outcome]
