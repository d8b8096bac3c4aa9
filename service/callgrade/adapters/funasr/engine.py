"""The models of one process: the only module that imports funasr, torch and silero_vad.

One of each is loaded, when it is first needed, and shared. FunASR's maintainers do not support threads on one model,
and silero keeps its state in the model: callers hold `ONE_AT_A_TIME`.
"""

import hashlib
import os
import threading
from collections.abc import Sequence
from functools import cached_property, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from callgrade.adapters.audio import Block, Samples
from callgrade.adapters.funasr.posteriors import posteriors_of
from callgrade.adapters.funasr.quiet import quiet
from callgrade.adapters.funasr.segments import WINDOW, Gate, Segment, Span, to_ms, to_samples
from callgrade.adapters.funasr.speakers import Cluster
from callgrade.adapters.funasr.utterances import Heard, punctuated, read_answer
from callgrade.adapters.models import TINY, require
from callgrade.domain.errors import SettingsError, TranscriptionError
from callgrade.settings import ASRSettings, model_name

ONE_AT_A_TIME = threading.Lock()
DEMO = "the demo recogniser, which knows only its own grammar"
_FSMN_CHUNK_MS = 1_024
_FSMN_TAIL_MS = 200


class Detector(Protocol):
    """Finds speech in the blocks of one call, all channels at once."""

    def feed(self, block: Block) -> list[list[Span]]:
        """For each channel the spans of speech that have ended."""
        ...

    def finish(self) -> list[list[Span]]:
        """The call is over: what was still open, ended."""
        ...

    def open_since(self, channel: int) -> int | None:
        """Where speech that goes on began, in samples from the start of the call."""
        ...


class Engine:
    """The loaded models of one set of settings. Raises as `models.require` does."""

    def __init__(self, settings: ASRSettings) -> None:
        self._settings = settings
        self._places = require(settings)
        # before torch is first imported: threads that spin while they wait slow everybody down on a busy machine
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        with quiet():
            import torch
        if settings.device.startswith("cuda") and not torch.cuda.is_available():
            # FunASR would go on with the processor and say nothing
            raise SettingsError(f"CALLGRADE_ASR__DEVICE is {settings.device!r}, but torch finds no CUDA device here")
        self._recogniser = self._load(self._places["recogniser"])
        self._posteriors = posteriors_of(self._recogniser.model, self._recogniser.kwargs.get("tokenizer"))

    @cached_property
    def description(self) -> str:
        """For the transcript's `recogniser`: what made it, with versions and the weights' digest, and no paths."""
        settings = self._settings
        model = f"{TINY}: {DEMO}" if settings.model == TINY else model_name(settings.model)
        parts = [model, *_digest(self._places["recogniser"]), f"funasr {version('funasr')}"]
        parts.append(f"voice detector {self._detector_name}")
        parts += [f"punctuation {model_name(settings.punctuation)}"] if settings.punctuation else []
        parts += [f"speakers {model_name(settings.speakers)}"] if settings.speakers else []
        return "; ".join(parts)

    @property
    def tells_voices_apart(self) -> bool:
        return self._settings.speakers is not None

    def detector(self, channels: int) -> Detector:
        if self._places["voice detector"] is None:
            return SileroDetector(self._silero, channels)
        return FsmnDetector(self._fsmn, channels)

    def recognise(self, segment: Segment) -> Heard:
        """No words give an empty text. Token times count from the start of `segment.samples`."""
        key = f"{segment.channel}-{segment.first}"
        try:
            answers = self._recogniser.generate(
                # neither `fs` (it would resample what is 16 kHz already) nor a voice detector of FunASR's
                input=segment.samples, key=key, output_timestamp=True, use_itn=False,
            )  # fmt: skip
        except Exception as error:  # whatever a model raises on this sound
            raise _failed(f"recogniser {self._settings.model!r}", segment, error) from error
        # a segment without words may be missing, or be answered by an item without a key
        answer: dict[str, Any] = next((item for item in answers if item.get("key") == key), {})
        heard = read_answer(answer, self._posteriors.of(answer))
        return self._punctuate(heard, segment) if self._settings.punctuation and heard.text else heard

    def _punctuate(self, heard: Heard, segment: Segment) -> Heard:
        try:
            # in a list: a bare string that names a file would be read as one
            answers = self._punctuation.generate(input=[heard.text], key="text")
        except Exception as error:
            raise _failed(f"punctuation model {self._settings.punctuation!r}", segment, error) from error
        return punctuated(heard, str(answers[0].get("text") or "")) if answers else heard

    def embed(self, chunk: Samples) -> NDArray[np.float32]:
        """The speaker model's vector for `speakers.CHUNK` samples."""
        answers = self._speakers.generate(input=chunk)
        return np.asarray(answers[0]["spk_embedding"][0].cpu().numpy(), np.float32)

    @property
    def cluster(self) -> Cluster:
        from funasr.models.campplus.cluster_backend import ClusterBackend

        backend = ClusterBackend()

        def cluster(vectors: NDArray[np.float32]) -> Sequence[int]:
            state = np.random.get_state()  # the k-means inside draws from the global generator
            np.random.seed(0)
            try:
                return [int(label) for label in backend(vectors)]
            finally:
                np.random.set_state(state)

        return cluster

    @property
    def _detector_name(self) -> str:
        name = model_name(self._settings.vad)
        return name if self._places["voice detector"] else f"{name} {version('silero-vad')}"

    @cached_property
    def _silero(self) -> Any:
        with quiet():
            from silero_vad import load_silero_vad

            return load_silero_vad()

    @cached_property
    def _fsmn(self) -> Any:
        return self._load(self._places["voice detector"])

    @cached_property
    def _punctuation(self) -> Any:
        return self._load(self._places["punctuation"])

    @cached_property
    def _speakers(self) -> Any:
        return self._load(self._places["speakers"])

    def _load(self, directory: Path | None) -> Any:
        with quiet():
            try:
                from funasr import AutoModel

                return AutoModel(
                    model=str(directory),
                    device=self._settings.device,
                    ncpu=self._settings.threads,
                    disable_update=True,
                    disable_pbar=True,
                    log_level="ERROR",
                )
            except Exception as error:
                raise TranscriptionError(f"the model in {directory} cannot be loaded: {error}") from error


@lru_cache(maxsize=1)
def engine_for(settings: ASRSettings) -> Engine:
    """The process's engine. Other settings take its place."""
    return Engine(settings)


class SileroDetector:
    """silero-vad's speech probability of every 32 ms, all channels in one batch, through a `Gate` a channel."""

    def __init__(self, model: Any, channels: int) -> None:
        self._model = model
        self._gates = [Gate() for _ in range(channels)]
        model.reset_states()

    def feed(self, block: Block) -> list[list[Span]]:
        import torch

        torch.set_num_threads(1)  # so small a model only loses by more; FunASR sets its own number before each answer
        sound = torch.from_numpy(np.pad(block, ((0, 0), (0, -block.shape[1] % WINDOW))))
        with torch.inference_mode():
            windows = [self._model(sound[:, at : at + WINDOW], 16_000) for at in range(0, sound.shape[1], WINDOW)]
            probabilities = torch.cat(windows, dim=1).tolist()
        return [list(gate.feed(row)) for gate, row in zip(self._gates, probabilities, strict=True)]

    def finish(self) -> list[list[Span]]:
        return [list(gate.close()) for gate in self._gates]

    def open_since(self, channel: int) -> int | None:
        return self._gates[channel].open_since


class FsmnDetector:
    """FunASR's fsmn-vad in its streaming form, one cache a channel. A start and its end come in separate answers."""

    def __init__(self, model: Any, channels: int) -> None:
        self._model = model
        self._caches: list[dict[str, Any]] = [{} for _ in range(channels)]
        self._open: list[int | None] = [None] * channels

    def feed(self, block: Block) -> list[list[Span]]:
        return self._ask(block, final=False)

    def finish(self) -> list[list[Span]]:
        # it ignores an empty last chunk, and with it everything still open
        return self._ask(np.zeros((len(self._caches), to_samples(_FSMN_TAIL_MS)), np.float32), final=True)

    def open_since(self, channel: int) -> int | None:
        return self._open[channel]

    def _ask(self, block: Block, *, final: bool) -> list[list[Span]]:
        found: list[list[Span]] = []
        for channel, sound in enumerate(block):
            try:
                answers = self._model.generate(
                    input=sound, cache=self._caches[channel], is_final=final, chunk_size=_FSMN_CHUNK_MS
                )
            except Exception as error:
                raise TranscriptionError(f"the voice detector failed: {type(error).__name__}: {error}") from error
            found.append([span for start, end in answers[0]["value"] for span in self._closed(channel, start, end)])
        return found

    def _closed(self, channel: int, start: int, end: int) -> list[Span]:
        """`start` or `end` is -1 where it is told in another answer."""
        begun = self._open[channel] if start < 0 else to_samples(start)
        self._open[channel] = begun if end < 0 else None
        return [(begun, to_samples(end))] if begun is not None and end >= 0 else []


def _digest(directory: Path | None) -> list[str]:
    weights = directory / "model.pt" if directory else None
    if weights is None or not weights.is_file():
        return []
    with weights.open("rb") as file:
        return [f"weights sha256:{hashlib.file_digest(file, 'sha256').hexdigest()[:16]}"]


def _failed(model: str, segment: Segment, error: Exception) -> TranscriptionError:
    """Names the kind of error and its place; its words could hold what was said."""
    place = f"{to_ms(segment.start) / 1000:.2f} s on channel {segment.channel}"
    return TranscriptionError(f"the {model} failed at {place}: {type(error).__name__}")
