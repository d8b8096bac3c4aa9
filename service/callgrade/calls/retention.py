"""How long calls are kept: a client's policy, and carrying it out.

Recordings and transcripts are as old as their call (its start or its coming in, whichever is earlier), a scorecard is
as old as its newest attempt or published revision. What is too old goes, each kind in its time, a transcript together
with the golden call that was made from it, a scorecard together with what people wrote about it; when all three kinds
have a limit and the longest has passed, the call itself is erased. Figures stay, see `erasure`. Deliveries to webhooks
lose their payload by their own age, and answers to repeated requests live for a day anyway: neither is searched for
each call.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Protocol

from pydantic import Field
from sqlmodel import Session

from callgrade.access import audit
from callgrade.access.principals import Principal, system
from callgrade.calls import erasure_repository as gone
from callgrade.calls import review_erasure_repository as desk
from callgrade.calls.erasure import (
    blank_golden,
    check_reason,
    drop_blob,
    drop_recordings,
    erase_rows,
    reason_digest,
    strip_scorecards,
)
from callgrade.calls.service import ERASED
from callgrade.db.scrubbing import overwrite_what_is_deleted, scrub
from callgrade.db.session import Database
from callgrade.db.tables import Call, Recording, RetentionRule
from callgrade.domain.frozen import Frozen
from callgrade.ports import AnswerMemory, BlobStore

AT_ONCE = 100
"""Calls a transaction. An audit event names each of them."""
UNCLAIMED = timedelta(days=1)
"""So long an upload may take from its last byte to its row."""
Days = Annotated[int, Field(ge=1, le=36_500)] | None


class RetentionPolicy(Frozen):
    """Days of None: for good."""

    client_id: str
    recordings_days: Days = None
    transcripts_days: Days = None
    scorecards_days: Days = None
    reason: str

    @property
    def longest(self) -> int | None:
        """Days after which nothing is kept any more; None where something is kept for good."""
        days = (self.recordings_days, self.transcripts_days, self.scorecards_days)
        return None if None in days else max(day for day in days if day is not None)


class Applied(Frozen):
    """How many calls were erased, and how many lost their recording, their words, their scorecards' words."""

    calls: int = 0
    recordings: int = 0
    transcripts: int = 0
    scorecards: int = 0
    deliveries: int = 0


class ListedBlobs(BlobStore, Protocol):
    """A blob store that can say what it holds."""

    def kept(self) -> Iterator[Any]:
        """Items with `sha256` and `since`."""
        ...


def set_policy(session: Session, principal: Principal, policy: RetentionPolicy) -> None:
    """From now on. The policies before stay on record. Raises InputError for a reason that is none."""
    days = {name: getattr(policy, name) for name in ("recordings_days", "transcripts_days", "scorecards_days")}
    reason = check_reason(policy.reason)
    row = RetentionRule(client_id=principal.client_id, reason=reason, set_by=principal.actor, **days)
    gone.add_rule(session, row)
    audit.record(session, principal, "retention.set", row.id, {**days, "reason": reason_digest(reason)})


def policy_of(session: Session, client_id: str) -> RetentionPolicy | None:
    """None: everything is kept for good."""
    row = gone.newest_rule(session, client_id)
    if row is None:
        return None
    return RetentionPolicy(
        client_id=client_id,
        recordings_days=row.recordings_days,
        transcripts_days=row.transcripts_days,
        scorecards_days=row.scorecards_days,
        reason=row.reason,
    )


def policies(session: Session) -> list[RetentionPolicy]:
    """Of every client that has one."""
    found = (policy_of(session, client_id) for client_id in gone.clients_with_rules(session))
    return [policy for policy in found if policy is not None]


def apply_retention(
    database: Database,
    blobs: BlobStore,
    policy: RetentionPolicy,
    now: datetime,
    *,
    memories: Sequence[AnswerMemory] = (),
) -> Applied:
    """Deletes what is too old, 100 calls a transaction. Stopped in the middle, the next time goes on from there."""
    run = _Run(database, blobs, policy, now, memories)
    applied = Applied(
        calls=run.calls(),
        recordings=run.recordings(),
        transcripts=run.transcripts(),
        scorecards=run.scorecards(),
        deliveries=run.deliveries(),
    )
    if applied != Applied():
        scrub(database)
    return applied


def drop_unclaimed(database: Database, blobs: ListedBlobs, now: datetime, *, after: timedelta = UNCLAIMED) -> int:
    """Deletes blobs that no row refers to and that nobody put lately: uploads whose request failed. Says how many."""
    dropped = 0
    for kept in blobs.kept():
        if now - kept.since > after:
            with database.writing() as session:
                dropped += drop_blob(session, blobs, kept.sha256)
    return dropped


class _Run:
    def __init__(
        self,
        database: Database,
        blobs: BlobStore,
        policy: RetentionPolicy,
        now: datetime,
        memories: Sequence[AnswerMemory],
    ):
        self._database, self._blobs, self._policy, self._now, self._memories = database, blobs, policy, now, memories
        self._client, self._principal = policy.client_id, system(policy.client_id)

    def calls(self) -> int:
        return self._all(self._policy.longest, self._erase_calls)

    def recordings(self) -> int:
        return self._all(self._policy.recordings_days, self._drop_recordings)

    def transcripts(self) -> int:
        return self._all(self._policy.transcripts_days, self._blank_transcripts)

    def scorecards(self) -> int:
        return self._all(self._policy.scorecards_days, self._strip_scorecards)

    def deliveries(self) -> int:
        """As old as whichever goes first of what they are about. They hold ids and figures."""
        limits = [days for days in (self._policy.transcripts_days, self._policy.scorecards_days) if days is not None]

        def blank(session: Session, before: datetime, _: str) -> list[str]:
            return [""] * gone.blank_old_deliveries(session, self._client, before, AT_ONCE)

        return self._all(min(limits, default=None), blank)

    def _all(self, days: int | None, some: Callable[[Session, datetime, str], list[str]]) -> int:
        """`some` deletes up to 100 of what is older than a moment, from an id on, and names what it deleted."""
        if days is None:
            return 0
        before, after, done = self._now - timedelta(days=days), "", 0
        while True:
            with self._database.writing() as session:
                overwrite_what_is_deleted(session)
                ids = some(session, before, after)
            done += len(ids)
            if len(ids) < AT_ONCE:
                return done
            after = ids[-1]

    def _erase_calls(self, session: Session, before: datetime, after: str) -> list[str]:
        calls = gone.old_calls(session, self._client, before, after, AT_ONCE)
        self._forget(calls)
        erase_rows(session, calls, self._policy.reason)
        drop_recordings(session, self._blobs, [call.id for call in calls])
        return self._recorded(session, "calls", [call.id for call in calls])

    def _drop_recordings(self, session: Session, before: datetime, _: str) -> list[str]:
        rows = gone.old_recordings(session, self._client, before, AT_ONCE)
        digests = sorted({row.sha256 for row in rows})
        for row in rows:
            _empty(row)
            session.add(row)
        desk.drop_outlines(session, [row.call_id for row in rows])
        session.flush()
        for sha256 in digests:
            drop_blob(session, self._blobs, sha256)
        return self._recorded(session, "recordings", [row.call_id for row in rows])

    def _blank_transcripts(self, session: Session, before: datetime, after: str) -> list[str]:
        calls = gone.old_transcripts(session, self._client, before, _MARKER, after, AT_ONCE)
        self._forget(calls)
        gone.blank_transcripts(session, [call.id for call in calls], self._tombstone())
        blank_golden(session, [call.id for call in calls], self._now)
        return self._recorded(session, "transcripts", [call.id for call in calls])

    def _strip_scorecards(self, session: Session, before: datetime, _: str) -> list[str]:
        evaluations = gone.old_scorecards(session, self._client, before, AT_ONCE)
        strip_scorecards(session, evaluations)
        return self._recorded(session, "scorecards", [evaluation.id for evaluation in evaluations])

    def _forget(self, calls: Sequence[Call]) -> None:
        for memory in self._memories:
            memory.forget(self._client, [call.call_id for call in calls])

    def _tombstone(self) -> str:
        told = {"schema": ERASED, "erased_at": self._now.isoformat(), "reason": self._policy.reason}
        return json.dumps(told, ensure_ascii=False, separators=(",", ":"))

    def _recorded(self, session: Session, what: str, ids: list[str]) -> list[str]:
        if ids:
            facts = {"ids": ids, "reason": reason_digest(self._policy.reason)}
            audit.record(session, self._principal, f"retention.{what}", self._client, facts, at=self._now)
        return ids


_MARKER = f'{{"schema":"{ERASED}"'


def _empty(row: Recording) -> None:
    """The row stays, to say that there was a recording, of which size, from when to when."""
    row.sha256 = row.file_name = ""
    row.agent = row.customer = None
