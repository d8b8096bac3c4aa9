"""Transcripts put right by reviewers, on SQLite and PostgreSQL."""

import pytest
from sqlmodel import select

from callgrade.access import rows
from callgrade.calls import service as calls
from callgrade.calls.erasure import erase_rows
from callgrade.calls.erasure_repository import drop_transcripts
from callgrade.calls.service import parse_stored
from callgrade.db.tables import AuditEvent, Call, Evaluation, Review
from callgrade.domain.errors import ConflictError, InputError, UnknownResourceError
from callgrade.evaluations import repository as evaluations
from callgrade.reviews.corrections import PRIORITY, Corrections, StaleWordsError, hand_back, standing_of
from callgrade.reviews.queue import QueueFilters, page
from callgrade.reviews.repository import AwaitedError
from callgrade.reviews.service import ClaimedError, ReviewDesk
from tests.evaluations.made import evaluation
from tests.reviews.made import DUE, Clock, person, proposal, proposed, review

SAID = "可以随时取消，退一半"
TURNS = [
    {"speaker": "agent", "text": "不满意随时取消", "start_ms": 0, "end_ms": 1400, "tokens": [[0, 3, 0, 500, 0.4]]},
    {"speaker": "customer", "text": "好的", "start_ms": 1500, "end_ms": 1900},
    {"speaker": "system", "text": "通话已录音"},
]


@pytest.fixture
def handed():
    return []


@pytest.fixture
def corrections(database, handed):
    return Corrections(database, lambda row: handed.append(row.id), clock=Clock())


@pytest.fixture
def asked(database):
    made = proposed(database, turns=TURNS)
    li = person(database, "li")
    return made, review(database, made, reviewer_id=li.user_id), li


def versions(database, made):
    with database.reading() as session:
        return list(calls.transcript_versions(session, session.get(Call, made.call_id)))


def reviews(database):
    with database.reading() as session:
        return {row.id: row for row in session.exec(select(Review)).all()}


def judge(database, id_):
    """What a worker does."""
    with database.writing() as session:
        work = evaluations.begin(session, id_, "judging")
        assert evaluations.store_scorecard(session, id_, work.attempt, proposal())
        return work


def test_a_corrected_turn_is_the_next_version_and_keeps_its_times(database, corrections, asked):
    made, id_, li = asked
    corrections.correct(li, id_, 0, f"  {SAID}\n", 1)
    first, second = versions(database, made)
    assert (first.origin, second.origin, second.version) == ("client", li.user_id, 2)
    before, after = parse_stored(first.content), parse_stored(second.content)
    assert before.turns[0].tokens
    assert after.turns[0].model_dump() == {**before.turns[0].model_dump(), "text": SAID, "tokens": ()}
    assert after.turns[1:] == before.turns[1:]


def test_swapped_speakers_are_the_two_parties_only(database, corrections, asked):
    made, id_, li = asked
    corrections.swap_speakers(li, id_, 1)
    turns = parse_stored(versions(database, made)[-1].content).turns
    assert [turn.speaker for turn in turns] == ["customer", "agent", "system"]
    assert turns[0].tokens


def test_the_call_is_judged_again_by_the_same_rubric_and_sooner(database, corrections, handed, asked):
    made, id_, li = asked
    again = corrections.correct(li, id_, 0, SAID, 1)
    row = evaluation(database, again.evaluation_id)
    assert row.id != made.id
    assert (row.rubric_digest, row.priority, row.status) == (made.rubric_digest, PRIORITY, "queued")
    assert handed == [row.id]
    assert parse_stored(judge(database, row.id).transcript).turns[0].text == SAID


def test_the_same_reviewer_gets_it_back_once_it_is_proposed(database, corrections, asked):
    _, id_, li = asked
    again = corrections.correct(li, id_, 0, SAID, 1)
    assert reviews(database)[id_].state == "withdrawn"
    assert hand_back(database) == 0
    state, status, call = standing_of(database, li, again.review_id)
    assert (state, status, call.call_id) == ("awaiting", "queued", "C-1")
    with pytest.raises(AwaitedError):
        ReviewDesk(database).open(li, again.review_id)
    judge(database, again.evaluation_id)
    assert (hand_back(database), hand_back(database)) == (1, 0)
    row = reviews(database)[again.review_id]
    assert (row.state, row.why, row.reviewer_id, row.slot) == ("open", "corrected", li.user_id, 0)
    view = ReviewDesk(database, clock=Clock()).open(li, again.review_id)
    assert view.transcript.turns[0].text == SAID
    assert view.decided == 0


def test_it_waits_in_no_queue_before(database, corrections, asked):
    _, id_, li = asked
    again = corrections.correct(li, id_, 0, SAID, 1)
    with database.reading() as session:
        assert page(session, li, QueueFilters(), at=DUE).rows == ()
    judge(database, again.evaluation_id)
    hand_back(database)
    with database.reading() as session:
        assert [row.review_id for row in page(session, li, QueueFilters(), at=DUE).rows] == [again.review_id]


def test_the_attempt_that_was_judged_is_what_is_reviewed(database, corrections, asked):
    made, id_, li = asked
    again = corrections.correct(li, id_, 0, SAID, 1)
    with database.writing() as session:
        evaluations.cancel(session, made.client_id, again.evaluation_id)
        evaluations.retry(session, made.client_id, again.evaluation_id)
    judge(database, again.evaluation_id)
    hand_back(database)
    assert reviews(database)[again.review_id].attempt == 2
    assert ReviewDesk(database).open(li, again.review_id).undecided


def test_whoever_judges_blind_stays_blind(database, corrections):
    made, wang = proposed(database, turns=TURNS), person(database, "wang")
    again = corrections.swap_speakers(
        wang, review(database, made, reviewer_id=wang.user_id, blind=True, why="double"), 1
    )
    judge(database, again.evaluation_id)

    def reached():
        with database.reading() as session:
            within = rows.evaluations_within(wang, "evaluations:read")
            return set(session.exec(select(Evaluation.id).where(within)).all())

    # before and after it is handed back
    assert again.evaluation_id not in reached()
    hand_back(database)
    assert again.evaluation_id not in reached()
    assert all(card.proposed is None for card in ReviewDesk(database).open(wang, again.review_id).cards)


def test_second_looks_at_the_same_proposal_begin_again_too(database, corrections, asked):
    made, id_, li = asked
    zhao = person(database, "zhao")
    second = review(database, made, reviewer_id=zhao.user_id, slot=1, blind=True, why="double")
    again = corrections.correct(li, id_, 1, "好的，谢谢", 1)
    rows_ = reviews(database)
    assert (rows_[id_].state, rows_[second].state) == ("withdrawn", "withdrawn")
    new = sorted((row for row in rows_.values() if row.evaluation_id == again.evaluation_id), key=lambda row: row.slot)
    assert [(row.slot, row.reviewer_id, row.blind) for row in new] == [(0, li.user_id, False), (1, zhao.user_id, True)]


def test_a_call_of_the_pool_goes_to_whoever_corrected_it(database, corrections):
    made, li = proposed(database, turns=TURNS), person(database, "li")
    id_ = review(database, made)
    ReviewDesk(database, clock=Clock()).open(li, id_)
    again = corrections.correct(li, id_, 0, SAID, 1)
    assert reviews(database)[again.review_id].reviewer_id == li.user_id


def test_a_stale_version_is_refused_and_says_which_is_the_newest(database, corrections, asked):
    made, id_, li = asked
    with database.writing() as session:
        call = session.get(Call, made.call_id)
        words = calls.transcript_of(session, call)
        turns = (words.turns[0].model_copy(update={"text": "退"}), *words.turns[1:])
        calls.add_transcript(session, call, words.model_copy(update={"turns": turns}), "somebody")
    with pytest.raises(StaleWordsError) as caught:
        corrections.correct(li, id_, 0, SAID, 1)
    assert caught.value.version == 2
    assert len(versions(database, made)) == 2
    assert reviews(database)[id_].state == "open"


@pytest.mark.parametrize(("turn", "text"), [(0, "不满意随时取消"), (0, " \n"), (3, "喂"), (-1, "喂"), (0, "长" * 4001)])
def test_what_corrects_nothing_is_refused(database, corrections, asked, turn, text):
    made, id_, li = asked
    with pytest.raises(InputError):
        corrections.correct(li, id_, turn, text, 1)
    assert len(versions(database, made)) == 1


def test_nothing_is_corrected_in_a_review_that_is_over_or_a_colleagues(database, corrections, asked):
    made, id_, li = asked
    lead = person(database, "boss", "admin")
    ReviewDesk(database, clock=Clock()).open(li, id_)
    with pytest.raises(ClaimedError):
        corrections.correct(lead, id_, 0, SAID, 1)
    corrections.correct(li, id_, 0, SAID, 1)
    with pytest.raises((ConflictError, UnknownResourceError)):
        corrections.correct(li, id_, 0, "又一次", 2)
    assert len(versions(database, made)) == 2


def test_anothers_review_is_unknown(database, corrections, asked):
    _, id_, _ = asked
    with pytest.raises(UnknownResourceError):
        corrections.words(person(database, "zhao"), id_)
    with pytest.raises(UnknownResourceError):
        corrections.correct(person(database, "qian"), id_, 0, SAID, 1)


def test_the_record_holds_ids_and_a_number_and_no_words(database, corrections, asked):
    made, id_, li = asked
    again = corrections.correct(li, id_, 0, SAID, 1)
    with database.reading() as session:
        told = {event.action: event for event in session.exec(select(AuditEvent)).all()}
    assert told["transcript.corrected"].facts == {"version": 2, "turn": 0, "what": "turn"}
    assert told["transcript.corrected"].subject == made.call_id
    assert told["review.withdrawn"].facts == {"instead": again.review_id}
    assert "退" not in str([event.facts for event in told.values()])


def test_what_was_judged_by_the_old_words_is_shown_with_them(database, corrections, asked):
    made, id_, li = asked
    desk = ReviewDesk(database, clock=Clock())
    desk.approve_together(li, id_, {"warm": 0, "slips": 0})
    for criterion in ("clear", "bait"):
        desk.decide(li, id_, criterion, "cannot_judge", reason="听不清", expected=0)
    desk.finish(li, id_)
    zhao = person(database, "zhao")
    second = review(database, made, reviewer_id=zhao.user_id, slot=1, blind=True, why="double")
    again = corrections.correct(zhao, second, 0, SAID, 1)
    judge(database, again.evaluation_id)
    hand_back(database)
    assert desk.look(li, id_).transcript.turns[0].text == "不满意随时取消"
    assert desk.look(zhao, again.review_id).transcript.turns[0].text == SAID


def test_words_that_are_gone_are_not_corrected(database, corrections, asked):
    made, id_, li = asked
    with database.writing() as session:
        drop_transcripts(session, [made.call_id])
    with pytest.raises(UnknownResourceError):
        corrections.correct(li, id_, 0, SAID, 1)


def test_an_erasure_withdraws_what_waits(database, corrections, asked):
    made, id_, li = asked
    again = corrections.correct(li, id_, 0, SAID, 1)
    with database.writing() as session:
        erase_rows(session, [calls.hold(session, made.client_id, made.call_id)], "asked")
    assert hand_back(database) == 0
    assert reviews(database)[again.review_id].state == "withdrawn"
