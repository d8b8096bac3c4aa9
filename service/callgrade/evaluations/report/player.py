"""The recording on the page: its outline, and where on it the evidence lies."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from callgrade.domain.calls import Speaker, Transcript
from callgrade.evaluations.report.cards import Card
from callgrade.evaluations.report.marks import Tone
from callgrade.evaluations.report.sound import BUCKETS, Sound


@dataclass(frozen=True, slots=True)
class Pin:
    """A quote's place on the waveform, in per cent of its width."""

    at: float
    tone: Tone


@dataclass(frozen=True, slots=True)
class Player:
    sound: Sound
    waves: tuple[tuple[str, str], ...]
    """(class, SVG path) of each channel; the path is `BUCKETS` wide and 40 high."""
    pins: tuple[Pin, ...]


def make_player(sound: Sound, transcript: Transcript, cards: Iterable[Card]) -> Player:
    agent = _agent_channel(sound, transcript)
    classes = ["other"] * len(sound.channels) if agent is None else ["customer", "customer"]
    if agent is not None:
        classes[agent] = "agent"
    waves = tuple((name, _path(tuple(peaks))) for name, peaks in zip(classes, sound.channels, strict=False))
    if sound.duration_ms is None or sound.duration_ms <= 0:
        return Player(sound, waves, ())
    return Player(sound, waves, pins_of(cards, sound.duration_ms))


def pins_of(cards: Iterable[Card], duration_ms: int) -> tuple[Pin, ...]:
    pins = {
        Pin(round(100 * min(1.0, quote.start_ms / duration_ms), 2), card.tone)
        for card in cards
        for quote in card.quotes
        if quote.start_ms is not None
    }
    return tuple(sorted(pins, key=lambda pin: (pin.at, pin.tone)))


@lru_cache(maxsize=64)
def _path(peaks: tuple[float, ...]) -> str:
    """One upright stroke for each bucket; a flat line where there is silence."""
    strokes = []
    for is_silent, run in groupby(enumerate(peaks), key=lambda item: item[1] < 0.02):
        places = list(run)
        if is_silent:
            strokes.append(f"M{places[0][0]} 20h{len(places)}")
        else:
            strokes.extend(f"M{at}.5 {20 - 19 * peak:.1f}v{38 * peak:.1f}" for at, peak in places)
    return "".join(strokes)


def _agent_channel(sound: Sound, transcript: Transcript) -> int | None:
    """Which channel sounds while the agent has the word, for the colours only; None where that is not plain."""
    if len(sound.channels) != 2 or not sound.duration_ms:
        return None
    sums = {Speaker.AGENT: [0.0, 0.0], Speaker.CUSTOMER: [0.0, 0.0]}
    for turn in transcript.turns:
        if turn.speaker in sums and turn.start_ms is not None and turn.end_ms is not None:
            start, end = (BUCKETS * at // sound.duration_ms for at in (turn.start_ms, turn.end_ms))
            for channel in (0, 1):
                sums[turn.speaker][channel] += sum(sound.channels[channel][start:end])
    agent, customer = sums[Speaker.AGENT], sums[Speaker.CUSTOMER]
    for channel in (0, 1):
        if agent[channel] > 2 * agent[1 - channel] and customer[1 - channel] > 2 * customer[channel]:
            return channel
    return None
