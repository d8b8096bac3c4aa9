"""Hundreds in flight: does throughput hold?"""

from pathlib import Path

from evals.bench.bare import request_bodies, send
from evals.bench.figures import Figure, Table
from evals.bench.workload import measured, scoring, settings_for
from evals.mock_openai.process import running
from evals.synthetic_calls import write_calls

LATENCY_MS = 200
IN_FLIGHT = 500


async def flight(folder: Path, calls: int = 3000) -> list[Table]:
    warm_up = write_calls(range(-IN_FLIGHT, 0), folder / "warm-up")
    paths = write_calls(range(calls), folder / "calls")
    with running("--quotes", "--latency-ms", str(LATENCY_MS)) as mock:
        settings = settings_for(mock.base_url, folder, concurrency=IN_FLIGHT)
        async with scoring(settings) as score:
            async for _ in score(warm_up):
                pass
            mock.reset()
            run = await measured(score(paths))
        peak = mock.stats()["peak_in_flight"]
        warm_bodies, _ = request_bodies(warm_up, settings)
        bodies, _ = request_bodies(paths, settings)
        bare = await send(bodies, warm_bodies, settings, "aiohttp")
    return [
        Table(
            f"{calls} calls, {IN_FLIGHT} in flight, {LATENCY_MS} ms latency",
            (
                Figure("callgrade", run.calls_per_s, "calls/s", at_least=200),
                Figure("callgrade: CPU a call", run.cpu_ms_a_call, "ms"),
                Figure("peak in flight at the server", peak),
                Figure("calls without a whole scorecard", calls - run.whole, at_most=0, must=True),
                Figure("bare openai, aiohttp", bare.calls_per_s, "calls/s"),
            ),
        )
    ]
