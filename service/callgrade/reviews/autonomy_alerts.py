"""Autonomy that ends by itself, as alerts: because of what people found, told as it ends; because something changed,
looked for (alert_watch), since then nobody does anything that could tell."""

from collections.abc import Iterator
from datetime import datetime

from sqlmodel import Session

from callgrade.db.tables import AlertRule, Autonomy
from callgrade.domain.alerts import AutonomyEnded
from callgrade.domain.frozen import LocalText
from callgrade.reviews import alerts_repository
from callgrade.reviews import autonomy_repository as repository
from callgrade.reviews.alerts import Found, raise_one
from callgrade.reviews.autonomy import key_of, keys_in_use, why_idle

KIND = "autonomy_ended"
LOST = ("assisted", "automatic")


def tell_ended(session: Session, row: Autonomy, why: LocalText, at: datetime) -> int:
    """In the transaction that ends it. Says how many alerts were raised."""
    rules = [rule for rule in alerts_repository.rules(session, row.client_id) if rule.kind == KIND]
    about = [rule for rule in rules if rule.spec.get("rubric") in (None, row.rubric_id)]
    return sum(raise_one(session, rule, _found(rule, row, why), at) is not None for rule in about)


def idle(session: Session, rule: AlertRule, spec: AutonomyEnded) -> Iterator[Found]:
    """States that stand for what makes no scorecards any more."""
    rows = [row for row in repository.standing(session, rule.client_id, spec.rubric) if row.state in LOST]
    for rubric_id in dict.fromkeys(row.rubric_id for row in rows):
        keys = keys_in_use(session, rule.client_id, rubric_id)
        for row in rows:
            if row.rubric_id == rubric_id and keys and key_of(row) not in keys:
                yield _found(rule, row, why_idle(key_of(row), keys))


def _found(rule: AlertRule, row: Autonomy, why: LocalText) -> Found:
    data = {
        "autonomy_id": row.id,
        "rubric": row.rubric_id,
        "criterion": row.criterion_id,
        "was": row.state,
        "because": why.model_dump(mode="json"),
    }
    teams = rule.spec.get("teams") or [None]
    return Found(row.id, data, team=teams[0])
