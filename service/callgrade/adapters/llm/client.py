"""Any OpenAI-compatible endpoint.

The SDK resolves key, address and organisation as every program that uses it does. The request itself goes down a
`Line` of our own: what the SDK does around it costs more CPU than all of our own work on a call (measured with openai
2.54.0 at 50 in flight: 2.3 ms a call through `chat.completions.create`, 0.9 straight through its pool, 0.3 through
aiohttp, which that pool wraps), and its retries would have to be turned off anyway: `retry.py` owns them.
"""

import logging
from base64 import b64encode
from typing import TYPE_CHECKING

from pydantic_core import from_json

from callgrade import __version__
from callgrade.adapters.llm.errors import fault_from, fault_of, not_json
from callgrade.adapters.llm.line import AiohttpLine, HttpxLine, Line
from callgrade.adapters.llm.wire import Reply, Request, read_refusal, read_reply
from callgrade.domain.errors import SettingsError
from callgrade.settings import LLMSettings

if TYPE_CHECKING:
    import httpx
    from openai import AsyncOpenAI

NO_KEY = "none"
"""Sent where an endpoint of one's own asks for no key: the SDK would otherwise take OPENAI_API_KEY and send it
there."""


class OpenAIEndpoint:
    """`http_client` is handed in by tests; else requests go through aiohttp, which httpx falls far behind at 500 in
    flight."""

    def __init__(
        self,
        settings: LLMSettings,
        *,
        http_client: "httpx.AsyncClient | None" = None,
        base_url: str | None = None,
        trust_env: bool = True,
    ):
        self._client = _open_client(settings, base_url or settings.base_url, http_client)
        named = self._client.base_url
        url = named.copy_with(username=None, password=None)
        self.place = f"{url.host}:{url.port}" if url.port else url.host
        self.identity = str(url)
        target = url.copy_with(path=url.path.rstrip("/") + "/chat/completions")
        headers = _headers(self._client, _basic(named))
        self._line: Line = (
            HttpxLine(http_client, str(target), headers)
            if http_client is not None
            else AiohttpLine(str(target), headers, settings, trust_env)
        )

    async def send(self, request: Request) -> Reply:
        try:
            status, body, headers = await self._line.post(request.payload)
        except Exception as error:
            raise fault_from(error, self.place) from None
        try:
            answer = from_json(body)
        except ValueError:
            answer = None
        if status >= 400:
            raise fault_of(read_refusal(status, answer, body.decode(errors="replace"), headers), self.place)
        if not isinstance(answer, dict):
            raise not_json(self.place)
        return read_reply(answer, self.place)

    async def aclose(self) -> None:
        await self._line.aclose()
        await self._client.close()


def _open_client(settings: LLMSettings, base_url: str | None, pool: "httpx.AsyncClient | None") -> "AsyncOpenAI":
    from openai import AsyncOpenAI, OpenAIError

    quiet("openai", "httpx", "httpcore")
    key = settings.api_key.get_secret_value() if settings.api_key else (NO_KEY if base_url else None)
    try:
        return AsyncOpenAI(api_key=key, base_url=base_url, max_retries=0, http_client=pool)
    except OpenAIError as error:
        raise SettingsError(
            "no key for the model's endpoint; set CALLGRADE_LLM__API_KEY, "
            "or CALLGRADE_LLM__BASE_URL for an endpoint of your own"
        ) from error


def _headers(client: "AsyncOpenAI", basic: str | None) -> dict[str, str]:
    named = {"OpenAI-Organization": client.organization, "OpenAI-Project": client.project}
    return {
        "Authorization": basic or f"Bearer {client.api_key}",
        "Content-Type": "application/json",
        "Accept": "application/json",
        "User-Agent": f"callgrade/{__version__}",
        **{name: value for name, value in named.items() if value},
    }


def _basic(url: "httpx.URL") -> str | None:
    """A name and password in the address take the key's place, as they do for curl and httpx."""
    return f"Basic {b64encode(url.userinfo).decode()}" if url.userinfo else None


def quiet(*names: str) -> None:
    """Keep libraries from logging requests, answers and errors: they hold what was said in a call."""
    for name in names:
        logger = logging.getLogger(name)
        logger.setLevel(logging.CRITICAL)
        logger.propagate = False
        logger.addHandler(logging.NullHandler())
