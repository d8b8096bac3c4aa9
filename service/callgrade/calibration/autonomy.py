"""Granting autonomy, and taking it back.

A grant is a look at evidence under a level that was fixed before: what the evidence supports is stored, be that less
than was asked for. Each look spends a part of the error; the looks that were planned at the first one share it evenly.
Once they are used up only labels that came later count, in a plan of their own.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlmodel import Session

from callgrade.access import audit
from callgrade.access.facts import Fact
from callgrade.access.principals import Principal
from callgrade.calibration import autonomy_evidence, confidence
from callgrade.calibration import autonomy_repository as repository
from callgrade.calibration.confidence import held_beside
from callgrade.calibration.holdout import HoldoutRead, read_holdout
from callgrade.calibration.thresholds import Fitted, Sure, Threshold, fixed, sure_of
from callgrade.db.session import Database
from callgrade.db.tables import Autonomy
from callgrade.db.types import now
from callgrade.domain.autonomy import (
    CALL_LEVEL,
    LEVELS,
    Evidence,
    Key,
    State,
    Verdict,
    at_most,
    decide,
    keys_of,
    models,
    why_never,
)
from callgrade.domain.errors import ConflictError, ForbiddenError, InputError, UnknownResourceError
from callgrade.domain.frozen import LocalText
from callgrade.domain.rubrics import Rubric
from callgrade.domain.scorecards import Provenance
from callgrade.evaluations.registry import rubric_of_digest
from callgrade.reviews.autonomy import evidence_of, key_of, keys_in_use, text_of, why_idle
from callgrade.reviews.autonomy_repository import standing
from callgrade.reviews.confidence import Confidence, rules_digest
from callgrade.stats.results import Why

SCHEMA = "callgrade.autonomy/1"
DEFAULT_LEVEL = LEVELS[0]
MOST_LOOKS = 20
MOST_SHOWN = 500
"""Reviewed calls that an overview counts."""
LONGEST_REASON = 500
GRANTING = ("admin", "qa_lead")
ALL_VIOLATIONS = LocalText(zh="整通无违规（合并上限）", en="No violation in the whole call (one bound)")


class Line(NamedTuple):
    """One criterion under one key. `row` is what stands. `reviewed` counts labels that a next look would see; what they
    say is told by the look. `verdict` is what the row says, or what is to be done where there is none. Not `in_use`: it
    stands for what makes no scorecards now."""

    rubric: Rubric
    key: Key
    title: LocalText
    row: Autonomy | None
    state: State
    verdict: Verdict
    reviewed: int
    in_use: bool = True

    @property
    def id(self) -> str:
        return key_id(self.key)


class _Plan(NamedTuple):
    look: int
    looks: int
    after: datetime | None
    first: bool
    threshold: float | None = None
    """That was fixed for looks that go on."""


def key_id(key: Key) -> str:
    """A short name of a key, for forms and the command line."""
    return hashlib.sha256(key.model_dump_json().encode()).hexdigest()[:12]


def overview(session: Session, principal: Principal, rubric_id: str | None = None) -> list[Line]:
    """Every criterion of every rubric in use, under what makes its scorecards now, in the order of the form."""
    principal.reach("calibrations:read")
    lines: list[Line] = []
    for id_ in [rubric_id] if rubric_id else repository.rubrics_in_use(session, principal.client_id):
        rows = {key_of(row): row for row in standing(session, principal.client_id, id_)}
        checked = repository.checked(session, principal.client_id, id_, limit=MOST_SHOWN)
        reviewed = list(autonomy_evidence.read(session, checked))
        keys = keys_in_use(session, principal.client_id, id_)
        found = [_line(session, principal, form, key, rows.get(key), reviewed) for key, form in keys.items()]
        lines += sorted(found, key=_place)
        lines += [_idle(row, keys) for key, row in rows.items() if keys and key not in keys]
    return lines


def find_line(session: Session, principal: Principal, rubric_id: str, named: str) -> Line:
    """By a criterion's id (under the newest key) or by a key's. Raises UnknownResourceError."""
    for line in overview(session, principal, rubric_id):
        if named in (line.id, line.key.criterion_id):
            return line
    raise UnknownResourceError("no scorecard was made by this criterion yet; evaluate some calls first")


def grant(
    database: Database,
    principal: Principal,
    rubric_id: str,
    named: str,
    *,
    level: float = DEFAULT_LEVEL,
    wanted: State = "automatic",
    looks: int = 1,
    run_id: str | None = None,
    fit_run: str | None = None,
    threshold: Threshold = None,
    clock: Callable[[], datetime] = now,
) -> Autonomy:
    """Looks at the evidence, and stores what it supports of what is `wanted`: from reviewed calls that were drawn by
    chance, or from a run on the holdout of a golden set of the client's own. `named` is a criterion's or a key's id.
    `fit_run`: a run on dev by which confidences are calibrated; they are checked on the holdout run, if one is named,
    which reads its labels once more. `threshold`: only proposals of this calibrated confidence go through, and only by
    them it is proven; it is fixed at the first of the looks that were planned.

    Raises ForbiddenError for anybody but admins and leads, UnknownResourceError, InputError, ConflictError.
    """
    _may(principal)
    if level not in LEVELS:
        raise InputError(f"level: choose one of {', '.join(f'{one:g}' for one in LEVELS)}, before you look")
    if not 1 <= looks <= MOST_LOOKS:
        raise InputError(f"looks: plan 1 to {MOST_LOOKS} of them")
    held_out = _holdout(database, principal, rubric_id, run_id) if fit_run and run_id else None
    with database.writing() as session:
        rubric, key = _key(session, principal, rubric_id, named, run_id)
        criterion = rubric.by_id.get(key.criterion_id)
        never = why_never(criterion, key) if criterion else None
        fitted = None if fit_run is None else _fitted(session, principal, rubric, key, fit_run)
        sure = fixed(threshold, key.criterion_id, fitted, level)
        before = list(repository.of_key(session, principal.client_id, rubric.id, key))
        plan = _next_look(before, looks)
        _check_threshold(plan, sure)
        evidence, drift = _evidence(session, principal, rubric, key, level, plan, run_id, sure, held_out)
        verdict = decide(evidence, never=never)
        state, at = at_most(verdict, wanted), clock()
        for row in before:
            if row.ended_at is None:
                repository.end(session, row.id, at, _superseded())
        content = _content(evidence, verdict, plan, drift)
        if fitted is not None:
            content |= _confidence(session, rubric, key, fitted.confidence, run_id, held_out)
        made = Autonomy(
            client_id=principal.client_id,
            rubric_id=rubric.id,
            state=state,
            threshold=sure.threshold if sure is not None and state == "automatic" else None,
            reason=verdict.reason.model_dump_json(),
            evidence=content,
            run_id=run_id,
            set_by=principal.actor,
            since=at,
            **key.model_dump(),
        )
        session.add(made)
        session.flush()
        counted = {"reviewed": evidence.reviewed, "misses": evidence.misses, "look": plan.look}
        facts: dict[str, Fact] = {"state": made.state, **counted}
        audit.record(session, principal, "autonomy.looked", made.id, facts)
        return made


def revoke(
    database: Database, principal: Principal, id_: str, reason: str, *, clock: Callable[[], datetime] = now
) -> None:
    """From now on people decide. Raises ForbiddenError, UnknownResourceError, InputError without a reason,
    ConflictError where it has ended already."""
    _may(principal)
    reason = " ".join(reason.split())
    if not reason or len(reason) > LONGEST_REASON:
        raise InputError(f"reason: say in at most {LONGEST_REASON} characters why")
    with database.writing() as session:
        row = repository.find(session, principal, id_)
        if not repository.end(session, row.id, clock(), reason):
            raise ConflictError("this has ended already")
        audit.record(session, principal, "autonomy.revoked", row.id, {"state": row.state})


def verdict_of(row: Autonomy) -> Verdict | None:
    """What was said when it was looked at."""
    stored = row.evidence.get("verdict")
    return None if stored is None else Verdict.model_validate(stored)


def _may(principal: Principal) -> None:
    principal.reach("calibrations:write")
    if principal.role not in GRANTING:
        raise ForbiddenError("what goes through unread is decided by a lead or an admin, by name")


def _key(session: Session, principal: Principal, rubric_id: str, named: str, run_id: str | None) -> tuple[Rubric, Key]:
    if run_id is None:
        line = find_line(session, principal, rubric_id, named)
        if not line.in_use:
            raise ConflictError("no scorecard is made by this any more; gather evidence for what is in use now")
        return line.rubric, line.key
    run = repository.find_run(session, principal, run_id)
    if run.rubric_id != rubric_id:
        raise InputError("the run is of another rubric")
    rubric = rubric_of_digest(session, run.rubric_digest)
    if named not in rubric.by_id:
        raise InputError(f"a run speaks of single criteria; {named} is none of {rubric.reference}")
    made_by = Provenance(
        prompt={"digest": run.prompt_digest}, model_reported=models(run.model_reported), recogniser=run.recogniser
    )
    return rubric, keys_of(rubric, made_by)[named]


def _next_look(before: list[Autonomy], looks: int) -> _Plan:
    told = [(row, evidence) for row in before if (evidence := evidence_of(row)) is not None]
    if not told:
        return _Plan(1, looks, None, True)
    last, evidence = told[-1]
    if evidence.look < evidence.looks:
        after = last.evidence.get("after")
        return _Plan(
            evidence.look + 1,
            evidence.looks,
            datetime.fromisoformat(after) if after else None,
            False,
            evidence.threshold,
        )
    return _Plan(1, looks, last.since, False)


def _check_threshold(plan: _Plan, sure: Sure | None) -> None:
    if plan.look > 1 and plan.threshold != (None if sure is None else sure.threshold):
        raise ConflictError("the confidence was fixed at the first of these looks; use the planned ones up first")


def _evidence(
    session: Session,
    principal: Principal,
    rubric: Rubric,
    key: Key,
    level: float,
    plan: _Plan,
    run_id: str | None,
    sure: Sure | None,
    held_out: HoldoutRead | None,
) -> tuple[Evidence, dict[str, float]]:
    told: dict[str, Any] = {"level": level, "look": plan.look, "looks": plan.looks}
    if run_id is not None:
        if not plan.first:
            raise ConflictError("the evidence was looked at before: what is drawn and reviewed from now on counts")
        run = repository.find_run(session, principal, run_id)
        criterion = rubric.by_id[key.criterion_id]
        if sure is None or held_out is None:
            found = autonomy_evidence.of_run(run, criterion, **told)
        else:
            autonomy_evidence.proving(run, criterion)
            stored = held_beside(session, run_id, rubric, criterion.id, held_out.calls, held_out.labels)
            found = autonomy_evidence.of_sure(stored[0], rubric, criterion, stored[1], sure, **told)
        mean, spread = autonomy_evidence.spread_of(())
    else:
        checked = repository.checked(session, principal.client_id, rubric.id, after=plan.after)
        seen = list(autonomy_evidence.items(key, autonomy_evidence.read(session, checked), sure))
        threshold = None if sure is None else sure.threshold
        found = autonomy_evidence.of_items(seen, threshold=threshold, **told)
        mean, spread = autonomy_evidence.spread_of(seen)
    return found, {"reference": mean, "spread": spread}


def _holdout(database: Database, principal: Principal, rubric_id: str, run_id: str) -> HoldoutRead:
    with database.reading() as session:
        run = repository.find_run(session, principal, run_id)
    reference = f"{rubric_id}@{run.rubric_version}"
    return read_holdout(database, principal, run.set_id, reference, "confidence checked", run_id=run_id)


def _content(evidence: Evidence, verdict: Verdict, plan: _Plan, drift: dict[str, float]) -> dict[str, Any]:
    """As it is stored with the state."""
    return {
        "schema": SCHEMA,
        "figures": evidence.model_dump(mode="json"),
        "verdict": verdict.model_dump(mode="json"),
        "after": None if plan.after is None else plan.after.isoformat(),
        "drift": drift,
    }


def _fitted(session: Session, principal: Principal, rubric: Rubric, key: Key, fit_run: str) -> Fitted:
    other, same = _key(session, principal, rubric.id, key.criterion_id, fit_run)
    if same != key:
        raise ConflictError("that run was judged by another prompt, model, criterion or recogniser")
    found = confidence.examples_of_run(session, principal, fit_run, other, key.criterion_id)
    beside = rules_digest(other, other.by_id[key.criterion_id])
    return Fitted(confidence.fit(found, fitted_on=fit_run, rules=beside), found)


def _confidence(
    session: Session,
    rubric: Rubric,
    key: Key,
    fitted: Confidence | Why,
    run_id: str | None,
    held_out: HoldoutRead | None,
) -> dict[str, Any]:
    """What is stored of it: the fitted confidence, or why there is none."""
    if isinstance(fitted, Why):
        return {"no_confidence": fitted.value}
    if held_out is not None and run_id is not None:
        checked_on = confidence.examples_of(session, run_id, rubric, key.criterion_id, held_out.calls, held_out.labels)
        fitted = confidence.check(fitted, checked_on)
    return {"confidence": fitted.model_dump(mode="json", by_alias=True)}


def _line(
    session: Session,
    principal: Principal,
    rubric: Rubric,
    key: Key,
    row: Autonomy | None,
    checked: list[autonomy_evidence.Reviewed],
) -> Line:
    criterion = rubric.by_id.get(key.criterion_id)
    never = why_never(criterion, key) if criterion else None
    before = list(repository.of_key(session, principal.client_id, rubric.id, key))
    plan = _next_look(before, 1)
    seen = [one for one in checked if plan.after is None or one.at > plan.after]
    sure = None if row is None else sure_of(row)
    reviewed = [item for item in autonomy_evidence.items(key, seen, sure) if item.missed is not None]
    blank = autonomy_evidence.figures("production", 0, 0, 0.0, 0.0, level=DEFAULT_LEVEL)
    state: State = "human_only" if row is None else _state(row.state)
    verdict = _to_do(len(reviewed), blank.needed or 0) if never is None else decide(blank, never=never)
    if row is None and before and never is None:
        over = text_of(before[-1].ended_because)
        ended = LocalText(zh=f"已收回：{over.zh}", en=f"Taken back: {over.en}")
        verdict = verdict.model_copy(update={"reason": ended})
    if row is not None:
        verdict = verdict_of(row) or Verdict(state=state, reason=text_of(row.reason), action=LocalText())
    title = criterion.title if criterion else ALL_VIOLATIONS
    return Line(rubric, key, title, row, state, verdict, len(reviewed))


def _to_do(reviewed: int, needed: int) -> Verdict:
    """Before the first look: how many labels there are is told, what they say is not."""
    left = max(0, needed - reviewed)
    action = LocalText(zh="可以查看证据了", en="Enough to look at: ask for it.")
    if left:
        action = LocalText(zh=f"再随机抽取并复核 {left} 通", en=f"Review {left} more calls drawn by chance.")
    return Verdict(
        state="human_only",
        reason=LocalText(
            zh=f"尚未授予；已随机复核 {reviewed} 通", en=f"Nothing granted; {reviewed} reviewed by chance."
        ),
        action=action,
        needed=left,
    )


def _state(name: str) -> State:
    return "automatic" if name == "automatic" else "assisted" if name == "assisted" else "human_only"


def _place(line: Line) -> int:
    """In the order of the form; of one criterion the newest key first, as they came."""
    ids = [one.id for one in line.rubric.criteria]
    return ids.index(line.key.criterion_id) if line.key.criterion_id in ids else len(ids)


def _idle(row: Autonomy, keys: Mapping[Key, Rubric]) -> Line:
    """A state that finds nothing to stand for, and which changes it was."""
    key = key_of(row)
    rubric = next(iter(keys.values()))
    reason = why_idle(key, keys)
    action = LocalText(zh="对现在的组合重新取证", en="Gather evidence for what is in use now.")
    criterion = rubric.by_id.get(key.criterion_id)
    title = criterion.title if criterion else LocalText(zh=key.criterion_id, en=key.criterion_id)
    title = ALL_VIOLATIONS if key.criterion_id == CALL_LEVEL else title
    return Line(
        rubric, key, title, row, "human_only", Verdict(state="human_only", reason=reason, action=action), 0, False
    )


def _superseded() -> str:
    return LocalText(zh="重新查看了证据", en="The evidence was looked at again.").model_dump_json()
