"""Rules and alerts in words."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from callgrade.db.tables import Alert
from callgrade.domain.alerts import AgentWeek, AutonomyEnded, Kind, QueueAge, RedLine, Spec
from callgrade.domain.autonomy import CALL_LEVEL
from callgrade.domain.frozen import LocalText
from callgrade.reviews.alerts_repository import AlertRow
from callgrade.web.shell import Tone
from callgrade.web.words import N_, Words

KINDS: Mapping[Kind, str] = {
    "red_line": N_("Red line"),
    "agent_week": N_("An agent's week"),
    "queue_age": N_("Old queue"),
    "autonomy_ended": N_("Autonomy ends"),
}
MEANT: Mapping[Kind, str] = {
    "red_line": N_("A violation, or a critical criterion not met, as soon as it is proposed or published."),
    "agent_week": N_("A week of an agent far from what is usual for them, up or down."),
    "queue_age": N_("Reviews that wait for too long, or too many of them. Told once a day while it lasts."),
    "autonomy_ended": N_("What went by itself is for people again: a miss too many, drift, or something changed."),
}
TESTED = N_("Test")
WHOLE_CALL = N_("No violation in the whole call")


class Told(NamedTuple):
    """An alert: what kind, the sentence, and where to look."""

    tone: Tone
    kind: str
    text: str
    href: str | None = None
    link: str = ""


def told_of(row: AlertRow, titles: Mapping[str, LocalText], words: Words) -> Told:
    """`titles`: of the criteria, as `<rubric>/<criterion>`, and of rubrics by their ids."""
    _, data = words.gettext, row.alert.data
    if data.get("test"):
        return Told("none", _(TESTED), _("This is a test; nothing happened."))
    kind = next((text for name, text in KINDS.items() if name == row.kind), row.kind)
    if row.kind == "red_line":
        crossed = [_title(titles, f"{data['rubric']}/{one}", one, words) for one in data["criteria"]]
        href = f"/calls/{row.call_id}" if row.call_id else None
        return Told("bad", _(kind), "，".join(crossed) if words.language == "zh" else ", ".join(crossed), href,
                    row.shown_call_id or "")  # fmt: skip
    if row.kind == "agent_week":
        return Told("partly", _(kind), _week(data, titles, words), _calls_of(data), data["agent_id"])
    if row.kind == "autonomy_ended":
        return _autonomy(data, _(kind), titles, words)
    return Told("partly", _(kind), _queue(data, words), "/sampling/reviews", _("Hand out reviews"))


def mail_of(alert: Alert) -> tuple[Tone, str] | None:
    """How a mail stands; None where there is none to be sent."""
    if alert.next_at is not None:
        return ("partly", N_("Tried again")) if alert.attempts and alert.sent_at is None else ("open", N_("To be sent"))
    if alert.sent_at is not None:
        return "good", N_("Sent")
    return ("bad", N_("Not sent")) if alert.email else None


def rule_in_words(spec: Spec, titles: Mapping[str, LocalText], words: Words) -> list[str]:
    _ = words.gettext
    said: list[str] = []
    if isinstance(spec, RedLine):
        said.append(_("Once it is published") if spec.published_only else _("As soon as it is proposed"))
    elif isinstance(spec, AgentWeek):
        said.append(_("Outside of what is expected with %(share)s", share=f"{spec.confidence:.1%}".replace(".0%", "%")))
        said.append(_("off by %(points)s points at least", points=words.points(spec.least)))
        past = _("up to %(weeks)s weeks before, of %(calls)s calls or more each", weeks=spec.weeks, calls=spec.calls)
        said.append(past)
        said.append(_("looked at %(days)s days after it ended", days=spec.after_days))
    elif isinstance(spec, QueueAge):
        if spec.hours is not None:
            said.append(_("The oldest waits for more than %(hours)s hours", hours=words.points(spec.hours)))
        if spec.open is not None:
            said.append(_("More than %(number)s open", number=words.number(spec.open)))
    elif isinstance(spec, AutonomyEnded):
        said.append(_("By itself: a miss, drift, another model, prompt, criterion or recogniser"))
    if not isinstance(spec, QueueAge) and spec.rubric:
        said.append(_title(titles, spec.rubric, spec.rubric, words))
    if spec.teams:
        said.append(_("Teams: %(teams)s", teams=", ".join(spec.teams)))
    return said


def _week(data: Mapping[str, Any], titles: Mapping[str, LocalText], words: Words) -> str:
    told = {name: words.points(data[name]) for name in ("mean", "usual", "low", "high")}
    return words.gettext(
        "%(rubric)s, week from %(week)s: mean %(mean)s of %(calls)s calls; %(usual)s over the %(past)s weeks before, "
        "%(low)s to %(high)s expected",
        rubric=_title(titles, data["rubric"], data["rubric"], words),
        week=words.day(date.fromisoformat(data["week"])),
        calls=words.number(data["calls"]),
        past=data["past_weeks"],
        **told,
    )


def _autonomy(data: Mapping[str, Any], kind: str, titles: Mapping[str, LocalText], words: Words) -> Told:
    because, id_ = LocalText.model_validate(data["because"]).in_language(words.language), data["criterion"]
    name = words.gettext(WHOLE_CALL) if id_ == CALL_LEVEL else _title(titles, f"{data['rubric']}/{id_}", id_, words)
    rubric = _title(titles, data["rubric"], data["rubric"], words)
    said = words.gettext("%(rubric)s, %(criterion)s: %(because)s", rubric=rubric, criterion=name, because=because)
    return Told("bad", kind, said, f"/autonomy/{data['rubric']}/{quote(id_)}", words.gettext("What may go unread"))


def _queue(data: Mapping[str, Any], words: Words) -> str:
    number, hours = words.number(data["open"]), words.points(data["oldest_hours"])
    return words.gettext("%(number)s open, the oldest for %(hours)s hours", number=number, hours=hours)


def _calls_of(data: Mapping[str, Any]) -> str:
    first = date.fromisoformat(data["week"])
    asked = {"agent": data["agent_id"], "rubric": data["rubric"], "status": "published"}
    return f"/calls?{urlencode({**asked, 'since': first, 'until': first + timedelta(days=6)})}"


def _title(titles: Mapping[str, LocalText], key: str, otherwise: str, words: Words) -> str:
    return titles[key].in_language(words.language) if key in titles else otherwise
