"""Any OpenAI-compatible endpoint, through one shared client of the openai SDK.

The SDK's own retries are off: `retry.py` owns them. Requests go through its `post`, not `chat.completions.create`:
both send the same, and building and validating a completion object costs as much CPU as all the rest (measured with
openai 2.54.0: 1.4 against 2.3 ms a call over the aiohttp transport).
"""

import logging
from typing import TYPE_CHECKING

from pydantic_core import from_json

from callgrade.adapters.llm.errors import fault_from, not_json
from callgrade.adapters.llm.wire import Reply, Request, price, read_reply
from callgrade.domain.errors import SettingsError
from callgrade.settings import LLMSettings

if TYPE_CHECKING:
    import httpx
    from openai import AsyncOpenAI

NO_KEY = "none"
"""Sent where an endpoint of one's own asks for no key: the SDK would otherwise take OPENAI_API_KEY and send it
there."""


class OpenAIEndpoint:
    """`http_client` is handed in by tests; else connections go through aiohttp, which httpx alone falls far behind
    at 500 in flight."""

    def __init__(
        self,
        settings: LLMSettings,
        *,
        http_client: "httpx.AsyncClient | None" = None,
        base_url: str | None = None,
        trust_env: bool = True,
    ):
        self._settings = settings
        self._client = _open_client(settings, base_url or settings.base_url, http_client, trust_env)
        url = self._client.base_url
        self.place = f"{url.host}:{url.port}" if url.port else url.host
        self.identity = str(url.copy_with(username=None, password=None))

    async def send(self, request: Request) -> Reply:
        import httpx

        try:
            response = await self._client.post(
                "/chat/completions",
                cast_to=httpx.Response,
                content=request.payload,
                options={"headers": {"Content-Type": "application/json"}},
            )
        except Exception as error:
            raise fault_from(error, self.place) from None
        try:
            answer = from_json(response.content)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise not_json(self.place)
        reply = read_reply(answer, self.place)
        return reply.priced(price(self._settings, reply.tokens))

    async def aclose(self) -> None:
        await self._client.close()


def _open_client(
    settings: LLMSettings, base_url: str | None, http_client: "httpx.AsyncClient | None", trust_env: bool
) -> "AsyncOpenAI":
    import httpx
    from openai import AsyncOpenAI, DefaultAioHttpClient, OpenAIError

    quiet("openai", "httpx", "httpcore")
    timeout = httpx.Timeout(settings.timeout_s, connect=min(30.0, settings.timeout_s))
    if http_client is None:
        room = settings.concurrency + 8
        limits = httpx.Limits(max_connections=room, max_keepalive_connections=room, keepalive_expiry=60)
        http_client = DefaultAioHttpClient(limits=limits, timeout=timeout, trust_env=trust_env)
    key = settings.api_key.get_secret_value() if settings.api_key else (NO_KEY if base_url else None)
    try:
        return AsyncOpenAI(api_key=key, base_url=base_url, max_retries=0, timeout=timeout, http_client=http_client)
    except OpenAIError as error:
        raise SettingsError(
            "no key for the model's endpoint; set CALLGRADE_LLM__API_KEY, "
            "or CALLGRADE_LLM__BASE_URL for an endpoint of your own"
        ) from error


def quiet(*names: str) -> None:
    """Keep libraries from logging requests, answers and errors: they hold what was said in a call."""
    for name in names:
        logger = logging.getLogger(name)
        logger.setLevel(logging.CRITICAL)
        logger.propagate = False
        logger.addHandler(logging.NullHandler())
