"""The work on one call, from its recording or transcript to its scorecard.

Plain async functions with short sessions of their own, called by whatever engine there is. Each may be run again at
any moment, after a crash or beside another worker: what is stored is not stored twice, and the model's answers come
from the answer cache.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Literal, Protocol, TypeVar, cast

from sqlmodel import Session

from callgrade.calls import service as calls
from callgrade.db.session import Database
from callgrade.domain.calls import Transcript
from callgrade.domain.errors import (
    CallgradeError,
    NotReadyError,
    RecordingError,
    SettingsError,
    TranscriptError,
)
from callgrade.domain.scorecards import Scorecard
from callgrade.evaluations import chunks, outbox, outlines, registry, releases, repository
from callgrade.evaluations.asking import Asking, Bench, Graded, recogniser_name
from callgrade.evaluations.bulk import judge_chunk
from callgrade.evaluations.failures import named
from callgrade.evaluations.fetching import fetch
from callgrade.evaluations.judging import Seat, judged, nothing, of_release
from callgrade.evaluations.outbox import FAILED, PROPOSED, evaluation_event
from callgrade.evaluations.report.sound import Outline
from callgrade.evaluations.repository import Work
from callgrade.evaluations.service import Evaluator
from callgrade.evaluations.watching import NoFault, Unwatched, Watch, timed
from callgrade.pacing import Turnstile
from callgrade.ports import AgentChannel, BlobStore, StoredBlob, WorkQueue
from callgrade.settings import Settings, model_name
from callgrade.tracing import note, span

T = TypeVar("T")
JudgesFor = Callable[[str, Asking], Awaitable[Bench]]
"""The judges of a client, opened once per process for what is asked of them. Raises SettingsError where this host is
not set up for that."""
THREADS = 4
SEATS = 256
NOTHING = "the call has neither words nor a recording; hand it in again with either"
log = logging.getLogger(__name__)


class Blobs(Protocol):
    """What the pipeline needs of the blob store."""

    def open(self, sha256: str) -> BinaryIO: ...

    def as_file(self, sha256: str) -> AbstractContextManager[Path]: ...

    def put(self, stream: BinaryIO) -> StoredBlob: ...

    def delete(self, sha256: str) -> None: ...


class Transcribes(Protocol):
    def transcribe(self, path: Path, *, agent_channel: AgentChannel | None = None) -> Transcript: ...


Fetches = Callable[[str, BlobStore], StoredBlob]
"""Fetches what is at a URL into the blob store. An error that is `retryable` is worth another try."""


Draws = Callable[[Path], Outline | None]
"""The outline of a recording. RecordingError where it cannot be read."""


def draw_nothing(_path: Path) -> Outline | None:
    return None


def fetch_nothing(url: str, blobs: BlobStore) -> StoredBlob:
    raise SettingsError("this process is not set up to fetch recordings")


class Pipeline:
    """`queue` takes what comes next of a piece of work; the engine sets it. `watch` is told how the work goes. Close it
    at shutdown."""

    def __init__(
        self,
        database: Database,
        blobs: Blobs,
        judges_for: JudgesFor,
        recordings: Transcribes,
        settings: Settings,
        *,
        fetcher: Fetches = fetch_nothing,
        draw: Draws = draw_nothing,
        closing: Callable[[], Awaitable[None]] = nothing,
    ):
        self.database, self.blobs, self.settings = database, blobs, settings
        self.fetcher, self._draw = fetcher, draw
        self.queue: WorkQueue | None = None
        self.watch: Watch = Unwatched()
        self._judges_for, self._recordings, self._closing = judges_for, recordings, closing
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="callgrade-db")
        self._seats: dict[tuple[str, str, str | None], Seat] = {}
        self._turnstile = Turnstile()

    async def aclose(self) -> None:
        """In the event loop that it worked in: judges hold connections that belong to it."""
        await self._closing()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def transcribe(self, id_: str) -> bool:
        """Gives the call of an evaluation its words. True when it is to be judged now."""

        def begin(session: Session) -> Work | None:
            # whoever fetches its recording hands it in again
            return None if repository.is_awaited(session, id_) else repository.begin(session, id_, "transcribing")

        work = await self.write(begin)
        if work is None:
            return False
        try:
            if work.transcript is None:
                with timed(self.watch, "transcribe", evaluation_id=id_):
                    await self._recognise(work)
        except NotReadyError:
            raise
        except Exception as error:
            await self._give_up(work, named(error))
            return False
        return await self.write(lambda session: repository.move(session, id_, work.attempt, "queued"))

    async def judge(self, id_: str) -> None:
        """Judges a call and proposes its scorecard, or says why there is none."""
        with span("evaluate", evaluation_id=id_):
            await self._judge(id_)

    async def _judge(self, id_: str) -> None:
        work = await self.write(lambda session: repository.begin(session, id_, "judging"))
        if work is None:
            return
        try:
            with timed(self.watch, "judge"):
                card = await self._judged(work)
        except _Over:
            return
        except NotReadyError:
            raise
        except Exception as error:
            await self._give_up(work, named(error))
        else:
            self.watch.scored(card)
            with span("store", evaluation_id=id_, results=1):
                await self.write(lambda session: _propose(session, work, card))
            await self.end_batch(work.batch_id)

    async def judge_chunk(self, batch_id: str, number: int) -> None:
        """Works off one chunk of a batch: see bulk.py."""
        await judge_chunk(self, batch_id, number)

    async def fetch(self, id_: str, call_id: str, number: int) -> None:
        """Fetches the recording that is awaited under `id_`: see fetching.py."""
        await fetch(self, id_, call_id, number)

    async def hand_in(self, enqueue: Callable[[WorkQueue], None]) -> None:
        """What the queue does not take now is found by the engine's sweep."""
        if self.queue is None:
            return
        try:
            await asyncio.to_thread(enqueue, self.queue)
        except Exception as error:
            log.warning("the queue took nothing for the moment (%s)", type(error).__name__)

    async def end_batch(self, batch_id: str | None) -> None:
        """To be called when an evaluation of a batch has ended: marks the batch done with the last of them."""
        if batch_id and not await self.read(lambda session: chunks.evaluations_left(session, batch_id)):
            await self.write(lambda session: chunks.end(session, batch_id))

    async def seat(self, client_id: str, graded: Graded) -> Seat:
        """Who judges the calls of a client that are graded so. Raises NotFoundError for a rubric or prompt that the
        registry lacks, SettingsError where the release asks for what this host is not set up for."""
        key = (client_id, graded.rubric_digest, graded.release_id)
        if key not in self._seats:
            rubric = await self.read(lambda session: registry.rubric_of_digest(session, graded.rubric_digest))
            named = graded.terms.prompt
            prompt = await self.read(lambda session: releases.prompt_of(session, named)) if named else None
            bench = await self._judges_for(client_id, Asking(graded.terms, prompt))
            while len(self._seats) >= SEATS:
                del self._seats[next(iter(self._seats))]
            self._seats[key] = Seat(Evaluator(rubric, bench.judges), bench)
        return self._seats[key]

    async def write(self, work: Callable[[Session], T]) -> T:
        """Runs `work` in a writing session, off the event loop."""

        def within() -> T:
            with self.database.writing() as session:
                return work(session)

        return await self.off_loop(within)

    async def read(self, work: Callable[[Session], T]) -> T:
        def within() -> T:
            with self.database.reading() as session:
                return work(session)

        return await self.off_loop(within)

    async def off_loop(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _require_recogniser(self, graded: Graded, heard_by: str) -> None:
        """Raises SettingsError where a recording is, or was, heard by another recogniser than the release names."""
        wanted = graded.terms.recogniser
        if wanted is not None and wanted != heard_by:
            raise SettingsError(
                f"the release asks for the recogniser {wanted}, and the recogniser is {heard_by}: set "
                "CALLGRADE_ASR__MODEL, or make a release that names it"
            )

    async def _judged(self, work: Work) -> Scorecard:
        if work.transcript is None:
            raise TranscriptError(NOTHING)
        graded = work.graded()
        seat = await self.seat(work.client_id, graded)
        rubric = seat.evaluator.rubric
        note(rubric=rubric.reference, criteria=len(rubric.criteria))
        await self._turnstile.pass_through()
        transcript = calls.parse_stored(work.transcript)
        if work.was_heard and transcript.recogniser is not None:
            self._require_recogniser(graded, recogniser_name(transcript.recogniser))

        async def turn(to: Literal["parked", "judging"]) -> None:
            if not await self.write(lambda session: repository.move(session, work.id, work.attempt, to)):
                raise _Over

        card = await judged(seat, transcript, parked=lambda: turn("parked"), resumed=lambda: turn("judging"))
        return of_release(card, graded.release_id)

    async def _recognise(self, work: Work) -> None:
        recording = work.recording
        if recording is None:
            raise TranscriptError(NOTHING)
        self._require_recogniser(work.graded(), model_name(self.settings.asr.model))

        def recognised() -> tuple[Transcript, Outline | None]:
            channel = cast("AgentChannel | None", work.agent_channel)
            with self.blobs.as_file(recording) as path:
                try:
                    heard = self._recordings.transcribe(path, agent_channel=channel)
                except RecordingError as error:
                    # clients read it: where blobs lie is nobody's business
                    raise RecordingError(str(error).replace(str(path), "the recording")) from None
                try:
                    return heard, self._draw(path)
                except CallgradeError as error:
                    # the words are what matters; a page plays the sound all the same
                    log.warning("the recording of call %s cannot be drawn (%s)", work.call_id, error.type)
                    return heard, None

        # not in the threads for the database: it takes minutes
        heard, outline = await asyncio.to_thread(recognised)

        def keep(session: Session) -> None:
            call = calls.hold(session, work.client_id, work.call_id)
            # another worker may have been first, and a recogniser need not hear the same twice
            if not calls.transcript_versions(session, call):
                calls.add_transcript(session, call, heard, calls.RECOGNISER)
            if outline is not None:
                outlines.keep(session, call.id, outline)

        await self.write(keep)

    async def _give_up(self, work: Work, error: CallgradeError) -> None:
        def fail(session: Session) -> None:
            if repository.fail(session, work.id, work.attempt, error):
                _tell(session, work, FAILED)

        await self.write(fail)
        await self.end_batch(work.batch_id)


class _Over(NoFault):
    """The evaluation was cancelled, or is another worker's by now."""


def _propose(session: Session, work: Work, card: Scorecard) -> None:
    if repository.store_scorecard(session, work.id, work.attempt, card):
        _tell(session, work, PROPOSED)


def _tell(session: Session, work: Work, name: str) -> None:
    call = repository.call_of(session, work.id)
    extra = outbox.of_batch(work.batch_id, work.line)
    outbox.tell(session, work.client_id, [evaluation_event(name, work.id, work.attempt, call.id, call.call_id, extra)])
