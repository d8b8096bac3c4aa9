from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callgrade.domain.calls import Transcript
from callgrade.domain.manner import filler_kinds, is_polite, only_listens, repeated_questions, spoken_units
from callgrade.domain.speech import DEFINITIONS, SpeechFacts, measure, why_undefined
from callgrade.domain.timeline import gaps, overlap, union


def call(*turns: tuple[Any, ...], **facts: Any) -> Transcript:
    """Turns as (speaker, start_ms, end_ms, text[, emotion])."""
    names = ("speaker", "start_ms", "end_ms", "text", "emotion")
    return Transcript(call_id="c", turns=[dict(zip(names, turn, strict=False)) for turn in turns], facts=facts)


A, C = "agent", "customer"

# 500      2500  3000        6000
#  A: 2000 ───┘   C: 3000 ─────┘
#                           5200      9200   (agent starts 800 ms before the customer's end: an interruption)
#                            A: 4000 ───┘
#                                          13200  14200
#                                            C: 1000 ─┘
CALL = call(
    (A, 500, 2_500, "您好，请问有什么可以帮您？"),
    (C, 3_000, 6_000, "我的宽带坏了，嗯，三天了。"),
    (A, 5_200, 9_200, "请您稍等，我查一下您的10元套餐，OK吗？"),
    (C, 13_200, 14_200, "好的。"),
)


class TestTimes:
    def test_talk_ratio_is_agent_speech_over_all_speech(self):
        # agent 2,000 + 4,000; customer 3,000 + 1,000
        assert measure(CALL).talk_ratio_agent == 6_000 / 10_000

    def test_what_a_side_says_over_itself_counts_once(self):
        # agent 0–3,000 and 1,000–4,000: 4,000 ms, not 6,000; customer 1,000 ms
        both = call((A, 0, 3_000, "一"), (A, 1_000, 4_000, "二"), (C, 4_000, 5_000, "三"))
        assert measure(both).talk_ratio_agent == 4_000 / 5_000

    def test_pace_is_characters_a_minute_of_speech(self):
        facts = measure(CALL)
        # 您好请问有什么可以帮您 11, 请您稍等 4, 我查一下您的 6, 1 0 2, 元套餐 3, OK 1, 吗 1: 28 in 6,000 ms
        assert facts.agent_chars_per_minute == 28 * 60_000 / 6_000 == 280
        # 我的宽带坏了 6, 嗯 1, 三天了 3, 好的 2: 12 in 4,000 ms
        assert facts.customer_chars_per_minute == 12 * 60_000 / 4_000 == 180

    def test_silences_lie_between_the_turns(self):
        facts = measure(CALL)
        # speech 500–2,500, 3,000–9,200 (overlapping), 13,200–14,200: gaps of 500 and 4,000
        assert facts.leading_silence_ms == 500
        assert facts.silence_ms_total == 4_500
        assert facts.longest_silence_ms == 4_000
        assert facts.silence_count_over_3s == 1

    def test_a_silence_of_exactly_three_seconds_is_not_over_three_seconds(self):
        assert measure(call((A, 0, 1_000, "一"), (A, 4_000, 5_000, "二"))).silence_count_over_3s == 0
        assert measure(call((A, 0, 1_000, "一"), (A, 4_001, 5_000, "二"))).silence_count_over_3s == 1

    def test_no_gap_is_a_silence_of_zero(self):
        facts = measure(call((A, 100, 1_000, "一"), (C, 1_000, 2_000, "二")))
        assert (facts.silence_ms_total, facts.longest_silence_ms, facts.leading_silence_ms) == (0, 0, 100)

    def test_an_announcement_is_sound_and_nobodys_speech(self):
        facts = measure(call((A, 0, 1_000, "您好"), ("system", 1_000, 5_000, "请评价"), (C, 6_000, 7_000, "好的")))
        assert facts.longest_silence_ms == 1_000  # 5,000–6,000 only
        assert facts.talk_ratio_agent == 0.5
        assert (facts.turns, facts.agent_turns, facts.customer_turns) == (3, 1, 1)

    def test_overlap_is_the_time_both_speak(self):
        # 5,200–6,000
        assert measure(CALL).overlap_ms == 800

    def test_first_response_runs_from_the_customers_end_to_the_agents_next_start(self):
        # the agent began 800 ms before the customer's end: no wait at all
        assert measure(CALL).first_response_ms == 0
        waited = call((A, 0, 900, "您好"), (C, 1_000, 2_000, "在吗"), (C, 2_100, 2_500, "喂"), (A, 3_300, 4_000, "在"))
        assert measure(waited).first_response_ms == 1_300  # 2,000 → 3,300
        assert measure(call((A, 0, 900, "您好"), (C, 1_000, 2_000, "在吗"))).first_response_ms is None


class TestInterruptions:
    def count(self, agent_start: int, text: str = "您先听我说完") -> tuple[int | None, int | None]:
        """The customer speaks from 1,000 to 4,000."""
        turns = [(C, 1_000, 4_000, "我想说的是这件事情"), (A, agent_start, agent_start + 3_000, text)]
        facts = measure(call(*sorted(turns, key=lambda turn: turn[1])))
        return facts.agent_interruptions, facts.customer_interruptions

    def test_speaking_into_a_turn_that_goes_on_is_an_interruption(self):
        assert self.count(2_000) == (1, 0)
        assert measure(CALL).agent_interruptions == 1  # 5,200, with 800 ms to go
        assert measure(CALL).customer_interruptions == 0

    @pytest.mark.parametrize(("start", "expected"), [(3_499, 1), (3_500, 0), (4_000, 0)])
    def test_more_than_half_a_second_must_be_left(self, start: int, expected: int):
        assert self.count(start)[0] == expected

    @pytest.mark.parametrize(("start", "expected"), [(1_200, 1), (1_199, 0), (1_000, 0)])
    def test_two_who_start_together_collide(self, start: int, expected: int):
        assert self.count(start)[0] == expected

    def test_one_who_started_first_did_not_interrupt(self):
        # agent 500–3,500, customer from 1,000: the customer broke in, 2,500 ms before the end
        assert self.count(500) == (0, 1)

    @pytest.mark.parametrize("text", ["嗯", "嗯嗯，好的。", "对对对", "是的是的", "Uh-huh", "OK", "", "…"])
    def test_a_listeners_noise_is_none(self, text: str):
        assert self.count(2_000, text) == (0, 0)

    def test_a_long_turn_behind_a_short_one_is_still_seen(self):
        turns = [(C, 0, 9_000, "很长的一段话"), (C, 100, 300, "嗯"), (A, 5_000, 6_000, "我打断您一下")]
        assert measure(call(*turns)).agent_interruptions == 1


class TestHolds:
    def test_the_facts_of_the_call_come_first(self):
        facts = measure(call((A, 0, 1_000, "请稍等"), (A, 60_000, 61_000, "您好"), hold_ms=[12_000, 8_000.4]))
        assert (facts.hold_count, facts.longest_hold_ms) == (2, 12_000)

    def test_an_empty_list_is_a_call_without_holds(self):
        facts = measure(call((A, None, None, "您好"), hold_ms=[]))
        assert (facts.hold_count, facts.longest_hold_ms) == (0, 0)

    @pytest.mark.parametrize("hold_ms", [["12000"], [True], [-1], 12, None, "x", [float("nan")], [float("inf")]])
    def test_what_is_no_list_of_times_is_not_believed(self, hold_ms: Any):
        facts = measure(call((A, 0, 1_000, "请稍等"), (A, 12_000, 13_000, "让您久等了"), hold_ms=hold_ms))
        assert (facts.hold_count, facts.longest_hold_ms) == (1, 11_000)

    def test_a_silence_after_asking_to_hold_is_a_hold(self):
        # 请稍等 ends at 2,000, the customer says 好的 until 3,000, then nobody until 15,500: 12,500 ms
        held = call(
            (A, 0, 2_000, "好的，请您稍等。"), (C, 2_500, 3_000, "好的。"), (A, 15_500, 17_000, "感谢您的等待。")
        )
        facts = measure(held)
        assert (facts.hold_count, facts.longest_hold_ms) == (1, 12_500)

    @pytest.mark.parametrize(
        "text", ["请您稍等", "我看一下。", "我帮您查询一下", "請等一下", "Please hold on.", "您先别挂"]
    )
    def test_words_that_announce_a_hold(self, text: str):
        assert measure(call((A, 0, 1_000, text), (A, 12_000, 13_000, "您好"))).hold_count == 1

    def test_ten_seconds_are_not_more_than_ten_seconds(self):
        assert measure(call((A, 0, 1_000, "请稍候"), (A, 11_000, 12_000, "您好"))).hold_count == 0
        assert measure(call((A, 0, 1_000, "请稍候"), (A, 11_001, 12_000, "您好"))).hold_count == 1

    def test_a_silence_nobody_asked_for_is_no_hold(self):
        assert measure(call((A, 0, 1_000, "您好"), (A, 30_000, 31_000, "您好"))).hold_count == 0
        late = call((A, 0, 1_000, "请稍等"), (A, 2_000, 3_000, "查到了"), (A, 30_000, 31_000, "您好"))
        assert measure(late).hold_count == 0


class TestManner:
    @pytest.mark.parametrize("said", ["안녕하세요, 무엇을 도와드릴까요?", "Чем могу помочь?", "……"])
    def test_politeness_is_undefined_in_another_writing(self, said):
        foreign = call((A, 0, 1_000, said), (C, 1_000, 2_000, "您好"))
        assert measure(foreign).politeness_rate is None
        assert measure(foreign).filler_kinds is None
        assert why_undefined(foreign, "politeness_rate").en == "the agent's words are in another writing"
        assert why_undefined(foreign, "filler_kinds").zh == "客服所说的不是中文或拉丁字母"

    def test_politeness_is_the_share_of_polite_turns(self):
        polite = call(
            (A, 0, 1, "请讲"), (A, 2, 3, "不知道"), (A, 4, 5, "谢谢您"), (A, 6, 7, "你申请了吗"), (C, 8, 9, "谢谢")
        )
        assert measure(polite).politeness_rate == 2 / 4

    @pytest.mark.parametrize("text", ["請問", "麻烦说一下", "不好意思", "Thank you!", "Sorry, please hold", "抱歉"])
    def test_polite_words(self, text: str):
        assert is_polite(text)

    @pytest.mark.parametrize("text", ["你申请了吗", "邀请码是多少", "他请假了", "真麻烦", "你说什么", ""])
    def test_no_polite_words(self, text: str):
        assert not is_polite(text)

    @pytest.mark.parametrize(
        ("texts", "kinds"),
        [
            (["嗯，那个，我看一下", "嗯，呃"], 3),  # 嗯 那个 呃
            (["这个套餐好啊，那个套餐也好"], 0),
            (["这个这个套餐", "就是说，然后，对对对"], 4),
            (["也就是说打开就能用"], 0),
            (["您的额度不够", "额，我看看"], 1),
            (["啊，是吗", "哦。"], 2),
            (["Um, I think, you know, uh"], 2),  # um and uh are one kind
            (["album, summer"], 0),
            ([], 0),
        ],
    )
    def test_filler_kinds(self, texts: list[str], kinds: int):
        assert filler_kinds(texts) == kinds

    def test_only_the_agents_fillers_count(self):
        assert measure(call((A, 0, 1, "您好"), (C, 2, 3, "嗯，呃，那个，"))).filler_kinds == 0

    @pytest.mark.parametrize(
        ("texts", "repeated"),
        [
            (["请问您的手机号是多少？", "好的", "您好，您的手机号是多少"], 1),
            (["您的手机号码是多少？", "您的手机号是多少？", "您的手机号码是多少呢？"], 2),
            (["您的手机号是多少？", "您的身份证号是多少？"], 0),
            (["尾号是1234吗？", "尾号是1235吗？"], 0),
            (["请问有什么可以帮您？", "请问还有什么可以帮您？", "还有什么可以帮您？"], 0),
            (["您是机主本人吗？您是机主本人吗？"], 1),
            (["好吗？", "好吗？"], 0),  # too short to tell
            (["我帮您登记了。", "我帮您登记了。"], 0),  # no questions
            (["Can you tell me your name?", "And can you tell me your name?"], 1),
            ([], 0),
        ],
    )
    def test_repeated_questions(self, texts: list[str], repeated: int):
        assert repeated_questions(texts) == repeated

    @pytest.mark.parametrize(
        ("text", "units"),
        [("您好，OK吗？", 4), ("10元", 3), ("don't stop-now", 2), ("…！ ", 0), ("嗯啊", 2), ("１０", 2)],
    )
    def test_spoken_units(self, text: str, units: int):
        assert spoken_units(text) == units

    def test_a_long_answer_is_more_than_listening(self):
        assert not only_listens("好的好的好的好的好的")
        assert not only_listens("好的我知道了你别说了")

    def test_angry_turns_are_the_agents(self):
        angry = call(
            (A, 0, 1, "一", "angry"), (A, 2, 3, "二", "<|ANGRY|>"), (A, 4, 5, "三", "neutral"), (C, 6, 7, "四", "angry")
        )
        assert measure(angry).agent_emotion_angry_turns == 2
        assert measure(call((A, 0, 1, "一", "neutral"))).agent_emotion_angry_turns == 0
        assert measure(call((A, 0, 1, "一"))).agent_emotion_angry_turns is None


class TestUndefined:
    OF_WORDS = ("turns", "agent_turns", "customer_turns", "repeated_questions", "politeness_rate", "filler_kinds")

    def test_a_chat_has_no_facts_of_time(self):
        chat = call((A, None, None, "您好"), (C, None, None, "在吗"))
        facts = measure(chat)
        defined = {name for name, value in facts if value is not None}
        assert defined == set(self.OF_WORDS)
        for name in set(SpeechFacts.model_fields) - defined - {"agent_emotion_angry_turns"}:
            assert why_undefined(chat, name).en == "not every turn has times"

    def test_one_turn_without_times_leaves_all_of_them_open(self):
        assert measure(call((A, 0, 1_000, "您好"), (C, None, None, "在吗"))).silence_ms_total is None

    def test_an_unknown_speaker_leaves_the_sides_open(self):
        mono = call((A, 0, 1_000, "您好"), ("unknown", 2_000, 3_000, "在吗"), (C, 4_000, 5_000, "在"))
        facts = measure(mono)
        assert (
            facts.talk_ratio_agent is facts.overlap_ms is facts.agent_interruptions is facts.first_response_ms is None
        )
        assert facts.silence_ms_total == 2_000
        assert facts.agent_chars_per_minute == 2 * 60_000 / 1_000
        assert why_undefined(mono, "talk_ratio_agent").zh == "有话轮的说话人未知"

    def test_an_empty_transcript(self):
        facts = measure(call())
        assert facts == SpeechFacts()
        assert why_undefined(call(), "longest_silence_ms").en == "the transcript has no turns"

    def test_a_side_that_says_nothing(self):
        alone = call((A, 0, 1_000, "您好"))
        assert measure(alone).talk_ratio_agent == 1.0
        assert measure(alone).customer_chars_per_minute is None
        assert why_undefined(alone, "customer_chars_per_minute").en == "the customer has no turn"
        assert why_undefined(alone, "first_response_ms").en == "the customer has no turn"
        lonely = call((C, 0, 1_000, "有人吗"))
        assert measure(lonely).politeness_rate is None
        assert why_undefined(lonely, "politeness_rate").en == "the agent has no turn"
        assert why_undefined(alone, "agent_emotion_angry_turns").en == "no agent turn carries an emotion"
        assert why_undefined(alone, "politeness_rate") is None

    def test_turns_of_no_length_are_no_speech(self):
        facts = measure(call((A, 0, 0, "您好"), (C, 0, 0, "在吗")))
        assert facts.talk_ratio_agent is facts.agent_chars_per_minute is None
        assert why_undefined(call((A, 0, 0, "您好")), "talk_ratio_agent").en == "there is no speech to measure it on"


def test_every_fact_is_defined_in_both_languages():
    assert set(DEFINITIONS) == set(SpeechFacts.model_fields)
    for definition in DEFINITIONS.values():
        assert all((definition.title.zh, definition.title.en, definition.meaning.zh, definition.meaning.en))


spans = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 60)).map(lambda s: (s[0], s[0] + s[1])), max_size=12)


def brute(of: list[tuple[int, int]]) -> set[int]:
    return {ms for start, end in of for ms in range(start, end)}


@given(spans, spans)
def test_spans_agree_with_counting_every_millisecond(one: list[tuple[int, int]], other: list[tuple[int, int]]):
    assert sum(end - start for start, end in union(one)) == len(brute(one))
    assert overlap(union(one), union(other)) == len(brute(one) & brute(other))
    spoken = brute(one)
    silent = set(range(min(spoken), max(spoken) + 1)) - spoken if spoken else set()
    assert brute(gaps(union(one))) == silent


turns = st.lists(
    st.tuples(
        st.sampled_from([A, C, "unknown", "system"]),
        st.integers(0, 60_000),
        st.integers(0, 9_000),
        st.text(st.sampled_from("您好请稍等嗯那个，。？吗什么1你ok "), max_size=12),
    ).map(lambda t: (t[0], t[1], t[1] + t[2], t[3])),
    max_size=12,
)


@given(turns)
def test_facts_stay_within_their_bounds(given_turns: list[tuple[Any, ...]]):
    facts = measure(call(*given_turns))
    for name, value in facts:
        if value is not None:
            assert value >= 0
            assert DEFINITIONS[name].unit != "share" or value <= 1
        else:
            assert why_undefined(call(*given_turns), name) is not None
    if facts.silence_ms_total is not None:
        assert facts.longest_silence_ms <= facts.silence_ms_total
        spoken = sum(end - start for start, end in union((turn[1], turn[2]) for turn in given_turns))
        last = max(turn[2] for turn in given_turns if turn[1] < turn[2]) if spoken else 0
        first = min((turn[1] for turn in given_turns if turn[1] < turn[2]), default=0)
        assert facts.silence_ms_total == (last - first - spoken if spoken else 0)


@given(turns)
def test_the_order_of_the_turns_changes_no_time(given_turns: list[tuple[Any, ...]]):
    of_time = [name for name in SpeechFacts.model_fields if DEFINITIONS[name].unit == "ms" or "interruptions" in name]
    forwards, backwards = measure(call(*given_turns)), measure(call(*reversed(given_turns)))
    assert [getattr(forwards, name) for name in of_time] == [getattr(backwards, name) for name in of_time]
