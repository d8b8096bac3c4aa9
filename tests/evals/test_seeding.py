"""The database that the benchmark of lists asks: as many rows as it says, with the indices that it measures."""

import random
from collections.abc import Iterator

import pytest
from evals.bench.lists import QUESTIONS, filters_of
from evals.bench.seeding import OTHERS, seed
from sqlalchemy import func, inspect, select

from callgrade.db.session import Database
from callgrade.db.tables import Evaluation, metadata
from callgrade.evaluations.lists import list_page
from tests.db.databases import *  # noqa: F403

SCORECARDS = 1_000


@pytest.fixture
def seeded(database_url: str) -> Iterator[tuple[Database, str]]:
    made = seed(database_url, SCORECARDS)
    database = Database(database_url)
    yield database, made.client_id
    database.close()


def test_it_holds_what_it_says_and_its_indices(seeded: tuple[Database, str]) -> None:
    database, client_id = seeded
    with database.reading() as session:
        found = dict(
            session.execute(select(Evaluation.client_id, func.count()).group_by(Evaluation.client_id)).all()  # type: ignore[arg-type]
        )
        there = {
            table: {index["name"] for index in inspect(session.connection()).get_indexes(table)}
            for table in ("call", "evaluation", "evaluation_flag")
        }
    assert found.pop(client_id) == SCORECARDS
    assert list(found.values()) == [SCORECARDS // OTHERS]
    for table, names in there.items():
        assert {str(index.name) for index in metadata.tables[table].indexes} <= names


def test_every_question_finds_something(seeded: tuple[Database, str]) -> None:
    database, client_id = seeded
    draw = random.Random(3)
    for question in QUESTIONS:
        with database.reading() as session:
            found = [list_page(session, client_id, filters_of(question.make(draw))) for _ in range(60)]
        assert any(page.items for page in found), question.name
        assert all(row.client_id == client_id for page in found for row in page.items)
