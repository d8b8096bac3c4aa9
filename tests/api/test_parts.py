"""Forms, ranges, tags and cursors by themselves."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callgrade.api.bodies import MalformedBodyError, Pull, UnsupportedMediaError
from callgrade.api.etags import etag_of
from callgrade.api.multipart import parts_of
from callgrade.api.paging import decoded, encoded, page_of
from callgrade.calls.ranges import RangeNotSatisfiableError, Span, pieces, wanted_span
from callgrade.domain.errors import InputError

FORM = (
    b'--b\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n{"call_id": "x"}\r\n'
    b'--b\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n'
    + bytes(range(256)) * 5
    + b"\r\n--b--\r\n"
)
TYPE = "multipart/form-data; boundary=b"


def pulled(body: bytes, size: int) -> Pull:
    left = [body[i : i + size] for i in range(0, len(body), size)]
    return lambda: left.pop(0) if left else b""


@given(st.integers(1, len(FORM)))
def test_parts_are_the_same_wherever_the_pieces_end(size: int) -> None:
    found = [(p.name, p.file_name, p.media_type, p.stream.read()) for p in parts_of(pulled(FORM, size), TYPE)]
    assert found == [
        ("metadata", None, None, b'{"call_id": "x"}'),
        ("audio", "a.wav", "audio/wav", bytes(range(256)) * 5),
    ]


def test_a_part_that_nobody_reads_is_passed_over() -> None:
    assert [part.name for part in parts_of(pulled(FORM, 100), TYPE)] == ["metadata", "audio"]


@given(st.integers(0, len(FORM) - 5))
def test_a_form_that_ends_early_is_never_whole(end: int) -> None:
    with pytest.raises(MalformedBodyError):
        [part.stream.read() for part in parts_of(pulled(FORM[:end], 64), TYPE)]


@given(st.binary(max_size=300), st.integers(1, 50))
def test_anything_else_is_refused_and_nothing_breaks(body: bytes, size: int) -> None:
    try:
        for part in parts_of(pulled(b"--b\r\n" + body, size), TYPE):
            part.stream.read()
    except MalformedBodyError:
        pass


@pytest.mark.parametrize("content_type", ["", "multipart/form-data", "text/plain", "multipart/mixed; boundary=b"])
def test_a_form_without_its_boundary_is_none(content_type: str) -> None:
    with pytest.raises(UnsupportedMediaError):
        list(parts_of(pulled(FORM, 100), content_type))


@pytest.mark.parametrize(
    ("header", "span"),
    [
        (None, None),
        ("bytes=0-0", Span(0, 0)),
        ("bytes=2-", Span(2, 9)),
        ("bytes=-3", Span(7, 9)),
        ("bytes=-99", Span(0, 9)),
        ("bytes=0-999999999999999999", Span(0, 9)),
        ("bytes=5-2", None),
        ("bytes=-", None),
        ("bytes=0-1,3-4", None),
        ("items=0-1", None),
        ("bytes=a-b", None),
    ],
)
def test_ranges(header: str | None, span: Span | None) -> None:
    assert wanted_span(header, 10) == span


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=-0", "bytes=99-100"])
def test_a_range_behind_the_end(header: str) -> None:
    with pytest.raises(RangeNotSatisfiableError):
        wanted_span(header, 10)


def test_pieces_close_what_they_read() -> None:
    stream = io.BytesIO(bytes(range(256)) * 4096)
    assert b"".join(pieces(stream, Span(255, 300_000))) == (bytes(range(256)) * 4096)[255:300_001]
    assert stream.closed


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=100))
def test_cursors_come_back(key: str) -> None:
    assert decoded(encoded(key)) == key


@given(st.text(max_size=60))
def test_what_is_no_cursor_is_refused_or_harmless(text: str) -> None:
    try:
        key = decoded(text)
    except InputError:
        return
    assert key.isascii()
    assert key.isprintable()


def test_a_page_after_an_item_that_is_gone_is_the_last() -> None:
    page = page_of(["a", "b", "c"], encoded("b"), 1, key=str)
    assert (page.items, page.next_cursor) == (["c"], None)
    assert page_of(["a", "c"], encoded("b"), 1, key=str).items == []


def test_tags_tell_apart() -> None:
    assert etag_of("a", "bc") != etag_of("ab", "c")
