"""Recordings from where a client says they are: https://storage.example/2026/C-00001.wav.

The URL is a client's, so nothing about it is believed: not its host (see guarded.py), not where it redirects to, not
what it says its content is or how long. What comes is bytes for the blob store; what they are, the recogniser finds
out. A URL may carry a signature or a number, so neither logs nor errors repeat it.
"""

import io
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, cast
from urllib.parse import urljoin

import httpcore

from callgrade.adapters.guarded import (
    Deadline,
    FetchFailedError,
    GuardedBackend,
    Resolve,
    exchange,
    header,
    resolve,
    without_wire_errors,
)
from callgrade.adapters.streams import Pull, Pulled
from callgrade.calls.urls import Sources, Target, UrlRefusedError
from callgrade.domain.errors import InputError, TooLargeError
from callgrade.domain.frozen import Frozen
from callgrade.ports import BlobStore, StoredBlob

REDIRECTS = frozenset({301, 302, 303, 307, 308})
WORTH_ANOTHER_TRY = frozenset({408, 425, 429})
PIECE = 262_144


class FetchRefusedError(InputError):
    """The host answered, and gives no recording."""


class Limits(Frozen):
    """`seconds` counts from the first lookup to the last byte, over all redirects."""

    bytes: int = 512_000_000
    seconds: float = 900.0
    connect_s: float = 10.0
    read_s: float = 30.0
    redirects: int = 5


class Fetcher:
    """Fetches recordings over http and https. Threads may share it.

    >>> fetcher = Fetcher(allow_private=settings.service.allow_private_urls)     # doctest: +SKIP
    >>> blob = fetcher.keep("https://storage.example/C-00001.wav", blobs)        # doctest: +SKIP
    """

    def __init__(
        self,
        *,
        allow_private: bool = False,
        hosts: Sequence[str] = (),
        limits: Limits | None = None,
        resolve: Resolve = resolve,
        network: httpcore.NetworkBackend | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ):
        """`allow_private`, `hosts`: see calls.urls.Sources. `resolve`, `network` and `ssl_context` are for tests."""
        self._sources, self._limits = Sources(allow_private, tuple(hosts)), limits or Limits()
        self._resolve, self._network, self._ssl_context = resolve, network, ssl_context

    def keep(self, url: str, blobs: BlobStore) -> StoredBlob:
        """Fetches into the blob store, whole or not at all.

        Raises UrlRefusedError, FetchRefusedError, TooLargeError; FetchFailedError, which is `retryable`; and whatever
        the store raises.
        """
        with self.open(url) as stream:
            return blobs.put(stream)

    @contextmanager
    def open(self, url: str) -> Iterator[BinaryIO]:
        """The bytes at `url`, to be read once. Errors as in `keep`, from reading too."""
        backend = GuardedBackend(
            Deadline(self._limits.seconds),
            allow_private=self._sources.allow_private,
            resolve=self._resolve,
            inner=self._network,
        )
        target = self._sources.target(url)
        for _ in range(self._limits.redirects + 1):
            with self._asked(backend, target) as response:
                if response.status not in REDIRECTS:
                    yield cast("BinaryIO", io.BufferedReader(self._body(response), PIECE))
                    return
                target = self._next(target, response)
        raise FetchRefusedError(f"the URL redirects more than {self._limits.redirects} times")

    @contextmanager
    def _asked(self, backend: GuardedBackend, target: Target) -> Iterator[httpcore.Response]:
        with exchange(
            backend,
            "GET",
            target,
            headers={"Accept": "*/*", "Accept-Encoding": "identity"},
            connect_s=self._limits.connect_s,
            read_s=self._limits.read_s,
            ssl_context=self._ssl_context,
        ) as response:
            yield response

    def _next(self, target: Target, response: httpcore.Response) -> Target:
        location = header(response, "location")
        if not location:
            raise FetchRefusedError(f"the URL's host answers {response.status} without saying where to")
        try:
            following = self._sources.target(urljoin(target.url, location))
        except ValueError:
            raise UrlRefusedError("the URL redirects to what is no URL") from None
        if target.scheme == "https" and following.scheme == "http":
            raise UrlRefusedError("the URL redirects from https to http, which is refused")
        return following

    def _body(self, response: httpcore.Response) -> Pulled:
        status = response.status
        if status >= 500 or status in WORTH_ANOTHER_TRY:
            raise FetchFailedError(f"the URL's host answers {status}")
        if status != 200:
            raise FetchRefusedError(f"the URL's host answers {status}, and no recording")
        if header(response, "content-encoding").lower() not in ("", "identity"):
            raise FetchRefusedError("the URL's host sends the recording compressed, though it was asked not to")
        announced = header(response, "content-length")
        if announced.isdigit() and int(announced) > self._limits.bytes:
            raise _too_large(self._limits.bytes)
        return Pulled(_at_most(self._limits.bytes, response.iter_stream()))


def _at_most(most: int, pieces: Iterator[bytes]) -> Pull:
    """The pieces of a body. Raises TooLargeError beyond `most` bytes, FetchRefusedError where there are none."""
    came = 0

    def pull() -> bytes:
        nonlocal came
        with without_wire_errors():
            piece = next(filter(None, pieces), b"")
        came += len(piece)
        if came > most:
            raise _too_large(most)
        if came == 0:
            raise FetchRefusedError("there are no bytes at the URL")
        return piece

    return pull


def _too_large(most: int) -> TooLargeError:
    return TooLargeError(f"the recording at the URL is larger than the {most // 1_000_000} MB that are taken here")
