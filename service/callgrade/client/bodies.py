"""Bodies of requests, that can be sent again from their beginning when the line broke."""

import hashlib
import mimetypes
import os
from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Any, BinaryIO

from pydantic import BaseModel
from pydantic_core import to_json

from callgrade.client.models import RecordingMetadata

PIECE = 65_536
HELD_IN_MEMORY = 8 * 1024 * 1024
Progress = Callable[[int, int | None], None]
"""Called with (bytes sent, bytes in all or None where that is not known). A repeated request begins at 0 again."""
Content = str | os.PathLike[str] | bytes | BinaryIO
"""A path, the bytes, or a file that was opened to be read as bytes."""
Audio = Content
Document = BaseModel | Mapping[str, Any]


class Body(ABC):
    """`length` in bytes is None where it is not known before the end."""

    media_type: str
    length: int | None = None

    @abstractmethod
    def pieces(self) -> Iterator[bytes]:
        """From the beginning, each time it is asked for."""

    async def apieces(self) -> AsyncIterator[bytes]:
        for piece in self.pieces():
            yield piece

    def close(self) -> None:
        """Clears away what was kept for a repetition."""
        return


class JsonBody(Body):
    media_type = "application/json"

    def __init__(self, document: Document):
        self._content = as_json(document)
        self.length = len(self._content)

    def pieces(self) -> Iterator[bytes]:
        yield self._content


class FormBody(Body):
    """A recording and what is said of it. Read as it is sent, so it may be larger than memory.

    Its boundary follows from `key`, so that the same request is the same body, byte for byte.
    """

    def __init__(self, audio: Audio, metadata: RecordingMetadata, *, key: str, file_name: str | None = None):
        self._audio = _Source(audio)
        name = file_name or _name_of(audio)
        if metadata.call_id is None:
            if not name:
                raise ValueError("call_id is missing, and the audio has no file name to take its place")
            metadata = metadata.model_copy(update={"call_id": name[:200]})
        boundary = "callgrade-" + hashlib.sha256(key.encode()).hexdigest()[:32]
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        self._before = b"".join(
            (
                f'--{boundary}\r\nContent-Disposition: form-data; name="metadata"\r\n'.encode(),
                b"Content-Type: application/json\r\n\r\n",
                to_json(metadata.model_dump(exclude_unset=True, mode="json")),
                f"\r\n--{boundary}\r\n".encode(),
                f'Content-Disposition: form-data; name="audio"; filename="{_escaped(name or "audio")}"\r\n'.encode(),
                f"Content-Type: {kind}\r\n\r\n".encode(),
            )
        )
        self._after = f"\r\n--{boundary}--\r\n".encode()
        self.media_type = f"multipart/form-data; boundary={boundary}"
        self.length = len(self._before) + self._audio.size + len(self._after)

    def pieces(self) -> Iterator[bytes]:
        held = self._before
        for piece in self._audio.pieces():
            held += piece
            if len(held) >= PIECE:
                yield held
                held = b""
        yield held + self._after

    def apieces(self) -> AsyncIterator[bytes]:
        return _beside_the_loop(self.pieces())


class CsvBody(Body):
    """A list of recordings as a CSV file, read as it is sent."""

    media_type = "text/csv"

    def __init__(self, manifest: Content):
        self._source = _Source(manifest)
        self.length = self._source.size

    def pieces(self) -> Iterator[bytes]:
        return self._source.pieces()

    def apieces(self) -> AsyncIterator[bytes]:
        return _beside_the_loop(self.pieces())


class LinesBody(Body):
    """One document a line. What can be gone through once only is kept in a temporary file as it is sent."""

    media_type = "application/x-ndjson"

    def __init__(self, documents: Iterable[Document | str | bytes]):
        self._documents = documents
        self._kept: _Kept | None = None
        if iter(documents) is documents:
            self._kept = _Kept(_gathered(map(as_line, documents)))

    def pieces(self) -> Iterator[bytes]:
        return self._kept.pieces() if self._kept else _gathered(map(as_line, self._documents))

    def close(self) -> None:
        if self._kept:
            self._kept.close()


class AsyncLinesBody(Body):
    """The same of documents that come asynchronously."""

    media_type = "application/x-ndjson"

    def __init__(self, documents: AsyncIterable[Document | str | bytes]):
        self._source = _agathered(documents)
        self._file: IO[bytes] = SpooledTemporaryFile(HELD_IN_MEMORY)  # noqa: SIM115  closed by close()
        self._failure: BaseException | None = None

    def pieces(self) -> Iterator[bytes]:
        raise TypeError("these documents come asynchronously; give them to AsyncClient")

    async def apieces(self) -> AsyncIterator[bytes]:
        self._file.seek(0)
        for piece in _read(self._file):
            yield piece
        if self._failure:
            raise self._failure
        try:
            async for piece in self._source:
                self._file.write(piece)
                yield piece
        except GeneratorExit:
            raise
        except BaseException as error:
            self._failure = error
            raise

    def close(self) -> None:
        self._file.close()


class _Source:
    """Content that can be gone through again from where it began. `size` in bytes."""

    def __init__(self, content: Content):
        self._content = content
        self._start = 0 if isinstance(content, bytes | str | os.PathLike) else content.tell()
        self.size = self._size()

    def pieces(self) -> Iterator[bytes]:
        content = self._content
        if isinstance(content, bytes):
            yield from (content[i : i + PIECE] for i in range(0, len(content), PIECE))
        elif isinstance(content, str | os.PathLike):
            with Path(content).open("rb") as file:
                yield from _read(file)
        else:
            content.seek(self._start)
            yield from _read(content)

    def _size(self) -> int:
        content = self._content
        if isinstance(content, bytes):
            return len(content)
        if isinstance(content, str | os.PathLike):
            return Path(content).stat().st_size
        return content.seek(0, os.SEEK_END) - self._start


class _Kept:
    """Pieces from a source that can be gone through once, and again from the file they were written to."""

    def __init__(self, source: Iterator[bytes]):
        self._source = source
        self._file: IO[bytes] = SpooledTemporaryFile(HELD_IN_MEMORY)  # noqa: SIM115  closed by close()
        self._failure: BaseException | None = None

    def pieces(self) -> Iterator[bytes]:
        self._file.seek(0)
        yield from _read(self._file)
        # a source that failed looks as if it were at its end: what it gave so far must not pass for all
        if self._failure:
            raise self._failure
        while (piece := self._next()) is not None:
            yield piece

    def _next(self) -> bytes | None:
        try:
            piece = next(self._source, None)
        except BaseException as error:
            self._failure = error
            raise
        if piece is not None:
            self._file.write(piece)
        return piece

    def close(self) -> None:
        self._file.close()


def as_json(document: Document) -> bytes:
    """Raises ValueError for what JSON cannot say."""
    if isinstance(document, BaseModel):
        return document.model_dump_json(by_alias=True).encode()
    return to_json(document, by_alias=True)


def as_line(document: Document | str | bytes) -> bytes:
    """Text is taken for a line of JSON as it is."""
    if isinstance(document, str):
        document = document.encode()
    line = document.strip() if isinstance(document, bytes) else as_json(document)
    if b"\n" in line:
        raise ValueError("a document of a batch is one line of JSON, and this one has a line break in it")
    return line + b"\n"


def watched(pieces: Iterator[bytes], length: int | None, progress: Progress | None) -> Iterator[bytes]:
    """Reports a piece when the next one is asked for: then it is on its way."""
    if progress is None:
        yield from pieces
        return
    sent = 0
    for piece in pieces:
        progress(sent, length)
        yield piece
        sent += len(piece)
    progress(sent, length)


async def awatched(pieces: AsyncIterator[bytes], length: int | None, progress: Progress | None) -> AsyncIterator[bytes]:
    sent = 0
    async for piece in pieces:
        if progress:
            progress(sent, length)
        yield piece
        sent += len(piece)
    if progress:
        progress(sent, length)


async def _beside_the_loop(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    from anyio.to_thread import run_sync

    # a disk may be slow: the loop serves others meanwhile
    while (piece := await run_sync(next, pieces, None)) is not None:
        yield piece


def _read(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(PIECE):
        yield piece


def _gathered(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Many short lines as few pieces: each one costs a turn of the wire."""
    held, size = list[bytes](), 0
    for line in lines:
        held.append(line)
        size += len(line)
        if size >= PIECE:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


async def _agathered(documents: AsyncIterable[Document | str | bytes]) -> AsyncIterator[bytes]:
    held, size = list[bytes](), 0
    async for document in documents:
        line = as_line(document)
        held.append(line)
        size += len(line)
        if size >= PIECE:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


def _name_of(audio: Audio) -> str:
    if isinstance(audio, bytes):
        return ""
    with suppress(TypeError):
        named = audio if isinstance(audio, str | os.PathLike) else getattr(audio, "name", "")
        return Path(named).name
    return ""


def _escaped(name: str) -> str:
    """As browsers do (WHATWG HTML, multipart/form-data)."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
