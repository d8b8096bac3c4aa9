"""From what was heard in each segment to turns in the order they began.

A turn is what one voice says until another voice begins, or until it pauses for longer than `PAUSE_MS`: what comes
after a silence is a new turn even when nobody spoke in between. Joined segments keep no sign of the pause in the text,
because no recogniser heard one: a comma there would be invented.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace

from callgrade.adapters.funasr.utterances import join_words
from callgrade.domain.calls import Speaker, Token, Turn

PAUSE_MS = 600
LONGEST_MS = 60_000
"""A monologue is parted here, at a pause, so that evidence can still be pointed at."""

Voice = Hashable
"""Who spoke, as far as the sound tells: a channel, or a speaker found in a mono recording. None: not told."""


@dataclass(frozen=True)
class Utterance:
    """Words of one voice in [start_ms, end_ms) of the call; tokens count from the start of the call.

    `moods` holds (emotion, milliseconds) of each part.
    """

    voice: Voice
    start_ms: int
    end_ms: int
    text: str
    tokens: tuple[Token, ...] = ()
    moods: tuple[tuple[str | None, int], ...] = ()

    @property
    def emotion(self) -> str | None:
        """What lasted longest, the first of equals; unknown stretches have no say."""
        lasted: dict[str, int] = {}
        for mood, milliseconds in self.moods:
            if mood is not None:
                lasted[mood] = lasted.get(mood, 0) + milliseconds
        return max(lasted, key=lasted.__getitem__, default=None)


def in_turns(utterances: Iterable[Utterance]) -> list[Utterance]:
    """Utterances of one voice joined where the pause is short and nobody else speaks in it.

    Somebody else's 嗯 in the middle of a sentence does not part it. Where the voice is not told nothing is joined:
    question and answer would become one turn.
    """
    turns: list[Utterance] = []
    latest: dict[Voice, int] = {}
    for utterance in sorted(utterances, key=lambda u: (u.start_ms, u.end_ms)):
        at = latest.get(utterance.voice)
        others_until = max((turns[i].end_ms for voice, i in latest.items() if voice != utterance.voice), default=0)
        if at is not None and _goes_on(turns[at], utterance, others_until):
            turns[at] = _joined(turns[at], utterance)
            continue
        if utterance.voice is not None:
            latest[utterance.voice] = len(turns)
        turns.append(utterance)
    return turns


def to_turns(utterances: Sequence[Utterance], speakers: dict[Voice, Speaker]) -> tuple[Turn, ...]:
    """Voices that `speakers` does not name stay unknown."""
    return tuple(
        Turn(
            speaker=speakers.get(utterance.voice, Speaker.UNKNOWN),
            text=utterance.text,
            start_ms=utterance.start_ms,
            end_ms=utterance.end_ms,
            emotion=utterance.emotion,
            tokens=utterance.tokens,
        )
        for utterance in utterances
    )


def _goes_on(last: Utterance, following: Utterance, others_until: int) -> bool:
    return (
        following.start_ms - last.end_ms <= PAUSE_MS
        and others_until <= last.end_ms
        and following.end_ms - last.start_ms <= LONGEST_MS
    )


def _joined(first: Utterance, second: Utterance) -> Utterance:
    text = join_words(f"{first.text} {second.text}")
    shift = len(text) - len(second.text)
    moved = (token._replace(start=token.start + shift, end=token.end + shift) for token in second.tokens)
    return replace(
        first,
        end_ms=max(first.end_ms, second.end_ms),
        text=text,
        tokens=(*first.tokens, *moved),
        moods=(*first.moods, *second.moods),
    )
