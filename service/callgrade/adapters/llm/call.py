"""A call as the judge handles it: redacted lines for the model, and the way from a model's quote back to the
original words."""

from collections.abc import Iterable, Sequence

from callgrade.domain.calls import Speaker, Transcript
from callgrade.domain.grounding import Grounder
from callgrade.domain.judgements import Evidence
from callgrade.domain.rubrics import Criterion
from callgrade.ports import Redactor

Line = tuple[int, Speaker, str]
"""(turn number from 0, who, redacted text)"""
Quoted = tuple[Evidence, ...]
"""What became of one quote: an item for each of its parts."""


class Call:
    def __init__(self, transcript: Transcript, redactor: Redactor):
        self.id = transcript.call_id
        self._redaction = redactor.redact([turn.text for turn in transcript.turns])
        self._grounder = Grounder(transcript)
        self._found: dict[tuple[int | None, str, str], Quoted] = {}
        self.lines: Sequence[Line] = [
            (number, turn.speaker, text)
            for number, (turn, text) in enumerate(zip(transcript.turns, self._redaction.texts, strict=True))
        ]

    def ground(self, criterion: Criterion, quotes: Iterable[tuple[int | None, str]]) -> tuple[Quoted, ...]:
        """Each quote, with its placeholders restored, as what was found of it in the original words."""
        return tuple(dict.fromkeys(self._ground(turn, quote, criterion) for turn, quote in quotes))

    def _ground(self, turn: int | None, quote: str, criterion: Criterion) -> Quoted:
        # models back several criteria with the same words
        key = (turn, quote, criterion.side)
        if key not in self._found:
            restored = self._redaction.restore(quote, turn=turn)
            self._found[key] = self._grounder.ground_all(restored, turn=turn, side=criterion.side)
        return self._found[key]
