"""Plans at work: drawing calls by chance once a period, and finding what is always looked at as it comes in.

A drawing may be repeated within its period: it adds what is still missing (calls came in since), and never takes back.
"""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import ValidationError
from sqlmodel import Session

from callgrade.access import audit
from callgrade.access.principals import Principal
from callgrade.calls.service import parse_stored
from callgrade.db.session import Database
from callgrade.db.tables import Evaluation, SamplingPlan, SamplingRun
from callgrade.db.types import new_id, now
from callgrade.domain.errors import ConflictError, ForbiddenError, InputError
from callgrade.domain.periods import Span, deadline, span_of
from callgrade.domain.plans import Plan, why_always
from callgrade.domain.programme import Sampling
from callgrade.domain.sampling import Candidate, Drawn, Stratum, draw, shuffled, together, unusual
from callgrade.domain.scorecards import Scorecard
from callgrade.evaluations import registry
from callgrade.reviews import sampling_repository as repository
from callgrade.reviews.assignment import Roster, hand_out
from callgrade.reviews.sampling_repository import Member

PAGE, LONGEST_NAME = 200, 200
_LOG = logging.getLogger(__name__)


class Sample(NamedTuple):
    """One call that a drawing chose: why, from which stratum, and how likely it was to be chosen at all."""

    id: str
    why: str
    stratum: str
    probability: float
    instead: bool


class Outlook(NamedTuple):
    """What a plan would draw now: of how many calls, how many, and how each stratum stands."""

    span: Span
    population: int
    drawn: int
    strata: tuple[Stratum, ...]


class Sampler:
    """One a process; threads share it."""

    def __init__(self, database: Database, *, zone: ZoneInfo, clock: Callable[[], datetime] = now):
        self._database, self._zone, self._clock = database, zone, clock

    def make(
        self, principal: Principal, name: str, rubric_id: str, plan: Plan, *, follows: str | None = None
    ) -> SamplingPlan:
        """A plan, or the next version of one. A lead's is for the teams that they lead.

        Raises UnknownResourceError, ForbiddenError for another's plan, NotFoundError, InputError.
        """
        if principal.reach("sampling:write") == "teams":
            plan = plan.model_copy(update={"teams": tuple(sorted(principal.teams))})
        if not name.strip() or len(name) > LONGEST_NAME:
            raise InputError(f"a plan needs a name, of at most {LONGEST_NAME} characters")
        with self._database.writing() as session:
            registry.rubric_version(session, rubric_id)
            if follows is not None:
                self._retire(session, principal, follows)
            row = SamplingPlan(
                client_id=principal.client_id,
                name=name.strip(),
                rubric_id=rubric_id,
                spec=json.loads(plan.model_dump_json(by_alias=True)),
                follows=follows,
                created_by=principal.actor,
                looked_until=self._clock(),
            )
            session.add(row)
            session.flush()
            audit.record(session, principal, "plan.made", row.id, {"follows": follows})
            return row

    def retire(self, principal: Principal, plan_id: str) -> None:
        """Nothing is drawn by it any more; what was drawn stays. Raises ForbiddenError for another's plan."""
        principal.reach("sampling:write")
        with self._database.writing() as session:
            self._retire(session, principal, plan_id)
            audit.record(session, principal, "plan.retired", plan_id)

    def draw(self, principal: Principal, plan_id: str, *, moment: datetime | None = None) -> SamplingRun:
        """Draws for the period in which `moment` (now) lies, and hands out what it drew.

        Raises ConflictError for a plan that is retired.
        """
        principal.reach("sampling:write")
        with self._database.writing() as session:
            row = repository.find_plan(session, principal, plan_id)
            if row.retired_at is not None:
                raise ConflictError("the plan is retired; nothing is drawn by it any more")
            plan = plan_in(row)
            span = span_of(plan.period, moment or self._clock(), self._zone)
            members = self._members(session, principal, row.rubric_id, plan, span)
            before = repository.drawn_before(session, row.id, span.since)
            chosen, strata = choose(plan, members, f"{row.id}/{span.first}", self._durations(session, plan, members))
            new = [sample for sample in chosen if sample.id not in before]
            run = self._run(session, principal, row, span, len(members), new, strata)
            self._hand_out(session, principal, plan, run, new, members)
            audit.record(session, principal, "sample.drawn", run.id, {"plan": row.id, "drawn": len(new)})
            return run

    def outlook(self, principal: Principal, rubric_id: str, plan: Plan) -> Outlook:
        """What a plan would draw of its period so far, by its quotas; nothing is drawn, and nothing kept."""
        with self._database.reading() as session:
            span = span_of(plan.period, self._clock(), self._zone)
            members = self._members(session, principal, rubric_id, plan, span)
            samples, strata = choose(plan, members, f"outlook/{span.first}", {})
            return Outlook(span, len(members), len(samples), tuple(strata))

    def _members(
        self, session: Session, principal: Principal, rubric_id: str, plan: Plan, span: Span
    ) -> dict[str, Member]:
        found = repository.population(session, principal, rubric_id, span.since, span.until, plan.teams)
        return {member.evaluation.id: member for member in found}

    def look_through(self, *, limit: int = PAGE) -> int:
        """What came in since it was last asked, held against what every plan always looks at. Says how many reviews
        came of it. Meant to be called every half minute; on several hosts at once nothing is handed out twice. A plan
        that fails is told in the log, and keeps no other from being looked through."""
        with self._database.reading() as session:
            plans = [row.id for row in repository.plans(session, None)]
        made = 0
        for id_ in plans:
            try:
                made += self._look_through(id_, limit)
            except Exception as error:
                # the text of an unforeseen one may hold anything
                _LOG.warning("a plan was not looked through", extra={"plan": id_, "error": type(error).__name__})
        return made

    def _look_through(self, plan_id: str, limit: int) -> int:
        made = 0
        with self._database.writing() as session:
            row = session.get(SamplingPlan, plan_id, with_for_update=True)
            if row is None or row.retired_at is not None:
                return 0
            plan, until = plan_in(row), self._clock()
            found = repository.fresh(session, row, until, limit, plan.teams)
            due_at = deadline(until, plan.due_days, self._zone)
            roster = Roster(repository.reviewers(session, row.client_id)) if plan.hand_out else None
            for fresh in found:
                rubric = registry.rubric_of_digest(session, fresh.evaluation.rubric_digest)
                card = Scorecard.model_validate_json(fresh.scorecard)
                why = why_always(plan.always, rubric, card, parse_stored(fresh.transcript))
                if why is not None:
                    hand_out(session, roster, fresh.evaluation, why=why, due_at=due_at, slot=0)
                    made += 1
            # a full page may end within one moment: that moment is looked at again
            repository.look_until(session, plan_id, found[-1].evaluation.updated_at if len(found) == limit else until)
        return made

    def _durations(self, session: Session, plan: Plan, members: Mapping[str, Member]) -> dict[str, int]:
        if not plan.unusual_durations:
            return {}
        by_call = {member.evaluation.call_id: id_ for id_, member in members.items()}
        ids, found = list(by_call), {}
        for start in range(0, len(ids), PAGE):
            for call_id, content in repository.durations_ms(session, ids[start : start + PAGE]):
                ends = [turn.end_ms for turn in parse_stored(content).turns if turn.end_ms is not None]
                found[by_call[call_id]] = max(ends, default=0)
        return found

    def _run(
        self,
        session: Session,
        principal: Principal,
        row: SamplingPlan,
        span: Span,
        population: int,
        samples: list[Sample],
        strata: Iterable[Stratum],
    ) -> SamplingRun:
        return SamplingRun(
            id=new_id(),
            client_id=row.client_id,
            plan_id=row.id,
            since=span.since,
            until=span.until,
            number=repository.drawings(session, row.id, span.since) + 1,
            seed=f"{row.id}/{span.first}",
            population=population,
            drawn=len(samples),
            summary={"strata": [{**stratum.model_dump(), "short": stratum.short} for stratum in strata]},
            drawn_by=principal.actor,
            drawn_at=self._clock(),
        )

    def _hand_out(
        self,
        session: Session,
        principal: Principal,
        plan: Plan,
        run: SamplingRun,
        samples: list[Sample],
        members: Mapping[str, Member],
    ) -> None:
        rows = [_row(run, sample, members[sample.id].evaluation) for sample in samples]
        repository.add_run(session, run, rows)
        roster = Roster(repository.reviewers(session, principal.client_id)) if plan.hand_out else None
        due_at = deadline(self._clock(), plan.due_days, self._zone)
        twice = _second_looks(plan.double, [sample.id for sample in samples], run.seed)
        for row in rows:
            evaluation: Evaluation = members[row["evaluation_id"]].evaluation
            if evaluation.status == "proposed":
                found = {"why": row["why"], "due_at": due_at, "sampled_id": row["id"]}
                hand_out(session, roster, evaluation, slot=0, blind=plan.blind, **found)
            if evaluation.id in twice:
                hand_out(session, roster, evaluation, why="double", due_at=due_at, blind=True, sampled_id=row["id"])

    def _retire(self, session: Session, principal: Principal, plan_id: str) -> None:
        row = repository.find_plan(session, principal, plan_id)
        if not may_change(principal, plan_in(row)):
            raise ForbiddenError("this plan is for more than your teams; whoever made it, or an admin, changes it")
        row.retired_at = row.retired_at or self._clock()
        session.add(row)


def may_change(principal: Principal, plan: Plan) -> bool:
    """Leads change the plans that are for their teams alone; whoever reaches all calls changes all."""
    if principal.reach("sampling:write") == "all":
        return True
    return bool(plan.teams) and principal.teams.issuperset(plan.teams)


def plan_in(row: SamplingPlan) -> Plan:
    """Raises InputError for a row that holds none."""
    try:
        return Plan.model_validate(row.spec)
    except ValidationError as error:
        raise InputError(f"the plan {row.name} cannot be read: {error.errors()[0]['msg']}") from None


def choose(
    plan: Plan, members: Mapping[str, Member], seed: str, durations_ms: Mapping[str, int]
) -> tuple[list[Sample], list[Stratum]]:
    """What a plan draws of a population. A call that several quotas draw is one sample, as likely as they make it
    together."""
    candidates = [
        Candidate(id=id_, agent_id=member.evaluation.agent_id, facts={"channel": member.channel, **member.facts})
        for id_, member in members.items()
    ]
    drawn: dict[str, list[Drawn]] = {}
    strata: list[Stratum] = []
    for number, quota in enumerate(plan.quotas):
        some, parts = draw(quota, candidates, f"{seed}/{number}", margin=plan.margin)
        strata += [part.model_copy(update={"name": f"{_name(quota, number)} {part.name}"}) for part in parts]
        for one in some:
            drawn.setdefault(one.id, []).append(one)
    odd = unusual(durations_ms)
    samples = [
        # what is always taken was as good as certain, by whatever way it came
        Sample(id_, "sample", some[0].stratum, 1.0 if id_ in odd else _chance(some), some[0].instead)
        for id_, some in drawn.items()
    ]
    samples += [Sample(id_, "unusual", f"{kind} calls", 1.0, False) for id_, kind in odd.items() if id_ not in drawn]
    return samples, strata


def _chance(drawn: list[Drawn]) -> float:
    return together(one.probability for one in drawn)


def _second_looks(share: float, ids: list[str], seed: str) -> set[str]:
    return set(shuffled(ids, f"{seed}/double")[: round(share * len(ids))])


def _name(quota: Sampling, number: int) -> str:
    return quota.title.zh or quota.title.en or f"quota {number + 1}"


def _row(run: SamplingRun, sample: Sample, evaluation: Evaluation) -> dict[str, Any]:
    return {
        "id": new_id(),
        "client_id": run.client_id,
        "run_id": run.id,
        "call_id": evaluation.call_id,
        "evaluation_id": evaluation.id,
        "stratum": sample.stratum,
        "why": sample.why,
        "probability": sample.probability,
        "instead": sample.instead,
    }
