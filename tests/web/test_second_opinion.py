"""The second opinion on the review page: what it says and where that comes from; nothing in a blind review."""

from datetime import UTC, datetime

import pytest

from callgrade.catalog import load_rubric
from callgrade.db.tables import SecondLook
from callgrade.domain.second_opinion import Difference
from tests.api.made import OTHER_RUBRIC
from tests.web.reviewing import call, review

AT = datetime(2026, 11, 22, 1, tzinfo=UTC)


@pytest.fixture
def looked(rooms):
    """A call, and a criterion of which the second opinion says otherwise: (evaluation, criterion)."""
    made, _ = call(rooms)
    criterion = load_rubric(OTHER_RUBRIC).criteria[2].id
    said = Difference(
        opinion="0" * 32, criterion_id=criterion, fault=True, probability=0.934, calls=1420, faults=61, trained_at=AT,
        kappa=0.62,
    )  # fmt: skip
    with rooms.desk.database.writing() as session:
        session.add(
            SecondLook(
                evaluation_id=made.id, attempt=1, client_id=made.client_id, opinions=["0" * 32],
                differs=[said.model_dump(mode="json")],
            )
        )  # fmt: skip
    return made, criterion


def card(page, criterion):
    return page.text.split(f'data-criterion="{criterion}"')[1].split("</article>")[0]


def test_its_card_says_what_it_thinks_how_sure_it_is_and_where_that_comes_from(rooms, looked):
    made, criterion = looked
    review(rooms, made, why="second_opinion")
    browser = rooms.browser("reviewer")
    page = browser.get(f"/calls/{made.call_id}")
    shown = card(page, criterion)
    assert "第二意见不同：认为有此问题，把握 93%" in shown
    assert "1,420 通已标注通话训练，其中 61 通有此问题" in shown
    assert "kappa 为 0.62" in shown
    assert page.text.count("第二意见不同") == 1
    assert "第二意见不同" in browser.get("/queue").text


def test_a_blind_review_shows_nothing_of_it_anywhere(rooms, looked):
    made, _ = looked
    review(rooms, made, why="second_opinion", blind=True)
    browser = rooms.browser("reviewer")
    assert "第二意见" not in browser.get(f"/calls/{made.call_id}").text.split("<main")[1]
    queue = browser.get("/queue").text
    assert "抽样" in queue
    assert 'class="chip partly"' not in queue
