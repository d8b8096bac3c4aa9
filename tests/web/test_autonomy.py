"""The page of autonomy, and what an automatic criterion looks like in a review; without a browser's script."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from callgrade.access.keys import ensure_client
from callgrade.catalog import load_rubric
from callgrade.db.tables import Autonomy, SecondLook
from callgrade.domain.autonomy import keys_of
from callgrade.domain.frozen import LocalText
from callgrade.domain.scorecards import Provenance
from callgrade.domain.second_opinion import Difference
from callgrade.evaluations.repository import scorecard_of
from callgrade.evaluations.tables import SCORECARD
from tests.api.made import OTHER_RUBRIC
from tests.web import reviewing
from tests.web.reviewing import review

MADE_BY = Provenance(prompt={"id": "judge", "version": "v1", "digest": "sha256:" + "ab" * 32}, model_reported="model-1")
REASON = LocalText(zh="复核 59 通，漏判 0：漏判率上限 5 % ≤ 5 %（置信 95 %）", en="0 missed of 59 reviewed.")


@pytest.fixture
def judged(rooms):
    """A proposal by a model that says who it is."""
    made, _words = reviewing.call(rooms, all_right=True)
    with rooms.desk.database.writing() as session:
        card = scorecard_of(session, made).model_copy(update={"provenance": MADE_BY})
        session.execute(SCORECARD.update().values(content=card.model_dump_json(by_alias=True)))
    return made


BINS = [{"n": 40, "confidence": 0.62, "right": 0.6, "low": 0.45, "high": 0.74},
        {"n": 160, "confidence": 0.96, "right": 0.95, "low": 0.9, "high": 0.98}]  # fmt: skip
CONFIDENCE = {
    "schema": "callgrade.confidence/1",
    "uses": ["grounding"],
    "calibrator": {"kind": "platt", "a": [2.0, 0.5], "b": [], "n": 240},
    "fitted_on": "r",
    "n": 240,
    "checked": {"n": 200, "brier": 0.081, "base": 0.115, "ece": 0.012, "bins": [list(one.values()) for one in BINS]},
}


def granted(rooms, criterion, state="automatic"):
    form = load_rubric(OTHER_RUBRIC)
    figures = {"source": "production", "reviewed": 59, "misses": 0, "level": 0.05, "confidence": 0.95, "bound": 0.0495}
    with rooms.desk.database.writing() as session:
        row = Autonomy(
            client_id=ensure_client(session).id,
            rubric_id=form.id,
            state=state,
            reason=REASON.model_dump_json(),
            evidence={"figures": figures, "confidence": CONFIDENCE},
            set_by="system",
            since=datetime.now(UTC) - timedelta(minutes=5),
            **keys_of(form, MADE_BY)[criterion].model_dump(),
        )
        session.add(row)
        session.flush()
        return row.id


def asked_of_model():
    return [one for one in load_rubric(OTHER_RUBRIC).criteria if one.judge == "llm"][:2]


def test_each_criterion_says_its_state_why_and_how_many_labels_are_needed(rooms, judged):
    first, second = asked_of_model()
    granted(rooms, first.id)
    page = rooms.browser("qa_lead").get("/autonomy", headers={"Accept-Language": "zh"}).text
    for text in (first.title.zh, second.title.zh, "自动", "复核 59 通，漏判 0", "再随机抽取并复核 59 通"):
        assert text in page
    english = rooms.browser("admin")
    assert "59 more calls drawn by chance" in english.get("/autonomy", headers={"Accept-Language": "en"}).text


def test_an_empty_desk_says_what_is_missing(rooms):
    assert "还没有评过的通话" in rooms.browser("qa_lead").get("/autonomy").text


def test_a_lead_looks_at_the_evidence_and_takes_it_back(rooms, judged):
    first, _ = asked_of_model()
    lead, at = rooms.browser("qa_lead"), f"/autonomy/{OTHER_RUBRIC}/{first.id}"
    assert lead.get(at).status_code == 200
    looked = lead.post(f"{at}/looks", data={"level": "0.05"})
    assert (looked.status_code, looked.headers["location"]) == (303, at)
    assert "还没有人核对过" in lead.get(at).text
    assert lead.post(f"{at}/looks", data={"level": "0.3"}).status_code == 422
    with rooms.desk.database.writing() as session:
        (row,) = session.exec(select(Autonomy)).all()
        session.delete(row)
    id_ = granted(rooms, first.id)
    page = lead.get(at).text
    for text in ("验证集 200 通：Brier 0.081", "校准误差 0.012", "62%", "160"):
        assert text in page
    assert lead.post(f"{at}/revocation", data={"state": id_, "reason": ""}).status_code == 422
    assert lead.post(f"{at}/revocation", data={"state": id_, "reason": "先看几周"}).status_code == 303
    page = lead.get(at).text
    assert "先看几周" in page
    assert "收回</h2>" not in page


def test_a_confidence_to_hold_it_to_is_shown_and_takes_a_calibration(rooms, judged):
    first, _ = asked_of_model()
    lead, at = rooms.browser("qa_lead"), f"/autonomy/{OTHER_RUBRIC}/{first.id}"
    refused = lead.post(f"{at}/looks", data={"threshold": "0.90"})
    assert (refused.status_code, "须先选一次开发集运行来校准" in refused.text) == (422, True)
    assert lead.post(f"{at}/looks", data={"threshold": "sure"}).status_code == 422
    id_ = granted(rooms, first.id)
    with rooms.desk.database.writing() as session:
        session.get_one(Autonomy, id_).threshold = 0.9
    page = lead.get(at).text
    assert "置信度不低于此才放行" in page
    assert "90%" in page.partition("置信度不低于此才放行")[2][:60]


def test_an_automatic_criterion_is_folded_away_says_why_and_may_be_judged_otherwise(rooms, judged):
    first, second = asked_of_model()
    granted(rooms, first.id)
    id_ = review(rooms, judged)
    reviewer = rooms.browser("reviewer")
    page = reviewer.get(f"/calls/{judged.call_id}", params={"review": id_}).text
    card = page.partition(f'data-criterion="{first.id}"')[2].partition("</article>")[0]
    assert '<details class="by-itself">' in card
    assert "已自动判定：复核 59 通，漏判 0" in card
    assert 'name="kind" value="override"' in card
    other = page.partition(f'data-criterion="{second.id}"')[2].partition("</article>")[0]
    assert "by-itself" not in other
    total = len(load_rubric(OTHER_RUBRIC).criteria)
    assert f"/ {total - 1}<" in page.replace(" </span>", "</span>")


def test_where_a_second_opinion_differs_nothing_goes_by_itself(rooms, judged):
    first, _ = asked_of_model()
    granted(rooms, first.id)
    said = Difference(
        opinion="0" * 32, criterion_id=first.id, fault=True, probability=0.93, calls=1420, faults=61, kappa=0.62,
        trained_at=datetime.now(UTC),
    ).model_dump(mode="json")  # fmt: skip
    about = {"evaluation_id": judged.id, "attempt": 1, "client_id": judged.client_id}
    with rooms.desk.database.writing() as session:
        session.add(SecondLook(**about, opinions=["0" * 32], differs=[said]))
    id_ = review(rooms, judged)
    page = rooms.browser("reviewer").get(f"/calls/{judged.call_id}", params={"review": id_}).text
    assert "第二意见不同" in page
    assert "by-itself" not in page
    assert f"/ {len(load_rubric(OTHER_RUBRIC).criteria)}<" in page


def test_a_blind_review_tells_nothing_of_it(rooms, judged):
    first, _ = asked_of_model()
    granted(rooms, first.id)
    id_ = review(rooms, judged, blind=True)
    page = rooms.browser("reviewer").get(f"/calls/{judged.call_id}", params={"review": id_}).text
    assert page.count("data-criterion") > 0
    assert "by-itself" not in page
    assert "已自动判定" not in page
