"""Being told instead of asking: `client.webhooks`."""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TYPE_CHECKING

from callgrade.client import asks
from callgrade.client.models import Delivery, NewWebhook, Webhook

if TYPE_CHECKING:
    from callgrade.client.asynchronous import AsyncClient
    from callgrade.client.sync import Client


class Webhooks:
    """Being told instead of asking."""

    def __init__(self, client: "Client"):
        self._client = client

    def create(self, url: str, events: Sequence[str] = ("evaluation.proposed",)) -> NewWebhook:
        """Events: evaluation.proposed, evaluation.published, evaluation.failed, batch.done, appeal.filed,
        appeal.decided, appeal.withdrawn, alert.raised. The answer's `secret` is shown this once.

        >>> hook = client.webhooks.create("https://crm.example.com/hooks/callgrade", ["batch.done"])
        >>> hook.secret.startswith("whsec_")
        True
        """
        return self._client.send(asks.create_webhook(url, events))

    def get(self, id_: str) -> Webhook:
        return self._client.send(asks.get_webhook(id_))

    def list(self) -> Iterator[Webhook]:
        return self._client.all(asks.list_webhooks())

    def remove(self, id_: str) -> None:
        """With the log of its deliveries."""
        self._client.send(asks.remove_webhook(id_))

    def deliveries(self, id_: str) -> Iterator[Delivery]:
        """The newest first."""
        return self._client.all(asks.list_deliveries(id_))

    def test(self, id_: str) -> Delivery:
        """Sends the event `webhook.test`."""
        return self._client.send(asks.test_webhook(id_))

    def redeliver(self, id_: str, delivery_id: str) -> Delivery:
        """Sends a past delivery once more, with the same event id."""
        return self._client.send(asks.redeliver(id_, delivery_id))


class AsyncWebhooks:
    """As `Webhooks`."""

    def __init__(self, client: "AsyncClient"):
        self._client = client

    async def create(self, url: str, events: Sequence[str] = ("evaluation.proposed",)) -> NewWebhook:
        """As `Webhooks.create`."""
        return await self._client.send(asks.create_webhook(url, events))

    async def get(self, id_: str) -> Webhook:
        """As `Webhooks.get`."""
        return await self._client.send(asks.get_webhook(id_))

    def list(self) -> AsyncIterator[Webhook]:
        """As `Webhooks.list`."""
        return self._client.all(asks.list_webhooks())

    async def remove(self, id_: str) -> None:
        """As `Webhooks.remove`."""
        await self._client.send(asks.remove_webhook(id_))

    def deliveries(self, id_: str) -> AsyncIterator[Delivery]:
        """As `Webhooks.deliveries`."""
        return self._client.all(asks.list_deliveries(id_))

    async def test(self, id_: str) -> Delivery:
        """As `Webhooks.test`."""
        return await self._client.send(asks.test_webhook(id_))

    async def redeliver(self, id_: str, delivery_id: str) -> Delivery:
        """As `Webhooks.redeliver`."""
        return await self._client.send(asks.redeliver(id_, delivery_id))
