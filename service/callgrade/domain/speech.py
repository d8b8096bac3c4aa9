"""What can be measured of a call without judging it: time, pace, pauses, and a few habits of speech.

Conventions of every fact: None where it is undefined (`why_undefined` says why), never 0 instead. Times are integer
milliseconds from the start of the call. Facts of time need times on every turn; chats have none. A side's speech is the
union of its turns. Turns of the system (announcements) are sound, so they end a silence, and belong to no side. Where a
speaker is unknown, facts that set one side against the other are unknown too.
"""

from collections.abc import Sequence
from math import isfinite
from typing import Any

from callgrade.domain.calls import Facts, Speaker, Transcript, Turn
from callgrade.domain.frozen import Frozen, LocalText
from callgrade.domain.manner import (
    asks_to_hold,
    filler_kinds,
    is_polite,
    only_listens,
    repeated_questions,
    spoken_units,
)
from callgrade.domain.speech_definitions import DEFINITIONS as DEFINITIONS
from callgrade.domain.speech_definitions import Definition as Definition
from callgrade.domain.timeline import Span, broken_into, duration, gaps, longest_between, overlap, union
from callgrade.domain.writing import legible

LONG_SILENCE_MS = 3_000
HOLD_MS = 10_000
"""A silence after 请稍等 that is longer than this was a hold."""
HEAD_START_MS = 200
"""Two who start closer together collided: answers commonly take this long (Levinson and Torreira, 2015)."""
INTERRUPTION_MS = 500
"""Speech that ends this soon after another's begins had come to its end; turns often overlap by less."""


class SpeechFacts(Frozen):
    """The facts of one call."""

    talk_ratio_agent: float | None = None
    """Agent speech ÷ (agent speech + customer speech), 0..1. None without times, without speech of either, or with
    unknown speakers."""
    agent_chars_per_minute: float | None = None
    """Characters × 60,000 ÷ ms of agent speech. Hanzi, digits and words of other scripts count one each; fillers
    count, for they take time; punctuation does not. None without times or agent speech."""
    customer_chars_per_minute: float | None = None
    """As the agent's."""
    leading_silence_ms: int | None = None
    """Start of the earliest turn. Apart from all other silences: it may be the telephone ringing."""
    silence_ms_total: int | None = None
    """Sum of the gaps in the union of all turns, holds included; before the first and after the last nothing counts."""
    longest_silence_ms: int | None = None
    """The longest of those gaps, in ms; 0 where there is none."""
    silence_count_over_3s: int | None = None
    """How many of those gaps are longer than 3,000 ms."""
    overlap_ms: int | None = None
    """ms in which agent and customer both speak. None without times or with unknown speakers."""
    agent_interruptions: int | None = None
    """Agent turns that begin 200 ms or more after a customer's turn and more than 500 ms before its end, and say more
    than a listener's 嗯 or 好的. None as `overlap_ms`."""
    customer_interruptions: int | None = None
    """The same, the other way round."""
    first_response_ms: int | None = None
    """From the end of the customer's first turn to the agent's first turn that begins after that turn's start; 0 where
    the agent did not wait. None also where no such turn follows."""
    hold_count: int | None = None
    """Entries of the call's fact `hold_ms`; without it, agent turns that ask to hold (请稍等, 我查一下) before a
    silence of more than 10,000 ms that begins before the agent's next turn. None without either that fact or times."""
    longest_hold_ms: int | None = None
    """The longest of them; 0 where there was none."""
    turns: int = 0
    """All turns, of the system too."""
    agent_turns: int = 0
    customer_turns: int = 0
    repeated_questions: int | None = None
    """Questions of the agent that ask an earlier one again: similarity 0.85 or more, same digits, see `manner`. None
    without agent turns, as all the facts below."""
    politeness_rate: float | None = None
    """Agent turns with a polite word (请 您 谢谢 感谢 抱歉 对不起 麻烦…) ÷ agent turns, 0..1. None, as `filler_kinds`,
    also where the agent's words are in another writing than these."""
    filler_kinds: int | None = None
    """How many different fillers the agent uses, see `manner`."""
    agent_emotion_angry_turns: int | None = None
    """Agent turns marked angry. None also where no agent turn carries an emotion."""


def measure(transcript: Transcript) -> SpeechFacts:
    """The facts of a call, in O(n log n) of its turns and linear in its text. Never raises for a valid transcript."""
    turns = transcript.turns
    agent = [turn for turn in turns if turn.speaker is Speaker.AGENT]
    customer = [turn for turn in turns if turn.speaker is Speaker.CUSTOMER]
    facts: dict[str, Any] = {"turns": len(turns), "agent_turns": len(agent), "customer_turns": len(customer)}
    between: list[Span] | None = None
    if _timed(turns):
        everyone = union(map(_span, turns))
        between = gaps(everyone)
        facts |= _silences(turns, between)
        facts |= _paces(agent, customer)
        if not _speaker_unknown(turns):
            facts |= _sides(agent, customer)
    facts |= _holds(transcript.facts, agent, between)
    if agent:
        facts |= _manners(agent)
    return SpeechFacts(**facts)


def why_undefined(transcript: Transcript, fact: str) -> LocalText | None:
    """Why `fact` is None for this call; None where it has a value. Raises AttributeError for an unknown fact."""
    if getattr(measure(transcript), fact) is not None:
        return None
    turns = transcript.turns
    of_time = DEFINITIONS[fact].unit != "count" or "silence" in fact or "interruptions" in fact or fact == "hold_count"
    if not turns:
        return LocalText(zh="通话没有任何话轮", en="the transcript has no turns")
    if fact == "agent_emotion_angry_turns" and _any(turns, Speaker.AGENT):
        return LocalText(zh="客服话轮没有情绪标注", en="no agent turn carries an emotion")
    if fact in ("politeness_rate", "filler_kinds") and _any(turns, Speaker.AGENT):
        return LocalText(zh="客服所说的不是中文或拉丁字母", en="the agent's words are in another writing")
    if of_time and fact != "politeness_rate" and not _timed(turns):
        return LocalText(zh="话轮没有起止时间", en="not every turn has times")
    if _speaker_unknown(turns) and fact not in ("agent_chars_per_minute", "customer_chars_per_minute"):
        return LocalText(zh="有话轮的说话人未知", en="some turn's speaker is unknown")
    if not _any(turns, Speaker.CUSTOMER) and fact in ("customer_chars_per_minute", "first_response_ms"):
        return LocalText(zh="没有客户的话轮", en="the customer has no turn")
    if not _any(turns, Speaker.AGENT):
        return LocalText(zh="没有客服的话轮", en="the agent has no turn")
    return LocalText(zh="没有可量的说话时间", en="there is no speech to measure it on")


def _timed(turns: Sequence[Turn]) -> bool:
    return bool(turns) and all(turn.start_ms is not None and turn.end_ms is not None for turn in turns)


def _any(turns: Sequence[Turn], speaker: Speaker) -> bool:
    return any(turn.speaker is speaker for turn in turns)


def _speaker_unknown(turns: Sequence[Turn]) -> bool:
    return _any(turns, Speaker.UNKNOWN)


def _span(turn: Turn) -> Span:
    return turn.start_ms or 0, turn.end_ms or 0


def _silences(turns: Sequence[Turn], between: Sequence[Span]) -> dict[str, int]:
    lasting = [end - start for start, end in between]
    return {
        "leading_silence_ms": min(start for start, _ in map(_span, turns)),
        "silence_ms_total": sum(lasting),
        "longest_silence_ms": max(lasting, default=0),
        "silence_count_over_3s": sum(ms > LONG_SILENCE_MS for ms in lasting),
    }


def _paces(agent: Sequence[Turn], customer: Sequence[Turn]) -> dict[str, float]:
    paces = {}
    for name, side in (("agent_chars_per_minute", agent), ("customer_chars_per_minute", customer)):
        if spoken_ms := duration(union(map(_span, side))):
            paces[name] = spoken_units("\n".join(turn.text for turn in side)) * 60_000 / spoken_ms
    return paces


def _sides(agent: Sequence[Turn], customer: Sequence[Turn]) -> dict[str, float | int]:
    by_agent, by_customer = union(map(_span, agent)), union(map(_span, customer))
    agent_ms, customer_ms = duration(by_agent), duration(by_customer)
    together = overlap(by_agent, by_customer)
    facts: dict[str, float | int] = {
        "overlap_ms": together,
        "agent_interruptions": _interruptions(agent, customer) if together else 0,
        "customer_interruptions": _interruptions(customer, agent) if together else 0,
    }
    if agent_ms + customer_ms:
        facts["talk_ratio_agent"] = agent_ms / (agent_ms + customer_ms)
    if customer:
        asked, asked_until = min(map(_span, customer))
        answers = [start for start, _ in map(_span, agent) if start > asked]
        if answers:
            facts["first_response_ms"] = max(0, min(answers) - asked_until)
    return facts


def _interruptions(by: Sequence[Turn], of: Sequence[Turn]) -> int:
    starts = [_span(turn)[0] for turn in by if not only_listens(turn.text)]
    floor = [_span(turn) for turn in of]
    return broken_into(starts, floor, head_start_ms=HEAD_START_MS, goes_on_ms=INTERRUPTION_MS)


def _holds(facts: Facts, agent: Sequence[Turn], between: Sequence[Span] | None) -> dict[str, int]:
    holds = _reported_holds(facts)
    if holds is None and between is not None:
        holds = _holds_heard(agent, between)
    return {} if holds is None else {"hold_count": len(holds), "longest_hold_ms": max(holds, default=0)}


def _reported_holds(facts: Facts) -> list[int] | None:
    """`hold_ms` where it is a list of times; anything else is not believed."""
    reported = facts.get("hold_ms")
    if not isinstance(reported, list):
        return None
    numbers = [ms for ms in reported if isinstance(ms, int | float) and not isinstance(ms, bool)]
    holds = [round(ms) for ms in numbers if isfinite(ms) and ms >= 0]
    return holds if len(holds) == len(reported) else None


def _holds_heard(agent: Sequence[Turn], between: Sequence[Span]) -> list[int]:
    if all(end - start <= HOLD_MS for start, end in between):
        return []
    spans = sorted((_span(turn), turn.text) for turn in agent)
    heard: set[Span] = set()
    for i, ((_, end), text) in enumerate(spans):
        if asks_to_hold(text):
            until = spans[i + 1][0][0] if i + 1 < len(spans) else None
            gap = longest_between(between, end, until)
            if gap is not None and gap[1] - gap[0] > HOLD_MS:
                heard.add(gap)
    return [end - start for start, end in heard]


def _manners(agent: Sequence[Turn]) -> dict[str, float | int]:
    texts = [turn.text for turn in agent]
    facts: dict[str, float | int] = {
        "repeated_questions": repeated_questions(texts),
    }
    if legible(texts):
        facts |= {"politeness_rate": sum(map(is_polite, texts)) / len(texts), "filler_kinds": filler_kinds(texts)}
    emotions = [turn.emotion.strip("<|>").lower() for turn in agent if turn.emotion]
    if emotions:
        facts["agent_emotion_angry_turns"] = emotions.count("angry")
    return facts
