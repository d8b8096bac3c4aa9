"""The final gate: a draft and the version in use on the holdout, read once and on record.

Nothing of the holdout is stored but figures: no scorecard, and no name of a call. Whoever asks again for the same draft
and judge gets what was decided, because every look wears the holdout out.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from callgrade.access import audit
from callgrade.access.principals import Principal
from callgrade.calibration import gates_repository
from callgrade.calibration import golden_repository as sets
from callgrade.calibration.backtesting import Contest, JudgesOf, Side, require_back_test
from callgrade.calibration.baselines import compare as beside_baseline
from callgrade.calibration.baselines import read_baseline
from callgrade.calibration.compared import compare
from callgrade.calibration.comparing import CriterionChange, change_of
from callgrade.calibration.comparing import Side as Judged
from callgrade.calibration.golden_repository import StoredCall
from callgrade.calibration.holdout import read_holdout
from callgrade.calibration.reporting import HOLDOUT, Subject, make_report
from callgrade.calibration.suites import SuiteRunner
from callgrade.catalog import digest
from callgrade.catalog.eval_suites import load_suite
from callgrade.catalog.resources import resource_folder
from callgrade.db.session import Database
from callgrade.db.tables import Gate
from callgrade.domain.calibration import JudgeUnderTest, categories_of
from callgrade.domain.calls import Transcript
from callgrade.domain.errors import ConflictError, NotFoundError
from callgrade.domain.gates import GateResult, Paired, SuiteCheck, passes
from callgrade.domain.rubrics import Rubric
from callgrade.domain.scorecards import Scorecard
from callgrade.evaluations.failures import model_failures
from callgrade.evaluations.many import Scored, evaluate_many
from callgrade.evaluations.service import Evaluator

SUITES = ("injection", "evidence")
RULES = "rules"
Cards = dict[tuple[str, int], Scorecard]


class Host(NamedTuple):
    """What judges here: how judges are opened, the model's name (None: none is asked), how many calls at once."""

    judges: JudgesOf
    model: str | None
    in_flight: int


async def gate(database: Database, principal: Principal, contest: Contest, set_id: str, host: Host) -> Gate:
    """What was decided of this draft with this judge on this set, or decides it now: reads the holdout.

    Raises ConflictError for a draft that was not back-tested as it stands, and where the model failed for any call;
    HoldoutRetiredError.
    """
    principal.reach("rubrics:write")
    judge = [set_id, host.model, digest(contest.draft.rubric)]
    with database.reading() as session:
        tested = require_back_test(session, principal, contest)
        for row in gates_repository.gates(session, principal, contest.kind, contest.subject, contest.digest):
            if row.details.get("judge") == judge and row.outcome != "overridden":
                return row
    suites = await try_suites(contest.draft, host)
    why = f"gate of {contest.kind} {contest.reference}"
    read = read_holdout(database, principal, set_id, contest.draft.rubric.reference, why, run_id=tested.run_id)
    calls = [one.call for one in read.calls]
    drafted = await _judged(contest.draft, read.calls, host)
    subject = _subject(database, principal, contest, set_id, tested.run_id, len(calls))
    report = make_report(subject, contest.draft.rubric, calls, drafted, read.labels)
    paired = None
    if contest.current is not None:
        current = await _judged(contest.current, read.calls, host)
        sides = [
            Judged(side.rubric, compare(side.rubric, calls, cards, read.labels).by_criterion)
            for side, cards in ((contest.current, current), (contest.draft, drafted))
        ]
        paired = _paired(*sides)
    found = passes(report.criteria, paired, suites)
    details = {
        "result": found.model_dump(mode="json"),
        "judge": judge,
        "calls": len(calls),
        "reading": read.reading_id,
        "wear": read.wear.model_dump(mode="json"),
        "back_test": [tested.run_id, tested.against],
    }
    return _stored(database, principal, contest, found, details, tested.run_id)


def result_of(row: Gate) -> GateResult | None:
    """What the gate found; None for an override of a draft that never stood before it."""
    return GateResult.model_validate(row.details["result"]) if row.details.get("result") else None


async def try_suites(side: Side, host: Host, baselines: Path | None = None) -> tuple[SuiteCheck, ...]:
    """Clean where nothing fails, or nothing that did not fail in the judge's baseline."""
    name, found = host.model or RULES, []
    folder = baselines or resource_folder("evals") / "baselines"
    async with host.judges(side.asking)(0) as judges:
        runner = SuiteRunner(judges, name, draft=side.rubric, in_flight=host.in_flight)
        for id_ in SUITES:
            result = await runner.run(load_suite(id_))
            failed = {case.id for case in result.failures}
            judged = result.n - result.not_judged
            try:
                beside = beside_baseline(result, read_baseline(folder, id_, name))
                # what is not judged any more counts there as failed
                clean, failed = not beside.regressed, failed | set(beside.newly_failed)
            except NotFoundError:
                clean = not failed
            found.append(SuiteCheck(suite=id_, clean=clean if judged else None, judged=judged, failed=len(failed)))
    return tuple(found)


class _Item(NamedTuple):
    stored: StoredCall

    @property
    def name(self) -> str:
        return self.stored.call.id


async def _judged(side: Side, calls: Sequence[StoredCall], host: Host) -> Cards:
    """In memory alone. A gate on half the calls is none: raises ConflictError where the model fails for one."""

    async def load(item: _Item) -> Transcript:
        return item.stored.call.transcript

    cards: Cards = {}
    async with host.judges(side.asking)(0) as judges:
        evaluator = Evaluator(side.rubric, judges)
        results = evaluate_many([_Item(one) for one in calls], load, evaluator.evaluate, in_flight=host.in_flight)
        async for result in results:
            cards[result.source.name, 0] = _card(result)
    return cards


def _card(result: Scored[_Item]) -> Scorecard:
    card = result.scorecard
    failure = next(iter(model_failures(card)), None) if card else None
    if card is None or failure is not None:
        told = failure.message if failure else str(result.error)
        raise ConflictError(f"nothing was decided: a call of the holdout could not be judged: {told}")
    return card


def _subject(
    database: Database, principal: Principal, contest: Contest, set_id: str, run_id: str, calls: int
) -> Subject:
    rubric = contest.draft.rubric
    with database.reading() as session:
        row = sets.find(session, principal, set_id)
        return Subject(
            run=run_id,
            set_id=set_id,
            set_name=row.name,
            set_title=row.title,
            synthetic=row.synthetic,
            split=HOLDOUT,
            judge=JudgeUnderTest(rubric=rubric.reference, rubric_digest=digest(rubric)),
            samples=1,
            items_wanted=calls,
        )


def _paired(current: Judged, draft: Judged) -> dict[str, Paired]:
    """Criteria that both have on the same scale."""
    ids = [
        one.id
        for one in draft.rubric.criteria
        if one.id in current.rubric.by_id and _alike(current.rubric, draft.rubric, one.id)
    ]
    return {id_: _as_paired(change_of(draft.rubric.by_id[id_], current, draft)) for id_ in ids}


def _alike(current: Rubric, draft: Rubric, id_: str) -> bool:
    before, after = current.by_id[id_], draft.by_id[id_]
    return before.scale.kind == after.scale.kind and categories_of(before) == categories_of(after)


def _as_paired(change: CriterionChange) -> Paired:
    return Paired(
        kappa=change.kappa,
        share=change.accuracy,
        flips=change.flips,
        gained=change.gained,
        lost=change.lost,
        compared=change.compared,
        worse=change.change == "worse",
    )


def _stored(
    database: Database,
    principal: Principal,
    contest: Contest,
    found: GateResult,
    details: dict[str, object],
    run_id: str,
) -> Gate:
    with database.writing() as session:
        row = Gate(
            client_id=principal.client_id,
            kind=contest.kind,
            subject=contest.subject,
            version=contest.version,
            digest=contest.digest,
            run_id=run_id,
            outcome=found.outcome,
            by=principal.actor,
            details=details,
        )
        gates_repository.add(session, row)
        facts = {contest.kind: contest.reference, "digest": contest.digest, "outcome": found.outcome}
        audit.record(session, principal, "gate.decided", row.id, facts)
        return row
