"""Looks through what came in, for what rules ask to be told of. May run on several hosts at once: whoever gets to write
down how far a rule has looked tells of what was found up to there, and the others of nothing.
"""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlmodel import Session

from callgrade.db.session import Database
from callgrade.db.tables import AlertRule
from callgrade.db.types import now
from callgrade.domain.alerts import AgentWeek, AutonomyEnded, QueueAge, RedLine
from callgrade.domain.periods import Span, previous, span_of
from callgrade.domain.programme import Period
from callgrade.domain.reviews import is_red_line
from callgrade.domain.scorecards import Scorecard
from callgrade.domain.weeks import Week, expected, is_away
from callgrade.evaluations import registry
from callgrade.reviews import alerts_repository as repository
from callgrade.reviews.alerts import Found, raise_one, spec_in
from callgrade.reviews.alerts_repository import LOOKED_AT, Judged
from callgrade.reviews.autonomy_alerts import idle

PAGE, MOST_PAGES = 500, 20
LATE = timedelta(seconds=10)
"""What was stored just now may yet become visible with an earlier moment: so much is looked at again."""
QUEUE_EVERY = timedelta(minutes=5)
AUTONOMY_EVERY = timedelta(minutes=5)
WEEK = Period(unit="week")
_LOG = logging.getLogger(__name__)


class Look(NamedTuple):
    """What one look found, and up to when it has looked."""

    found: list[Found]
    until: datetime


class AlertWatch:
    """One a process. `look_through` is meant to be called every half minute."""

    def __init__(self, database: Database, *, zone: ZoneInfo, clock: Callable[[], datetime] = now):
        self._database, self._zone, self._clock = database, zone, clock

    def look_through(self) -> int:
        """Says how many alerts were raised. A rule that fails is told in the log, and keeps no other from looking."""
        with self._database.reading() as session:
            rules = list(repository.rules(session, None))
        raised = 0
        for rule in rules:
            try:
                raised += self._look(rule)
            except Exception as error:
                # the text of an unforeseen one may hold anything
                _LOG.warning("a rule did not look", extra={"rule": rule.id, "error": type(error).__name__})
        return raised

    def _look(self, rule: AlertRule) -> int:
        spec, at = spec_in(rule), self._clock()
        with self._database.reading() as session:
            if isinstance(spec, RedLine):
                look: Look | None = self._red_lines(session, rule, spec, at)
            elif isinstance(spec, AgentWeek):
                look = self._weeks(session, rule, spec, at)
            elif isinstance(spec, QueueAge):
                look = self._queue(session, rule, spec, at)
            else:
                look = self._autonomy(session, rule, spec, at)
        return 0 if look is None else self._tell(rule, look, at)

    def _tell(self, rule: AlertRule, look: Look, at: datetime) -> int:
        with self._database.writing() as session:
            row = session.get(AlertRule, rule.id, with_for_update=True)
            if row is None or row.disabled_at is not None or row.looked_until != rule.looked_until:
                return 0
            row.looked_until = look.until
            session.add(row)
            return sum(raise_one(session, row, found, at) is not None for found in look.found)

    def _red_lines(self, session: Session, rule: AlertRule, spec: RedLine, at: datetime) -> Look:
        """From when the rule was made on; of an evaluation once, whatever becomes of it later."""
        since = rule.looked_until or rule.created_at
        statuses = ("published",) if spec.published_only else LOOKED_AT
        found: list[Found] = []
        after = (since, "")
        for _ in range(MOST_PAGES):
            rows = repository.judged(session, rule, statuses, after, at, PAGE)
            found += filter(None, (_red_line(session, row) for row in rows))
            if len(rows) < PAGE:
                return Look(found, max(since, at - LATE))
            after = (rows[-1].updated_at, rows[-1].id)
        return Look(found, after[0])

    def _weeks(self, session: Session, rule: AlertRule, spec: AgentWeek, at: datetime) -> Look | None:
        """The last week that ended `after_days` ago, unless it was looked at before."""
        week = previous(WEEK, span_of(WEEK, at - timedelta(days=spec.after_days), self._zone), self._zone)
        if rule.looked_until is not None and rule.looked_until >= week.until:
            return None
        these = repository.weeks(session, rule, week.since, week.until, spec.calls)
        past: dict[tuple[str, str], list[Week]] = {}
        span = week
        for _ in range(spec.weeks if these else 0):
            span = previous(WEEK, span, self._zone)
            for key, one in repository.weeks(session, rule, span.since, span.until, spec.calls).items():
                past.setdefault(key, []).append(one)
        away = (_departure(key, one, past.get(key, []), week, spec) for key, one in these.items())
        found = [
            one._replace(team=repository.team_of(session, rule.client_id, one.data["agent_id"], week.until))
            for one in away
            if one is not None
        ]
        return Look(found, week.until)

    def _queue(self, session: Session, rule: AlertRule, spec: QueueAge, at: datetime) -> Look | None:
        if rule.looked_until is not None and at < rule.looked_until + QUEUE_EVERY:
            return None
        return Look(list(self._long_queues(session, rule, spec, at)), at)

    def _autonomy(self, session: Session, rule: AlertRule, spec: AutonomyEnded, at: datetime) -> Look | None:
        if rule.looked_until is not None and at < rule.looked_until + AUTONOMY_EVERY:
            return None
        return Look(list(idle(session, rule, spec)), at)

    def _long_queues(self, session: Session, rule: AlertRule, spec: QueueAge, at: datetime) -> Iterator[Found]:
        """Each team by itself; once a day of the call centre's."""
        day = at.astimezone(self._zone).date().isoformat()
        for team in spec.teams or (None,):
            subject = f"{team or ''}/{day}"
            if repository.told_of(session, rule.id, subject):
                continue
            number, oldest = repository.open_reviews(session, rule.client_id, team)
            hours = 0.0 if oldest is None else (at - oldest).total_seconds() / 3600
            too_old = spec.hours is not None and hours > spec.hours
            too_many = spec.open is not None and number > spec.open
            if too_old or too_many:
                data = {"open": number, "oldest_hours": round(hours, 1), "team": team}
                limits = {"hours": spec.hours, "most_open": spec.open}
                yield Found(subject, {**data, **limits, "day": day}, team=team)


def _red_line(session: Session, row: Judged) -> Found | None:
    card = Scorecard.model_validate_json(row.scorecard)
    rubric = registry.rubric_of_digest(session, row.rubric_digest)
    crossed = [j.criterion_id for j in card.judgements if is_red_line(j, rubric.by_id[j.criterion_id])]
    if not crossed:
        return None
    data = {
        "evaluation_id": row.id,
        "call": row.call_id,
        "status": row.status,
        "rubric": rubric.reference,
        "criteria": crossed,
        "flags": list(card.flags),
        "agent_id": row.agent_id,
        "team": row.team,
    }
    return Found(row.id, data, row.team, row.id, row.call_id, {"call_id": row.shown_call_id})


def _departure(key: tuple[str, str], week: Week, past: list[Week], span: Span, spec: AgentWeek) -> Found | None:
    outlook = expected(past, week.n, confidence=spec.confidence)
    if outlook is None or not is_away(week, outlook, least=spec.least):
        return None
    agent, rubric = key
    first = span.first.isoformat()
    data = {
        "agent_id": agent,
        "rubric": rubric,
        "week": first,
        "calls": week.n,
        "mean": round(week.mean, 2),
        "usual": round(outlook.usual, 2),
        "low": round(outlook.low, 2),
        "high": round(outlook.high, 2),
        "past_weeks": outlook.weeks,
        "confidence": spec.confidence,
    }
    return Found(f"{agent}/{rubric}/{first}", data)
