from hypothesis import given
from hypothesis import strategies as st

from callgrade.adapters.places import Places, receiver_of


def test_a_receiver_is_a_host_whatever_its_hooks_are_called() -> None:
    assert receiver_of("https://CRM.example:8443/a?x=1") == receiver_of("https://crm.example:8443/b")
    assert receiver_of("https://crm.example/") != receiver_of("http://crm.example/")


def test_one_that_does_not_answer_gets_one_attempt_at_a_time_until_it_does() -> None:
    places = Places(at_once=64, each=16)
    assert places.free("a") == 16
    places.take("a", 3)
    places.answered("a", at_all=False)
    assert places.free("a") == 0
    places.leave("a", 3)
    assert places.free("a") == 1
    assert places.free("b") == 16
    places.answered("a", at_all=True)
    assert places.free("a") == 16


@given(st.integers(2, 200), st.integers(1, 50), st.integers(1, 40))
def test_however_many_hang_the_next_one_finds_a_place(at_once: int, each: int, hanging: int) -> None:
    places = Places(at_once, each)
    for number in range(hanging):
        free = places.free(str(number))
        assert free <= each
        # as good as nobody may take the last place, and nobody takes more than there are
        places.take(str(number), free)
        assert places.taken <= at_once
        assert free > 0 or places.taken == at_once
    for number in range(hanging):
        places.leave(str(number), places._taken[str(number)])
    assert places.taken == 0


def test_four_slow_ones_leave_room_for_many() -> None:
    places = Places()
    for number in range(4):
        places.take(str(number), places.free(str(number)))
    assert [places.free("another") for _ in range(1)] == [4]
