"""A bad day at the provider's: each call ends with a scorecard or a named reason, and no question is sent too often."""

from pathlib import Path

from evals.bench.figures import Figure, Table
from evals.bench.workload import measured, scoring, settings_for
from evals.mock_openai.process import running
from evals.synthetic_calls import write_calls

SHARES = {"429": 0.10, "500": 0.05, "malformed": 0.05, "truncate": 0.02, "drop": 0.01}
LATENCY_MS = 50
IN_FLIGHT = 50
RETRY_AFTER_S = 0.2
LONGEST_WAIT_S = 1.0


async def faults(folder: Path, calls: int = 500) -> list[Table]:
    paths = write_calls(range(calls), folder / "calls")
    options = [f"--p{fault}={share}" for fault, share in SHARES.items()]
    waits = ["--latency-ms", str(LATENCY_MS), "--retry-after", str(RETRY_AFTER_S)]
    with running("--quotes", *waits, *options) as mock:
        settings = settings_for(mock.base_url, folder, concurrency=IN_FLIGHT, max_wait_s=LONGEST_WAIT_S)
        async with scoring(settings) as score:
            run = await measured(score(paths))
        seen = mock.stats()
    drawn = ", ".join(f"{number} {fault}" for fault, number in seen["by_fault"].items())
    named = ", ".join(f"{number} {type_}" for type_, number in run.failures.most_common()) or "none"
    return [
        Table(
            f"{calls} calls with faults: " + ", ".join(f"{share:.0%} {fault}" for fault, share in SHARES.items()),
            (
                Figure("faults that were met", drawn),
                Figure("calls lost or answered twice", calls - _once(run.call_ids), at_most=0, must=True),
                Figure("calls with a whole scorecard", run.whole),
                Figure("scorecards with failed judgements", run.seen["scorecards with failed judgements"]),
                Figure("calls that ended with an error", run.seen["errors"]),
                Figure("named reasons", named),
                Figure("without a named reason", run.unexplained, at_most=0, must=True),
                Figure("requests", seen["requests"]),
                Figure("  of which repairs", run.seen["repairs"]),
                Figure("  of which retries", run.seen["retries"]),
                Figure(
                    "requests the scorecards do not count",
                    abs(seen["requests"] - run.seen["requests"]),
                    at_most=0,
                    must=True,
                ),
                Figure(
                    "most sends of one question",
                    seen["most_sends_of_one_body"],
                    at_most=settings.llm.attempts,
                    must=True,
                ),
            ),
        )
    ]


def _once(call_ids: dict[str, int]) -> int:
    return sum(number == 1 for number in call_ids.values())
