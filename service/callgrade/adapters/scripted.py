"""Shipped fakes of the ports: they say what they were told to say, and make nothing up."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from callgrade.domain.calls import Transcript
from callgrade.domain.errors import RecordingError
from callgrade.domain.judgements import Judgement
from callgrade.domain.rubrics import Rubric
from callgrade.ports import AgentChannel, Progress, Usage, Verdicts, no_progress


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
