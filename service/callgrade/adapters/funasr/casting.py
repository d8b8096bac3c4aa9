"""Who is agent and who is customer, and the note that says how that is known. In doubt nobody is named."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from callgrade.adapters.funasr.roles import guess_agent
from callgrade.adapters.funasr.turns import Utterance, Voice
from callgrade.domain.calls import Speaker
from callgrade.ports import AgentChannel

SET_BY_HAND = "a person must say which channel is the agent (--agent-channel 0 or 1)"


@dataclass(frozen=True)
class Cast:
    """Speakers of the voices that are known; the other voices are unknown."""

    speakers: dict[Voice, Speaker] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def cast_channels(utterances: Sequence[Utterance], agent_channel: AgentChannel) -> Cast:
    """Two channels, a speaker each. `utterances` are at least one."""
    said = [_said(utterances, voice) for voice in (0, 1)]
    silent = next((voice for voice in (0, 1) if not said[voice]), None)
    if agent_channel != "auto":
        agent = int(agent_channel)
        return Cast(_named(agent, 1 - agent), (f"agent channel {agent} (set)", *_doubts(agent, said, silent)))
    if silent is not None:
        why = f"channel {silent} holds no speech, channel {1 - silent} may hold both sides"
        return Cast(notes=(f"agent channel not found (auto): {why}; both speakers are unknown, {SET_BY_HAND}",))
    guess = guess_agent(said)
    if guess.sure:
        return Cast(
            _named(guess.agent, 1 - guess.agent),
            (f"agent channel {guess.agent} (auto, confidence {_shown(guess.confidence)})",),
        )
    why = f"channel {guess.agent} is likelier, confidence only {_shown(guess.confidence)}"
    return Cast(notes=(f"agent channel not found (auto): {why}; both speakers are unknown, {SET_BY_HAND}",))


def cast_voices(utterances: Sequence[Utterance], speech_ms: dict[Voice, int]) -> Cast:
    """The voices that a speaker model found in one channel, at least two; `speech_ms`: how long each spoke."""
    leading = sorted(speech_ms, key=lambda voice: -speech_ms[voice])[:2]
    found = len(speech_ms)
    guess = guess_agent([_said(utterances, voice) for voice in leading])
    likely = f"confidence {_shown(guess.confidence)}"
    if not guess.sure:
        return Cast(notes=(f"one channel, {found} voices, no clear agent ({likely}): all speakers are unknown",))
    notes = [f"roles inferred from voices and script lines in one channel: low confidence, check them ({likely})"]
    if found > 2:
        notes.append(f"{found} voices found; the {found - 2} that spoke least are unknown")
    return Cast(_named(leading[guess.agent], leading[1 - guess.agent]), tuple(notes))


def _doubts(agent: int, said: Sequence[str], silent: int | None) -> list[str]:
    """What speaks against a setting. It is obeyed all the same."""
    if silent is not None:
        return [f"channel {silent} holds no speech: are both sides on channel {1 - silent}?"]
    guess = guess_agent(said)
    if guess.sure and guess.agent != agent:
        likely = _shown(guess.confidence)
        return [f"channel {guess.agent} sounds like the agent (confidence {likely}): is the setting right?"]
    return []


def _named(agent: Voice, customer: Voice) -> dict[Voice, Speaker]:
    return {agent: Speaker.AGENT, customer: Speaker.CUSTOMER}


def _said(utterances: Sequence[Utterance], voice: Voice) -> str:
    return " ".join(u.text for u in utterances if u.voice == voice)


def _shown(confidence: float) -> str:
    """Never 1.00: a rule of thumb is not certain."""
    return f"{min(confidence, 0.99):.2f}"
