import asyncio

import pytest

from callgrade.adapters.limits import Breaker, CircuitOpenError, Leases, ModelGate, Window
from callgrade.adapters.limits import leases as leases_room
from callgrade.adapters.limits.leases import Lease, allowance, lease
from callgrade.adapters.llm.errors import Fault
from callgrade.adapters.llm.wire import Reply, Request, Tokens
from callgrade.domain.errors import (
    BadRequestError,
    ContentFilteredError,
    KeyRefusedError,
    ModelUnavailableError,
    RateLimitedError,
)
from tests.db.databases import *  # noqa: F403

REQUEST = Request({"messages": []})
REPLY = Reply(content="{}", refusal=None, finish_reason="stop", model="m", tokens=Tokens(prompt=100, completion=50))
AWAY = Fault(ModelUnavailableError("away"))
REFUSED = Fault(RateLimitedError("429"))


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def breaker(clock):
    return Breaker(in_a_row=3, pause_s=5, longest_s=15, clock=clock)


def fail(breaker, times=1, error=AWAY.error):
    for _ in range(times):
        breaker.failed(error)


# the breaker


def test_it_opens_after_so_many_failures_in_a_row(breaker):
    fail(breaker, 2)
    breaker.answered()
    fail(breaker, 2)
    breaker.admit()
    fail(breaker)
    with pytest.raises(CircuitOpenError, match="model-unavailable"):
        breaker.admit()
    assert breaker.is_open


def test_a_key_that_is_refused_opens_it_at_once(breaker):
    fail(breaker, error=KeyRefusedError("no"))
    assert breaker.is_open


def test_a_model_that_refuses_a_call_is_there(breaker):
    fail(breaker, 2)
    fail(breaker, 2, ContentFilteredError("no"))
    fail(breaker, 2, BadRequestError("no"))
    assert not breaker.is_open
    assert breaker.answers == 4


def test_after_a_pause_one_request_is_let_through_and_its_answer_closes(breaker, clock):
    fail(breaker, 3)
    clock.now = 4.9
    with pytest.raises(CircuitOpenError):
        breaker.admit()
    clock.now = 5.0
    breaker.admit()
    with pytest.raises(CircuitOpenError):
        breaker.admit()
    breaker.answered()
    breaker.admit()
    breaker.admit()


def test_each_vain_try_doubles_the_pause_up_to_the_longest(breaker, clock):
    fail(breaker, 3)
    for pause in (5, 10, 15, 15):
        clock.now += pause - 0.1
        with pytest.raises(CircuitOpenError):
            breaker.admit()
        clock.now += 0.1
        breaker.admit()
        fail(breaker)
    clock.now += 15
    breaker.admit()
    breaker.answered()
    fail(breaker, 3)
    clock.now += 5
    breaker.admit()


def test_a_try_that_was_called_off_makes_room_for_the_next(breaker, clock):
    fail(breaker, 3)
    clock.now = 5
    breaker.admit()
    breaker.called_off()
    breaker.admit()


def test_the_endpoints_own_pause_counts(breaker, clock):
    fail(breaker, 2)
    breaker.failed(REFUSED.error, retry_after=12)
    clock.now = 11.9
    with pytest.raises(CircuitOpenError):
        breaker.check()
    clock.now = 12
    breaker.check()


async def test_of_all_that_wait_one_tries_and_its_answer_wakes_the_others():
    breaker = Breaker(in_a_row=1, pause_s=0.05)
    fail(breaker)
    back = []

    async def wait(place):
        await breaker.over()
        back.append(place)

    waiting = [asyncio.create_task(wait(place)) for place in range(5)]
    async with asyncio.timeout(5):
        while not back:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        assert len(back) == 1
        breaker.admit()
        breaker.answered()
        await asyncio.gather(*waiting)
    assert sorted(back) == [0, 1, 2, 3, 4]


# the window


async def test_never_more_than_so_many_are_inside():
    window, inside, most = Window(3), 0, 0

    async def one():
        nonlocal inside, most
        await window.enter()
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0)
        inside -= 1
        window.leave()

    await asyncio.gather(*(one() for _ in range(50)))
    assert most == 3


async def test_who_gives_up_waiting_takes_no_place():
    window = Window(1)
    await window.enter()
    waiting = [asyncio.create_task(window.enter()) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    window.leave()
    waiting[1].cancel()
    async with asyncio.timeout(5):
        await waiting[2]
        window.leave()
        await window.enter()


async def test_refusals_make_it_smaller_and_answers_larger_again():
    window = Window(10)
    for _ in range(20):
        window.refused()
    assert window.size == 1
    for _ in range(5):
        window.answered()
    assert window.size == 2
    for _ in range(100):
        window.answered()
    assert window.size == 10


# the shared allowance


@pytest.mark.parametrize("a_minute", [1, 7, 59, 60, 61, 100, 3_500, 90_000])
def test_a_minutes_allowance_is_spread_over_its_seconds(a_minute):
    for start in (0, 17, 1_700_000_003):
        shares = [allowance(a_minute, second) for second in range(start, start + 60)]
        assert sum(shares) == a_minute
        assert max(shares) - min(shares) <= 1


def test_hosts_share_a_second(database):
    def take(name, second, *wanted):
        with database.writing() as session:
            return lease(session, name, second, Lease(*wanted), requests=600, tokens=60_000)

    assert take("llm", 1000, 4, 100) == (4, 100)
    assert take("llm", 1000, 9, 5_000) == (6, 900)
    assert take("llm", 1000, 1, 1) == (0, 0)
    assert take("llm", 1001, 1, 1) == (1, 1)
    assert take("other", 1000, 1, 1) == (1, 1)
    assert take("llm", 1020, 0, 0) == (0, 0)
    # what lies back for longer is forgotten, so that a clock put back meets no full seconds for long
    assert take("llm", 1000, 4, 100) == (4, 100)


async def test_a_request_waits_for_its_second_and_its_tokens(database):
    now = [1000.0]
    leases = Leases(database, "llm", requests=120, tokens=60_000, clock=lambda: now[0])
    async with asyncio.timeout(20):
        await leases.take(900)
        second = asyncio.create_task(leases.take(900))
        await asyncio.sleep(0.2)
        assert not second.done()
        now[0] = 1001.0
        await second
        leases.settle(900, 200)
        # the 700 that were taken for nothing are there for the next
        await leases.take(700)
        # two requests a second: the first of this second was taken in the one before
        await leases.take(1)
        fourth = asyncio.create_task(leases.take(1))
        await asyncio.sleep(0.2)
        assert not fourth.done()
        now[0] = 1002.0
        await fourth


async def test_a_clock_put_back_while_a_second_is_waited_for_costs_a_second_and_no_hour(database, monkeypatch):
    pauses, told = [], [1000.0, 1000.0 - 3600]

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(leases_room.asyncio, "sleep", sleep)
    leases = Leases(database, "llm", requests=60, tokens=None, clock=lambda: told.pop(0) if len(told) > 1 else told[0])
    first, second = (asyncio.ensure_future(leases.take(1)) for _ in range(2))
    await first
    await second
    assert pauses
    assert max(pauses) < 1.1


async def test_without_a_limit_nobody_waits_and_nothing_is_written():
    await Leases(None, "llm", requests=None, tokens=None).take(10**9)


# the gate


async def test_the_gate_counts_what_comes_back(clock):
    window, breaker = Window(4), Breaker(in_a_row=2, clock=clock)
    gate = ModelGate(window, breaker)
    for outcome in (REPLY, REFUSED, None, AWAY):
        await gate.enter(REQUEST)
        gate.leave(REQUEST, outcome)
    assert window.size == 3  # no place is left inside: all four came out again
    assert breaker.answers == 1
    with pytest.raises(Fault) as caught:
        await gate.enter(REQUEST)
    assert not caught.value.error.retryable, "to ask again at once would be in vain"
    clock.now = 5.0
    for _ in range(8):
        await gate.enter(REQUEST)
        gate.leave(REQUEST, REPLY)
    assert window.size == 4
