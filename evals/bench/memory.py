"""From 1,000 to 20,000 calls in one run: results stream out, so memory stays where it is."""

from collections.abc import Iterator
from pathlib import Path

from evals.bench.figures import Figure, Table
from evals.bench.workload import measured, scoring, settings_for
from evals.mock_openai.process import running
from evals.synthetic_calls import make_transcript

from callgrade.domain.calls import Transcript
from callgrade.evaluations.many import Scored

LATENCY_MS = 5
IN_FLIGHT = 50
FIRST = 1_000
MB = 1_000_000


async def memory(folder: Path, calls: int = 20_000) -> list[Table]:
    """The calls are made up as they are taken, so that nothing but scoring can grow."""
    sizes: list[int] = []
    done = 0

    def watch(_: Scored) -> None:
        nonlocal done
        done += 1
        if done % FIRST == 0:
            sizes.append(_resident())

    def sources() -> Iterator[Path]:
        return (Path(str(number)) for number in range(calls))

    async def load(path: Path) -> Transcript:
        return make_transcript(int(path.name))

    with running("--quotes", "--latency-ms", str(LATENCY_MS)) as mock:
        settings = settings_for(mock.base_url, folder, concurrency=IN_FLIGHT)
        async with scoring(settings, load) as score:
            run = await measured(score(sources()), watch)
    return [
        Table(
            f"{calls} calls, {IN_FLIGHT} in flight, {LATENCY_MS} ms latency: resident memory of the process",
            (
                Figure(f"after {FIRST:,} calls", sizes[0] / MB, "MB"),
                Figure(f"after {calls:,} calls", sizes[-1] / MB, "MB"),
                Figure("the most in between", max(sizes) / MB, "MB"),
                Figure("growth to the most", (max(sizes) - sizes[0]) / MB, "MB", at_most=30),
                Figure("calls per second", run.calls_per_s),
                Figure("calls without a whole scorecard", calls - run.whole, at_most=0, must=True),
            ),
        )
    ]


def _resident() -> int:
    """Bytes, from /proc."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * 4096
