"""How much of everything so many calls a day need: `python -m evals.sizing`, or with figures of your own (`--help`).

Arithmetic only. What was measured here stands in evals/BENCHMARKS.md; what was not is marked as assumed and is to be
replaced: the recogniser's speed by what `python -m evals.transcription long --model paraformer-zh --device cuda` says
on your GPU, the model's by your provider's figures. The tables of docs/deployment.md are what this prints.
"""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from math import ceil

DAY_S = 86_400
LEVELS = (10_000, 1_000_000, 100_000_000)


def measured(default: float, unit: str, where: str) -> float:
    return field(default=default, metadata={"unit": unit, "where": where, "measured": True})  # type: ignore[no-any-return]


def assumed(default: float, unit: str, where: str) -> float:
    return field(default=default, metadata={"unit": unit, "where": where, "measured": False})  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Figures:
    """What a call costs, and when calls come."""

    busy_hours: float = assumed(10, "h", "the hours in which a day's calls come; the night is quiet")
    peak: float = assumed(2, "×", "the busiest minutes, over the mean of those hours")
    used: float = assumed(0.6, "of 1", "how far cores and GPUs may be loaded, so that a dead host is no outage")
    bulk_ms: float = measured(6.12, "ms CPU", "`evals.bench.bulk`, PostgreSQL: 6.12, SQLite: 5.85")
    in_flight: float = measured(500, "requests", "`evals.bench`: the most that one process was seen to keep up with")
    single_ms: float = measured(24.8, "ms CPU", "one call a workflow, PostgreSQL: 16.6 to 24.8")
    prompt_tokens: float = measured(
        2_670, "tokens", "`evals.bench`: a transcript of 1,000 tokens of words, ten criteria"
    )
    cached_share: float = assumed(0.5, "of them", "what the provider's cache holds: rubric and instructions come first")
    completion_tokens: float = assumed(700, "tokens", "ten judgements with a reason and a quote each")
    model_s: float = assumed(8, "s", "from a request to its answer")
    price_prompt: float = assumed(0.30, "$ a million", "put your provider's here")
    price_cached: float = assumed(0.05, "$ a million", "the same for cached prompt tokens")
    price_completion: float = assumed(1.20, "$ a million", "the same for completion tokens")
    bulk_kb: float = measured(10.9, "kB", "`evals.bench.footprint`: tables and indices, in bulk")
    bulk_wal_kb: float = measured(11.7, "kB", "write-ahead log, in bulk")
    bulk_commits: float = measured(0.8, "", "transactions, in bulk, the engine's polling included")
    single_kb: float = measured(13.5, "kB", "one by one, the engine's rows of the last hour included")
    single_wal_kb: float = measured(19.7, "kB", "one by one")
    single_commits: float = measured(13.6, "", "one by one")
    minutes: float = assumed(4, "min", "of a call")
    recording_kb_s: float = assumed(16, "kB/s", "stereo G.711 at 8 kHz; Opus at 24 kbit/s is 3")
    recordings_share: float = assumed(1, "of calls", "that come as a recording; transcripts need no GPU")
    asr_rtf: float = assumed(
        0.02, "s a second", "PLACEHOLDER: GPU time a second of sound; no production recogniser ran here"
    )


@dataclass(frozen=True)
class Need:
    """What a number of calls a day comes to."""

    calls: int
    per_s: float
    peak_per_s: float
    bulk_workers: int
    single_workers: int
    requests_at_once: int
    requests_a_minute: float
    tokens_a_minute: float
    dollars_a_day: float
    bulk_gb: float
    bulk_wal_gb: float
    bulk_commits_s: float
    single_gb: float
    single_wal_gb: float
    single_commits_s: float
    recordings_gb: float
    sound_hours: float
    gpus: int


def need(calls: int, figures: Figures) -> Need:
    """`calls` a day; gigabytes are a day's, rates are the peak's, workers are processes of one core each."""
    f = figures
    peak = calls / (f.busy_hours * 3600) * f.peak
    recorded = calls * f.recordings_share
    tokens = f.prompt_tokens + f.completion_tokens
    return Need(
        calls=calls,
        per_s=calls / DAY_S,
        peak_per_s=peak,
        bulk_workers=_at_least_one(max(peak * f.bulk_ms / 1000 / f.used, peak * f.model_s / f.in_flight)),
        single_workers=_at_least_one(max(peak * f.single_ms / 1000 / f.used, peak * f.model_s / f.in_flight)),
        requests_at_once=_at_least_one(peak * f.model_s),
        requests_a_minute=peak * 60,
        tokens_a_minute=peak * 60 * tokens,
        dollars_a_day=calls * dollars_a_call(f),
        bulk_gb=calls * f.bulk_kb / 1e6,
        bulk_wal_gb=calls * f.bulk_wal_kb / 1e6,
        bulk_commits_s=peak * f.bulk_commits,
        single_gb=calls * f.single_kb / 1e6,
        single_wal_gb=calls * f.single_wal_kb / 1e6,
        single_commits_s=peak * f.single_commits,
        recordings_gb=recorded * f.minutes * 60 * f.recording_kb_s / 1e6,
        sound_hours=recorded * f.minutes / 60,
        # recordings may wait for the night, so the day's mean counts
        gpus=_at_least_one(recorded * f.minutes * 60 * f.asr_rtf / DAY_S / f.used) if recorded else 0,
    )


def dollars_a_call(figures: Figures) -> float:
    """Prompt tokens at two prices, and completion tokens."""
    f = figures
    cached = f.prompt_tokens * f.cached_share
    fresh = f.prompt_tokens - cached
    return (fresh * f.price_prompt + cached * f.price_cached + f.completion_tokens * f.price_completion) / 1e6


def _at_least_one(number: float) -> int:
    return max(1, ceil(number - 1e-9))


ROWS = (
    ("calls a second, the day's mean", "per_s"),
    ("calls a second, at the peak", "peak_per_s"),
    ("score workers, calls in bulk *", "bulk_workers"),
    ("score workers, calls one by one *", "single_workers"),
    ("requests at the model at once *", "requests_at_once"),
    ("requests a minute at the model", "requests_a_minute"),
    ("tokens a minute at the model *", "tokens_a_minute"),
    ("dollars a day for the model *", "dollars_a_day"),
    ("PostgreSQL, GB a day, in bulk", "bulk_gb"),
    ("PostgreSQL, GB a day, one by one", "single_gb"),
    ("write-ahead log, GB a day, in bulk", "bulk_wal_gb"),
    ("write-ahead log, GB a day, one by one", "single_wal_gb"),
    ("transactions a second, in bulk", "bulk_commits_s"),
    ("transactions a second, one by one", "single_commits_s"),
    ("recordings, GB a day *", "recordings_gb"),
    ("sound, hours a day *", "sound_hours"),
    ("GPUs for recordings **", "gpus"),
)


def table(figures: Figures, levels: tuple[int, ...] = LEVELS) -> str:
    """Markdown: a row a thing, a column a level. * rests on assumed figures, ** on one that nobody has measured yet."""
    needs = [need(calls, figures) for calls in levels]
    head = ["", *(f"{calls:,} a day" for calls in levels)]
    rows = [[name, *(_shown(getattr(found, key)) for found in needs)] for name, key in ROWS]
    return _markdown(head, rows)


def figures_table(figures: Figures) -> str:
    """Markdown: every figure the other table is made of, and whether it was measured."""
    rows = [
        [
            each.name,
            _plain(getattr(figures, each.name)),
            each.metadata["unit"],
            _kind(each.metadata),
            each.metadata["where"],
        ]
        for each in fields(figures)
    ]
    return _markdown(["figure", "value", "unit", "", "what it is"], rows)


def _kind(metadata: Mapping[str, object]) -> str:
    return "measured" if metadata["measured"] else "assumed"


def _markdown(head: list[str], rows: list[list[str]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]
    return "\n".join(lines)


def _shown(value: float) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}" if value >= 1 else f"{value:.2g}"


def _plain(value: float) -> str:
    return f"{value:,g}" if value < 1000 else f"{value:,.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for each in fields(Figures):
        told = f"{each.metadata['unit']}; {each.metadata['where']}".replace("%", "%%")
        parser.add_argument(f"--{each.name.replace('_', '-')}", type=float, default=each.default, help=told)
    parser.add_argument("--calls", type=int, action="append", help="calls a day; may be given again")
    chosen = vars(parser.parse_args())
    levels = tuple(chosen.pop("calls") or LEVELS)
    figures = Figures(**chosen)
    print(table(figures, levels), figures_table(figures), sep="\n\n")


if __name__ == "__main__":
    main()
