"""What became of the calls: `client.evaluations`."""

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

from callgrade.client import asks
from callgrade.client.asks import Filter
from callgrade.client.errors import WaitTimeoutError
from callgrade.client.models import Evaluation, EvaluationSummary

if TYPE_CHECKING:
    from callgrade.client.asynchronous import AsyncClient
    from callgrade.client.sync import Client


class Evaluations:
    """What became of the calls."""

    def __init__(self, client: "Client"):
        self._client = client

    def get(self, id_: str) -> Evaluation:
        """With its scorecard, once there is one. Raises UnknownResourceError.

        >>> client.evaluations.get(evaluation_id).status
        'proposed'
        """
        return self._client.send(asks.get_evaluation(id_))

    def wait(self, id_: str, *, timeout_s: float = 600.0, poll_s: float = 0.5) -> Evaluation:
        """When the machine's part is over: proposed, failed or cancelled. Looks after `poll_s`, and then less and less
        often. Raises WaitTimeoutError. For many calls a webhook costs less.

        >>> evaluation = client.evaluations.wait(evaluation_id, timeout_s=60)
        >>> evaluation.is_done, evaluation.scorecard.rubric.id
        (True, 'telesales-misconduct')
        """
        for pause in asks.polls(timeout_s, poll_s):
            if (found := self.get(id_)).is_done:
                return found
            self._client.sleep(pause)
        if (found := self.get(id_)).is_done:
            return found
        raise WaitTimeoutError(f"evaluation {id_} is still {found.status} after {timeout_s:g} s")

    def list(self, **filters: Filter) -> Iterator[EvaluationSummary]:
        """All pages one after the other, without scorecards. Filters: agent, team, rubric, status, flag, batch, call,
        since, until, min_score, max_score; order is newest (the default), oldest or lowest.

        >>> from datetime import UTC, datetime
        >>> since = datetime(2026, 11, 1, tzinfo=UTC)
        >>> [e.call_id for e in client.evaluations.list(flag="needs_review", since=since)]
        ['C-00001']
        """
        return self._client.all(asks.list_evaluations(filters))

    def cancel(self, id_: str) -> EvaluationSummary:
        """Raises ConflictError where the machine's part is over."""
        return self._client.send(asks.change_evaluation(id_, "cancel"))

    def retry(self, id_: str) -> EvaluationSummary:
        """The next attempt of a failed or cancelled one. Raises ConflictError for others."""
        return self._client.send(asks.change_evaluation(id_, "retry"))


class AsyncEvaluations:
    """As `Evaluations`."""

    def __init__(self, client: "AsyncClient"):
        self._client = client

    async def get(self, id_: str) -> Evaluation:
        """As `Evaluations.get`."""
        return await self._client.send(asks.get_evaluation(id_))

    async def wait(self, id_: str, *, timeout_s: float = 600.0, poll_s: float = 0.5) -> Evaluation:
        """As `Evaluations.wait`."""
        for pause in asks.polls(timeout_s, poll_s):
            if (found := await self.get(id_)).is_done:
                return found
            await self._client.sleep(pause)
        if (found := await self.get(id_)).is_done:
            return found
        raise WaitTimeoutError(f"evaluation {id_} is still {found.status} after {timeout_s:g} s")

    def list(self, **filters: Filter) -> AsyncIterator[EvaluationSummary]:
        """As `Evaluations.list`."""
        return self._client.all(asks.list_evaluations(filters))

    async def cancel(self, id_: str) -> EvaluationSummary:
        """As `Evaluations.cancel`."""
        return await self._client.send(asks.change_evaluation(id_, "cancel"))

    async def retry(self, id_: str) -> EvaluationSummary:
        """As `Evaluations.retry`."""
        return await self._client.send(asks.change_evaluation(id_, "retry"))
