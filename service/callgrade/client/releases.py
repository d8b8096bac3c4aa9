"""By what calls are graded from now on: `client.releases`."""

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from callgrade.client import asks
from callgrade.client.models import Release

if TYPE_CHECKING:
    from callgrade.client.asynchronous import AsyncClient
    from callgrade.client.sync import Client


class Releases:
    """By what calls are graded from now on."""

    def __init__(self, client: "Client"):
        self._client = client

    def create(
        self,
        rubric: str,
        *,
        team: str | None = None,
        prompt: str | None = None,
        model: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        recogniser: str | None = None,
        redaction: str | None = None,
        active_from: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> Release:
        """None is ever changed or deleted: the next one takes its place. `rubric` and `prompt` by `id` (the newest
        version) or `id@vN`; `parameters` of temperature, seed, samples, max_tokens, context_tokens, output;
        `active_from` is now where it is left out. Raises InputError that says what there is, where one of them is not.

        >>> release = client.releases.create(
        ...     "telesales-misconduct", team="sales-2", parameters={"temperature": 0.2, "samples": 3}
        ... )
        >>> release.rubric.version, release.team
        ('v1', 'sales-2')
        """
        named = {"prompt": prompt, "model": model, "recogniser": recogniser, "redaction": redaction}
        wanted: dict[str, Any] = {"team": team, **named, "parameters": parameters, "active_from": active_from}
        return self._client.send(asks.create_release(rubric, wanted, idempotency_key))

    def get(self, id_: str) -> Release:
        """Raises UnknownResourceError."""
        return self._client.send(asks.get_release(id_))

    def list(self) -> Iterator[Release]:
        """Your own and everybody's, the newest first."""
        return self._client.all(asks.list_releases())


class AsyncReleases:
    """As `Releases`."""

    def __init__(self, client: "AsyncClient"):
        self._client = client

    async def create(
        self,
        rubric: str,
        *,
        team: str | None = None,
        prompt: str | None = None,
        model: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        recogniser: str | None = None,
        redaction: str | None = None,
        active_from: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> Release:
        """As `Releases.create`."""
        named = {"prompt": prompt, "model": model, "recogniser": recogniser, "redaction": redaction}
        wanted: dict[str, Any] = {"team": team, **named, "parameters": parameters, "active_from": active_from}
        return await self._client.send(asks.create_release(rubric, wanted, idempotency_key))

    async def get(self, id_: str) -> Release:
        """As `Releases.get`."""
        return await self._client.send(asks.get_release(id_))

    def list(self) -> AsyncIterator[Release]:
        """As `Releases.list`."""
        return self._client.all(asks.list_releases())
