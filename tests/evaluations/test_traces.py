"""What a chunk stores of calls that others touch at the same time."""

from threading import Event, Thread

from sqlalchemy import update

from callgrade.db.session import Database
from callgrade.db.tables import Call
from callgrade.evaluations.traces import known_calls
from tests.evaluations.made import CLIENT, begin, submit, transcript


def test_a_call_is_not_erased_while_its_words_are_stored(database: Database) -> None:
    call_id = submit(database, transcript(), begin(database)).call_id
    begun, erased = Event(), Event()

    def erase() -> None:
        begun.set()
        with database.writing() as session:
            session.execute(update(Call).where(Call.id == call_id).values(erased_because="asked"))  # type: ignore[arg-type]
        erased.set()

    eraser = Thread(target=erase)
    with database.writing() as session:
        assert not known_calls(session, CLIENT, ["C-1", "nobody"], hold=True)["C-1"].erased
        eraser.start()
        assert begun.wait(10)
        assert not erased.wait(0.5)
    eraser.join(30)
    assert erased.is_set()
