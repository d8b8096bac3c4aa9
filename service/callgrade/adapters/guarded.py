"""The only way out to addresses that a client named: over a line that checks the very address it connects to.

A host is resolved once, here; all of its addresses must be allowed, and the connection goes to one of those and not
through the resolver again, so a name that answers differently the next time gains nothing. TLS still asks for the
host's name (SNI, certificate), and so does the Host header. Proxies set in the environment are not used: they would
resolve the name themselves.
"""

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import Any

import httpcore

from callgrade.calls.addresses import IPAddress, refusal
from callgrade.calls.urls import Target, UrlRefusedError
from callgrade.domain.errors import CallgradeError

Resolve = Callable[[str, int], Sequence[str]]
"""All addresses of a host. Raises OSError where it has none."""
Clock = Callable[[], float]
MOST_ADDRESSES = 4
USER_AGENT = "callgrade (+https://github.com/callgrade/callgrade)"


class FetchFailedError(CallgradeError):
    """The other side could not be reached, broke off, took too long, or is out of order. Later it may work."""

    status = 502
    retryable = True


def resolve(host: str, port: int) -> list[str]:
    """By the system's resolver, each address once."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Deadline:
    """How long the whole of it may take, however slowly the other side drips."""

    def __init__(self, seconds: float, clock: Clock = time.monotonic):
        self._clock, self._seconds = clock, seconds
        self.begin()

    def begin(self) -> None:
        """From now on, for a connection that is used again."""
        self._end = self._clock() + self._seconds

    def left(self, timeout: float | None) -> float:
        """`timeout` in seconds, or what is left. Raises httpcore.ReadTimeout when nothing is."""
        left = self._end - self._clock()
        if left <= 0:
            raise httpcore.ReadTimeout("the time is up")
        return left if timeout is None else min(timeout, left)


class GuardedBackend(httpcore.NetworkBackend):
    """Connects to checked addresses only. `inner` makes the connections."""

    def __init__(
        self,
        deadline: Deadline,
        *,
        allow_private: bool = False,
        resolve: Resolve = resolve,
        inner: httpcore.NetworkBackend | None = None,
    ):
        self._deadline, self._allow_private, self._resolve = deadline, allow_private, resolve
        self._inner = inner or httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        failure: httpcore.ConnectError | httpcore.ConnectTimeout = httpcore.ConnectError("no address")
        for address in self._checked(host, port)[:MOST_ADDRESSES]:
            left = self._deadline.left(timeout)
            try:
                return TimedStream(
                    self._inner.connect_tcp(str(address), port, left, None, socket_options), self._deadline
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def _checked(self, host: str, port: int) -> list[IPAddress]:
        """One address out of bounds refuses them all: a host with one foot inside is nobody's storage."""
        try:
            addresses = [ipaddress.ip_address(text) for text in self._addresses(host, port)]
        except (OSError, ValueError):
            raise httpcore.ConnectError("the name does not resolve") from None
        if any(refusal(address, allow_private=self._allow_private) for address in addresses):
            # which address it was stays here: the answer would tell what our own network looks like
            raise UrlRefusedError("the URL's host has an address that is refused: it is not public")
        return addresses

    def _addresses(self, host: str, port: int) -> Sequence[str]:
        try:
            return [str(ipaddress.ip_address(host))]
        except ValueError:
            return self._resolve(host, port)

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.NetworkStream:
        raise UrlRefusedError("a socket of this machine is refused")


class TimedStream(httpcore.NetworkStream):
    """A connection whose every wait ends at the deadline."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline):
        self._inner, self._deadline = inner, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadline.left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secured = self._inner.start_tls(ssl_context, server_hostname, self._deadline.left(timeout))
        return TimedStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


@cache
def trusted() -> ssl.SSLContext:
    """The usual authorities; reading them takes 20 ms, so once."""
    return httpcore.default_ssl_context()


@contextmanager
def exchange(
    backend: httpcore.NetworkBackend,
    method: str,
    target: Target,
    *,
    headers: Mapping[str, str],
    content: bytes | None = None,
    connect_s: float = 10.0,
    read_s: float = 30.0,
    ssl_context: ssl.SSLContext | None = None,
) -> Iterator[httpcore.Response]:
    """One request and its answer, whose body is still to be read. Follows nothing, keeps nothing for later.

    Raises FetchFailedError without an answer, UrlRefusedError for an address out of bounds.
    """
    pool = httpcore.ConnectionPool(
        ssl_context=ssl_context or trusted(), max_connections=1, max_keepalive_connections=0, network_backend=backend
    )
    headers = {"Connection": "close", **headers}
    with (
        without_wire_errors(),
        pool,
        asked(pool, method, target, headers=headers, content=content, connect_s=connect_s, read_s=read_s) as response,
    ):
        yield response


def asked(
    pool: httpcore.ConnectionPool,
    method: str,
    target: Target,
    *,
    headers: Mapping[str, str],
    content: bytes | None = None,
    connect_s: float = 10.0,
    read_s: float = 30.0,
) -> AbstractContextManager[httpcore.Response]:
    """A request over a pool whose way out is guarded, with the wire's own errors."""
    url = httpcore.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.target)
    sent = {"Host": target.authority, "User-Agent": USER_AGENT, **headers}
    if content is not None:
        sent["Content-Length"] = str(len(content))
    timeouts = {"connect": connect_s, "read": read_s, "write": read_s, "pool": connect_s}
    return pool.stream(method, url, headers=list(sent.items()), content=content, extensions={"timeout": timeouts})


def header(response: httpcore.Response, name: str) -> str:
    """Its first value, or nothing."""
    wanted = name.encode()
    return next((value.decode("latin-1").strip() for key, value in response.headers if key.lower() == wanted), "")


@contextmanager
def without_wire_errors() -> Iterator[None]:
    """Errors of the wire as ours. Their own text may hold addresses, and stays out."""
    try:
        yield
    except httpcore.TimeoutException:
        raise FetchFailedError("the URL's host took too long") from None
    except httpcore.ConnectError as error:
        kind = "its certificate is not valid for it" if isinstance(_root(error), ssl.SSLError) else "cannot be reached"
        raise FetchFailedError(f"the URL's host: {kind}") from None
    except (httpcore.NetworkError, httpcore.ProtocolError):
        raise FetchFailedError("the URL's host broke off or did not speak HTTP") from None


def _root(error: BaseException) -> BaseException:
    while (below := error.__cause__ or error.__context__) is not None:
        error = below
    return error
