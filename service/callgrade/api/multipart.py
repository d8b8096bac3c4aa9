"""multipart/form-data, part by part while it comes in. Nothing is kept aside: a part is read when it passes."""

import io
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, cast

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from callgrade.adapters.streams import Pull, Pulled
from callgrade.api.bodies import MalformedBodyError, UnsupportedMediaError

MOST_HEADER_BYTES = 16_384


@dataclass
class Part:
    """`stream` must be read before the next part is asked for; what is left of it is passed over."""

    name: str
    file_name: str | None
    media_type: str | None
    stream: BinaryIO


@dataclass
class _Passing:
    """What the parser has seen and nobody has taken yet."""

    headers: dict[bytes, bytes] = field(default_factory=dict)
    name: bytearray = field(default_factory=bytearray)
    value: bytearray = field(default_factory=bytearray)
    events: deque[tuple[str, bytes]] = field(default_factory=deque)
    begun: deque[dict[bytes, bytes]] = field(default_factory=deque)
    """The headers of parts that have begun: one piece of the body may hold several parts."""
    header_bytes: int = 0


def parts_of(pull: Pull, content_type: str) -> Iterator[Part]:
    """Raises MalformedBodyError where the body is not what its Content-Type says, or ends early."""
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise UnsupportedMediaError("send multipart/form-data with its boundary")
    passing = _Passing()
    parser = MultipartParser(boundary, callbacks=_callbacks(passing))  # type: ignore[arg-type]
    events = _events(pull, parser, passing)
    for event, _ in events:
        if event == "begin":
            part = _part(passing.begun.popleft(), events)
            yield part
            while part.stream.read(65_536):
                pass


def _events(pull: Pull, parser: MultipartParser, passing: _Passing) -> Iterator[tuple[str, bytes]]:
    while True:
        while passing.events:
            event = passing.events.popleft()
            yield event
            if event[0] == "close":
                while pull():  # what stands behind the last boundary means nothing
                    pass
                return
        piece = pull()
        if not piece:
            raise MalformedBodyError("the form ends before its closing boundary")
        try:
            parser.write(piece)
        except MultipartParseError:
            raise MalformedBodyError("the body is not multipart/form-data as its boundary says") from None


def _callbacks(passing: _Passing) -> dict[str, object]:
    def grow(target: bytearray, data: bytes, start: int, end: int) -> None:
        passing.header_bytes += end - start
        if passing.header_bytes > MOST_HEADER_BYTES:
            raise MalformedBodyError("the form's part headers are too long")
        target += data[start:end]

    def header_end() -> None:
        passing.headers[bytes(passing.name).lower()] = bytes(passing.value)
        passing.name, passing.value = bytearray(), bytearray()

    def headers_end() -> None:
        passing.begun.append(passing.headers)
        passing.headers = {}
        passing.events.append(("begin", b""))

    return {
        "on_header_field": lambda data, start, end: grow(passing.name, data, start, end),
        "on_header_value": lambda data, start, end: grow(passing.value, data, start, end),
        "on_header_end": header_end,
        "on_headers_finished": headers_end,
        "on_part_data": lambda data, start, end: passing.events.append(("data", data[start:end])),
        "on_part_end": lambda: passing.events.append(("end", b"")),
        "on_end": lambda: passing.events.append(("close", b"")),
    }


def _part(headers: dict[bytes, bytes], events: Iterator[tuple[str, bytes]]) -> Part:
    disposition, options = parse_options_header(headers.get(b"content-disposition", b""))
    if disposition != b"form-data" or b"name" not in options:
        raise MalformedBodyError("a part of the form has no name")
    ended = False

    def pull() -> bytes:
        nonlocal ended
        while not ended:
            event, data = next(events)
            ended = event == "end"
            if data:
                return data
        return b""

    file_name = options.get(b"filename")
    media_type = headers.get(b"content-type")
    return Part(
        name=options[b"name"].decode("utf-8", "replace"),
        file_name=file_name.decode("utf-8", "replace") if file_name else None,
        media_type=media_type.decode("latin-1") if media_type else None,
        stream=cast("BinaryIO", io.BufferedReader(Pulled(pull), 65_536)),
    )
