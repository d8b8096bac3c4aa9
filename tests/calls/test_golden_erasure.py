"""A golden call that was made from a call goes with it: its words, and those of what was said and judged of it."""

import json
from datetime import timedelta

import pytest

from callgrade.access.principals import system
from callgrade.adapters.blobs import FsspecBlobs
from callgrade.calls.erasure import erase
from callgrade.calls.retention import RetentionPolicy, apply_retention
from callgrade.db.tables import CalibrationItem, CalibrationRun, GoldenCall, GoldenLabel, GoldenSet
from callgrade.db.types import now
from callgrade.domain.scorecards import Scorecard
from tests.db.rows import everything
from tests.evaluations.made import CLIENT
from tests.reviews.made import proposal, proposed

SECRET = "他说他姓欧阳住在七楼"


@pytest.fixture
def blobs(tmp_path):
    return FsspecBlobs(str(tmp_path / "blobs"))


def kept(database, call_id="C-1"):
    """A golden call of a call, labelled and judged, with the secret wherever there is room for one."""
    made = proposed(database, call_id)
    card = proposal(call_id=call_id)
    worded = card.judgements[0].model_copy(update={"reason": SECRET})
    content = card.model_copy(update={"judgements": (worded, *card.judgements[1:])}).model_dump_json(by_alias=True)
    with database.writing() as session:
        golden = session.get(GoldenSet, "set") or GoldenSet(
            id="set", client_id=CLIENT, name="own", title="t", created_by="u"
        )
        run = session.get(CalibrationRun, "run") or CalibrationRun(
            id="run",
            client_id=CLIENT,
            set_id="set",
            split="dev",
            rubric_id="r",
            rubric_version="v1",
            rubric_digest="d",
            created_by="u",
        )
        session.add(golden)
        session.flush()
        session.add(run)
        row = GoldenCall(
            set_id="set",
            client_id=CLIENT,
            name=call_id,
            call_id=made.call_id,
            evaluation_id=made.id,
            split="dev",
            synthetic=False,
            written_by=SECRET,
            customer=SECRET,
            about=[SECRET],
            content=SECRET,
            added_by="u",
        )
        session.add(row)
        session.flush()
        told = {"warm": {"answer": "yes"}, "clear": {"status": "cannot_assess", "reason": SECRET}}
        who = {"rater": "li", "rater_kind": "person", "blind": True, "digest": "d"}
        what = {"judgements": told, "quotes": {"warm": [SECRET]}, "note": SECRET}
        session.add(
            GoldenLabel(golden_call_id=row.id, client_id=CLIENT, rubric_id="r", rubric_version="v1", **who, **what)
        )
        session.add(
            CalibrationItem(
                run_id="run",
                golden_call_id=row.id,
                sample=0,
                scorecard=content,
                error={"type": "bad-answer", "message": SECRET},
            )
        )
    return made


def rows(database, table):
    with database.reading() as session:
        return everything(session)[table]


def places(database):
    with database.reading() as session:
        found = everything(session)
    return {name for name, rows in found.items() if SECRET in json.dumps(rows, ensure_ascii=False, default=str)}


def test_erasing_a_call_erases_the_golden_call_made_from_it_and_leaves_figures(database, blobs):
    made = kept(database)
    assert places(database) == {"golden_call", "golden_label", "calibration_item"}
    erased = erase(database, blobs, system(CLIENT), made.call_id, "客户要求")
    assert places(database) == set()
    assert erased.transcripts == 2, "the call's own, and the golden one"
    (golden,) = rows(database, "golden_call")
    assert (golden["content"], golden["split"], golden["name"]) == ("", "dev", "C-1")
    assert golden["erased_at"] is not None
    (label,) = rows(database, "golden_label")
    assert label["judgements"] == {"warm": {"answer": "yes"}, "clear": {"status": "cannot_assess"}}
    card = Scorecard.model_validate_json(rows(database, "calibration_item")[0]["scorecard"])
    assert [j.points for j in card.judgements] == [j.points for j in proposal().judgements]


def test_a_golden_call_that_has_nothing_to_do_with_it_stays(database, blobs):
    made, other = kept(database), kept(database, "C-2")
    erase(database, blobs, system(CLIENT), made.call_id, "客户要求")
    assert {row["name"] for row in rows(database, "golden_call") if row["content"]} == {"C-2"}
    assert places(database) == {"golden_call", "golden_label", "calibration_item"}
    erase(database, blobs, system(CLIENT), other.call_id, "客户要求")
    assert places(database) == set()


def later(days):
    return now() + timedelta(days=days)


def test_a_transcript_that_goes_by_age_takes_the_golden_call_along(database, blobs):
    kept(database)
    policy = RetentionPolicy(client_id=CLIENT, transcripts_days=30, reason="合同")
    apply_retention(database, blobs, policy, later(29))
    assert places(database)
    apply_retention(database, blobs, policy, later(31))
    assert places(database) == set()


def test_a_scorecard_that_goes_by_age_takes_the_words_of_labels_along_and_leaves_the_golden_call(database, blobs):
    kept(database)
    policy = RetentionPolicy(client_id=CLIENT, scorecards_days=30, reason="合同")
    apply_retention(database, blobs, policy, later(31))
    assert places(database) == {"golden_call"}


def test_a_call_that_goes_by_age_takes_everything_along(database, blobs):
    kept(database)
    policy = RetentionPolicy(
        client_id=CLIENT, transcripts_days=30, scorecards_days=30, recordings_days=30, reason="合同"
    )
    apply_retention(database, blobs, policy, later(31))
    assert places(database) == set()
