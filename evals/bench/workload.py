"""What every part of the benchmark measures: one rubric, synthetic calls, settings, and the path that `score` takes."""

import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from callgrade.catalog import load_rubric
from callgrade.cli.output import to_json
from callgrade.domain.errors import CallgradeError
from callgrade.domain.judgements import JudgeFailure
from callgrade.domain.rubrics import Rubric
from callgrade.evaluations.many import Load, Scored, evaluate_many, seldom_collecting
from callgrade.evaluations.service import Evaluator
from callgrade.settings import Settings, load_settings
from callgrade.wiring import calls_in_flight, make_loader, open_judges

RUBRIC = Path(__file__).parents[1] / "bench-rubric.yaml"
WARM_UP = 60
"""Calls scored before a measurement, so that imports, connections and caches are there."""

Watch = Callable[[Scored], None]


def rubric() -> Rubric:
    return load_rubric(str(RUBRIC))


def settings_for(base_url: str, data_dir: Path, *, concurrency: int, **more: object) -> Settings:
    """As from the environment of somebody who set only these. The answer cache is on, as it is by default."""
    environment = {
        "CALLGRADE_LLM__MODEL": "mock",
        "CALLGRADE_LLM__BASE_URL": base_url,
        "CALLGRADE_LLM__CONCURRENCY": str(concurrency),
        "CALLGRADE_DATA_DIR": str(data_dir),
    }
    return load_settings(environment | {f"CALLGRADE_LLM__{name.upper()}": str(value) for name, value in more.items()})


@dataclass
class Run:
    """What scoring some calls took. Times in seconds, the processor's of this process alone."""

    calls: int = 0
    wall_s: float = 0.0
    cpu_s: float = 0.0
    seen: Counter[str] = field(default_factory=Counter)
    """requests, repairs, retries, cache_hits, and what became of the calls."""
    grounding: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    """By the error's type."""
    call_ids: Counter[str] = field(default_factory=Counter)
    whole: int = 0
    """Calls with a scorecard in which no judgement failed."""
    unexplained: int = 0
    """Errors and failed judgements without a named reason."""

    @property
    def cpu_ms_a_call(self) -> float:
        return self.cpu_s / self.calls * 1000

    @property
    def calls_per_s(self) -> float:
        return self.calls / self.wall_s

    def add(self, result: Scored) -> None:
        self.calls += 1
        self.call_ids[result.call_id] += 1
        card = result.scorecard
        if card is None:
            self._failed([result.error])
            self.seen["errors"] += 1
            return
        for name in ("requests", "repairs", "retries", "cache_hits"):
            self.seen[name] += getattr(card.provenance, name)
        self.statuses.update(judgement.status for judgement in card.judgements)
        self.grounding.update(item.grounding for judgement in card.judgements for item in judgement.evidence)
        if failed := [judgement.error for judgement in card.judgements if judgement.status == "failed"]:
            self._failed(failed)
            self.seen["scorecards with failed judgements"] += 1
        else:
            self.whole += 1

    def _failed(self, errors: Sequence[CallgradeError | JudgeFailure | None]) -> None:
        named = {error.type for error in errors if error is not None and error.type != "unexpected"}
        self.failures.update(named)
        self.unexplained += not named or None in errors


@asynccontextmanager
async def scoring(settings: Settings, load: Load | None = None) -> AsyncIterator[Callable[..., AsyncIterator[Scored]]]:
    """`async with scoring(settings) as score: async for result in score(paths)`, wired as the command line wires it."""
    read = load or make_loader(settings)
    async with open_judges(settings, "llm") as judges:
        evaluator = Evaluator(rubric(), judges)

        def score(sources: Iterable[Path]) -> AsyncIterator[Scored]:
            return evaluate_many(sources, read, evaluator.evaluate, in_flight=calls_in_flight(settings))

        with seldom_collecting():
            yield score


async def measured(results: AsyncIterator[Scored], watch: Watch | None = None) -> Run:
    """Takes the results and writes each as a line of JSON, as `score --json` does, to nowhere."""
    run = Run()
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:  # noqa: ASYNC230 - it never blocks
        cpu, wall = time.process_time(), time.perf_counter()
        async for result in results:
            if result.scorecard is not None:
                nowhere.write(to_json(result.scorecard, pretty=False) + "\n")
            run.add(result)
            if watch is not None:
                watch(result)
        run.cpu_s, run.wall_s = time.process_time() - cpu, time.perf_counter() - wall
    return run
