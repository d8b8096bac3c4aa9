"""Each request to the model as a span of its own: how long it took, what it cost, how it failed; never what was asked
or answered."""

from callgrade import tracing
from callgrade.adapters.llm.errors import Fault
from callgrade.adapters.llm.wire import Endpoint, Reply, Request


class TracedEndpoint:
    """Implements wire.Endpoint around another."""

    def __init__(self, endpoint: Endpoint):
        self._endpoint = endpoint
        self.place, self.identity = endpoint.place, endpoint.identity

    async def send(self, request: Request) -> Reply:
        # the cause is raised outside of the span, which would take its own type for the failure's
        refused: Fault | None = None
        with tracing.span("ask", model=str(request.body.get("model", ""))):
            try:
                reply = await self._endpoint.send(request)
            except Fault as fault:
                refused = fault
        raise refused
