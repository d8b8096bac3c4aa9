import json

import pytest

from callgrade.calls.reading import parse_sent
from callgrade.calls.texts import is_whole, may_hold_unstorable, require_whole, require_whole_json
from callgrade.domain.errors import TranscriptError


@pytest.mark.parametrize("text", ["", "您好", "a\u2028b", "\x01", "𠀀", "\ufffe"])
def test_what_a_database_keeps(text):
    assert is_whole(text)
    require_whole({text or "a": [text]})


@pytest.mark.parametrize("text", ["\0", "好\0的", "\ud800", "a\udfffb"])
def test_what_it_does_not_is_named_by_its_place_and_not_by_its_words(text):
    for document, place in (
        ({"call_id": text}, "call_id: holds"),
        ({"turns": [{"text": "您好"}, {"text": f"保密{text}"}]}, "turns[1].text: holds"),
        ({"facts": {f"13800138000{text}": 1}}, "facts: a name holds"),
        ({"facts": {"13800138000": text}}, "facts.…: holds"),
        ([text], "[0]: holds"),
        (text, "the document: holds"),
    ):
        with pytest.raises(TranscriptError) as refused:
            require_whole(document, source="body")
        assert str(refused.value).startswith(f"body: {place} a character that cannot be stored")
        assert "保密" not in str(refused.value)
        assert "138" not in str(refused.value)


def test_only_a_body_with_such_an_escape_is_looked_through():
    for harmless in ('{"a": "您好 \\u4e00 \\ue000"}', "{}", '{"a": "𠀀"}'):
        assert not may_hold_unstorable(harmless.encode())
    for written in ('{"a": "\\u0000"}', '{"a": "\\uD83D\\uDE00"}', '{"a": "\\udfff"}'):
        assert may_hold_unstorable(written.encode())
    # a whole pair is a character, and a backslash that is said is no escape
    require_whole_json(b'{"a": "\\uD83D\\uDE00"}')
    require_whole_json(b'{"a": "\\\\u0000"}')
    # what is no JSON is somebody else's to name
    require_whole_json(b'{"a": "\\u0000"')
    with pytest.raises(TranscriptError, match="nested too deeply"):
        require_whole(_nested(20_000))


def _nested(depth):
    document = "\0"
    for _ in range(depth):
        document = [document]
    return document


def test_a_sent_transcript_is_read_or_says_why_not():
    call = {"call_id": "C-1", "turns": [{"speaker": "agent", "text": "您好"}]}
    written = json.dumps(call).encode()
    assert parse_sent(written, source="body") == parse_sent(b"\xef\xbb\xbf" + written, source="body")
    for body, told in (
        (b"", "body: is empty"),
        (b"\xff", "body: is not UTF-8"),
        (b"{", "body:1: is neither"),
        (b'{"call_id": 7}', "call_id"),
        (b'\xef\xbb\xbf{"call_id": "\\u0000"}', "body: call_id: holds a character"),
    ):
        with pytest.raises(TranscriptError) as refused:
            parse_sent(body, source="body")
        assert told in str(refused.value)
