"""The judge and its answer cache: what is asked once, and what is asked again."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from callgrade.adapters.cache import DiskCache
from callgrade.adapters.llm import open_judge
from tests.adapters.llm.conftest import Opener, Waits
from tests.adapters.llm.exchange import (
    FABRICATED,
    INSULT,
    Plain,
    Wire,
    completion,
    good,
    refused,
    rubric,
    said,
    settings,
    transcript,
)

Connect = Callable[..., Wire]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "answers.sqlite"


async def test_an_answer_is_paid_for_once(path: Path, mock_wire: Connect, judging: Opener) -> None:
    wire = mock_wire(completion(good()))
    async with judging(cache=DiskCache(path)) as judge:
        first = await judge.judge(transcript(), rubric())
    async with judging(cache=DiskCache(path)) as judge:
        again = await judge.judge(transcript(call_id="another-id"), rubric())
    assert wire.sent == 1
    assert again.judgements == first.judgements
    assert again.usage.model_dump(exclude_defaults=True) == {"cache_hits": 1}
    assert again.provenance["model_reported"] == "judge-7b-0425"


OTHERS: list[dict[str, Any]] = [
    {"model": "other"},
    {"run_salt": "x"},
    {"temperature": 0.5},
    {"base_url": "http://model.test/other"},
    {"max_tokens": 100},
]


@pytest.mark.parametrize("change", OTHERS)
async def test_another_question_is_asked(
    change: dict[str, Any], path: Path, mock_wire: Connect, judging: Opener
) -> None:
    wire = mock_wire(completion(good()))
    for fields in ({}, change):
        async with judging(cache=DiskCache(path), **fields) as judge:
            await judge.judge(transcript(), rubric())
    assert wire.sent == 2


async def test_another_client_never_gets_it(path: Path, mock_wire: Connect, waits: Waits) -> None:
    wire = mock_wire(completion(good()))
    for client in ("hospital", "bank"):
        async with httpx.AsyncClient() as http:
            cache = DiskCache(path)
            judge = open_judge(settings(), redactor=Plain(), cache=cache, client=client, http_client=http, sleep=waits)
            async with judge:
                await judge.judge(transcript(), rubric())
    assert wire.sent == 2


async def test_the_cache_can_be_turned_off(path: Path, mock_wire: Connect, waits: Waits) -> None:
    wire = mock_wire(completion(good()))
    for _ in range(2):
        async with httpx.AsyncClient() as http:
            judge = open_judge(
                settings(cache=False), redactor=Plain(), cache=DiskCache(path), http_client=http, sleep=waits
            )
            async with judge:
                await judge.judge(transcript(), rubric())
    assert wire.sent == 2


async def test_other_words_are_asked_about(path: Path, mock_wire: Connect, judging: Opener) -> None:
    wire = mock_wire(completion(good()))
    async with judging(cache=DiskCache(path)) as judge:
        await judge.judge(transcript(), rubric())
        await judge.judge(transcript(("agent", INSULT)), rubric())
    assert wire.sent == 2


async def test_bad_answers_are_not_kept(path: Path, mock_wire: Connect, judging: Opener) -> None:
    wire = mock_wire(completion("抱歉"), refused(401, "no"), completion(good()))
    async with judging(cache=DiskCache(path)) as judge:
        assert (await judge.judge(transcript(), rubric())).judgements[0].status == "failed"
        assert (await judge.judge(transcript(), rubric())).judgements[0].status == "judged"
        await judge.judge(transcript(), rubric())
    assert wire.sent == 3


async def test_samples_and_repairs_are_kept_apart(path: Path, mock_wire: Connect, judging: Opener) -> None:
    wire = mock_wire(
        completion(good() | {"insult": said("counted", (2, FABRICATED), occurrences=1)}), completion(good())
    )
    async with judging(cache=DiskCache(path)) as judge:
        first = await judge.judge(transcript(), rubric())
        again = await judge.judge(transcript(), rubric())
    assert wire.sent == 2
    assert first.judgements == again.judgements
    assert again.usage.model_dump(exclude_defaults=True) == {"cache_hits": 2}


async def test_nothing_is_kept_of_a_call_that_was_forgotten(path: Path, mock_wire: Connect, judging: Opener) -> None:
    """Neither the first answer, nor the one that mended it."""
    answer = good() | {"insult": said("counted", (2, FABRICATED), occurrences=1)}
    mock_wire(completion(answer), completion(good()), completion(good()), completion(good()))
    kept = DiskCache(path)
    async with judging(cache=kept) as judge:
        await judge.judge(transcript(call_id="C-1"), rubric())
    assert FABRICATED.encode() in b"".join(file.read_bytes() for file in path.parent.glob("answers.sqlite*"))
    kept.forget("", ["C-1"])
    assert FABRICATED.encode() not in b"".join(file.read_bytes() for file in path.parent.glob("answers.sqlite*"))
    with sqlite3.connect(path) as file:
        assert file.execute("SELECT count(*) FROM answer").fetchone() == (0,)
