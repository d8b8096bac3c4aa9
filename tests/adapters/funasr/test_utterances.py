"""Raw answers of recognisers become clean text and tokens that point into it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callgrade.adapters.funasr.utterances import Heard, Word, align, join_words, punctuated, read_answer
from callgrade.domain.calls import Token


def said(heard: Heard) -> list[tuple[str, int, int]]:
    return [(heard.text[t.start : t.end], t.start_ms, t.end_ms) for t in heard.tokens]


def test_sensevoice_tags_become_emotion_and_language_and_leave_the_text() -> None:
    heard = read_answer(
        {
            "text": "<|zh|><|ANGRY|><|Speech|><|woitn|>我要投诉",
            "timestamp": [[0, 90], [90, 210], [210, 330], [330, 450]],
            "words": ["我", "要", "投", "诉"],
        }
    )
    assert (heard.text, heard.emotion, heard.language) == ("我要投诉", "angry", "zh")
    assert said(heard) == [("我", 0, 90), ("要", 90, 210), ("投", 210, 330), ("诉", 330, 450)]


@pytest.mark.parametrize(
    ("tags", "emotion"),
    [
        ("<|zh|><|NEUTRAL|>", "neutral"),
        ("<|zh|><|HAPPY|>", "happy"),
        ("<|zh|><|SAD|>", "sad"),
        ("<|zh|><|EMO_UNKNOWN|>", None),
        ("", None),
    ],
)
def test_emotions_are_lower_case_and_unknown_is_none(tags: str, emotion: str | None) -> None:
    assert read_answer({"text": f"{tags}好"}).emotion == emotion


def test_a_tag_in_the_middle_of_the_text_is_no_word() -> None:
    heard = read_answer(
        {
            "text": "<|zh|><|NEUTRAL|><|Speech|><|woitn|>好的<|Laughter|>再见",
            "timestamp": [[0, 60], [60, 120], [120, 180], [180, 240], [240, 300]],
            "words": ["好", "的", "<|Laughter|>", "再", "见"],
        }
    )
    assert heard.text == "好的再见"
    assert [text for text, _, _ in said(heard)] == ["好", "的", "再", "见"]


def test_nothing_but_tags_and_nothing_at_all_are_empty() -> None:
    assert read_answer({"text": "<|nospeech|><|EMO_UNKNOWN|><|Event_UNK|><|woitn|>"}).text == ""
    assert read_answer({}) == Heard("")


def test_paraformer_parts_everything_with_spaces_and_names_no_words() -> None:
    heard = read_answer(
        {
            "text": "我 要 办 wifi 套 餐",
            "timestamp": [[0, 100], [100, 200], [200, 300], [300, 700], [700, 800], [800, 900]],
        }
    )
    assert heard.text == "我要办wifi套餐"
    assert said(heard)[3:5] == [("wifi", 300, 700), ("套", 700, 800)]


def test_times_that_fit_no_words_are_not_guessed() -> None:
    heard = read_answer({"text": "我 要 退 款", "timestamp": [[0, 100], [100, 200]]})
    assert (heard.text, heard.tokens) == ("我要退款", ())


def test_confidences_are_used_only_one_to_one() -> None:
    answer = {"text": "好 的", "timestamp": [[0, 100], [100, 200]]}
    assert [t.confidence for t in read_answer(answer, [0.9, 0.8]).tokens] == [0.9, 0.8]
    assert [t.confidence for t in read_answer(answer, [0.9]).tokens] == [None, None]
    assert [t.confidence for t in read_answer(answer).tokens] == [None, None]


def test_punctuation_moves_the_tokens_with_their_words() -> None:
    heard = read_answer({"text": "你 好 ok 再 见", "timestamp": [[0, 1], [1, 2], [2, 3], [3, 4], [4, 5]]}, [0.5] * 5)
    marked = punctuated(heard, "你好， Ok，再见。")
    assert marked.text == "你好，Ok，再见。"
    assert said(marked) == [("你", 0, 1), ("好", 1, 2), ("Ok", 2, 3), ("再", 3, 4), ("见", 4, 5)]
    assert {token.confidence for token in marked.tokens} == {0.5}


@pytest.mark.parametrize("changed", ["你好吗。", "你。", "", "妳好。"])
def test_a_punctuation_model_that_changes_words_is_not_followed(changed: str) -> None:
    heard = read_answer({"text": "你 好", "timestamp": [[0, 1], [1, 2]]})
    assert punctuated(heard, changed) == heard


@pytest.mark.parametrize(
    ("parted", "joined"),
    [
        ("我 要 5 g 套 餐", "我要5 g套餐"),
        ("hello , world", "hello , world"),
        ("how can I help", "how can I help"),
        ("您好， 请问", "您好，请问"),
        ("  ", ""),
    ],
)
def test_spaces_stay_where_the_script_has_them(parted: str, joined: str) -> None:
    assert join_words(parted) == joined


def test_a_word_that_is_not_in_the_text_gets_no_token() -> None:
    words = [Word("你", 0, 1), Word("啊", 1, 2), Word("好", 2, 3)]
    assert align("你好", words) == (Token(0, 1, 0, 1), Token(1, 2, 2, 3))


def test_pieces_of_words_lose_their_marks() -> None:
    assert align("wifi", [Word("▁wi@@", 0, 1), Word("fi", 1, 2)]) == (Token(0, 2, 0, 1), Token(2, 4, 1, 2))


TEXT = st.text(st.sampled_from("您好abC1 ，。？▁<|é漢"), max_size=40)


@given(text=TEXT, words=st.lists(TEXT, max_size=20))
def test_tokens_lie_inside_the_text_in_order_and_hold_their_word(text: str, words: list[str]) -> None:
    tokens = align(text, [Word(word, at, at + 1) for at, word in enumerate(words)])
    places = [place for token in tokens for place in (token.start, token.end)]
    assert places == sorted(places)
    assert all(0 <= place <= len(text) for place in places)
    for token in tokens:
        letters = [c.casefold() for c in text[token.start : token.end] if c.isalnum()]
        assert letters
        assert letters == [c.casefold() for c in words[token.start_ms] if c.isalnum()]


@given(words=st.lists(st.sampled_from(["您", "好", "wifi", "OK", "5"]), max_size=20))
def test_every_word_of_a_plain_answer_gets_its_token(words: list[str]) -> None:
    stamps = [[100 * at, 100 * at + 100] for at in range(len(words))]
    heard = read_answer({"text": " ".join(words), "timestamp": stamps})
    assert said(heard) == [(word, *stamp) for word, stamp in zip(words, stamps, strict=True)]


@given(text=TEXT)
def test_joining_again_changes_nothing(text: str) -> None:
    assert join_words(join_words(text)) == join_words(text)
