"""The allowance of one key."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callgrade.access import rates
from callgrade.access.rates import Rates
from callgrade.domain.errors import TooManyRequestsError


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def granted(allowance: Rates, key: str, tries: int) -> int:
    done = 0
    for _ in range(tries):
        try:
            allowance.spend(key)
        except TooManyRequestsError:
            continue
        done += 1
    return done


def test_a_minutes_requests_may_come_at_once_and_no_more(clock):
    assert granted(Rates(5, clock=clock), "a", 20) == 5


def test_keys_do_not_share(clock):
    allowance = Rates(5, clock=clock)
    assert granted(allowance, "a", 9) == 5
    assert granted(allowance, "b", 9) == 5


def test_the_refusal_says_when_to_come_back_and_then_it_works(clock):
    allowance = Rates(30, clock=clock)
    assert granted(allowance, "a", 30) == 30
    with pytest.raises(TooManyRequestsError, match="30 requests a minute") as caught:
        allowance.spend("a")
    assert caught.value.retry_after_s == pytest.approx(2)
    clock.now += caught.value.retry_after_s * 0.99
    assert granted(allowance, "a", 1) == 0
    clock.now += caught.value.retry_after_s * 0.011
    assert granted(allowance, "a", 2) == 1


def test_a_long_pause_saves_up_one_minute_only(clock):
    allowance = Rates(5, clock=clock)
    granted(allowance, "a", 5)
    clock.now += 86_400
    assert granted(allowance, "a", 20) == 5


@given(st.integers(1, 600), st.lists(st.floats(0, 5), max_size=60))
def test_no_stretch_of_time_gives_more_than_its_share(per_minute, pauses):
    clock = Clock()
    allowance, done = Rates(per_minute, clock=clock), 0
    for pause in pauses:
        clock.now += pause
        done += granted(allowance, "a", 7)
    assert done <= per_minute + sum(pauses) * per_minute / 60 + 1e-6


def test_keys_that_are_idle_are_forgotten(clock, monkeypatch):
    monkeypatch.setattr(rates, "FEW", 10)
    allowance = Rates(60, clock=clock)
    for number in range(100):
        allowance.spend(f"key {number}")
        clock.now += 10
    assert len(allowance._left) <= 12


def test_threads_get_no_more_together(clock):
    allowance, done = Rates(500, clock=clock), []
    threads = [threading.Thread(target=lambda: done.append(granted(allowance, "a", 100))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(done) == 500
