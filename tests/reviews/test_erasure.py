"""What the review desk keeps of a call goes with it, and with the words of its scorecards. All of it is made up."""

import io
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from callgrade.access.principals import system
from callgrade.adapters.blobs import FsspecBlobs
from callgrade.calls import service as calls
from callgrade.calls.erasure import NEVER_SAID, erase
from callgrade.calls.retention import RetentionPolicy, apply_retention
from callgrade.db.tables import (
    Appeal,
    Finding,
    Outline,
    PublishedScorecard,
    Review,
)
from callgrade.domain.errors import CallgradeError, ConflictError, UnknownResourceError
from callgrade.domain.judgements import Evidence
from callgrade.domain.outcomes import Answer, Occurrences
from callgrade.domain.scorecards import Scorecard
from callgrade.reviews import outlines, repository
from callgrade.reviews.appeals import AppealDesk
from callgrade.reviews.publishing import published
from callgrade.reviews.service import ReviewDesk
from tests.calls.made import recording
from tests.db.rows import everything
from tests.evaluations.made import CLIENT
from tests.reviews.made import person, proposed, registered, review
from tests.reviews.test_appeals import SHANGHAI

SECRET = "他说他姓欧阳住在七楼"
"""What people write about a call, and quote from it: to be looked for everywhere after an erasure."""
QUOTE = Evidence(quote=SECRET, grounding="unfounded", why="not_found")
WHY = "合同第 7 条：保存期限"


@pytest.fixture
def blobs(tmp_path):
    return FsspecBlobs(str(tmp_path / "blobs"))


@pytest.fixture
def people(database):
    """(the agent, the reviewer of the call, a colleague of the reviewer's)"""
    return person(database, "agent", "agent", agent_id="8031"), person(database, "li"), person(database, "wang")


def desks(database):
    return ReviewDesk(database), AppealDesk(database, zone=SHANGHAI)


def lived(database, people, call_id="C-1", words=SECRET):
    """A call that was reviewed, contested, decided, contested once more and looked at by a second person."""
    agent, li, wang = people
    desk, appeals = desks(database)
    made = proposed(database, call_id, agent={"id": "8031"})
    id_ = review(database, made, reviewer_id=li.user_id)
    decided = {"reason": words, "evidence": [QUOTE.model_copy(update={"quote": words})], "expected": 0}
    desk.decide(li, id_, "warm", "override", outcome=Answer(answer="no"), **decided)
    desk.decide(li, id_, "clear", "cannot_judge", reason=words, expected=0)
    desk.decide(li, id_, "slips", "approve", expected=0)
    desk.decide(li, id_, "bait", "override", outcome=Occurrences(occurrences=1), **decided)
    desk.finish(li, id_)
    first = appeals.file(agent, made.id, "warm", reason=words, wanted=Answer(answer="yes"), at_ms=1200)
    appeals.decide(wang, first.id, "accepted", words=words)
    appeals.file(agent, made.id, "bait", reason=words, wanted=Occurrences(occurrences=0))
    second = review(database, made, slot=1, blind=True, reviewer_id=wang.user_id)
    desk.decide(wang, second, "warm", "override", outcome=Answer(answer="yes"), reason=words, expected=0)
    desk.draft(wang, second, "clear", {"reason": words})
    with database.writing() as session:
        session.add(Outline(call_id=made.call_id, content={"duration_ms": 1, "channels": [], "note": words}))
    return made


def tables_with(database, words):
    with database.reading() as session:
        found = everything(session)
    return {
        name
        for name, rows in found.items()
        if any(words in json.dumps(row, default=str, ensure_ascii=False) for row in rows)
    }


def files_with(tmp_path, words):
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    looked_for = [words.encode(), json.dumps(words)[1:-1].encode()]
    return {path.name for path in files if any(text in path.read_bytes() for text in looked_for)}


def rows_of(database, table):
    with database.reading() as session:
        return session.exec(select(table)).all()


def test_nothing_that_people_wrote_about_a_call_is_left_anywhere(database, blobs, people, tmp_path):
    made = lived(database, people)
    other = lived(database, people, "C-2", "别的话")
    kept_in = {"published_scorecard", "review_decision", "review_draft", "appeal", "outline"}
    assert tables_with(database, SECRET) == kept_in
    erased = erase(database, blobs, system(CLIENT), made.call_id, "客户书面要求删除")
    assert erased.scrubbed
    assert tables_with(database, SECRET) == set()
    assert files_with(tmp_path, SECRET) == set()
    # of its neighbour nothing is missing
    assert tables_with(database, "别的话") == kept_in
    with database.reading() as session:
        assert published(session, other.id)[0] == 2


def test_figures_and_states_stay(database, blobs, people):
    made = lived(database, people)
    before = {row.revision: row for row in rows_of(database, PublishedScorecard)}
    findings = rows_of(database, Finding)
    erase(database, blobs, system(CLIENT), made.call_id, "客户书面要求删除")
    with database.reading() as session:
        for revision, row in before.items():
            _, card = published(session, made.id, revision)
            assert card.total == Scorecard.model_validate_json(row.content).total
            assert {j.reason for j in card.judgements} == {""}
            assert [j.outcome for j in card.judgements if j.criterion_id == "bait"] == [Occurrences(occurrences=1)]
        log = repository.decisions(session, next(r.id for r in rows_of(database, Review) if r.slot == 0))
    assert {d.criterion_id: (d.kind, d.reason) for d in log} == {
        "warm": ("override", NEVER_SAID),
        "clear": ("cannot_judge", NEVER_SAID),
        "slips": ("approve", ""),
        "bait": ("override", NEVER_SAID),
    }
    assert {row.state for row in rows_of(database, Appeal)} == {"accepted", "withdrawn"}
    assert {(row.slot, row.state) for row in rows_of(database, Review)} == {(0, "submitted"), (1, "withdrawn")}
    assert [row.name for row in rows_of(database, Finding)] == [row.name for row in findings] == ["bait"]


def test_nobody_goes_on_writing_about_it(database, blobs, people):
    agent, _, wang = people
    made = lived(database, people)
    desk, appeals = desks(database)
    open_ = next(row for row in rows_of(database, Review) if row.state == "open")
    contested = next(row for row in rows_of(database, Appeal) if row.state == "open")
    erase(database, blobs, system(CLIENT), made.call_id, "客户书面要求删除")
    with pytest.raises(ConflictError, match="withdrawn"):
        desk.decide(wang, open_.id, "clear", "cannot_judge", reason=SECRET, expected=0)
    with pytest.raises(ConflictError, match="withdrawn"):
        desk.draft(wang, open_.id, "clear", {"reason": SECRET})
    with pytest.raises(ConflictError, match="withdrawn"):
        appeals.decide(wang, contested.id, "upheld", words=SECRET)
    with pytest.raises(UnknownResourceError):
        appeals.file(agent, made.id, "slips", reason=SECRET, wanted=Occurrences(occurrences=0))
    assert tables_with(database, SECRET) == set()


def retained(database, blobs, later, **days):
    policy = RetentionPolicy(client_id=CLIENT, reason=WHY, **days)
    return apply_retention(database, blobs, policy, datetime.now(UTC) + timedelta(days=later))


def test_with_the_words_of_a_scorecard_go_those_about_it(database, blobs, people):
    agent, _, wang = people
    made = lived(database, people)
    desk, appeals = desks(database)
    assert retained(database, blobs, 19, scorecards_days=20).scorecards == 0
    assert retained(database, blobs, 21, scorecards_days=20).scorecards == 1
    assert tables_with(database, SECRET) == {"outline"}
    assert {row.state for row in rows_of(database, Review)} == {"submitted", "withdrawn"}
    with pytest.raises(ConflictError, match="gone"):
        appeals.file(agent, made.id, "slips", reason=SECRET, wanted=Occurrences(occurrences=0))
    again = review(database, made, slot=2, reviewer_id=wang.user_id)
    with pytest.raises(ConflictError, match="nothing left"):
        desk.decide(wang, again, "warm", "cannot_judge", reason=SECRET, expected=0)


def test_a_score_published_lately_keeps_its_words(database, blobs, people):
    lived(database, people)
    with database.writing() as session:
        for row in session.exec(select(PublishedScorecard)):
            row.published_at += timedelta(days=10)
            session.add(row)
    assert retained(database, blobs, 21, scorecards_days=20).scorecards == 0
    assert retained(database, blobs, 31, scorecards_days=20).scorecards == 1


def test_the_outline_goes_with_the_recording(database, blobs):
    registered(database)
    with database.writing() as session:
        blob = blobs.put(io.BytesIO(b"RIFF"))
        row = calls.submit_recording(session, system(CLIENT), recording("C-9"), blob, blobs=blobs)
    with database.writing() as session:
        session.add(Outline(call_id=row.id, content={"duration_ms": 1, "channels": [[0.5]]}))
    assert retained(database, blobs, 90, recordings_days=60).recordings == 1
    assert rows_of(database, Outline) == []
    assert outlines.sound_of(database, blobs, row.id, "/x") is None


def test_what_is_written_in_the_same_moment_does_not_stay(database, blobs, people):
    """Reviewers and agents go on writing while their calls are erased: each either comes before, and goes, or is
    refused."""
    agent, li, _ = people
    desk, appeals = desks(database)
    made = []
    for number in range(6):
        one = proposed(database, f"C-{number}", agent={"id": "8031"})
        made.append((one, review(database, one, reviewer_id=li.user_id)))
    begin = threading.Barrier(2)

    def write_about(one, id_):
        for criterion in ("warm", "clear", "slips", "bait"):
            desk.draft(li, id_, criterion, {"reason": SECRET})
            desk.decide(li, id_, criterion, "cannot_judge", reason=SECRET, expected=0)
        desk.finish(li, id_)
        appeals.file(agent, one.id, "warm", reason=SECRET, wanted=Answer(answer="no"))

    def write():
        begin.wait()
        for one, id_ in made:
            with suppress(CallgradeError):
                write_about(one, id_)

    def vanish():
        begin.wait()
        for one, _ in made:
            erase(database, blobs, system(CLIENT), one.call_id, "客户书面要求删除")

    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(write), threads.submit(vanish)]:
            done.result()
    assert tables_with(database, SECRET) == set()
