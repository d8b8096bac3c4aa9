"""Alerts by mail: ids, figures and a link. Nothing that was said, nothing of the client's own naming of calls, and no
number as long as that of a telephone.

Each host that looks after the house sends what is due; a lease in the row makes one mail one host's. A host that dies
between a server's receipt and its own note of it has the mail sent again when the lease is over: at least once, with
the same Message-ID. Failures are tried again, ever more seldom, for a day.
"""

import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from uuid import UUID, uuid5

from callgrade.db.session import Database
from callgrade.db.tables import Alert
from callgrade.db.types import now
from callgrade.domain.errors import InputError, NotReadyError
from callgrade.ports import Note, Notifier
from callgrade.reviews import alerts_repository as repository
from callgrade.reviews.alerts_repository import Letter
from callgrade.settings import Language

MOST = 20
"""Mails in one go."""
_NAMESPACE = UUID("0f9f4d0e-6a52-5b0c-9c55-0d4f5a4f2c61")
_LONG = re.compile(r"\d(?:[ \-]?\d){6,}")
OURS = frozenset({"evaluation_id", "call", "week", "day"})
_LOG = logging.getLogger(__name__)

WORDS: dict[str, tuple[str, str]] = {
    "subject": ("[callgrade] {name}：{number} 条告警", "[callgrade] {name}: {number} alert(s)"),
    "test": ("这是一次测试，没有发生任何事。", "This is a test; nothing happened."),
    "red_line": (
        "触及红线：{rubric} 的 {criteria}（坐席 {agent_id}，班组 {team}；评分 {evaluation_id}）",
        "Red line: {criteria} of {rubric} (agent {agent_id}, team {team}; evaluation {evaluation_id})",
    ),
    "agent_week": (
        "坐席 {agent_id} 在 {rubric} 的一周（{week} 起，{calls} 通）均分 {mean}，以往 {past_weeks} 周为 {usual}，"
        "应在 {low} 至 {high} 之间",
        "Agent {agent_id}, {rubric}, the week from {week} ({calls} calls): mean {mean}; {past_weeks} weeks before: "
        "{usual}, expected {low} to {high}",
    ),
    "queue_age": (
        "待评审 {open} 条，最久的已等 {oldest_hours} 小时（班组 {team}）",
        "{open} reviews open, the oldest for {oldest_hours} hours (team {team})",
    ),
    "autonomy_ended": (
        "{rubric} 的 {criterion} 又由人评（此前为 {was}）：{because}",
        "{criterion} of {rubric} is for people again (it was {was}): {because}",
    ),
    "look": ("查看：{url}", "Look: {url}"),
    "why": (
        "您收到此信，是因为告警规则“{name}”写有您的地址。",
        "You get this because the alert rule “{name}” names your address.",
    ),
}
"""In Chinese and in English."""
KNOWN_BY = {"criteria": "red_line", "week": "agent_week", "autonomy_id": "autonomy_ended"}
"""A figure that only one kind of alert has."""


class AlertPost:
    """Sends the mails that are due. `url` is where people reach the pages; empty: mails carry no link. Moments are told
    as the clocks of `zone` show them."""

    def __init__(
        self,
        database: Database,
        notifier: Notifier,
        *,
        url: str = "",
        language: Language = "zh",
        zone: tzinfo = UTC,
        clock: Callable[[], datetime] = now,
    ):
        self._database, self._notifier, self._clock = database, notifier, clock
        self._url, self._language, self._zone = url, language, zone

    def send_due(self) -> int:
        """Says how many mails were sent. Never raises for what a mail server does."""
        sent = 0
        for _ in range(MOST):
            with self._database.writing() as session:
                letter = repository.take(session, self._clock())
            if letter is None:
                break
            sent += self._send(letter)
        return sent

    def _send(self, letter: Letter) -> bool:
        try:
            later = self._notifier.send(note_of(letter, self._url, self._language, self._zone))
        except InputError as error:
            self._settle(letter, error, next_at=None)
            return False
        except NotReadyError as error:
            self._settle(letter, error, next_at=self._again_at(letter))
            return False
        done = {"next_at": self._again_at(letter)} if later else {"next_at": None, "sent_at": self._clock()}
        self._settle(letter, None, email=list(later), **done)
        return True

    def _again_at(self, letter: Letter) -> datetime:
        """1, 2, 4, … minutes, an hour at most."""
        attempts = max(alert.attempts for alert in letter.alerts)
        return self._clock() + timedelta(minutes=min(60, 2 ** min(attempts, 6)))

    def _settle(self, letter: Letter, error: Exception | None, **values: Any) -> None:
        with self._database.writing() as session:
            repository.settle(session, letter, **values)
        told = {"rule": letter.alerts[0].rule_id, "alerts": len(letter.alerts)}
        _LOG.log(logging.WARNING if error else logging.INFO, "mail%s", f": {error}" if error else "", extra=told)


def note_of(letter: Letter, url: str, language: Language, zone: tzinfo) -> Note:
    """What a mail says. Its id is that of the alerts that it tells of, whoever sends it."""
    name = _short(letter.rule)
    lines = [_line(alert, url, language, zone) for alert in letter.alerts]
    if url:
        lines.append(_in(language, "look", url=f"{url}/alerts"))
    lines.append(_in(language, "why", name=name))
    return Note(
        id=uuid5(_NAMESPACE, "/".join(alert.id for alert in letter.alerts)).hex,
        to=letter.to,
        subject=_in(language, "subject", name=name, number=len(letter.alerts)),
        text="\n\n".join(lines) + "\n",
    )


def _line(alert: Alert, url: str, language: Language, zone: tzinfo) -> str:
    data = alert.data
    if data.get("test"):
        return _in(language, "test")
    told = {name: _figure(name, value) for name, value in data.items()}
    kind = next((kind for name, kind in KNOWN_BY.items() if name in data), "queue_age")
    if kind == "autonomy_ended":
        told["because"] = data["because"][language]
    moment = alert.raised_at.astimezone(zone)
    said = f"{moment:%Y-%m-%d %H:%M}  {_in(language, kind, **{'team': '–', **told})}"
    return f"{said}\n{url}/calls/{data['call']}" if url and "call" in data else said


def _figure(name: str, value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    # our own ids and days are long, too, and no one's number
    return str(value) if name in OURS else _short(str(value))


def _short(text: str) -> str:
    return _LONG.sub("…", text)


def _in(language: Language, key: str, **values: object) -> str:
    chinese, english = WORDS[key]
    return (chinese if language == "zh" else english).format(**values)
