from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from callgrade.adapters.rules import RuleJudge
from callgrade.calls import service as calls
from callgrade.domain.errors import ConflictError, InputError, ModelTimeoutError, UnknownResourceError
from callgrade.evaluations import lists, repository
from callgrade.evaluations.lists import Filters, list_page
from callgrade.evaluations.service import Evaluator
from callgrade.evaluations.statuses import NEXT, OPEN, before
from tests.evaluations.made import CLIENT, FORM, US, Model, begin, evaluation, submit, transcript


async def card(words=None, *judges):
    return await Evaluator(FORM, judges or (RuleJudge(), Model())).evaluate(words or transcript())


def test_the_same_submission_is_the_same_evaluation(database):
    version = begin(database)
    first, again = submit(database, transcript(), version), submit(database, transcript(), version)
    assert first.id == again.id
    assert (first.status, first.attempt, first.rubric_digest) == ("queued", 1, version.digest)


def test_two_that_submit_at_once_make_one(database):
    version = begin(database)
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _: submit(database, transcript(), version).id, range(8)))
    assert len(set(made)) == 1


def test_another_clients_evaluation_does_not_exist(database):
    made = submit(database, transcript(), begin(database))
    with database.reading() as session, pytest.raises(UnknownResourceError):
        repository.find(session, "c2", made.id)
    with database.writing() as session, pytest.raises(UnknownResourceError):
        repository.cancel(session, "c2", made.id)


def test_a_status_is_reached_only_from_where_it_may_come():
    assert all(status in NEXT for following in NEXT.values() for status in following)
    assert set(before("proposed")) == {"queued", "judging", "parked", "in_review"}
    assert set(before("queued")) == {"transcribing", "failed", "cancelled", "queued"}
    assert "proposed" not in before("proposed")
    for status in OPEN:
        assert {"failed", "cancelled"} <= NEXT[status]


async def test_a_scorecard_is_stored_once_with_what_lists_filter_by(database):
    made = submit(database, transcript(), begin(database))
    scored = await card()
    with database.writing() as session:
        assert repository.begin(session, made.id, "judging").attempt == 1
        assert repository.store_scorecard(session, made.id, 1, scored)
        assert not repository.store_scorecard(session, made.id, 1, scored)
    with database.reading() as session:
        row = repository.find(session, CLIENT, made.id)
        assert (row.status, row.total, row.low, row.high, row.error) == ("proposed", 10, 10, 10, None)
        assert repository.scorecard_of(session, row) == scored
        flagged = list_page(session, CLIENT, Filters(flag="needs_review", order="lowest"))
        assert [item.id for item in flagged.items] == [made.id]


async def test_what_was_cancelled_takes_no_scorecard(database):
    made = submit(database, transcript(), begin(database))
    with database.writing() as session:
        repository.begin(session, made.id, "judging")
        assert repository.cancel(session, CLIENT, made.id).status == "cancelled"
        assert repository.cancel(session, CLIENT, made.id).status == "cancelled"
        assert not repository.store_scorecard(session, made.id, 1, await card())
        assert repository.begin(session, made.id, "judging") is None


async def test_a_retry_is_the_next_attempt_and_the_old_one_is_over(database):
    made = submit(database, transcript(), begin(database))
    with database.writing() as session:
        repository.begin(session, made.id, "judging")
        assert repository.fail(session, made.id, 1, ModelTimeoutError("no answer in time"))
        assert not repository.fail(session, made.id, 1, ModelTimeoutError("again"))
    failed = evaluation(database, made.id)
    assert failed.error == {"type": "model-timeout", "message": "no answer in time", "retryable": True}
    with database.writing() as session:
        row = repository.retry(session, CLIENT, made.id)
        assert (row.status, row.attempt, row.error, row.finished_at) == ("queued", 2, None, None)
    with database.writing() as session, pytest.raises(ConflictError, match="queued"):
        repository.retry(session, CLIENT, made.id)
    with database.writing() as session:
        assert not repository.store_scorecard(session, made.id, 1, await card())
        assert repository.begin(session, made.id, "judging").attempt == 2


def test_an_erased_call_is_not_worked_on(database):
    made = submit(database, transcript(), begin(database))
    with database.writing() as session:
        call = calls.find(session, CLIENT, made.call_id)
        call.erased_at = datetime.now(UTC)
        session.add(call)
    with database.writing() as session:
        assert repository.begin(session, made.id, "judging") is None
    assert evaluation(database, made.id).status == "cancelled"
    with database.writing() as session, pytest.raises(ConflictError, match="erased"):
        repository.create_evaluation(session, US, call, begin_again(session))


def begin_again(session):
    from callgrade.evaluations import registry

    return registry.rubric_version(session, FORM.id)


async def many(database, number=12):
    version = begin(database)
    start = datetime(2026, 11, 1, tzinfo=UTC)
    made = []
    for place in range(number):
        words = transcript(
            f"C-{place}",
            agent={"id": f"a{place % 2}", "team": "t"},
            started_at=start + timedelta(days=place),
        )
        row = submit(database, words, version)
        scored = await card(words)
        total = scored.total.model_copy(update={"value": float(place // 2)})
        with database.writing() as session:
            repository.begin(session, row.id, "judging")
            repository.store_scorecard(session, row.id, 1, scored.model_copy(update={"total": total}))
        made.append(row.id)
    return start, made


def walked(database, filters, limit):
    """All pages, one after the other."""
    found, cursor = [], None
    while True:
        with database.reading() as session:
            page = list_page(session, CLIENT, filters, cursor=cursor, limit=limit)
        assert len(page.items) <= limit
        found += [item.id for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return found


async def test_pages_hold_every_row_once_in_order(database):
    start, made = await many(database)
    newest = made[::-1]
    assert walked(database, Filters(), 5) == newest
    assert walked(database, Filters(order="oldest"), 4) == made
    assert walked(database, Filters(agent="a1"), 2) == [id_ for id_ in newest if made.index(id_) % 2]
    assert walked(database, Filters(team="t", status="proposed", order="oldest"), 5) == made
    span = Filters(since=start + timedelta(days=2), until=start + timedelta(days=5))
    assert walked(database, span, 2) == [made[4], made[3], made[2]]
    assert walked(database, Filters(flag="needs_review"), 5) == newest
    lowest = Filters(flag="needs_review", order="lowest", lowest=Decimal(1), highest=Decimal(3))
    assert walked(database, lowest, 2) == made[2:8]
    assert walked(database, Filters(rubric="test@v1", lowest=Decimal("4.5")), 5) == newest[:2]
    assert walked(database, Filters(rubric="test@v2"), 5) == []
    assert walked(database, Filters(status="failed"), 5) == []


async def test_a_cursor_of_another_list_is_refused(database):
    await many(database, 4)
    with database.reading() as session:
        cursor = list_page(session, CLIENT, Filters(), limit=1).next_cursor
        with pytest.raises(InputError, match="cursor"):
            list_page(session, CLIENT, Filters(agent="a1"), cursor=cursor)
        for wrong in ("x", "", "bm90IGpzb24", "W10"):
            with pytest.raises(InputError, match="cursor"):
                list_page(session, CLIENT, Filters(), cursor=wrong)
        with pytest.raises(InputError, match="flag"):
            list_page(session, CLIENT, Filters(order="lowest"))


async def test_lists_show_ones_own_only(database):
    await many(database, 2)
    with database.reading() as session:
        assert lists.list_page(session, "c2", Filters()).items == ()
