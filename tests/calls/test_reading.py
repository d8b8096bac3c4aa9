import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callgrade.calls.reading import parse_json, parse_labelled, read_transcript
from callgrade.domain.calls import Speaker, Transcript
from callgrade.domain.errors import TranscriptError

TURN = {"speaker": "agent", "start_ms": 0, "end_ms": 900, "text": "您好"}


def document(**changes):
    return {"schema": "callgrade.transcript/1", "call_id": "C-1", "turns": [TURN], **changes}


def parse(doc):
    return parse_json(json.dumps(doc, ensure_ascii=False), source="c.json")


def test_the_contracts_example_is_read():
    full = document(
        channel="phone", language="zh", started_at="2026-11-01T09:30:00+08:00", agent={"id": "8031", "team": "sales-2"},
        customer={"id": "c"}, queue="outbound-5g", facts={"direction": "outbound", "hold_ms": [12000]},
        turns=[{**TURN, "emotion": "neutral", "tokens": [[0, 1, 0, 180, 0.93], [1, 2, 180, 400]]}],
    )  # fmt: skip
    transcript = parse(full)
    assert transcript.turns[0].tokens[0].confidence == 0.93
    assert transcript.turns[0].tokens[1].confidence is None
    assert transcript.facts["hold_ms"] == [12000]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"turns": [{**TURN, "speaker": "boss"}]}, r"turns\[0\]\.speaker"),
        ({"turns": [{**TURN, "end_ms": -1}]}, r"turns\[0\]\.end_ms"),
        ({"turns": [{**TURN, "start_ms": 901}]}, "lies before start_ms"),
        ({"turns": [{**TURN, "tokens": [[0, 9, 0, 1, None]]}]}, "outside a text of 2"),
        ({"call_id": ""}, "call_id"),
        ({"score": 87}, "score"),
        ({"schema": "callgrade.transcript/9"}, "schema"),
        ({"started_at": "2026-11-01T09:30:00"}, "started_at"),
    ],
)
def test_a_wrong_field_is_named(changes, said):
    with pytest.raises(TranscriptError, match=said):
        parse(document(**changes))


def test_a_wrong_turn_is_found_in_its_line():
    text = json.dumps(document(turns=[TURN, TURN, {**TURN, "speaker": "boss"}]), indent=1)
    line = text[: text.index("boss")].count("\n") + 1
    with pytest.raises(TranscriptError) as error:
        parse_json(text, source="c.json")
    assert abs(error.value.line - line) <= 1  # the line where the turn begins


def test_what_was_said_is_not_in_the_message():
    with pytest.raises(TranscriptError) as error:
        parse(document(turns=[{**TURN, "text": 13800138000}]))
    assert "13800138000" not in str(error.value)


@pytest.mark.parametrize("text", ["{", "[1]", '{"a"', '{"turns": 3}', "{}", "[" * 5000])
def test_other_json_is_an_error(text):
    with pytest.raises(TranscriptError):
        parse_json(text, source="c.json")


def test_labelled_text_in_all_its_spellings():
    text = "坐席：您好\n\n 客户: 你好 \r\nAgent: hello: there\nCUSTOMER：hi\n系统：转接\n客服：好"
    turns = parse_labelled(text, call_id="C", source="c.txt").turns
    assert [t.speaker for t in turns] == ["agent", "customer", "agent", "customer", "system", "agent"]
    assert [t.text for t in turns] == ["您好", "你好", "hello: there", "hi", "转接", "好"]
    assert turns[0].start_ms is None


def test_a_line_without_a_label_is_named_with_its_number():
    with pytest.raises(TranscriptError, match=r"c\.txt:3: .*坐席："):
        parse_labelled("坐席：您好\n客户：你好\n老板：哼", call_id="C", source="c.txt")


def test_an_empty_file_and_other_encodings(tmp_path):
    empty, gbk = tmp_path / "empty.txt", tmp_path / "gbk.txt"
    empty.write_text("\n \n")
    gbk.write_bytes("坐席：您好".encode("gbk"))
    with pytest.raises(TranscriptError, match=r"empty\.txt: is empty"):
        read_transcript(empty)
    with pytest.raises(TranscriptError, match="is not UTF-8"):
        read_transcript(gbk)


def test_a_byte_order_mark_is_no_word(tmp_path):
    path = tmp_path / "bom.txt"
    path.write_text("坐席：您好", "utf-8-sig")
    transcript = read_transcript(path)
    assert (transcript.call_id, transcript.turns[0].speaker) == ("bom", Speaker.AGENT)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(st.text())
def test_no_text_crashes_the_reader(text):
    for read in (lambda: parse_json(text, source="x"), lambda: parse_labelled(text, call_id="C", source="x")):
        try:
            assert isinstance(read(), Transcript)
        except TranscriptError as error:
            assert str(error).startswith("x")
