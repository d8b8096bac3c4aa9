"""A recording becomes a transcript: survey, speech of each channel, words of each stretch of speech, turns, roles."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from callgrade.adapters.audio import Block, Recording, blocks, survey
from callgrade.adapters.funasr.casting import Cast, cast_channels, cast_voices
from callgrade.adapters.funasr.crosstalk import Crosstalk
from callgrade.adapters.funasr.engine import DEMO, ONE_AT_A_TIME, Detector, Engine, engine_for
from callgrade.adapters.funasr.segments import Channel, Segment, Span, to_ms
from callgrade.adapters.funasr.speakers import FEWEST, Voices
from callgrade.adapters.funasr.turns import Utterance, Voice, in_turns, to_turns
from callgrade.adapters.models import TINY, require
from callgrade.domain.calls import Transcript
from callgrade.ports import AgentChannel, Progress, no_progress
from callgrade.settings import ASRSettings

DEMO_NOTE = f"transcribed by {DEMO}: on any other speech it invents words"
TOO_SHORT = f"too little speech to tell voices apart (the speaker model needs {FEWEST} pieces of 0.75 s)"
_NAME_LENGTH = 200


class FunASRTranscriber:
    """Transcribes with FunASR's models. One instance may be shared by threads; they wait for each other."""

    def __init__(self, settings: ASRSettings) -> None:
        self.settings = settings

    def transcribe(
        self, path: Path, *, agent_channel: AgentChannel = "auto", progress: Progress = no_progress
    ) -> Transcript:
        """See `ports.Transcriber`. Raises MissingExtraError and ModelNotInstalledError before it reads anything."""
        require(self.settings)
        recording = survey(path, max_minutes=self.settings.max_minutes)
        with ONE_AT_A_TIME:
            hearing = _Hearing(recording, engine_for(self.settings))
            hearing.listen(progress)
            return hearing.transcript(agent_channel, self.settings)


@dataclass
class _Hearing:
    """One recording being transcribed. Holds its words, never its sound."""

    recording: Recording
    engine: Engine
    utterances: list[Utterance] = field(default_factory=list)
    languages: Counter[str] = field(default_factory=Counter)
    voices: Voices | None = None
    crosstalk: Crosstalk = field(default_factory=Crosstalk)
    wordless: int = 0

    @property
    def one_channel(self) -> bool:
        return self.recording.channels == 1 or self.recording.same_sound

    def listen(self, progress: Progress) -> None:
        channels = [Channel(number) for number in range(1 if self.one_channel else 2)]
        detector = self.engine.detector(len(channels))
        if self.one_channel and self.engine.tells_voices_apart:
            self.voices = Voices(self.engine.embed)
        done = 0
        for block in blocks(self.recording.path):
            sound = self.crosstalk.without(block[: len(channels)])
            for segment in _segments(channels, detector, sound, detector.feed(sound)):
                self._hear(segment)
            done += sound.shape[1]
            progress(min(to_ms(done), self.recording.duration_ms), self.recording.duration_ms)
        for segment in _segments(channels, detector, None, detector.finish()):
            self._hear(segment)

    def _hear(self, segment: Segment) -> None:
        heard = self.engine.recognise(segment)
        if not heard.text:
            self.wordless += 1
            return
        start_ms, end_ms = to_ms(segment.start), to_ms(segment.end)
        offset = to_ms(segment.first)

        def within(moment: int) -> int:
            return max(start_ms, min(offset + moment, end_ms))

        if self.voices is not None:
            self.voices.add(segment.samples)
        if heard.language:
            self.languages[heard.language] += end_ms - start_ms
        self.utterances.append(
            Utterance(
                voice=None if self.one_channel else segment.channel,
                start_ms=start_ms,
                end_ms=end_ms,
                text=heard.text,
                tokens=tuple(t._replace(start_ms=within(t.start_ms), end_ms=within(t.end_ms)) for t in heard.tokens),
                moods=((heard.emotion, end_ms - start_ms),),
            )
        )

    def transcript(self, agent_channel: AgentChannel, settings: ASRSettings) -> Transcript:
        cast = self._cast(agent_channel, settings)
        notes = [DEMO_NOTE] if settings.model == TINY else []
        notes += [*self.recording.notes, *cast.notes]
        if self.crosstalk.muted_ms:
            seconds = self.crosstalk.muted_ms / 1000
            notes.append(f"crosstalk: {seconds:.1f} s were heard on both channels; the quieter copy was muted")
        if self.wordless:
            notes.append(f"{self.wordless} stretch(es) of sound were taken for speech and held no words")
        return Transcript(
            call_id=_call_id(self.recording.path),
            language=self.languages.most_common(1)[0][0] if self.languages else "zh",
            turns=to_turns(in_turns(self.utterances), cast.speakers),
            notes=tuple(notes),
            recogniser=self.engine.description,
        )

    def _cast(self, agent_channel: AgentChannel, settings: ASRSettings) -> Cast:
        if not self.utterances:
            seconds = self.recording.duration_ms / 1000
            return Cast(notes=(f"silence: no speech was found in {seconds:.2f} s of sound",))
        if not self.one_channel:
            return cast_channels(self.utterances, agent_channel)
        notes = []
        if self.recording.same_sound:
            notes.append("both channels carry the same sound: treated as one channel")
        if agent_channel != "auto":
            notes.append(f"agent channel {agent_channel} was asked for, but there is one channel with both sides in it")
        cast = self._cast_one_channel()
        return replace(cast, notes=(*notes, *cast.notes))

    def _cast_one_channel(self) -> Cast:
        unknown = "one channel holds both sides: all speakers are unknown"
        if self.voices is None:
            mend = "record a channel a side, or set CALLGRADE_ASR__SPEAKERS (cam++) to tell voices apart"
            return Cast(notes=(f"{unknown}; {mend}",))
        if not self.voices.enough:
            return Cast(notes=(f"{unknown}; {TOO_SHORT}",))
        labels = self.voices.tell_apart(self.engine.cluster)
        if len(set(labels)) < 2:  # then nothing may be joined either: both sides would become one turn
            return Cast(notes=(f"{unknown}; the speaker model hears one voice only",))
        self.utterances = [replace(u, voice=label) for u, label in zip(self.utterances, labels, strict=True)]
        spoke: Counter[Voice] = Counter()
        for utterance in self.utterances:
            spoke[utterance.voice] += utterance.end_ms - utterance.start_ms
        return cast_voices(self.utterances, dict(spoke))


def _segments(
    channels: list[Channel], detector: Detector, sound: Block | None, found: list[list[Span]]
) -> Iterator[Segment]:
    for number, channel in enumerate(channels):
        if sound is not None:
            channel.add(sound[number])
        yield from channel.segments(found[number], detector.open_since(number))


def _call_id(path: Path) -> str:
    """The file's name, printable: names on disk may hold bytes that are no text."""
    return path.name.encode("utf-8", "replace").decode()[:_NAME_LENGTH]
