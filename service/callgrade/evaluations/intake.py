"""Calls come in and get their evaluations: stored whole in one transaction, then handed to the queue.

What is stored and was not handed over, because the process died in between or the engine was away, is found by the
engine's sweep. So an answer that was given stays true.
"""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

from sqlmodel import Session, col

from callgrade.access import audit, requests
from callgrade.access.principals import Principal
from callgrade.access.requests import AtWork
from callgrade.calls import awaiting, erasure
from callgrade.calls import service as calls
from callgrade.calls.erasure import Erased
from callgrade.calls.service import RecordingMetadata
from callgrade.db.session import Database
from callgrade.db.tables import Call, Evaluation, Release, RubricVersion
from callgrade.domain.calls import Transcript
from callgrade.domain.errors import ConflictError, StillAtWorkError, UnknownResourceError
from callgrade.domain.frozen import Frozen
from callgrade.evaluations import registry, releases, repository
from callgrade.ports import AnswerMemory, BlobStore, StoredBlob, WorkQueue
from callgrade.tracing import note

_LOG = logging.getLogger(__name__)


class Once(Frozen):
    """A request that is done once, however often it is sent: see access.requests."""

    key: str
    fingerprint: str


class Submission(Frozen):
    """`call_id` is the client's own id, `id` the server's; without a rubric there is nothing to evaluate."""

    call_id: str
    id: str
    evaluation_id: str | None = None


class Intake:
    """One a process; threads share it."""

    def __init__(self, database: Database, blobs: BlobStore, queue: WorkQueue, memories: Sequence[AnswerMemory] = ()):
        """`memories` hold what models said on this host; an erasure reaches into them."""
        self._database, self._blobs, self._queue, self._memories = database, blobs, queue, tuple(memories)

    def transcript(
        self, principal: Principal, transcript: Transcript, rubric: str | None, once: Once | None = None
    ) -> Submission:
        """The same transcript again is the same call. Raises ConflictError where its id has another content."""
        return self._submit(
            principal, lambda session: calls.submit_transcript(session, principal, transcript), rubric, once
        )

    def recording(
        self,
        principal: Principal,
        metadata: RecordingMetadata,
        blob: StoredBlob,
        rubric: str | None,
        once: Once | None = None,
    ) -> Submission:
        return self._submit(
            principal,
            lambda session: calls.submit_recording(session, principal, metadata, blob, blobs=self._blobs),
            rubric,
            once,
        )

    def again(
        self,
        principal: Principal,
        id_: str,
        *,
        rubric: str | None,
        release: str | None,
        priority: int = 0,
        once: Once | None = None,
    ) -> Submission:
        """Evaluates a call that is there, by another rubric or release. Raises UnknownResourceError, NotFoundError."""

        def create(session: Session) -> tuple[Submission, Evaluation | None]:
            call = calls.find_within(session, principal, id_, "evaluations:write")
            return self._evaluate(session, principal, call, rubric, release, priority)

        return self._once(principal, create, once)

    def cancel(self, principal: Principal, id_: str) -> Evaluation:
        with self._database.writing() as session:
            repository.find_within(session, principal, id_, "evaluations:write")
            row = repository.cancel(session, principal.client_id, id_)
            awaiting.drop_unwanted(session, col(Evaluation.id) == row.id)
            audit.record(session, principal, "evaluation.cancelled", row.id)
        self._handed_over(lambda: self._queue.cancel_evaluation(row.id, attempt=row.attempt), row.id)
        return row

    def retry(self, principal: Principal, id_: str) -> Evaluation:
        with self._database.writing() as session:
            repository.find_within(session, principal, id_, "evaluations:write")
            row = repository.retry(session, principal.client_id, id_)
            audit.record(session, principal, "evaluation.retried", row.id, {"attempt": row.attempt})
            queue = _queue_for(session, row)
        self._enqueue(row, queue)
        return row

    def hand_over(self, row: Evaluation) -> None:
        """An evaluation that was stored elsewhere, to the workers. Nothing is lost where they cannot be told now."""
        with self._database.reading() as session:
            queue = _queue_for(session, row)
        self._enqueue(row, queue)

    def erase(self, principal: Principal, id_: str, reason: str) -> Erased:
        """Raises UnknownResourceError, GoneError, InputError for a reason that is none."""
        done = erasure.erase(self._database, self._blobs, principal, id_, reason, memories=self._memories)
        for evaluation_id, attempt in done.cancelled:
            self._handed_over(partial(self._queue.cancel_evaluation, evaluation_id, attempt=attempt), evaluation_id)
        return done

    def _submit(
        self, principal: Principal, submit: Callable[[Session], Call], rubric: str | None, once: Once | None
    ) -> Submission:
        def create(session: Session) -> tuple[Submission, Evaluation | None]:
            call = submit(session)
            if rubric is None:
                return Submission(call_id=call.call_id, id=call.id), None
            return self._evaluate(session, principal, call, rubric, None, 0)

        return self._once(principal, create, once)

    def _evaluate(
        self,
        session: Session,
        principal: Principal,
        call: Call,
        rubric: str | None,
        release: str | None,
        priority: int,
    ) -> tuple[Submission, Evaluation | None]:
        version, named = chosen(session, principal.client_id, rubric, release, team=call.team)
        row, new = repository.create_evaluation(session, principal, call, version, named, priority=priority)
        note(evaluation_id=row.id)
        if new:
            audit.record(session, principal, "evaluation.asked", row.id, {"call": call.id, "rubric": row.rubric_digest})
        submission = Submission(call_id=call.call_id, id=call.id, evaluation_id=row.id)
        return submission, row if new else None

    def _once(
        self,
        principal: Principal,
        create: Callable[[Session], tuple[Submission, Evaluation | None]],
        once: Once | None,
    ) -> Submission:
        with self._database.writing() as session:
            if once is not None and (before := answered(session, principal, once)) is not None:
                return Submission.model_validate(before)
            submission, row = create(session)
            queue = _queue_for(session, row) if row else None
            if once is not None:
                requests.finish(session, principal.client_id, once.key, 202, submission.model_dump())
        if row is not None:
            self._enqueue(row, queue)
        return submission

    def _enqueue(self, row: Evaluation, queue: Literal["asr", "score"] | None) -> None:
        if queue is not None:
            enqueue = self._queue.enqueue_evaluation
            self._handed_over(partial(enqueue, row.id, queue=queue, priority=row.priority, attempt=row.attempt), row.id)

    def _handed_over(self, hand_over: Callable[[], None], id_: str) -> None:
        try:
            hand_over()
        except Exception as error:
            # it is stored; the sweep hands it over
            _LOG.warning("the queue did not take %s for the moment (%s)", id_, type(error).__name__, exc_info=True)


def alive(_: AtWork) -> bool:
    return True


def _queue_for(session: Session, row: Evaluation) -> Literal["asr", "score"] | None:
    """None where its recording is still to be fetched: whoever fetches it hands it in."""
    if repository.is_awaited(session, row.id):
        return None
    return "asr" if repository.needs_recogniser(session, row) else "score"


def answered(
    session: Session, principal: Principal, once: Once, is_alive: Callable[[AtWork], bool] = alive
) -> dict[str, object] | None:
    """The answer given before; None where this is the first, or the first one is dead. Raises StillAtWorkError while
    the first has none yet, ConflictError where the key was used for another request."""
    begun = requests.begin(session, principal.client_id, once.key, once.fingerprint)
    if isinstance(begun, AtWork):
        if not is_alive(begun) and requests.take_over(session, principal.client_id, once.key, begun):
            return None
        raise StillAtWorkError("Idempotency-Key: the first request with it is still being worked on; ask again later")
    return begun.answer if isinstance(begun, requests.Answered) else None


def chosen(
    session: Session, client_id: str, rubric: str | None, release: str | None = None, *, team: str | None = None
) -> tuple[RubricVersion, Release | None]:
    """By which rubric, and as part of which release. A rubric named without its version is the client's active
    release's, where there is one. Raises NotFoundError, UnknownResourceError."""
    if release is not None:
        named = releases.find(session, client_id, release)
        if rubric is not None and rubric.partition("@")[0] != named.rubric_id:
            raise ConflictError("the release is one of another rubric; name either of them")
        return registry.rubric_version(session, f"{named.rubric_id}@{named.rubric_version}"), named
    if rubric is None:
        raise UnknownResourceError("name a rubric or a release")
    return releases.rows_of(session, releases.choose(session, client_id, rubric, team=team))
