"""Segments of both channels become turns in the order they began."""

from callgrade.adapters.funasr.turns import LONGEST_MS, Utterance, Voice, in_turns, to_turns
from callgrade.domain.calls import Speaker, Token


def spoke(voice: Voice, start: int, end: int, text: str = "好", mood: str | None = None) -> Utterance:
    tokens = tuple(Token(i, i + 1, start, end, 0.9) for i in range(len(text)))
    return Utterance(voice, start, end, text, tokens, ((mood, end - start),))


def spans(turns: list[Utterance]) -> list[tuple[Voice, int, int, str]]:
    return [(turn.voice, turn.start_ms, turn.end_ms, turn.text) for turn in turns]


def test_a_short_pause_does_not_end_a_turn() -> None:
    turns = in_turns([spoke(0, 0, 1000, "您好"), spoke(0, 1600, 2000, "请讲")])
    assert spans(turns) == [(0, 0, 2000, "您好请讲")]
    assert [turns[0].text[t.start : t.end] for t in turns[0].tokens] == ["您", "好", "请", "讲"]
    assert [t.start_ms for t in turns[0].tokens] == [0, 0, 1600, 1600]


def test_a_long_pause_does() -> None:
    assert len(in_turns([spoke(0, 0, 1000), spoke(0, 1601, 2000)])) == 2


def test_turns_of_both_channels_are_ordered_by_their_start() -> None:
    turns = in_turns([spoke(1, 1200, 2000), spoke(1, 3100, 4000), spoke(0, 0, 1000), spoke(0, 2100, 3000)])
    assert [turn.voice for turn in turns] == [0, 1, 0, 1]


def test_a_word_of_the_other_in_the_pause_parts_a_turn() -> None:
    turns = in_turns([spoke(0, 0, 1000), spoke(1, 1050, 1400), spoke(0, 1500, 2000)])
    assert [turn.voice for turn in turns] == [0, 1, 0]


def test_the_others_word_that_reaches_into_the_pause_parts_a_turn() -> None:
    turns = in_turns([spoke(0, 0, 1000), spoke(1, 800, 1200), spoke(0, 1500, 2000)])
    assert [turn.voice for turn in turns] == [0, 1, 0]


def test_a_word_of_the_other_inside_a_sentence_does_not_part_it() -> None:
    turns = in_turns([spoke(0, 0, 1000, "一"), spoke(1, 300, 600, "嗯"), spoke(0, 1200, 2000, "二")])
    assert spans(turns) == [(0, 0, 2000, "一二"), (1, 300, 600, "嗯")]


def test_voices_that_are_not_told_apart_are_never_joined() -> None:
    assert len(in_turns([spoke(None, 0, 1000), spoke(None, 1100, 2000)])) == 2


def test_a_monologue_is_parted_at_a_pause() -> None:
    half = LONGEST_MS // 2
    turns = in_turns([spoke(0, 0, half), spoke(0, half + 100, 2 * half), spoke(0, 2 * half + 100, 2 * half + 900)])
    assert [(turn.start_ms, turn.end_ms) for turn in turns] == [(0, 2 * half), (2 * half + 100, 2 * half + 900)]


def test_latin_words_are_joined_with_a_space() -> None:
    assert in_turns([spoke(0, 0, 500, "hello"), spoke(0, 600, 900, "world")])[0].text == "hello world"


def test_the_emotion_that_lasted_longest_is_the_turns() -> None:
    parts = [spoke(0, 0, 1000, mood="neutral"), spoke(0, 1100, 1900, mood="angry"), spoke(0, 2000, 2900, mood="angry")]
    assert in_turns(parts)[0].emotion == "angry"
    assert in_turns([spoke(0, 0, 900), spoke(0, 1000, 1200, mood="sad")])[0].emotion == "sad"
    assert in_turns([spoke(0, 0, 900)])[0].emotion is None


def test_voices_without_a_speaker_are_unknown() -> None:
    turns = to_turns([spoke(0, 0, 1000), spoke(2, 1100, 2000)], {0: Speaker.AGENT})
    assert [turn.speaker for turn in turns] == [Speaker.AGENT, Speaker.UNKNOWN]
    assert turns[0].tokens == (Token(0, 1, 0, 1000, 0.9),)
