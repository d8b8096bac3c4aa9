"""Models behind `litellm:NAME`: providers that speak no OpenAI dialect. Extra `litellm`; imported when the first
request is sent.

litellm takes seconds and 190 MB to import, fetches a price list from the network unless told otherwise, retries and
prints on its own, and its default time-out is 6,000 s: all of that is turned off here.
"""

import os
from decimal import Decimal
from importlib.util import find_spec
from typing import Any, ClassVar

from callgrade.adapters.llm.client import quiet
from callgrade.adapters.llm.errors import fault_from
from callgrade.adapters.llm.wire import Reply, Request, read_reply
from callgrade.domain.errors import MissingExtraError
from callgrade.settings import LLMSettings

PREFIX = "litellm:"


class LiteLLMEndpoint:
    _in_use: ClassVar[int] = 0

    def __init__(self, settings: LLMSettings):
        if find_spec("litellm") is None:
            raise MissingExtraError("litellm", f"the model {settings.model}")
        self._settings = settings
        self._litellm: Any = None
        self._closed = False
        name = (settings.model or "").removeprefix(PREFIX)
        self.place = f"the provider of {name}"
        self.identity = f"{PREFIX}{settings.base_url or ''}"

    async def send(self, request: Request) -> Reply:
        litellm = self._library()
        settings = self._settings
        try:
            response = await litellm.acompletion(
                **request.body,
                api_key=settings.api_key.get_secret_value() if settings.api_key else None,
                base_url=settings.base_url,
                timeout=settings.timeout_s,
                max_retries=0,
                num_retries=0,
            )
        except Exception as error:
            raise fault_from(error, self.place) from None
        reply = read_reply(response.model_dump(), self.place)
        return reply.priced(_cost(litellm, response))

    async def aclose(self) -> None:
        """litellm's connections belong to the process: the last of us to go closes them, and makes it forget them."""
        if self._litellm is None or self._closed:
            return
        self._closed = True
        LiteLLMEndpoint._in_use -= 1
        if LiteLLMEndpoint._in_use == 0:
            await self._litellm.close_litellm_async_clients()
            # it would hand out the closed ones again
            self._litellm.in_memory_llm_clients_cache.flush_cache()

    def _library(self) -> Any:
        if self._litellm is None:
            self._litellm = _import()
            LiteLLMEndpoint._in_use += 1
        return self._litellm


def _import() -> Any:
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    os.environ.setdefault("LITELLM_MODE", "PRODUCTION")
    import litellm

    litellm.suppress_debug_info = True
    litellm.telemetry = False
    litellm.drop_params = False
    quiet("LiteLLM", "LiteLLM Router", "LiteLLM Proxy", "openai", "httpx", "httpcore")
    return litellm


def _cost(litellm: Any, response: Any) -> Decimal | None:
    """From litellm's price list; None for a model it does not know, which costs something all the same."""
    try:
        cost = litellm.completion_cost(completion_response=response)
    except Exception:
        return None
    return Decimal(str(cost)) if cost else None
