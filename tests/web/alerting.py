"""Alerts of every kind, for the tests of their pages."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from callgrade.db.tables import AlertRule, Evaluation
from callgrade.db.types import now
from callgrade.domain.outcomes import Level, Occurrences
from callgrade.domain.reviews import is_red_line
from callgrade.evaluations import registry
from callgrade.evaluations import repository as evaluations
from callgrade.evaluations.tables import SCORECARD
from callgrade.ports import Notifier
from callgrade.reviews import alerts_repository
from callgrade.reviews.alert_mail import AlertPost
from callgrade.reviews.alert_watch import AlertWatch
from tests.domain.forms import judged
from tests.reviews.alerting import aged, scored
from tests.web.made import TEAM, Rooms
from tests.web.reviewing import call, review

ZONE = ZoneInfo("Asia/Shanghai")


def look(rooms: Rooms) -> int:
    return AlertWatch(rooms.desk.database, zone=ZONE, clock=lambda: now() + timedelta(seconds=1)).look_through()


def mails(rooms: Rooms, notifier: Notifier) -> int:
    return AlertPost(rooms.desk.database, notifier, clock=lambda: now() + timedelta(seconds=2)).send_due()


def alerted(rooms: Rooms, browser: Any) -> Evaluation:
    """A rule about red lines, and a call that crosses one."""
    browser.post("/alerts/rules", data={"kind": "red_line", "name": "红线提醒", "email": "li@example.com"})
    made, _ = call(rooms)
    crossed(rooms, made)
    assert look(rooms) == 1, "the red line was not found"
    return made


def crossed(rooms: Rooms, made: Evaluation) -> None:
    """The proposal says that two critical criteria were not met."""
    with rooms.desk.database.writing() as session:
        card = evaluations.scorecard_of(session, made)
        assert card is not None
        worst = {"accuracy": Level(level="wrong"), "privacy-leak": Occurrences(occurrences=1)}
        form = registry.rubric_of_digest(session, made.rubric_digest)
        for id_, outcome in worst.items():
            assert is_red_line(judged(**{id_: outcome})[id_], form.by_id[id_])
        changed = [
            one.model_copy(update={"outcome": worst.get(one.criterion_id, one.outcome)}) for one in card.judgements
        ]
        content = card.model_copy(update={"judgements": tuple(changed)}).model_dump_json(by_alias=True)
        session.execute(SCORECARD.update().where(SCORECARD.c.evaluation_id == made.id).values(content=content))


def everything(rooms: Rooms, browser: Any) -> None:
    """One alert of each kind, and a test whose mail failed."""
    made = alerted(rooms, browser)
    told = {"email": "li@example.com, wang@example.com", "webhook": "yes"}
    browser.post("/alerts/rules", data={**told, "kind": "agent_week", "name": "坐席周成绩异常", "least": "2"})
    browser.post("/alerts/rules", data={**told, "kind": "queue_age", "name": "积压", "hours": "24", "open": "200"})
    local = now().astimezone(ZONE)
    monday = (local - timedelta(days=local.weekday() + 7)).replace(hour=10)
    week = 1 if local.weekday() >= 3 else 2
    for back, mean in enumerate((62.5, 88, 90, 89.25, 91, 90), week - 1):
        scored(rooms.desk.database, made, monday - timedelta(days=7 * back), [mean - 2, mean + 2] * 4, team=TEAM)
    review(rooms, made, why="red_line")
    aged(rooms.desk.database, now() - timedelta(hours=31))
    assert look(rooms) == 2
    with rooms.desk.database.reading() as session:
        ids = [row.id for row in alerts_repository.rules(session, None)]
    browser.post(f"/alerts/rules/{ids[0]}/test")


def rules_of(rooms: Rooms) -> list[AlertRule]:
    with rooms.desk.database.reading() as session:
        return list(alerts_repository.rules(session, None, disabled=True))
