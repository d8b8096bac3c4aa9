"""The arithmetic of sizing, by hand."""

from dataclasses import replace

import pytest
from evals.sizing import Figures, dollars_a_call, need, table

PLAIN = Figures(
    busy_hours=10, peak=2, used=0.5, bulk_ms=6, single_ms=20, in_flight=500, model_s=10, minutes=3, asr_rtf=0.01
)


def test_a_million_calls_a_day() -> None:
    found = need(1_000_000, replace(PLAIN, prompt_tokens=2000, completion_tokens=1000, recording_kb_s=16))
    # 1,000,000 / 36,000 s × 2
    assert found.peak_per_s == pytest.approx(55.56, abs=0.01)
    # 55.6 × 6 ms = 0.33 cores, 0.67 at half load; but 556 requests at once need two processes
    assert (found.bulk_workers, found.requests_at_once) == (2, 556)
    # 55.6 × 20 ms = 1.11 cores, 2.2 at half load
    assert found.single_workers == 3
    assert found.tokens_a_minute == pytest.approx(55.556 * 60 * 3000, rel=1e-3)
    # 1,000,000 × 180 s × 16 kB
    assert found.recordings_gb == pytest.approx(2880)
    # 1,000,000 × 180 s × 0.01 = 1,800,000 s of GPU; 20.8 a day's worth, 41.7 at half load
    assert found.gpus == 42


def test_what_a_call_costs() -> None:
    figures = replace(
        PLAIN, prompt_tokens=2000, cached_share=0.25, completion_tokens=500, price_prompt=1, price_cached=0.1
    )
    # 1,500 × $1 + 500 × $0.10 + 500 × $2, a million
    assert dollars_a_call(replace(figures, price_completion=2)) == pytest.approx(0.00255)


def test_little_needs_one_of_each_and_transcripts_no_gpu() -> None:
    found = need(1, replace(PLAIN, recordings_share=0))
    assert (found.bulk_workers, found.single_workers, found.requests_at_once, found.gpus) == (1, 1, 1, 0)
    assert (found.recordings_gb, found.sound_hours) == (0, 0)


def test_ten_times_the_calls_are_ten_times_of_everything_that_is_not_rounded() -> None:
    one, ten = need(10_000, PLAIN), need(100_000, PLAIN)
    for name in ("dollars_a_day", "bulk_gb", "single_wal_gb", "sound_hours", "tokens_a_minute", "bulk_commits_s"):
        assert getattr(ten, name) == pytest.approx(10 * getattr(one, name))


def test_the_table_has_a_column_a_level() -> None:
    lines = table(PLAIN, (10_000, 2_000_000)).splitlines()
    assert lines[0] == "|  | 10,000 a day | 2,000,000 a day |"
    assert {line.count("|") for line in lines} == {4}
