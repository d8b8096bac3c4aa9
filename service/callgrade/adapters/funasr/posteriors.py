"""How sure a recogniser was of each word, read from the network's own output while it works.

FunASR's answers carry no confidence. Where the layer that holds the posteriors can be reached they are kept aside for
one answer; where words and posteriors do not match one to one nothing is said. Tensors only pass through: torch is not
imported here.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

FRAME_MS, SHIFT_MS, QUERIES = 60, 30, 4
"""SenseVoice: a frame is 60 ms, its stamps are moved 30 ms to the left, and four frames for the tags come first."""


class Posteriors(Protocol):
    def of(self, answer: Mapping[str, Any]) -> Sequence[float] | None:
        """A probability for each time stamp of the answer just given, or None."""
        ...


class NoPosteriors:
    def of(self, answer: Mapping[str, Any]) -> None:
        return None


class CTCPosteriors:
    """SenseVoice: each word's weakest sound, and of each sound its surest frame."""

    def __init__(self, model: Any) -> None:
        self._blank = int(model.blank_id)
        self._logits: Any = None
        model.ctc.ctc_lo.register_forward_hook(self._keep)

    def _keep(self, layer: Any, inputs: Any, output: Any) -> None:
        self._logits = output

    def of(self, answer: Mapping[str, Any]) -> Sequence[float] | None:
        logits, self._logits = self._logits, None
        if logits is None:
            return None
        surest, labels = logits[0, QUERIES:].softmax(-1).max(-1)
        return [self._weakest(surest, labels, start, end) for start, end in answer.get("timestamp") or ()]

    def _weakest(self, surest: Any, labels: Any, start: float, end: float) -> float:
        first, last = (round((stamp + SHIFT_MS) / FRAME_MS) if stamp else 0 for stamp in (start, end))
        peaks: dict[int, float] = {}
        for label, probability in zip(labels[first:last].tolist(), surest[first:last].tolist(), strict=True):
            if label != self._blank:
                peaks[label] = max(peaks.get(label, 0.0), probability)
        return round(min(peaks.values(), default=0.0), 4)


class ParaformerPosteriors:
    """Paraformer and its kin: the decoder's probability of each token, where each token is a word of its own."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._silent = {int(model.sos), int(model.eos), int(model.blank_id)}
        self._scores: Any = None
        name = "_seaco_decode_with_ASF" if hasattr(model, "_seaco_decode_with_ASF") else "cal_decoder_with_predictor"
        decode = getattr(model, name)

        def kept(*args: Any, **kwargs: Any) -> Any:
            output = decode(*args, **kwargs)
            self._scores = output[0] if isinstance(output, tuple) else output
            return output

        setattr(model, name, kept)

    def of(self, answer: Mapping[str, Any]) -> Sequence[float] | None:
        scores, self._scores = self._scores, None
        if scores is None:
            return None
        surest, labels = scores[0].softmax(-1).max(-1)
        pairs = zip(labels.tolist(), surest.tolist(), strict=True)
        spoken = [(label, probability) for label, probability in pairs if label not in self._silent]
        words = str(answer.get("text") or "").split()
        if self._tokenizer.ids2tokens([label for label, _ in spoken]) != words:
            return None  # pieces were joined or dropped on the way
        return [round(probability, 4) for _, probability in spoken]


def posteriors_of(model: Any, tokenizer: Any) -> Posteriors:
    if type(model).__name__ == "SenseVoiceSmall":
        return CTCPosteriors(model)
    if hasattr(model, "cal_decoder_with_predictor") and hasattr(tokenizer, "ids2tokens"):
        return ParaformerPosteriors(model, tokenizer)
    return NoPosteriors()
