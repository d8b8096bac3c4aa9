"""The record as people read it: the newest first, with names in the place of ids."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlmodel import Session

from callgrade.access import audit_repository, people_repository, repository
from callgrade.access.chain import Event
from callgrade.access.permissions import require
from callgrade.access.principals import Principal


class Entry(NamedTuple):
    """`who` is what the actor is called today, None for callgrade itself and for who is no longer known. `at` is None
    for a row that can no longer be read."""

    id: int
    at: datetime | None
    actor: str
    who: str | None
    action: str
    subject: str
    about: str | None
    """What a user or a key that it was done to is called today."""
    facts: Mapping[str, Any]
    sealed: bool


class LedgerPage(NamedTuple):
    """`next` goes into the next question as its `before`; None on the last page."""

    entries: Sequence[Entry]
    next: int | None


def page(
    session: Session, principal: Principal, *, before: int | None = None, about: str = "", limit: int = 50
) -> LedgerPage:
    """`about` is what the action begins with: `user`, `call`, `review`. Raises ForbiddenError."""
    require(principal, "audit:read")
    found = audit_repository.newest(session, principal.client_id, before, about, limit + 1)
    shown = found[:limit]
    names = _names(session, {event.actor for event in shown} | {_subject(event) for event in shown})
    sealed = audit_repository.last_link(session, principal.client_id).last_event
    entries = [
        Entry(
            id=event.id,
            at=event.at,
            actor=event.actor,
            who=names.get(event.actor),
            action=event.action,
            subject=event.subject,
            about=names.get(_subject(event)),
            facts=event.facts if isinstance(event.facts, Mapping) else {},
            sealed=event.id <= sealed,
        )
        for event in shown
    ]
    return LedgerPage(entries, shown[-1].id if len(found) > limit else None)


def _subject(event: Event) -> str:
    """As an actor is written: `user.changed` is about a user."""
    return f"{event.action.partition('.')[0]}:{event.subject}"


def _names(session: Session, actors: Iterable[str]) -> dict[str, str]:
    ids: dict[str, list[str]] = {"user": [], "key": []}
    for actor in actors:
        kind, _, id_ = actor.partition(":")
        if kind in ids:
            ids[kind].append(id_)
    users = people_repository.names(session, ids["user"])
    keys = repository.key_names(session, ids["key"])
    return {f"user:{id_}": name for id_, name in users.items()} | {f"key:{id_}": name for id_, name in keys.items()}
