"""The composition root: settings in, working services out. The only place that knows every adapter."""

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import JsonValue

from callgrade.adapters.cache import DiskCache
from callgrade.adapters.limits.breaker import Breaker
from callgrade.adapters.rules import RuleJudge
from callgrade.adapters.speech import SpeechJudge
from callgrade.calls.inputs import is_recording
from callgrade.calls.reading import read_transcript
from callgrade.db.session import Database
from callgrade.domain.calls import Transcript
from callgrade.domain.errors import SettingsError
from callgrade.evaluations.many import Load
from callgrade.evaluations.pipeline import Blobs, Pipeline
from callgrade.ports import AgentChannel, Judge, Progress, Redactor, Transcriber, no_progress
from callgrade.settings import Settings

if TYPE_CHECKING:
    from callgrade.adapters.limits import ModelGate
    from callgrade.adapters.llm import Endpoint

JudgeMode = Literal["auto", "rules", "llm"]
ANSWERS = "answers.sqlite"
CLIENTS = 256
"""Clients whose judges are kept open: they hold texts that are made once for a rubric."""


def make_redactor(settings: Settings) -> Redactor:
    from callgrade.adapters.redaction import NoRedaction, RuleRedactor

    return RuleRedactor() if settings.redaction.enabled else NoRedaction()


@asynccontextmanager
async def open_judges(settings: Settings, mode: JudgeMode) -> AsyncIterator[Sequence[Judge]]:
    """The judges that `--judge` asks for, closed at the end.

    Raises SettingsError for `llm` without a model. `auto` without one judges with rules and speech facts alone.
    """
    judges: list[Judge] = [RuleJudge(), SpeechJudge()]
    if mode == "llm" and settings.llm.model is None:
        raise SettingsError("--judge llm needs a model: set CALLGRADE_LLM__MODEL (and CALLGRADE_LLM__BASE_URL)")
    if mode == "rules" or settings.llm.model is None:
        yield judges
        return
    from callgrade.adapters.llm import open_judge

    cache = DiskCache(settings.data_dir / ANSWERS) if settings.llm.cache else None
    redactor = make_redactor(settings)
    async with open_judge(settings.llm, redactor=redactor, language=settings.language, cache=cache) as judge:
        yield [*judges, judge]


class ClientJudges:
    """The judges of each client, for a process that works for many: one endpoint, one answer cache and one gate for
    all, and answers that no other client's calls can be given.

    Opened by the first call, in the event loop that the calls are judged in; close it there.
    """

    def __init__(self, settings: Settings, database: Database | None = None):
        """`database` carries the limits a minute that all hosts share."""
        self._settings, self._database = settings, database
        self.breaker = Breaker()
        self._judges: dict[str, Sequence[Judge]] = {}
        self._endpoint: Endpoint | None = None
        self._cache: DiskCache | None = None
        self._gate: ModelGate | None = None

    async def of(self, client_id: str) -> Sequence[Judge]:
        """Raises SettingsError for a model without a key."""
        if client_id not in self._judges:
            while len(self._judges) >= CLIENTS:
                del self._judges[next(iter(self._judges))]
            self._judges[client_id] = self._open(client_id)
        return self._judges[client_id]

    async def aclose(self) -> None:
        self._judges.clear()
        if self._endpoint is not None:
            await self._endpoint.aclose()
        if self._cache is not None:
            self._cache.close()
        self._endpoint = self._cache = self._gate = None

    def _open(self, client_id: str) -> Sequence[Judge]:
        counting: list[Judge] = [RuleJudge(), SpeechJudge()]
        llm = self._settings.llm
        if llm.model is None:
            return counting
        from callgrade.adapters.llm import open_endpoint, open_judge

        self._endpoint = self._endpoint or open_endpoint(llm)
        self._gate = self._gate or self._open_gate()
        if llm.cache and self._cache is None:
            self._cache = DiskCache(self._settings.data_dir / ANSWERS)
        judge = open_judge(
            llm,
            redactor=make_redactor(self._settings),
            language=self._settings.language,
            cache=self._cache,
            client=client_id,
            endpoint=self._endpoint,
            gate=self._gate,
        )
        return [*counting, judge]

    def _open_gate(self) -> "ModelGate":
        from callgrade.adapters.limits import Leases, ModelGate, Window

        llm = self._settings.llm
        leases = None
        if self._database is not None and (llm.requests_per_minute or llm.tokens_per_minute):
            leases = Leases(self._database, "llm", requests=llm.requests_per_minute, tokens=llm.tokens_per_minute)
        return ModelGate(Window(llm.concurrency), self.breaker, leases)


def make_pipeline(settings: Settings, database: Database, blobs: Blobs) -> Pipeline:
    """The work on calls, for an engine. Close it in the event loop that it worked in."""
    judges = ClientJudges(settings, database)
    return Pipeline(
        database, blobs, judges.of, Recordings(settings), settings, outage=judges.breaker, closing=judges.aclose
    )


def calls_in_flight(settings: Settings) -> int:
    """How many calls are worked on at once: twice what the model is asked at once, so that while answers are awaited
    the next calls are read, redacted and put into words, and no place at the model stands empty."""
    return 2 * settings.llm.concurrency


class Recordings:
    """The recogniser, made when the first recording comes, one recording at a time."""

    def __init__(self, settings: Settings):
        self._settings = settings
        self._transcriber: Transcriber | None = None
        self._lock = threading.Lock()

    def transcribe(
        self, path: Path, *, agent_channel: AgentChannel | None = None, progress: Progress = no_progress
    ) -> Transcript:
        with self._lock:
            if self._transcriber is None:
                from callgrade.adapters.funasr import FunASRTranscriber

                self._transcriber = FunASRTranscriber(self._settings.asr)
            channel = agent_channel or self._settings.asr.agent_channel
            return self._transcriber.transcribe(path, agent_channel=channel, progress=progress)


def make_loader(
    settings: Settings,
    *,
    agent_channel: AgentChannel | None = None,
    progress: Progress = no_progress,
    facts: Mapping[str, JsonValue] | None = None,
) -> Load:
    """Reads a transcript, or transcribes a recording off the event loop.

    `facts` are of all calls that do not bring a fact of the same name themselves.
    """
    recordings = Recordings(settings)

    async def load(path: Path) -> Transcript:
        if not is_recording(path):
            return _with_facts(read_transcript(path), facts)
        heard = await asyncio.to_thread(recordings.transcribe, path, agent_channel=agent_channel, progress=progress)
        return _with_facts(heard, facts)

    return load


def _with_facts(transcript: Transcript, facts: Mapping[str, JsonValue] | None) -> Transcript:
    return transcript.model_copy(update={"facts": {**facts, **transcript.facts}}) if facts else transcript
