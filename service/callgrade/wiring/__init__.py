"""The composition root: settings in, working services out. The only place that knows every adapter.

What only the service needs stands in `wiring.service`: the command line is quick because it loads no database.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from pydantic import JsonValue

from callgrade.adapters.cache import DiskCache
from callgrade.adapters.rules import RuleJudge
from callgrade.adapters.speech import SpeechJudge
from callgrade.calls.inputs import is_recording
from callgrade.calls.reading import read_transcript
from callgrade.domain.calls import Transcript
from callgrade.domain.errors import SettingsError
from callgrade.evaluations.many import Load
from callgrade.ports import AgentChannel, Judge, Progress, Redactor, Transcriber, no_progress
from callgrade.settings import Settings

JudgeMode = Literal["auto", "rules", "llm"]
ANSWERS = "answers.sqlite"


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
