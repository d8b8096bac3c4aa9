"""What a chunk stores of calls that others touch at the same time."""

from pathlib import Path
from threading import Event, Thread

from sqlalchemy import update

from callgrade.db.session import Database
from callgrade.db.tables import Batch, Call
from callgrade.evaluations import chunks
from callgrade.evaluations.failures import DuplicateError
from callgrade.evaluations.traces import Result, known_calls, store
from tests.evaluations.made import CLIENT, batch, begin, submit, transcript


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


def test_what_another_worker_has_stored_is_no_fault_of_its_lines(database: Database, tmp_path: Path) -> None:
    # a worker that looks up its calls after another has stored them takes its own lines for repetitions
    begin(database)
    words = [transcript(f"C-{place}") for place in range(3)]
    batch_id = batch(database, tmp_path, words)
    with database.reading() as session:
        chunk = chunks.open_chunk(session, batch_id, 0)
    assert chunk is not None
    with database.writing() as session:
        store(session, chunk, [Result(line, said, None, None) for line, said in enumerate(words, start=1)])
    with database.writing() as session:
        store(session, chunk, [Result(line, None, None, DuplicateError("there")) for line in (1, 2, 3)])
    with database.reading() as session:
        found = session.get(Batch, batch_id)
        assert found is not None
        assert (found.faulty, chunks.progress(session, found).faulty) == (0, 0)
