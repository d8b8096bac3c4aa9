"""Who is the agent: told by what both say, never guessed in silence."""

import pytest

from callgrade.adapters.funasr.casting import cast_channels, cast_voices
from callgrade.adapters.funasr.roles import AGENT_LINES, CUSTOMER_LINES, SURE, guess_agent
from callgrade.adapters.funasr.turns import Utterance
from callgrade.catalog.resources import resource_folder
from callgrade.domain.calls import Speaker, Transcript
from callgrade.ports import AgentChannel

GREETING = "您好工号八零三一很高兴为您服务请问有什么可以帮您"
COMPLAINT = "我要投诉我的话费怎么扣了这么多"


def call(*lines: tuple[int | None, str]) -> list[Utterance]:
    return [Utterance(voice, 1000 * at, 1000 * at + 900, text) for at, (voice, text) in enumerate(lines)]


@pytest.mark.parametrize("agent", [0, 1])
def test_script_lines_name_the_agent_on_either_channel(agent: int) -> None:
    cast = cast_channels(call((agent, GREETING), (1 - agent, COMPLAINT)), "auto")
    assert cast.speakers == {agent: Speaker.AGENT, 1 - agent: Speaker.CUSTOMER}
    assert cast.notes == (f"agent channel {agent} (auto, confidence 0.99)",)


def test_in_doubt_nobody_is_named_and_a_person_is_asked() -> None:
    cast = cast_channels(call((0, "喂你好"), (1, "你好在吗")), "auto")
    assert cast.speakers == {}
    assert "both speakers are unknown" in cast.notes[0]
    assert "a person must say which channel is the agent" in cast.notes[0]
    assert "confidence only 0.50" in cast.notes[0]


def test_one_cue_is_not_enough() -> None:
    cast = cast_channels(call((0, "请稍等"), (1, "好的")), "auto")
    assert cast.speakers == {}


@pytest.mark.parametrize(("channel", "agent"), [("0", 0), ("1", 1)])
def test_a_set_channel_is_taken_whatever_is_said(channel: AgentChannel, agent: int) -> None:
    cast = cast_channels(call((1 - agent, GREETING), (agent, COMPLAINT)), channel)
    assert cast.speakers[agent] is Speaker.AGENT
    assert cast.notes[0] == f"agent channel {agent} (set)"
    assert cast.notes[1] == f"channel {1 - agent} sounds like the agent (confidence 0.99): is the setting right?"
    assert len(cast_channels(call((agent, GREETING), (1 - agent, COMPLAINT)), channel).notes) == 1


def test_a_silent_channel_makes_the_other_one_suspect() -> None:
    cast = cast_channels(call((0, GREETING), (0, COMPLAINT)), "auto")
    assert cast.speakers == {}
    assert "channel 1 holds no speech, channel 0 may hold both sides" in cast.notes[0]
    assert "are both sides on channel 0?" in cast_channels(call((0, GREETING)), "0").notes[1]


def test_two_voices_in_one_channel_get_roles_with_low_confidence() -> None:
    cast = cast_voices(call((4, COMPLAINT), (2, GREETING)), {4: 900, 2: 900})
    assert cast.speakers == {2: Speaker.AGENT, 4: Speaker.CUSTOMER}
    assert "low confidence" in cast.notes[0]


def test_a_third_voice_stays_unknown() -> None:
    cast = cast_voices(call((0, GREETING), (1, COMPLAINT), (2, "嗯")), {0: 9000, 1: 5000, 2: 300})
    assert set(cast.speakers) == {0, 1}
    assert "3 voices found; the 1 that spoke least are unknown" in cast.notes


def test_misheard_script_lines_still_count() -> None:
    misheard = GREETING.replace("高兴", "高心").replace("可以", "可一")
    assert guess_agent([misheard, "我的宽带坏了"]).sure


def test_english_calls_have_cues_too() -> None:
    guess = guess_agent(["I was charged twice on my bill.", "Thank you for calling, how can I help you today?"])
    assert (guess.agent, guess.sure) == (1, True)


def test_a_very_long_call_is_read_at_its_ends() -> None:
    filler = "那个" * 20_000
    assert guess_agent([f"{GREETING}{filler}", filler]).sure
    assert guess_agent([f"{filler}{GREETING}", filler]).sure


def test_no_line_counts_for_both_sides() -> None:
    assert not set(AGENT_LINES) & set(CUSTOMER_LINES)


def test_every_golden_call_is_cast_rightly_by_its_script() -> None:
    for path in sorted((resource_folder("golden_set") / "calls").glob("*.json")):
        transcript = Transcript.model_validate_json(path.read_bytes())
        said = [" ".join(t.text for _, t in transcript.said_by(who)) for who in (Speaker.CUSTOMER, Speaker.AGENT)]
        guess = guess_agent(said)
        assert guess.agent == 1, path.name
        assert guess.confidence >= SURE, path.name
