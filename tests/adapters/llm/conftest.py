"""A judge whose requests end at respx and whose waits are noted instead of waited."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx
import pytest
import respx

from callgrade.adapters.llm import LLMJudge, open_judge
from tests.adapters.llm.exchange import Plain, Wire, settings

Opener = Callable[..., AbstractAsyncContextManager[LLMJudge]]


class Waits(list[float]):
    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def mock_wire() -> Iterator[Callable[..., Wire]]:
    with respx.mock(assert_all_called=False) as router:

        def connect(*steps: Any) -> Wire:
            wire = Wire(*steps)
            router.post(url__regex=r"^http://[^/]*model\.test/").mock(side_effect=wire)
            return wire

        yield connect


@pytest.fixture
def judging(waits: Waits) -> Opener:
    """`async with judging(settings…) as judge`, over the openai SDK and httpx."""

    @asynccontextmanager
    async def opened(
        *, redactor: Any = None, language: str = "zh", cache: Any = None, **fields: Any
    ) -> AsyncIterator[LLMJudge]:
        async with httpx.AsyncClient() as client:
            judge = open_judge(
                settings(**fields),
                redactor=redactor or Plain(),
                language=language,
                cache=cache,
                http_client=client,
                sleep=waits,
            )
            async with judge:
                yield judge

    return opened
