"""500 calls at 50 in flight: wall time beside the ideal, processor time and tokens a call, and the bare client."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evals.bench.bare import Transport, request_bodies, send
from evals.bench.figures import Figure, Table, median
from evals.bench.workload import WARM_UP, Run, measured, scoring, settings_for
from evals.mock_openai.process import Mock, running
from evals.synthetic_calls import write_calls

from callgrade.adapters.llm.tokens import best_counter
from callgrade.calls.reading import read_transcript

LATENCY_MS = 200
IN_FLIGHT = 50
ROUNDS = 3


async def hot(folder: Path, calls: int = 500, rounds: int = ROUNDS) -> list[Table]:
    """Medians of `rounds` rounds: a shared machine has bad moments."""
    warm_up = write_calls(range(-WARM_UP, 0), folder / "warm-up")
    paths = write_calls(range(calls), folder / "calls")
    with running("--quotes", "--latency-ms", str(LATENCY_MS)) as mock:
        settings = settings_for(mock.base_url, folder, concurrency=IN_FLIGHT)
        warm_bodies, _ = request_bodies(warm_up, settings)
        bodies, tokens = request_bodies(paths, settings)
        ours: list[Run] = []
        bare: dict[Transport, list[Run]] = {"aiohttp": [], "httpx": []}
        late = 0.0
        for number in range(rounds):
            ours.append(await _score(mock, folder / f"data-{number}", warm_up, paths))
            late = max(late, mock.stats()["late_ms_p99"])
            for transport, runs in bare.items():
                runs.append(await send(bodies, warm_bodies, settings, transport))
    ideal_s = math.ceil(calls / IN_FLIGHT) * LATENCY_MS / 1000
    return [
        _speed(calls, ideal_s, ours, bare, late),
        _requests(ours[0]),
        _tokens(tokens, paths),
    ]


async def _score(mock: Mock, data: Path, warm_up: Sequence[Path], paths: Sequence[Path]) -> Run:
    settings = settings_for(mock.base_url, data, concurrency=IN_FLIGHT)
    async with scoring(settings) as score:
        async for _ in score(warm_up):
            pass
        mock.reset()
        run = await measured(score(paths))
    seen = mock.stats()["requests"]
    if seen != run.seen["requests"]:
        raise RuntimeError(f"the server saw {seen} requests, the scorecards count {run.seen['requests']}")
    return run


def _speed(calls: int, ideal_s: float, ours: list[Run], bare: dict[Transport, list[Run]], late: float) -> Table:
    def wall(runs: list[Run]) -> float:
        return median([run.wall_s / ideal_s for run in runs])

    def cpu(runs: list[Run]) -> float:
        return median([run.cpu_ms_a_call for run in runs])

    title = f"{calls} calls, {IN_FLIGHT} in flight, {LATENCY_MS} ms latency; median of {len(ours)} rounds"
    return Table(
        title,
        (
            Figure("callgrade: wall / ideal", wall(ours), at_most=1.25),
            Figure("callgrade: CPU a call, all in", cpu(ours), "ms", at_most=4.0),
            Figure("callgrade: CPU a call, best round", min(run.cpu_ms_a_call for run in ours), "ms"),
            Figure("bare openai, aiohttp: wall / ideal", wall(bare["aiohttp"])),
            Figure("bare openai, aiohttp: CPU a call", cpu(bare["aiohttp"]), "ms"),
            Figure("bare openai, httpx: wall / ideal", wall(bare["httpx"])),
            Figure("bare openai, httpx: CPU a call", cpu(bare["httpx"]), "ms"),
            Figure("ideal", ideal_s, "s"),
            Figure("answers left the server late by, p99", late, "ms"),
        ),
    )


def _requests(run: Run) -> Table:
    first = run.seen["requests"] - run.seen["repairs"] - run.seen["retries"]
    evidence = ", ".join(f"{number} {kind}" for kind, number in run.grounding.most_common())
    verdicts = ", ".join(f"{number} {status}" for status, number in run.statuses.most_common())
    return Table(
        "requests and what came of them (first round)",
        (
            Figure("first requests a call", first / run.calls, at_most=1.0, at_least=1.0, must=True),
            Figure("repairs", run.seen["repairs"]),
            Figure("retries", run.seen["retries"]),
            Figure("answers from the cache", run.seen["cache_hits"]),
            Figure("judgements", verdicts),
            Figure("evidence", evidence),
        ),
    )


def _tokens(tokens: Sequence[Any], paths: Sequence[Path]) -> Table:
    def mean(part: str) -> float:
        return sum(getattr(each, part) for each in tokens) / len(tokens)

    count = best_counter().count
    words = sum(count(turn.text) for path in paths for turn in read_transcript(path).turns) / len(paths)
    instructions, rubric, transcript = mean("instructions"), mean("rubric"), mean("transcript")
    return Table(
        f"tokens a call, counted by {tokens[0].counter}",
        (
            Figure("rubric", rubric),
            Figure("transcript, turns numbered and labelled", transcript),
            Figure("  of which words alone", words),
            Figure("instructions", instructions),
            Figure("schema, beside the messages", mean("output_schema")),
            Figure("instructions / (rubric + transcript)", instructions / (rubric + transcript) * 100, "%", at_most=5),
        ),
    )
