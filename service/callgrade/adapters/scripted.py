"""Shipped fakes of the ports: they say what they were told to say, and make nothing up."""

import asyncio
import threading
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from callgrade.domain.calls import Transcript
from callgrade.domain.errors import RecordingError
from callgrade.domain.judgements import Judgement
from callgrade.domain.rubrics import Rubric
from callgrade.ports import AgentChannel, Progress, Usage, Verdicts, WorkQueue, no_progress


class ScriptedTranscriber:
    """Answers with the transcript prepared for a file name."""

    def __init__(self, transcripts: Mapping[str, Transcript]):
        self._transcripts = dict(transcripts)

    def transcribe(
        self, path: Path, *, agent_channel: AgentChannel = "auto", progress: Progress = no_progress
    ) -> Transcript:
        """Raises RecordingError for a file that nothing was prepared for."""
        if path.name not in self._transcripts:
            raise RecordingError("no transcript was prepared for it", source=str(path))
        progress(1, 1)
        return self._transcripts[path.name]


class ScriptedJudge:
    """Answers with the judgements prepared for a call; for other calls with none. `asked` keeps the calls' ids."""

    def __init__(self, judgements: Mapping[str, Sequence[Judgement]], usage: Usage | None = None):
        self._judgements = {call_id: tuple(made) for call_id, made in judgements.items()}
        self._usage = usage or Usage()
        self.asked: list[str] = []

    async def judge(self, transcript: Transcript, rubric: Rubric) -> Verdicts:
        """Only judgements for criteria of `rubric` are given."""
        self.asked.append(transcript.call_id)
        made = self._judgements.get(transcript.call_id, ())
        return Verdicts(judgements=tuple(j for j in made if j.criterion_id in rubric.by_id), usage=self._usage)


class Works(Protocol):
    """What a queue's work is done by: evaluations.pipeline.Pipeline."""

    queue: WorkQueue | None
    """Takes what comes next."""

    async def transcribe(self, id_: str) -> bool: ...

    async def judge(self, id_: str) -> None: ...

    async def judge_chunk(self, batch_id: str, number: int) -> None: ...

    async def fetch(self, id_: str, call_id: str, number: int) -> None: ...

    async def aclose(self) -> None: ...


class InlineWorkQueue:
    """Does the work before it returns, in an event loop of its own; the caller's thread must not have one running.

    Without a pipeline nothing is done; `handed_in` keeps what came either way. Close it.
    """

    def __init__(self, pipeline: Works | None = None):
        self.pipeline = pipeline
        if pipeline is not None:
            pipeline.queue = self
        self.handed_in: list[tuple[str, ...]] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="inline-work-queue", daemon=True)
        self._thread.start()

    def enqueue_evaluation(self, id_: str, *, queue: Literal["asr", "score"], priority: int, attempt: int) -> None:
        self.handed_in.append(("evaluation", id_, queue, str(attempt)))
        if self.pipeline is not None:
            self._run(self._evaluate(self.pipeline, id_, queue))

    def enqueue_chunk(self, batch_id: str, number: int) -> None:
        self.handed_in.append(("chunk", batch_id, str(number)))
        if self.pipeline is not None:
            self._run(self.pipeline.judge_chunk(batch_id, number))

    def enqueue_fetch(self, id_: str, *, call_id: str, priority: int, number: int = 0, delay_s: float = 0.0) -> None:
        """At once, whatever `delay_s` says."""
        self.handed_in.append(("fetch", id_, call_id, str(number)))
        if self.pipeline is not None:
            self._run(self.pipeline.fetch(id_, call_id, number))

    def enqueue_calibration(self, run_id: str, *, by: str, why: str | None = None) -> None:
        """Nothing is judged: that takes minutes."""
        self.handed_in.append(("calibration", run_id, by, why or ""))

    def cancel_evaluation(self, id_: str, *, attempt: int) -> None:
        self.handed_in.append(("cancel", id_, str(attempt)))

    def close(self) -> None:
        if self.pipeline is not None:
            self._run(self.pipeline.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @staticmethod
    async def _evaluate(pipeline: Works, id_: str, queue: Literal["asr", "score"]) -> None:
        if queue == "score" or await pipeline.transcribe(id_):
            await pipeline.judge(id_)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()
