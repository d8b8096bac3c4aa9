"""Bodies as lines: whatever the pieces they come in, with their own numbers, and in constant memory."""

import json
import tracemalloc
from collections.abc import Iterator

import pytest

from callgrade.calls.manifest import ManifestError
from callgrade.calls.urls import Sources
from callgrade.domain.errors import InputError
from callgrade.evaluations.incoming import Incoming, Pull, csv_reader_of, lines_of, read_ndjson

HEADER = "audio_url,call_id,agent.id\n"
READ = csv_reader_of(Sources())


def pulled(*pieces: bytes) -> Pull:
    left = list(pieces)
    return lambda: left.pop(0) if left else b""


def test_lines_are_found_wherever_the_pieces_end() -> None:
    text = b'{"a":1}\r\n\n{"b":2}\n  \n{"c":3}'
    whole = list(lines_of(pulled(text)))
    assert whole == [(1, b'{"a":1}'), (3, b'{"b":2}'), (5, b'{"c":3}')]
    for size in range(1, len(text)):
        pieces = [text[i : i + size] for i in range(0, len(text), size)]
        assert list(lines_of(pulled(*pieces))) == whole


def test_a_line_too_long_is_told_and_never_held() -> None:
    piece = b"x" * 65_536
    pieces = [b"first\n", *[piece] * 300, b"\nthird\n"]
    tracemalloc.start()
    found = list(lines_of(pulled(*pieces), longest=1_000_000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == [(1, b"first"), (2, None), (3, b"third")]
    assert peak < 3_000_000


def row(number: int) -> str:
    return f"https://storage.example.com/{number}.wav?sig=x,C-{number},8031\n"


def listed(incoming: Incoming) -> list[tuple[int, bytes | str]]:
    return [(number, line if isinstance(line, bytes) else line.type) for number, line in incoming.lines]


def test_ndjson_passes_as_it_is() -> None:
    found = read_ndjson(pulled(b'{"a":1}\n\nwhatever\n'))
    assert (found.first, listed(found)) == (1, [(1, b'{"a":1}'), (3, b"whatever")])


def test_a_row_of_csv_is_the_line_that_it_means_under_its_own_number() -> None:
    text = f"\n{HEADER}{row(1)}\n{row(2)}"
    for size in (1, 7, 1000):
        pieces = [text.encode()[i : i + size] for i in range(0, len(text), size)]
        found = READ(pulled(*pieces))
        assert found.first == 3
        (first, one), (second, two) = found.lines
        assert (first, second) == (3, 5)
        assert isinstance(one, bytes)
        assert isinstance(two, bytes)
        assert json.loads(one) == {
            "audio_url": "https://storage.example.com/1.wav?sig=x", "call_id": "C-1", "agent": {"id": "8031"},
        }  # fmt: skip


def test_bad_rows_are_faults_and_stop_nothing() -> None:
    text = f"{HEADER}{row(1)}https://storage.example.com/a.wav,C-2\nhttp://10.0.0.7/a.wav,C-3,8031\n{row(4)}"
    found = listed(READ(pulled(text.encode())))
    assert [number for number, _ in found] == [2, 3, 4, 5]
    assert [line for _, line in found if isinstance(line, str)] == ["manifest", "url-refused"]


@pytest.mark.parametrize("header", ["", "call_id\n", "audio_url,call_id,colour\n", '"audio_url,call_id\n'])
def test_a_header_that_makes_no_sense_is_refused_before_any_row(header: str) -> None:
    with pytest.raises(ManifestError):
        READ(pulled((header + row(1)).encode()))


def test_a_long_list_needs_no_more_memory_than_a_short_one() -> None:
    def pieces() -> Iterator[bytes]:
        yield HEADER.encode()
        for start in range(0, 20_000, 500):
            yield "".join(row(number) for number in range(start, start + 500)).encode()

    made = pieces()
    tracemalloc.start()
    count = sum(1 for _ in READ(lambda: next(made, b"")).lines)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 20_000
    assert peak < 1_000_000


def test_a_row_too_long_is_a_fault() -> None:
    text = (HEADER + row(1) + "x" * 10_000_001 + "\n" + row(3)).encode()
    found = [(number, line) for number, line in READ(pulled(text)).lines if isinstance(line, InputError)]
    assert [(number, str(error)) for number, error in found] == [(3, "is too long")]
