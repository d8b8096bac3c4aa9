"""Bulk scoring: one chunk of a batch, streamed through the judges and stored in small groups.

A chunk that is worked off again skips the lines that have left their trace. Results wait for company for at most
`GROUP_S`, so a process that is killed loses that much, and the answer cache gives it back without another request.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from pydantic_core import from_json
from sqlalchemy.exc import DataError, IntegrityError

from callgrade.access.agents import teams_of_today
from callgrade.calls.manifest import read_line
from callgrade.calls.metadata import require_storable
from callgrade.calls.reading import parse_sent
from callgrade.calls.service import stored_form
from callgrade.calls.texts import is_whole
from callgrade.calls.urls import Sources
from callgrade.domain.calls import Transcript
from callgrade.domain.errors import CallgradeError, NotReadyError, TranscriptError, UnknownResourceError
from callgrade.domain.scorecards import Scorecard
from callgrade.evaluations import chunks, recorded, traces
from callgrade.evaluations.asking import Graded
from callgrade.evaluations.chunks import Chunk
from callgrade.evaluations.clearing import clear_chunk
from callgrade.evaluations.fetching import go_on
from callgrade.evaluations.judging import Seat, judged, of_release
from callgrade.evaluations.many import Scored, evaluate_many
from callgrade.evaluations.patience import patiently
from callgrade.evaluations.traces import CancelledError, Known, Result
from callgrade.evaluations.watching import timed
from callgrade.ports import WorkQueue
from callgrade.tracing import Attributes, span

if TYPE_CHECKING:
    from callgrade.evaluations.pipeline import Pipeline

GROUP, GROUP_S = 20, 0.2
TELL_S = 1.0
TRIES = 5


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a batch, counted from 1, as it came in."""

    number: int
    text: bytes

    @property
    def name(self) -> str:
        return f"line {self.number}"


async def judge_chunk(pipeline: "Pipeline", batch_id: str, number: int) -> None:
    """Evaluates what is left of a chunk, then marks it done. A line that is no transcript becomes a fault; nothing but
    the database's absence (NotReadyError) or a missing blob stops the others."""
    chunk = await pipeline.read(lambda session: chunks.open_chunk(session, batch_id, number))
    if chunk is None:
        return
    try:
        with span("chunk", batch_id=batch_id, chunk=number):
            await _Chunk(pipeline, chunk).work_off()
    except CancelledError:
        return
    await pipeline.write(lambda session: chunks.finish(session, batch_id, number))
    await pipeline.off_loop(partial(clear_chunk, pipeline.database, pipeline.blobs, batch_id, number))


class _Chunk:
    def __init__(self, pipeline: "Pipeline", chunk: Chunk):
        self._pipeline, self._chunk = pipeline, chunk
        self._seats: dict[str | None, Seat | CallgradeError] = {}
        self._teams: set[str | None] = set()
        self._known: dict[str, Known] = {}
        self._done: dict[str, str] = {}
        self._parked, self._told_parked = 0, chunk.parked

    async def work_off(self) -> None:
        try:
            lines, named = await self._pipeline.off_loop(self._read)
        except UnknownResourceError as error:
            lost = [n for n in self._chunk.numbers if n not in self._chunk.done]
            await self._store_all([Result(number, None, None, error) for number in lost])
            return
        await self._await_recordings(named)
        if not lines:
            return
        await self._take_seats()
        try:
            await self._evaluate(lines)
        except ExceptionGroup as group:
            raise group.exceptions[0] from None

    async def _take_seats(self) -> None:
        """Before the first line is judged: the database's absence is no fault of a line's."""
        for team in self._teams:
            await self._seat(self._chunk.choice.of(team))

    async def _seat(self, graded: Graded) -> Seat | CallgradeError:
        """Who judges what is graded so; or why nobody can: a rubric that is gone, a release that this host is not set
        up for."""
        if graded.release_id not in self._seats:
            try:
                self._seats[graded.release_id] = await self._pipeline.seat(self._chunk.client_id, graded)
            except NotReadyError:
                raise
            except CallgradeError as error:
                self._seats[graded.release_id] = error
        return self._seats[graded.release_id]

    def _read(self) -> tuple[list[Line], list[Line]]:
        """The lines that are left, those that name a recording apart. A chunk is small enough to hold; whose calls are
        known already is asked at once."""
        with self._pipeline.blobs.open(self._chunk.blob) as stream:
            left = [line for line in _lines(stream, self._chunk.first_line) if line.number not in self._chunk.done]
        lines, named = list[Line](), list[Line]()
        for line in left:
            (named if _names_recording(line.text) else lines).append(line)
        said = [_said(line.text) for line in lines]
        ids = [line.call_id for line in said if line.call_id is not None]
        agents = [line.agent for line in said if line.agent is not None and line.team is None]
        with self._pipeline.database.reading() as session:
            self._chunk = replace(self._chunk, teams=teams_of_today(session, self._chunk.client_id, agents))
            self._known = traces.known_calls(session, self._chunk.client_id, ids)
            if self._known:
                self._done = traces.evaluated(session, self._chunk, self._known)
        untold = {*self._chunk.teams.values(), *(call.team for call in self._known.values())}
        self._teams = {line.team for line in said} | untold
        return lines, named

    async def _await_recordings(self, lines: list[Line]) -> None:
        """They are fetched and heard elsewhere: slow downloads keep no transcript waiting."""
        sources = Sources.of(self._pipeline.settings.service)
        for start in range(0, len(lines), GROUP):
            read = [read_line(line.number, line.text, sources) for line in lines[start : start + GROUP]]
            with span("store", batch_id=self._chunk.batch_id, results=len(read)):
                stored = await self._pipeline.write(partial(recorded.store, chunk=self._chunk, lines=read))
            for id_, call_id, priority in stored.fetches:
                await self._pipeline.hand_in(partial(_fetch, id_, call_id, priority))
            for call_id in stored.calls:
                await go_on(self._pipeline, call_id)

    async def _evaluate(self, lines: list[Line]) -> None:
        async def score(transcript: Transcript) -> Scorecard:
            graded = traces.graded_by(self._chunk, transcript, self._known)
            seat = await self._seat(graded)
            if isinstance(seat, CallgradeError):
                raise seat
            rubric = seat.evaluator.rubric
            told = Attributes(batch_id=self._chunk.batch_id, rubric=rubric.reference, criteria=len(rubric.criteria))
            with timed(self._pipeline.watch, "judge_in_bulk", **told):
                card = await judged(seat, transcript, parked=self._park, resumed=self._resume)
            self._pipeline.watch.scored(card)
            return of_release(card, graded.release_id)

        results: asyncio.Queue[Result | None] = asyncio.Queue(maxsize=2 * GROUP)
        in_flight = 2 * self._pipeline.settings.llm.concurrency
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._store(results))
            telling = tasks.create_task(self._tell_parked())
            async for scored in evaluate_many(lines, self._load, score, in_flight=in_flight):
                await results.put(_result(scored))
            await results.put(None)
            telling.cancel()

    async def _park(self) -> None:
        self._parked += 1

    async def _resume(self) -> None:
        self._parked -= 1

    async def _tell_parked(self) -> None:
        """Whoever watches the batch is to see that it waits for the model."""
        while True:
            await asyncio.sleep(TELL_S)
            if (parked := self._parked) != self._told_parked:
                tell = partial(chunks.tell_parked, batch_id=self._chunk.batch_id, number=self._chunk.number)
                await patiently(partial(self._pipeline.write, partial(tell, parked=parked)))
                self._told_parked = parked

    async def _load(self, line: Line) -> Transcript:
        transcript = parse_sent(line.text, source=line.name)
        # before the model is asked: what cannot be kept, or is there already, must cost nothing
        require_storable(traces.call_columns(transcript))
        if self._known:
            _, digest = stored_form(transcript)
            traces.refuse(self._chunk, self._known, self._done, transcript, digest)
        return transcript

    async def _store(self, results: "asyncio.Queue[Result | None]") -> None:
        last = False
        while not last:
            first = await results.get()
            group = [] if first is None else [first]
            last = first is None
            try:
                async with asyncio.timeout(GROUP_S):
                    while not last and len(group) < GROUP:
                        result = await results.get()
                        if result is None:
                            last = True
                        else:
                            group.append(result)
            except TimeoutError:
                pass
            if group:
                await self._store_group(group)

    async def _store_group(self, group: list[Result]) -> None:
        for left in reversed(range(TRIES)):
            try:
                with span("store", batch_id=self._chunk.batch_id, results=len(group)):
                    # what the others in flight are being told is paid for; they are not called off for want of a disk
                    store = partial(traces.store, chunk=self._chunk, results=group)
                    await patiently(partial(self._pipeline.write, store))
            except IntegrityError:
                # another worker stored one of these calls between our look and our insert; the next look finds it
                if not left:
                    raise
            except (DataError, UnicodeError) as error:
                await self._store_singly(group, error)
                return
            else:
                return

    async def _store_singly(self, group: list[Result], error: Exception) -> None:
        """One line that the database does not take (a NUL, half a surrogate pair) must not stop the others."""
        if len(group) > 1:
            for result in group:
                await self._store_group([result])
        elif group[0].transcript is None:
            raise error
        else:
            reason = TranscriptError("holds characters that cannot be stored", source=f"line {group[0].line}")
            await self._store_group([Result(group[0].line, None, None, reason)])

    async def _store_all(self, results: list[Result]) -> None:
        for start in range(0, len(results), GROUP):
            await self._store_group(results[start : start + GROUP])


def _fetch(id_: str, call_id: str, priority: int, queue: WorkQueue) -> None:
    queue.enqueue_fetch(id_, call_id=call_id, priority=priority)


def _lines(stream: BinaryIO, first: int) -> Iterator[Line]:
    for number, text in enumerate(stream, start=first):
        yield Line(number, text)


class _Said(NamedTuple):
    call_id: str | None = None
    team: str | None = None
    agent: str | None = None


def _said(text: bytes) -> _Said:
    """What a line says of itself, as far as it can be read."""
    try:
        document = from_json(text)
    except ValueError:
        return _Said()
    if not isinstance(document, dict):
        return _Said()
    agent = document.get("agent")
    agent = agent if isinstance(agent, dict) else {}
    told = document.get("call_id"), agent.get("team"), agent.get("id")
    return _Said(*(value if isinstance(value, str) and is_whole(value) else None for value in told))


def _names_recording(text: bytes) -> bool:
    if b'"audio_url"' not in text:
        return False
    try:
        document = from_json(text)
    except ValueError:
        return False
    return isinstance(document, dict) and "audio_url" in document


def _result(scored: Scored[Line]) -> Result:
    return Result(scored.source.number, scored.transcript, scored.scorecard, scored.error)
