"""Each request to the model as a span of its own: how long it took, what it cost, how it failed; never what was asked
or answered."""

from callgrade import tracing
from callgrade.adapters.llm.wire import Endpoint, Reply, Request


class TracedEndpoint:
    """Implements wire.Endpoint around another."""

    def __init__(self, endpoint: Endpoint):
        self._endpoint = endpoint
        self.place, self.identity = endpoint.place, endpoint.identity

    async def send(self, request: Request) -> Reply:
        with tracing.span("ask", model=str(request.body.get("model", ""))):
            reply = await self._endpoint.send(request)
            tokens = reply.tokens
            tracing.note(prompt_tokens=tokens.prompt, cached_tokens=tokens.cached, completion_tokens=tokens.completion)
            return reply

    async def aclose(self) -> None:
        await self._endpoint.aclose()
