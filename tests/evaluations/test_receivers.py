"""A batch whose receiver is dead, and the Idempotency-Key it was sent with."""

import pytest

from callgrade.adapters.blobs import FsspecBlobs
from callgrade.adapters.scripted import InlineWorkQueue
from callgrade.db.tables import Batch
from callgrade.domain.errors import NotReadyError
from callgrade.evaluations import receivers, receiving
from callgrade.evaluations.intake import Once, StillAtWorkError
from callgrade.evaluations.receiving import Reception, receive_once
from tests.evaluations.made import FORM, US, as_json, begin, pipeline

ONCE = Once(key="k", fingerprint="f")
LINES = [as_json(call_id=f"C-{n}", turns=[{"speaker": "agent", "text": "您好"}]).encode() + b"\n" for n in range(3)]


@pytest.fixture
def reception(database, tmp_path):
    begin(database)
    queue = InlineWorkQueue(pipeline(database, tmp_path, []))
    blobs = FsspecBlobs(str(tmp_path / "blobs"))
    yield Reception(database, blobs, queue, chunk_lines=1, most_lines=9, receiver="web")
    queue.close()


def send(reception, lines=LINES, once=ONCE):
    left = list(lines)
    return receive_once(reception, US, FORM.id, lambda: left.pop(0) if left else b"", once)


def give_up_of(database, receiver):
    with database.writing() as session:
        return receivers.give_up_of(session, receiver)


def status(database, batch_id):
    with database.reading() as session:
        return session.get(Batch, batch_id).status


def test_a_dead_receivers_batch_is_incomplete_and_its_key_begins_anew(database, reception):
    begun = reception.begin(US, FORM.id, ONCE)
    with database.reading() as session:
        assert receivers.receivers(session) == {"web"}
    with pytest.raises(StillAtWorkError):
        send(reception)
    assert give_up_of(database, "another") == 0
    assert give_up_of(database, "web") == 1
    assert status(database, begun.id) == "incomplete"
    answer = send(reception)
    assert (answer["total"], answer["batch_id"] != begun.id) == (3, True)
    assert send(reception) == answer


def test_what_has_come_in_is_nobodys_to_give_up(database, reception):
    answer = send(reception, once=None)
    assert give_up_of(database, "web") == 0
    assert status(database, answer["batch_id"]) == "done"
    with database.reading() as session:
        assert receivers.receivers(session) == frozenset()


def test_the_answer_stands_as_soon_as_all_has_come_in(database, reception):
    begun = reception.begin(US, FORM.id, ONCE)
    # the process dies between storing this and sending it
    answer = reception.receive(begun, enumerate(LINES, 1), ONCE, lambda: "digest")
    assert reception.begin(US, FORM.id, ONCE) == {**answer, "body": "digest"}


def test_without_a_database_a_batch_is_given_up_as_soon_as_there_is_one(database, reception, monkeypatch):
    begun = reception.begin(US, FORM.id, ONCE)
    away, slept = [True, True], []

    def give_up(*_):
        if away:
            away.pop()
            raise NotReadyError("the database is away")
        return receivers.give_up_of(_[0], "web")

    class Thread:
        def __init__(self, target, args, daemon):
            self.start = lambda: target(*args)

    monkeypatch.setattr(receiving.receivers, "give_up", give_up)
    monkeypatch.setattr(receiving.threading, "Thread", Thread)
    monkeypatch.setattr(receiving.time, "sleep", slept.append)
    with pytest.raises(ZeroDivisionError):
        reception.receive(begun, ((1 / 0, b"") for _ in "x"), ONCE)
    assert slept == [receiving.AGAIN_S] * 2
    assert status(database, begun.id) == "incomplete"
