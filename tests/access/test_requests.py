"""The same request twice is done once."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callgrade.access import requests
from callgrade.access.keys import ensure_client
from callgrade.access.requests import Answered, AtWork, Fresh, abandon, begin, fingerprint, finish, forget, note
from callgrade.db.session import Database
from callgrade.domain.errors import ConflictError, InputError

NOW = datetime.now(UTC)
PRINT = fingerprint("POST", "/v1/calls?rubric=a", "0" * 64)


@pytest.fixture
def client(database: Database) -> str:
    with database.writing() as session:
        return ensure_client(session).id


def ask(database: Database, client: str, key: str = "k", print_: str = PRINT, at: datetime = NOW):
    with database.writing() as session:
        return begin(session, client, key, print_, at=at)


def nobody(_: AtWork) -> bool:
    return False


def test_the_second_one_gets_the_first_ones_answer(database, client):
    with database.writing() as session:
        assert begin(session, client, "k", PRINT) == Fresh()
        finish(session, client, "k", 202, {"id": "x", "多": [1, None]})
    assert ask(database, client) == Answered(status=202, answer={"id": "x", "多": [1, None]})


def test_another_request_with_the_same_key_is_a_conflict_before_and_after_the_answer(database, client):
    ask(database, client)
    other = fingerprint("POST", "/v1/calls?rubric=b", "0" * 64)
    with pytest.raises(ConflictError, match="new key"):
        ask(database, client, print_=other)
    with database.writing() as session:
        finish(session, client, "k", 202, {})
    with pytest.raises(ConflictError):
        ask(database, client, print_=other)


def test_clients_do_not_share_keys(database, client):
    with database.writing() as session:
        other = ensure_client(session, "other").id
    assert ask(database, client) == Fresh()
    assert ask(database, other, print_=fingerprint("POST", "/other", "1" * 64)) == Fresh()


def test_a_failure_leaves_nothing_so_that_it_can_be_tried_again(database, client):
    def fail() -> None:
        with database.writing() as session:
            begin(session, client, "k", PRINT)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert ask(database, client) == Fresh()


def test_while_the_first_is_at_work_the_second_is_told_so(database, client):
    assert ask(database, client) == Fresh()
    assert ask(database, client) == AtWork(since=NOW, noted={})
    with database.writing() as session:
        note(session, client, "k", {"batch_id": "b"})
    assert ask(database, client) == AtWork(since=NOW, noted={"batch_id": "b"})


def test_what_was_noted_is_no_answer_and_goes_with_it(database, client):
    ask(database, client)
    with database.writing() as session:
        note(session, client, "k", {"batch_id": "b"})
        finish(session, client, "k", 202, {"n": 1})
        note(session, client, "k", {"batch_id": "c"})
    assert ask(database, client) == Answered(status=202, answer={"n": 1})


def test_work_that_was_abandoned_can_begin_anew_and_an_answer_cannot_be_abandoned(database, client):
    ask(database, client)
    with database.writing() as session:
        abandon(session, client, "k")
        assert begin(session, client, "k", PRINT) == Fresh()
        finish(session, client, "k", 200, {"a": 1})
        abandon(session, client, "k")
    assert ask(database, client) == Answered(status=200, answer={"a": 1})


def test_work_that_died_is_taken_over_once_however_the_clock_goes(database, client):
    ask(database, client)
    dead = ask(database, client, at=NOW + timedelta(days=1))
    with database.writing() as session:
        note(session, client, "k", {"batch_id": "b"})
        earlier = NOW - timedelta(hours=1)
        assert requests.take_over(session, client, "k", dead, at=earlier)
        assert not requests.take_over(session, client, "k", dead, at=NOW)
    assert ask(database, client) == AtWork(since=earlier, noted={})


def test_what_was_answered_cannot_be_taken_over(database, client):
    ask(database, client)
    dead = ask(database, client)
    with database.writing() as session:
        finish(session, client, "k", 202, {"n": 1})
        assert not requests.take_over(session, client, "k", dead)


def test_the_first_answer_stays(database, client):
    ask(database, client)
    with database.writing() as session:
        finish(session, client, "k", 202, {"n": 1})
        finish(session, client, "k", 500, {"n": 2})
    assert ask(database, client) == Answered(status=202, answer={"n": 1})


def test_answers_are_forgotten_after_a_day(database, client):
    ask(database, client, "old", at=NOW - requests.KEPT - timedelta(seconds=1))
    ask(database, client, "new", at=NOW)
    with database.writing() as session:
        assert forget(session, nobody, at=NOW) == 1
    assert ask(database, client, "old") == Fresh()
    assert isinstance(ask(database, client, "new"), AtWork)


def test_what_is_still_at_work_is_not_forgotten_by_a_clock_put_forward(database, client):
    tomorrow = NOW + requests.KEPT + timedelta(hours=1)
    for key in ("alive", "dead", "answered"):
        ask(database, client, key)
        with database.writing() as session:
            note(session, client, key, {"batch_id": key})
    with database.writing() as session:
        finish(session, client, "answered", 202, {})
        assert forget(session, lambda first: first.noted == {"batch_id": "alive"}, at=tomorrow) == 2
    assert ask(database, client, "alive") == AtWork(since=NOW, noted={"batch_id": "alive"})
    assert ask(database, client, "dead") == ask(database, client, "answered") == Fresh()


@pytest.mark.parametrize("key", ["", "a b", "a\n", "键", "x" * 201])
def test_a_key_that_is_none_is_an_error_that_does_not_repeat_it(database, client, key):
    with pytest.raises(InputError, match="Idempotency-Key") as caught:
        ask(database, client, key)
    assert not key or key not in str(caught.value)


def test_of_many_at_once_one_does_the_work_and_all_get_its_answer(database, client):
    answers: list[object] = []
    done: list[int] = []

    def submit(number: int) -> None:
        with database.writing() as session:
            begun = begin(session, client, "k", PRINT)
            if isinstance(begun, Fresh):
                done.append(number)
                finish(session, client, "k", 202, {"by": number})
        answers.append(begun)

    threads = [threading.Thread(target=submit, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 1
    told = [answer for answer in answers if answer != Fresh()]
    assert told == [Answered(status=202, answer={"by": done[0]})] * 7


@given(st.tuples(st.text(), st.text(), st.text()), st.tuples(st.text(), st.text(), st.text()))
def test_only_the_same_request_has_the_same_fingerprint(one, other):
    method, target, _ = one
    one, other = (method.replace("\n", ""), target.replace("\n", ""), "0" * 64), (*other[:2], "0" * 64)
    same = (one[0].upper(), one[1]) == (other[0].upper(), other[1])
    if "\n" not in other[0] + other[1]:
        assert (fingerprint(*one) == fingerprint(*other)) is same
