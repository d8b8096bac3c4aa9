"""Rules that say what somebody is told of, and the alerts that came of them.

rule ── looks through (alert_watch) ─▶ alert, once a subject ─┬─▶ webhook alert.raised, in the same transaction
                                                              └─▶ mail (alert_mail), several of a rule together
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError
from sqlmodel import Session

from callgrade.access import audit
from callgrade.access.principals import Principal
from callgrade.db.session import Database
from callgrade.db.tables import Alert, AlertRule
from callgrade.db.types import new_id, now
from callgrade.domain.alerts import SPEC, Spec
from callgrade.domain.errors import ConflictError, ForbiddenError, InputError, UnknownResourceError
from callgrade.evaluations import outbox
from callgrade.evaluations.outbox import Event
from callgrade.ports import Address
from callgrade.reviews import alerts_repository as repository
from callgrade.reviews.alerts_repository import AlertRow

LONGEST_NAME, MOST_ADDRESSES = 100, 20
SPACING = timedelta(minutes=5)
"""Between two mails of one rule; what is found meanwhile goes into the next one."""
_ADDRESS: TypeAdapter[str] = TypeAdapter(Address)


class Found(NamedTuple):
    """What a rule found. `data` and `told` are ids and figures; `told` only goes to webhooks. `call` is the server's
    id of a call, which its erasure looks for."""

    subject: str
    data: dict[str, Any]
    team: str | None = None
    evaluation_id: str | None = None
    call: str | None = None
    told: dict[str, Any] | None = None


class AlertDesk:
    """One a process; threads share it."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime] = now):
        self._database, self._clock = database, clock

    def make(
        self, visitor: Principal, name: str, spec: Spec, *, email: Sequence[str] = (), webhook: bool = False
    ) -> AlertRule:
        """A lead's rule is about the teams that they lead. Raises InputError for a name or address that is none."""
        spec = _within(visitor, spec)
        name, addresses = _checked(name, email, webhook)
        with self._database.writing() as session:
            row = AlertRule(
                client_id=visitor.client_id,
                name=name,
                kind=spec.kind,
                spec=json.loads(spec.model_dump_json()),
                email=list(addresses),
                webhook=webhook,
                created_by=visitor.actor,
                created_at=self._clock(),
            )
            session.add(row)
            session.flush()
            audit.record(session, visitor, "alert_rule.made", row.id, {"kind": row.kind})
            return row

    def change(
        self,
        visitor: Principal,
        rule_id: str,
        name: str,
        spec: Spec,
        *,
        email: Sequence[str] = (),
        webhook: bool = False,
    ) -> AlertRule:
        """What it looks for from now on, and who is told; what it found stays, and of that nobody is told again.
        Raises as `make`, UnknownResourceError for another's rule, ConflictError for one that is off or of another
        kind."""
        spec = _within(visitor, spec)
        name, addresses = _checked(name, email, webhook)
        with self._database.writing() as session:
            row = self._rule(session, visitor, rule_id)
            if row.disabled_at is not None or row.kind != spec.kind:
                raise ConflictError("the rule is switched off, or of another kind: make a new one")
            row.name, row.spec = name, json.loads(spec.model_dump_json())
            row.email, row.webhook = list(addresses), webhook
            session.add(row)
            audit.record(session, visitor, "alert_rule.changed", row.id, {"kind": row.kind})
            return row

    def rule(self, visitor: Principal, rule_id: str) -> AlertRule:
        """Raises UnknownResourceError for another's."""
        with self._database.reading() as session:
            return self._rule(session, visitor, rule_id)

    def disable(self, visitor: Principal, rule_id: str) -> None:
        """It looks for nothing any more; what it found stays. Raises UnknownResourceError for another's rule."""
        with self._database.writing() as session:
            row = self._rule(session, visitor, rule_id)
            if row.disabled_at is None:
                row.disabled_at = self._clock()
                session.add(row)
                audit.record(session, visitor, "alert_rule.disabled", row.id)

    def test(self, visitor: Principal, rule_id: str) -> Alert:
        """Raises an alert that means nothing, so that somebody sees whether it arrives."""
        with self._database.writing() as session:
            row = self._rule(session, visitor, rule_id)
            if row.disabled_at is not None:
                raise ConflictError("the rule is switched off; nothing is sent by it any more")
            teams = row.spec.get("teams") or [None]
            found = Found(f"test/{new_id()}", {"test": True}, team=teams[0])
            alert = raise_one(session, row, found, self._clock())
            assert alert is not None
            audit.record(session, visitor, "alert_rule.tested", row.id)
            return alert

    def see(self, visitor: Principal, ids: Sequence[str]) -> int:
        """Says of how many nobody had seen before. What lies beyond reach is left as it is."""
        if visitor.user_id is None:
            raise ForbiddenError("only a person sees an alert")
        with self._database.writing() as session:
            return repository.see(session, visitor, ids)

    def rules(self, visitor: Principal, *, disabled: bool = False) -> list[AlertRule]:
        """The newest first; of a lead, those about nothing but their teams."""
        with self._database.reading() as session:
            rows = repository.rules(session, visitor.client_id, disabled=disabled)
        return [row for row in rows if is_within(visitor, row)]

    def page(self, visitor: Principal, *, before: str | None = None, limit: int = 50) -> list[AlertRow]:
        with self._database.reading() as session:
            return repository.page(session, visitor, before=before, limit=limit)

    def _rule(self, session: Session, visitor: Principal, rule_id: str) -> AlertRule:
        row = repository.find_rule(session, visitor.client_id, rule_id)
        if not is_within(visitor, row):
            raise UnknownResourceError("there is no such rule")
        return row


def is_within(visitor: Principal, row: AlertRule) -> bool:
    """Leads reach the rules that are about their teams alone; whoever reaches all calls reaches all."""
    if visitor.reach("alerts:write") == "all":
        return True
    teams = row.spec.get("teams") or ()
    return bool(teams) and visitor.teams.issuperset(teams)


def _within(visitor: Principal, spec: Spec) -> Spec:
    """About what the visitor may be told of."""
    if visitor.reach("alerts:write") == "all":
        return spec
    if not visitor.teams:
        raise ForbiddenError("a rule of a lead is about the teams that they lead, and these are none")
    return spec.model_copy(update={"teams": tuple(sorted(visitor.teams))})


def _checked(name: str, email: Sequence[str], webhook: bool) -> tuple[str, tuple[str, ...]]:
    name, addresses = checked_name(name), checked_addresses(email)
    if not addresses and not webhook:
        raise InputError("say who is told: an e-mail address, or the webhooks")
    return name, addresses


def spec_in(row: AlertRule) -> Spec:
    """Raises InputError for a row that holds none."""
    try:
        return SPEC.validate_python({**row.spec, "kind": row.kind})
    except ValidationError as error:
        raise InputError(f"the rule {row.id} cannot be read: {error.errors()[0]['msg']}") from None


def raise_one(session: Session, rule: AlertRule, found: Found, at: datetime) -> Alert | None:
    """Writes it down, and what is to be sent; None where the rule has told of it before."""
    alert = Alert(
        client_id=rule.client_id,
        rule_id=rule.id,
        subject=found.subject,
        data=found.data,
        team=found.team,
        evaluation_id=found.evaluation_id,
        raised_at=at,
        email=list(rule.email),
        next_at=_first_mail(session, rule, at) if rule.email else None,
    )
    if not repository.add(session, alert):
        return None
    if rule.webhook:
        data = {"alert_id": alert.id, "rule_id": rule.id, "kind": rule.kind, **found.data, **(found.told or {})}
        outbox.tell(session, rule.client_id, [Event(outbox.ALERT_RAISED, alert.id, 0, data, found.call)])
    return alert


def checked_name(name: str) -> str:
    """On one line, as it stands in the subject of mails. Raises InputError."""
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise InputError(f"a rule needs a name, of at most {LONGEST_NAME} characters on one line")
    return name


def checked_addresses(addresses: Sequence[str]) -> tuple[str, ...]:
    """Each once. Raises InputError that says which one, by its number, is no address."""
    found = []
    for number, address in enumerate(addresses, 1):
        try:
            found.append(_ADDRESS.validate_python(address.strip()))
        except ValidationError:
            raise InputError(f"address {number} is no e-mail address") from None
    if len(found) > MOST_ADDRESSES:
        raise InputError(f"at most {MOST_ADDRESSES} addresses")
    return tuple(dict.fromkeys(found))


def _first_mail(session: Session, rule: AlertRule, at: datetime) -> datetime:
    last = repository.last_sent(session, rule.id)
    return at if last is None else max(at, last + SPACING)
