"""The turnstile: one call at a time, and the loop's other work in between."""

import asyncio

from callgrade.pacing import Turnstile


async def test_the_loop_serves_others_between_two_calls() -> None:
    seen: list[str] = []
    turnstile = Turnstile()
    ticking = True

    async def call(name: str) -> None:
        await turnstile.pass_through()
        seen.append(name)

    async def ticks() -> None:
        while ticking:
            seen.append("tick")
            await asyncio.sleep(0)

    ticker = asyncio.create_task(ticks())
    await asyncio.gather(call("a"), call("b"), call("c"))
    ticking = False
    await ticker
    order = [name for name in seen if name != "tick"]
    assert order == ["a", "b", "c"]
    for earlier, later in (("a", "b"), ("b", "c")):
        assert "tick" in seen[seen.index(earlier) : seen.index(later)]


async def test_a_call_that_is_given_up_lets_the_next_one_through() -> None:
    turnstile = Turnstile()
    first, second = (asyncio.create_task(turnstile.pass_through()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait_for(second, timeout=5)
    assert first.cancelled() or first.done()
