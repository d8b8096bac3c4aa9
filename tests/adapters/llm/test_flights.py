"""The same question at the same moment is one request."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from callgrade.adapters.cache import DiskCache
from callgrade.adapters.llm import LLMJudge, UnderWay, open_judge
from callgrade.adapters.llm.flights import Flights
from tests.adapters.llm.conftest import Waits
from tests.adapters.llm.exchange import (
    BASE_URL,
    FABRICATED,
    Plain,
    completion,
    criterion,
    good,
    refused,
    rubric,
    said,
    settings,
    transcript,
)


class Server:
    """Holds every answer back until it is let go."""

    def __init__(self, *answers: httpx.Response):
        self.answers, self.sent = list(answers), 0
        self.go = asyncio.Event()

    async def answer(self, request: httpx.Request) -> httpx.Response:
        self.sent += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        await self.go.wait()
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    async def until_asked(self, times: int = 1) -> None:
        for _ in range(10_000):
            if self.sent >= times:
                break
            await asyncio.sleep(0)
        assert self.sent >= times
        # and all who might ask beside have had their turn
        for _ in range(50):
            await asyncio.sleep(0)


@asynccontextmanager
async def judges(server: Server, number: int, waits: Waits, **more: Any) -> AsyncIterator[list[LLMJudge]]:
    """Judges that know of each other's questions. `clients`: whose they are."""
    under_way: UnderWay = Flights()
    clients = more.pop("clients", [""] * number)
    cache = more.pop("cache", None)
    with respx.mock(assert_all_called=False) as router:
        router.post(f"{BASE_URL}/chat/completions").mock(side_effect=server.answer)
        async with httpx.AsyncClient() as http:
            opened = [
                open_judge(
                    settings(**more),
                    redactor=Plain(),
                    client=clients[place],
                    cache=cache,
                    http_client=http,
                    under_way=under_way,
                    sleep=waits,
                )
                for place in range(number)
            ]
            yield opened
            for judge in opened:
                await judge.aclose()


def ask(judge: LLMJudge, call_id: str = "C-1", form: Any = None) -> "asyncio.Task[Any]":
    return asyncio.create_task(judge.judge(transcript(call_id=call_id), form or rubric()))


async def test_twenty_who_ask_the_same_cost_one_request(waits: Waits) -> None:
    server = Server(completion(good()))
    async with judges(server, 2, waits) as pair:
        tasks = [ask(pair[place % 2], f"C-{place}") for place in range(20)]
        await server.until_asked()
        server.go.set()
        verdicts = await asyncio.gather(*tasks)
    assert server.sent == 1
    assert {verdict.judgements for verdict in verdicts} == {verdicts[0].judgements}
    assert verdicts[0].judgements[0].status == "judged"
    # it is billed to one of them, and was at hand for the others
    assert sorted(verdict.usage.requests for verdict in verdicts) == [0] * 19 + [1]
    assert sum(verdict.usage.cache_hits for verdict in verdicts) == 19
    assert sum(verdict.usage.prompt_tokens for verdict in verdicts) == 1000
    assert {verdict.provenance["model_reported"] for verdict in verdicts} == {"judge-7b-0425"}


async def test_repairs_are_shared_and_samples_are_not(waits: Waits) -> None:
    made_up = completion(good() | {"insult": said("counted", (2, FABRICATED), occurrences=1)})
    server = Server(made_up, completion(good()))
    server.go.set()
    async with judges(server, 1, waits) as (judge,):
        await asyncio.gather(*[ask(judge) for _ in range(5)])
    assert server.sent == 2
    server = Server(completion({"greeting": said("yes", (0, "您好"))}))
    server.go.set()
    form = rubric(criterion("greeting", {"kind": "answer", "yes": 1, "no": 0}, evidence="none", critical=True))
    async with judges(server, 1, waits, samples=3) as (judge,):
        await asyncio.gather(*[ask(judge, form=form) for _ in range(5)])
    assert server.sent == 3


async def test_clients_never_share(waits: Waits) -> None:
    server = Server(completion(good()))
    async with judges(server, 2, waits, clients=["bank", "hospital"]) as pair:
        tasks = [ask(judge) for judge in pair]
        await server.until_asked(2)
        server.go.set()
        verdicts = await asyncio.gather(*tasks)
    assert server.sent == 2
    assert [verdict.usage.requests for verdict in verdicts] == [1, 1]


async def test_whoever_began_may_leave(waits: Waits) -> None:
    server = Server(completion(good()))
    async with judges(server, 1, waits) as (judge,):
        first, second = ask(judge), ask(judge)
        await server.until_asked()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        third = ask(judge)
        await server.until_asked()
        server.go.set()
        verdicts = [await second, await third]
    assert server.sent == 1
    assert [verdict.judgements[0].status for verdict in verdicts] == ["judged"] * 2
    assert sum(verdict.usage.requests for verdict in verdicts) == 1


async def test_with_the_last_who_leaves_it_is_called_off(waits: Waits) -> None:
    server = Server(completion(good()))
    async with judges(server, 1, waits, concurrency=1) as (judge,):
        tasks = [ask(judge) for _ in range(3)]
        await server.until_asked()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # the only place at the model is free again, and the next one asks anew
        server.go.set()
        verdict = await ask(judge)
    assert (server.sent, verdict.usage.requests) == (2, 1)


async def test_a_failure_is_everybodys_and_the_next_one_asks_anew(waits: Waits) -> None:
    server = Server(refused(401, "no"), completion(good()))
    async with judges(server, 1, waits) as (judge,):
        tasks = [ask(judge) for _ in range(5)]
        await server.until_asked()
        server.go.set()
        verdicts = await asyncio.gather(*tasks)
        again = await ask(judge)
    assert [verdict.judgements[0].error.type for verdict in verdicts] == ["key-refused"] * 5
    assert sorted(verdict.usage.requests for verdict in verdicts) == [0, 0, 0, 0, 1]
    assert sum(verdict.usage.cache_hits for verdict in verdicts) == 0
    assert (server.sent, again.judgements[0].status) == (2, "judged")


async def test_a_bug_is_raised_to_everybody() -> None:
    flights: Flights[int] = Flights()

    async def broken() -> int:
        await asyncio.sleep(0)
        raise ZeroDivisionError

    found = await asyncio.gather(*[flights.join("k", broken) for _ in range(3)], return_exceptions=True)
    assert [type(error) for error in found] == [ZeroDivisionError] * 3


async def test_what_another_process_was_told_meanwhile_is_not_asked(
    tmp_path: Path, waits: Waits, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes with one cache file: the second waits for its place while the first is answered."""
    server = Server(completion(good()))

    def here() -> DiskCache:
        return DiskCache(tmp_path / "answers.sqlite")

    async with judges(server, 1, waits, cache=here()) as (one,), judges(server, 1, waits, cache=here()) as (other,):
        gate = other._interviewer._gate
        free = asyncio.Event()
        enter: Callable[[Any], Any] = gate.enter

        async def enter_late(request: Any) -> None:
            await free.wait()
            await enter(request)

        monkeypatch.setattr(gate, "enter", enter_late)
        first, second = ask(one), ask(other)
        await server.until_asked()
        server.go.set()
        await first
        free.set()
        verdict = await second
    assert server.sent == 1
    assert verdict.usage.model_dump(exclude_defaults=True) == {"cache_hits": 1}
    assert verdict.provenance["model_reported"] == "judge-7b-0425"


async def test_an_answer_kept_that_is_none_any_more_is_asked_for(tmp_path: Path, waits: Waits) -> None:
    class Outdated(DiskCache):
        def get(self, key: str) -> tuple[str, str] | None:
            return '{"of": "another callgrade"}', "old"

    server = Server(completion(good()))
    server.go.set()
    async with judges(server, 1, waits, cache=Outdated(tmp_path / "answers.sqlite")) as (judge,):
        verdict = await ask(judge)
    assert (server.sent, verdict.judgements[0].status, verdict.usage.cache_hits) == (1, "judged", 0)
