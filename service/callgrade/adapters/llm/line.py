"""How a request's bytes reach an endpoint and its answer's bytes come back: one address, one set of headers.

No line follows a redirect: an address that moved is a setting to mend, and a key must not travel to another host.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from callgrade.settings import LLMSettings

if TYPE_CHECKING:
    import aiohttp
    import httpx


class Answered(NamedTuple):
    status: int
    body: bytes
    headers: Mapping[str, str]


class Line(Protocol):
    """Raises its library's own exceptions; `errors.fault_from` knows them."""

    async def post(self, payload: bytes) -> Answered: ...

    async def aclose(self) -> None: ...


class AiohttpLine:
    """One pool of kept-alive connections, opened by the first request: a session belongs to the loop it was made in."""

    def __init__(self, url: str, headers: Mapping[str, str], settings: LLMSettings, trust_env: bool):
        self._url, self._headers, self._trust_env = url, headers, trust_env
        # asked once: aiohttp with trust_env asks on every request, and for ~/.netrc too, in a thread each time
        self._proxy = proxy_for(url) if trust_env else None
        self._room = settings.concurrency + 8
        self._timeout_s = settings.timeout_s
        self._session: aiohttp.ClientSession | None = None

    async def post(self, payload: bytes) -> Answered:
        if self._session is None:
            self._session = self._open()
        async with self._session.post(self._url, data=payload, proxy=self._proxy, allow_redirects=False) as answer:
            return Answered(answer.status, await answer.read(), answer.headers)

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _open(self) -> "aiohttp.ClientSession":
        import aiohttp
        import httpx

        # the certificates every other request of this program trusts
        certificates = httpx.create_ssl_context(trust_env=self._trust_env)
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._room, keepalive_timeout=60, ssl=certificates),
            headers=self._headers,
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=min(30.0, self._timeout_s), sock_read=self._timeout_s
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
        )


def proxy_for(url: str) -> str | None:
    """The proxy that HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY name for an address."""
    target = urlsplit(url)
    if not target.hostname or proxy_bypass(target.hostname):
        return None
    proxies = getproxies()
    return proxies.get(target.scheme) or proxies.get("all")


class HttpxLine:
    """Over a client handed in; the owner of the endpoint closes it."""

    def __init__(self, client: "httpx.AsyncClient", url: str, headers: Mapping[str, str]):
        self._client, self._url, self._headers = client, url, headers

    async def post(self, payload: bytes) -> Answered:
        answer = await self._client.post(self._url, content=payload, headers=self._headers, follow_redirects=False)
        return Answered(answer.status_code, answer.content, answer.headers)

    async def aclose(self) -> None:
        await self._client.aclose()
