"""A draft beside the version in use, over calls that may be looked at: every verdict that flips, call by call.

Both are calibration runs on the dev split, so that a back-test that was stopped goes on where it stopped. A draft is
known by its digest: whoever changes a word has another draft, and nothing was tried of it yet.
"""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np
from sqlmodel import Session

from callgrade.access import audit
from callgrade.access.principals import Principal
from callgrade.calibration import gates_repository, run_repository
from callgrade.calibration.comparing import RunComparison, compare_runs
from callgrade.calibration.figures import figure
from callgrade.calibration.running import Asked, Begun, OpenJudges, Progress, begin, carry_out
from callgrade.catalog import digest
from callgrade.catalog.prompts import Prompt
from callgrade.db.session import Database
from callgrade.db.tables import CalibrationRun
from callgrade.domain.calibration import Figure
from callgrade.domain.errors import ConflictError, InputError, UnknownResourceError
from callgrade.domain.frozen import Frozen
from callgrade.domain.rubrics import Rubric
from callgrade.evaluations import registry
from callgrade.evaluations.asking import Asking, PromptNamed, Terms
from callgrade.evaluations.releases import judges as judges_with
from callgrade.stats.pairs import score_difference

Kind = Literal["rubric", "prompt"]
JudgesOf = Callable[[Asking], OpenJudges]
"""How judges are opened for a side: `wiring.calibration.calibration_judges`, all but the asking given."""
DEV: Literal["dev"] = "dev"
AS_SET_UP = Asking()


class Side(NamedTuple):
    """What judges: a form, and how a model is asked for it."""

    rubric: Rubric
    asking: Asking = Asking()


class Contest(NamedTuple):
    """A draft and what it would take the place of; None where it is the first of its id. `reference` is the draft's
    own, with the number that it would be published under."""

    kind: Kind
    subject: str
    reference: str
    digest: str
    draft: Side
    current: Side | None

    @property
    def version(self) -> str:
        return self.reference.partition("@")[2]


class Opened(NamedTuple):
    """A back-test that was begun: the runs of both sides."""

    run_id: str
    against: str | None


class BackTest(Frozen):
    """`comparison` None: there is nothing to compare with. `cost`: per call, the draft less the version in use."""

    kind: Kind
    subject: str
    version: str
    digest: str
    run_id: str
    against: str | None
    comparison: RunComparison | None
    cost: Figure = Figure()


def of_rubric(session: Session, draft: Rubric, asking: Asking = AS_SET_UP) -> Contest:
    """The draft under the next free number, beside the newest published version (or the newest there is)."""
    number = registry.next_rubric_version(session, draft.id)
    draft = draft.model_copy(update={"version": number, "status": "draft"})
    versions = [row for row in registry.list_rubric_versions(session) if row.id == draft.id]
    current = Side(registry.parsed(registry.rubric_version(session, draft.id)), asking) if versions else None
    return Contest("rubric", draft.id, draft.reference, digest(draft), Side(draft, asking), current)


def of_prompt(session: Session, draft: Prompt, rubric: Rubric) -> Contest:
    """The same of a prompt, tried out on one rubric. Raises ConflictError for a rubric that asks no model, InputError
    for a prompt that is none to judge with."""
    if not judges_with(draft):
        raise InputError(f"{draft.id} is not a prompt to judge with: calls tell nothing of it")
    if not rubric.judged_by("llm"):
        raise ConflictError(f"{rubric.reference} asks no model: no prompt changes what it makes of a call")
    number = registry.next_prompt_version(session, draft.id)
    draft = draft.model_copy(update={"version": number, "status": "draft"})
    versions = [row for row in registry.list_prompt_versions(session) if row.id == draft.id]
    current = None
    if versions:
        current = Side(rubric, asking_by(registry.parsed_prompt(registry.prompt_version(session, draft.id))))
    return Contest("prompt", draft.id, draft.reference, draft.digest, Side(rubric, asking_by(draft)), current)


def asking_by(prompt: Prompt) -> Asking:
    return Asking(Terms(prompt=PromptNamed(id=prompt.id, version=prompt.version, digest=prompt.digest)), prompt)


def open_back_test(session: Session, principal: Principal, contest: Contest, set_id: str, model: str | None) -> Opened:
    """Both runs, queued or taken up again. `model`: the one that the host asks; None where it asks none."""
    principal.reach("rubrics:write")
    if contest.kind == "prompt" and model is None:
        raise ConflictError("a prompt is tried out on a model, and none is set up here: set CALLGRADE_LLM__MODEL")
    begun: list[Begun | None] = [
        None if side is None else begin(session, principal, side.rubric, asked(side, set_id, model))
        for side in (contest.draft, contest.current)
    ]
    draft, current = begun
    assert draft is not None
    opened = Opened(draft.run_id, None if current is None else current.run_id)
    _mark(session, principal, contest, opened)
    audit.record(
        session,
        principal,
        "back_test.begun",
        opened.run_id,
        {contest.kind: contest.reference, "digest": contest.digest},
    )
    return opened


def asked(side: Side, set_id: str, model: str | None) -> Asked:
    asks = bool(side.rubric.judged_by("llm"))
    return Asked(set_id=set_id, split=DEV, prompt=side.asking.terms.prompt, model=model if asks else None)


async def back_test(
    database: Database,
    principal: Principal,
    contest: Contest,
    opened: Opened,
    judges: JudgesOf,
    *,
    in_flight: int,
    progress: Progress = lambda done, total: None,
) -> BackTest:
    """Judges what is not judged yet of both sides. Raises as `running.carry_out`, ConflictError where the model was
    away for some calls: the same back-test can be gone on with."""
    sides = [(opened.run_id, contest.draft)]
    if opened.against is not None and contest.current is not None:
        sides.insert(0, (opened.against, contest.current))
    for at, (run_id, side) in enumerate(sides):

        def shown(done: int, total: int, at: int = at) -> None:
            progress(at * total + done, len(sides) * total)

        if _is_done(database, principal, run_id):
            continue
        done = await carry_out(
            database, principal, run_id, side.rubric, judges(side.asking), in_flight=in_flight, progress=shown
        )
        if done.unreached:
            raise ConflictError(f"{done.unreached} call(s) were not judged: {done.why}; back-test again to go on")
    with database.writing() as session:
        # a run that ends writes down anew what it was asked with
        _mark(session, principal, contest, opened)
        return result(session, principal, contest, opened)


def result(session: Session, principal: Principal, contest: Contest, opened: Opened) -> BackTest:
    """With the labels of today. Raises ConflictError where the back-test is not done."""
    principal.reach("calibrations:read")
    comparison, cost = None, Figure()
    if opened.against is not None and contest.current is not None:
        for run_id in (opened.run_id, opened.against):
            if run_repository.find(session, principal, run_id).status != "done":
                raise ConflictError("the back-test is not done yet")
        rubrics = (contest.current.rubric, contest.draft.rubric)
        comparison = compare_runs(session, principal, opened.against, opened.run_id, *rubrics)
        cost = _cost(session, opened.against, opened.run_id)
    return BackTest(
        kind=contest.kind,
        subject=contest.subject,
        version=contest.version,
        digest=contest.digest,
        run_id=opened.run_id,
        against=opened.against,
        comparison=comparison,
        cost=cost,
    )


def newest(session: Session, principal: Principal, contest: Contest) -> CalibrationRun | None:
    """The newest back-test of exactly this draft, done or not."""
    by = digest(contest.draft.rubric)
    return gates_repository.newest_back_test(session, principal, contest.kind, contest.subject, contest.digest, by)


def opened_by(run: CalibrationRun) -> Opened:
    return Opened(run.id, run.parameters["back_test"]["against"])


def require_back_test(session: Session, principal: Principal, contest: Contest) -> BackTest:
    """What was found of exactly this draft. Raises ConflictError where it was not tried, or not to the end."""
    run = newest(session, principal, contest)
    if run is None or run.status != "done":
        raise ConflictError(f"{contest.reference} was not back-tested as it stands: do that first, and look at it")
    return result(session, principal, contest, opened_by(run))


def how_far(session: Session, principal: Principal, run_id: str) -> tuple[str, int, int]:
    """(status, items judged, items in all) of both runs together."""
    principal.reach("calibrations:read")
    run = run_repository.find(session, principal, run_id)
    if "back_test" not in run.parameters:
        raise UnknownResourceError("there is no such back-test")
    ids = [one for one in opened_by(run) if one is not None]
    runs = [run_repository.find(session, principal, id_) for id_ in ids]
    done = sum(len(run_repository.judged(session, id_)) for id_ in ids)
    wanted = max(one.items for one in runs) * len(runs)
    statuses = [one.status for one in runs]
    status = next((one for one in ("failed", "running", "queued") if one in statuses), "done")
    return status, done, wanted


def _mark(session: Session, principal: Principal, contest: Contest, opened: Opened) -> None:
    """What the draft's run is for stands with it."""
    told = {"kind": contest.kind, "subject": contest.subject, "digest": contest.digest, "against": opened.against}
    run = run_repository.find(session, principal, opened.run_id)
    run_repository.change(session, run.id, parameters={**run.parameters, "back_test": told})


def _is_done(database: Database, principal: Principal, run_id: str) -> bool:
    with database.reading() as session:
        return run_repository.find(session, principal, run_id).status == "done"


def _cost(session: Session, against: str, run_id: str) -> Figure:
    """Paired, on calls whose cost is known of both; undefined where it is of none."""
    costs = [
        {item.name: item.usage.get("cost") for item in run_repository.items(session, id_) if item.usage.get("requests")}
        for id_ in (against, run_id)
    ]
    names: Sequence[str] = sorted(name for name in costs[0].keys() & costs[1].keys())
    both = [(costs[0][name], costs[1][name]) for name in names]
    known = np.array([(float(a), float(b)) for a, b in both if a is not None and b is not None]).reshape(-1, 2)
    return figure(score_difference(known[:, 0], known[:, 1]).difference)
