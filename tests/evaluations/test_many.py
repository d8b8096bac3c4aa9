from pathlib import Path

import pytest

from callgrade.domain.calls import Transcript
from callgrade.domain.errors import TranscriptError
from callgrade.evaluations.many import evaluate_many, seldom_collecting

PATHS = [Path(f"{n}.json") for n in range(20)]


async def load(path: Path) -> Transcript:
    if path.stem in ("3", "7"):
        raise TranscriptError("is empty", source=str(path))
    return Transcript(call_id=path.stem)


async def test_one_bad_input_never_stops_the_rest():
    async def evaluate(transcript):
        if transcript.call_id == "9":
            raise RuntimeError("客户的原话")
        return transcript.call_id

    results = [result async for result in evaluate_many(PATHS, load, evaluate, in_flight=4)]
    assert {r.source for r in results} == set(PATHS)
    assert {r.source.stem for r in results if r.error} == {"3", "7", "9"}
    bug = next(r.error for r in results if r.source.stem == "9")
    assert str(bug) == "internal error (RuntimeError)"  # not what was said


async def test_no_more_than_in_flight_run_and_sources_are_taken_as_needed():
    running = most = 0
    taken = []

    def sources():
        for path in PATHS:
            taken.append(path)
            yield path

    async def evaluate(transcript):
        nonlocal running, most
        import asyncio

        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1
        return transcript.call_id

    results = evaluate_many(sources(), load, evaluate, in_flight=3)
    await anext(results)
    assert len(taken) <= 4
    rest = [result async for result in results]
    assert (len(rest), most) == (19, 3)


async def test_leaving_early_cancels_what_runs():
    import asyncio

    begun, cancelled = asyncio.Barrier(3), []

    async def evaluate(transcript):
        await begun.wait()
        try:
            await asyncio.sleep(60 if transcript.call_id != "0" else 0)
        except asyncio.CancelledError:
            cancelled.append(transcript.call_id)
            raise

    results = evaluate_many(PATHS[:3], load, evaluate, in_flight=3)
    await anext(results)
    await results.aclose()
    assert sorted(cancelled) == ["1", "2"]


async def test_nothing_in_nothing_out():
    assert [r async for r in evaluate_many([], load, load, in_flight=2)] == []  # type: ignore[arg-type]


async def test_the_collector_comes_seldom_and_is_put_back():
    import gc

    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    with seldom_collecting():
        assert gc.get_threshold()[0] > before[0]
        assert gc.get_freeze_count() > frozen
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, 0)


pytestmark = pytest.mark.asyncio
