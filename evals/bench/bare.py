"""The openai client alone, making the same one request a call: what nobody who uses it can go below by much."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from evals.bench.workload import Run, rubric

from callgrade.adapters.llm import render_request
from callgrade.calls.reading import read_transcript
from callgrade.settings import Settings
from callgrade.wiring import make_redactor

Transport = Literal["aiohttp", "httpx"]


def request_bodies(paths: Sequence[Path], settings: Settings) -> tuple[list[dict[str, Any]], list[Any]]:
    """(the bodies that callgrade would send, their tokens by part)."""
    form, redactor = rubric(), make_redactor(settings)
    rendered = [render_request(form, read_transcript(path), redactor, settings.llm) for path in paths]
    return [request.body for request in rendered], [request.tokens for request in rendered]


async def send(
    bodies: Sequence[dict[str, Any]], warm_up: Sequence[dict[str, Any]], settings: Settings, transport: Transport
) -> Run:
    """Every body through `chat.completions.create`, at most `concurrency` at a time; the answers are not looked at."""
    import httpx
    from openai import AsyncOpenAI, DefaultAioHttpClient, DefaultAsyncHttpxClient

    places = settings.llm.concurrency
    limits = httpx.Limits(max_connections=places + 8, max_keepalive_connections=places + 8, keepalive_expiry=60)
    connect = DefaultAioHttpClient if transport == "aiohttp" else DefaultAsyncHttpxClient
    http_client = connect(limits=limits, timeout=120)
    async with AsyncOpenAI(
        api_key="none", base_url=settings.llm.base_url, max_retries=0, http_client=http_client
    ) as client:
        slots = asyncio.Semaphore(places)

        async def ask(body: dict[str, Any]) -> str | None:
            async with slots:
                completion = await client.chat.completions.create(**body)
            return completion.choices[0].message.content

        await asyncio.gather(*map(ask, warm_up))
        cpu, wall = time.process_time(), time.perf_counter()
        answers = await asyncio.gather(*map(ask, bodies))
        run = Run(calls=len(bodies), wall_s=time.perf_counter() - wall, cpu_s=time.process_time() - cpu)
    if not all(answers):
        raise RuntimeError("the bare client was not answered")
    return run
