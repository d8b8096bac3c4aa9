"""Reviews and appeals over HTTP. All that is said in them is made up."""

from typing import Any

import pytest
from sqlmodel import select

from callgrade.access.keys import ensure_client
from callgrade.api import examples
from callgrade.catalog import digest, load_rubric
from callgrade.db.tables import AuditEvent, Review, StoredScorecard, User
from callgrade.domain.judgements import Judgement
from callgrade.domain.options import options
from callgrade.domain.scorecards import score
from callgrade.evaluations import repository as evaluations
from callgrade.reviews import repository
from callgrade.reviews.service import ReviewDesk
from tests.api.made import OTHER_RUBRIC, Service, transcript
from tests.reviews.made import DUE, visitor

SECRET = "机器认为这里说得太快"


def person(service: Service, login: str, role: str = "reviewer", **more: Any) -> Any:
    with service.database.writing() as session:
        user = User(client_id=ensure_client(session).id, login=login, role=role, **more)
        session.add(user)
        session.flush()
        return visitor(user)


def proposed(service: Service, call_id: str = "C-1") -> str:
    """The id of an evaluation whose proposal says SECRET of everything, and finds nothing wrong."""
    made = service.submit(transcript(call_id), rubric=OTHER_RUBRIC).json()
    form = load_rubric(OTHER_RUBRIC)
    judgements = {
        c.id: Judgement(
            criterion_id=c.id, status="judged", outcome=options(c)[0], reason=SECRET, method="llm", confidence=0.9
        )
        for c in form.criteria
    }
    with service.database.writing() as session:
        # the service has proposed by rules alone; what it says is replaced
        row = session.exec(select(StoredScorecard).where(StoredScorecard.evaluation_id == made["evaluation_id"])).one()
        card = score(form, judgements, {}, call_id=call_id, digest=digest(form))
        row.content = card.model_dump_json(by_alias=True)
        session.add(row)
    return str(made["evaluation_id"])


def reviewed(service: Service, evaluation_id: str, who: Any) -> str:
    """Published by `who`, who agrees with all of it."""
    with service.database.writing() as session:
        row = evaluations.find(session, who.client_id, evaluation_id)
        repository.create(session, row, slot=0, due_at=DUE, why="sample", reviewer_id=who.user_id)
        id_ = session.exec(select(Review.id).where(Review.evaluation_id == evaluation_id)).one()
    desk = ReviewDesk(service.database)
    view = desk.approve_together(who, id_, {card.criterion.id: 0 for card in desk.look(who, id_).cards})
    for criterion in view.undecided:
        desk.decide(who, id_, criterion, "cannot_judge", reason="听不清", expected=0)
    desk.finish(who, id_)
    return id_


def ask(service: Service, **wanted: Any) -> Any:
    return service.http.post("/v1/reviews", json=wanted, headers=service.key("sampling:write"))


def test_a_review_is_asked_for_and_read(service: Service) -> None:
    person(service, "wang")
    evaluation = proposed(service)
    made = ask(service, evaluation=evaluation, why="picked")
    assert made.status_code == 201, made.text
    told = made.json()
    assert (told["state"], told["why"], told["slot"], told["reviewer"]) == ("open", "picked", 0, "wang")
    assert set(told) == set(examples.REVIEW)
    read = service.get(f"/v1/reviews/{told['id']}").json()
    assert read == {**told, "decisions": []}
    again = ask(service, evaluation=evaluation, why="picked")
    assert (again.status_code, again.json()["type"]) == (409, "urn:callgrade:problem:conflict")


def test_a_key_of_ones_own_makes_it_once(service: Service) -> None:
    evaluation = proposed(service)
    headers = {**service.key("sampling:write"), "Idempotency-Key": "ask-1"}
    body = {"evaluation": evaluation, "why": "picked"}
    first, second = (service.http.post("/v1/reviews", json=body, headers=headers) for _ in range(2))
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    other = service.http.post("/v1/reviews", json={**body, "to_pool": True}, headers=headers)
    assert other.status_code == 409


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"why": "complaint", "reviewer": "li"}, 409),
        ({"why": "complaint", "reviewer": "nobody"}, 404),
        ({"why": "picked"}, 409),
        ({"why": "because"}, 422),
        ({"why": "complaint", "due_at": "2020-01-01T00:00:00Z"}, 422),
    ],
)
def test_what_cannot_be_asked_for_is_refused(service: Service, wanted: dict[str, Any], status: int) -> None:
    li = person(service, "li")
    evaluation = proposed(service)
    reviewed(service, evaluation, li)
    assert ask(service, evaluation=evaluation, **wanted).status_code == status


def test_a_complaint_has_a_published_score_checked_by_somebody_else(service: Service) -> None:
    li, wang = person(service, "li"), person(service, "wang")
    evaluation = proposed(service)
    reviewed(service, evaluation, li)
    made = ask(service, evaluation=evaluation, why="complaint").json()
    assert (made["slot"], made["reviewer"]) == (1, "wang")
    assert wang.user_id
    log = service.get("/v1/reviews", evaluation=evaluation, state="submitted").json()["items"]
    assert [one["slot"] for one in log] == [0]
    decisions = service.get(f"/v1/reviews/{log[0]['id']}").json()["decisions"]
    assert {one["by"] for one in decisions} == {"li"}
    assert {one["kind"] for one in decisions} <= {"approve", "cannot_judge"}


def test_lists_are_paged_and_filtered(service: Service) -> None:
    for number in range(3):
        ask(service, evaluation=proposed(service, f"C-{number}"), why="picked", to_pool=True)
    first = service.get("/v1/reviews", limit=2).json()
    rest = service.get("/v1/reviews", limit=2, cursor=first["next_cursor"]).json()
    assert [one["call_id"] for one in (*first["items"], *rest["items"])] == ["C-2", "C-1", "C-0"]
    assert rest["next_cursor"] is None
    asked = (
        ({"why": "picked"}, 3),
        ({"why": "sample"}, 0),
        ({"state": "open"}, 3),
        ({"agent": "8031"}, 3),
        ({"team": "x"}, 0),
    )
    for query, number in asked:
        assert len(service.get("/v1/reviews", **query).json()["items"]) == number, query


def test_a_blind_review_carries_nothing_of_the_proposal(service: Service) -> None:
    li = person(service, "li")
    evaluation = proposed(service)
    with service.database.writing() as session:
        row = evaluations.find(session, li.client_id, evaluation)
        repository.create(session, row, slot=0, due_at=DUE, why="red_line", blind=True, reviewer_id=li.user_id)
    (found,) = service.get("/v1/reviews").json()["items"]
    assert (found["why"], found["blind"], found["total"]) == ("sample", True, None)
    assert service.get("/v1/reviews", why="red_line").json()["items"] == []
    whole = service.get(f"/v1/reviews/{found['id']}")
    for answer in (whole, service.get("/v1/reviews")):
        assert SECRET not in answer.text
        assert "red_line" not in answer.text
    assert whole.json()["decisions"] == []


@pytest.fixture
def contested(service: Service) -> dict[str, Any]:
    """An appeal of an agent, filed by the client's own program; with the names of who may do what."""
    li = person(service, "li")
    person(service, "wang")
    person(service, "agent", "agent", agent_id="8031")
    evaluation = proposed(service)
    reviewed(service, evaluation, li)
    criterion = load_rubric(OTHER_RUBRIC).criteria[0]
    body = {
        "by": "agent",
        "evaluation": evaluation,
        "criterion": criterion.id,
        "wanted": options(criterion)[1].model_dump(mode="json"),
        "reason": "我不同意",
        "at_ms": 1200,
    }
    answer = service.http.post("/v1/appeals", json=body, headers=service.key("appeals:write"))
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def post(service: Service, path: str, scope: str, **body: Any) -> Any:
    return service.http.post(f"/v1/appeals/{path}", json=body, headers=service.key(scope))


def test_an_appeal_is_filed_in_the_agents_name(service: Service, contested: dict[str, Any]) -> None:
    assert set(contested) == set(examples.APPEAL)
    assert (contested["state"], contested["agent"], contested["revision"]) == ("open", "8031", 1)
    assert service.get(f"/v1/appeals/{contested['id']}").json() == contested
    assert service.get("/v1/appeals", state="open").json()["items"] == [contested]
    assert service.get("/v1/appeals", state="upheld").json()["items"] == []
    with service.database.reading() as session:
        told = {event.action: event.actor for event in session.exec(select(AuditEvent))}
    assert told["key.acted"].startswith("key:")
    assert told["appeal.filed"].startswith("user:")


def test_an_appeal_is_decided_by_somebody_who_did_not_judge(service: Service, contested: dict[str, Any]) -> None:
    id_ = contested["id"]
    own = post(service, f"{id_}/decide", "appeals:decide", by="li", ruling="upheld", words="维持")
    assert (own.status_code, own.json()["type"]) == (403, "urn:callgrade:problem:forbidden")
    # an agent decides nothing, whatever the key may
    assert post(service, f"{id_}/decide", "appeals:decide", by="agent", ruling="upheld", words="x").status_code == 403
    assert post(service, f"{id_}/decide", "appeals:decide", by="nobody", ruling="upheld", words="x").status_code == 404
    missing = post(service, f"{id_}/decide", "appeals:decide", by="wang", ruling="changed", words="另定")
    assert missing.status_code == 422
    done = post(service, f"{id_}/decide", "appeals:decide", by="wang", ruling="accepted", words="同意")
    assert done.status_code == 200, done.text
    assert (done.json()["state"], done.json()["given"], done.json()["decision"]) == (
        "accepted",
        contested["wanted"],
        "同意",
    )
    assert post(service, f"{id_}/decide", "appeals:decide", by="wang", ruling="upheld", words="x").status_code == 409


def test_an_agent_withdraws_it(service: Service, contested: dict[str, Any]) -> None:
    id_ = contested["id"]
    person(service, "other", "agent", agent_id="9")
    assert post(service, f"{id_}/withdraw", "appeals:write", by="other").status_code == 404
    assert post(service, f"{id_}/withdraw", "appeals:write", by="agent").json()["state"] == "withdrawn"
    assert post(service, f"{id_}/withdraw", "appeals:write", by="agent").status_code == 409


def test_not_applicable_is_asked_for_as_contracts_have_it(service: Service) -> None:
    li = person(service, "li")
    person(service, "agent", "agent", agent_id="8031")
    evaluation = proposed(service)
    reviewed(service, evaluation, li)
    criterion = next(c for c in load_rubric(OTHER_RUBRIC).criteria if c.not_applicable != "forbidden")
    body = {"by": "agent", "evaluation": evaluation, "criterion": criterion.id, "reason": "与本通无关"}
    wanted = {"status": "not_applicable"}
    answer = service.http.post("/v1/appeals", json={**body, "wanted": wanted}, headers=service.key("appeals:write"))
    assert answer.status_code == 201, answer.text
    assert answer.json()["wanted"] == wanted
