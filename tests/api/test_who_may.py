"""Every route: without a key, with a wrong one, without its scope, and with another client's id. One table; a route
that does not stand in it fails."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from sqlmodel import Session

from callgrade.access.keys import create_key, ensure_client
from callgrade.access.permissions import SCOPES
from callgrade.api import examples
from callgrade.api.app import build
from callgrade.api.metrics import Metrics
from callgrade.db.tables import Appeal, CalibrationRun, GoldenSet, Release, Review, User
from callgrade.db.types import new_id, now
from callgrade.settings import Settings
from tests.api.made import RUBRIC, Service, rubrics, transcript


@dataclass(frozen=True)
class Route:
    """`scope` None: for everybody. `of`: which kind of thing the `{id}` in the path is; another client's is a 404."""

    scope: str | None
    of: str | None = None
    params: dict[str, str] | None = None
    json: Any = None
    body: bytes = b""
    media_type: str | None = None
    reference: str | None = None
    more: tuple[str, ...] = ()
    """Scopes that it takes beside the one."""
    answers: int | None = None
    """What whoever may is told here, where it is no success: there is nothing to do it with."""


TRYING: dict[str, Any] = {
    "scope": "rubrics:write", "more": ("calibrations:read", "calibrations:write"), "answers": 404,
}  # fmt: skip
PUBLISHING: dict[str, Any] = {"scope": "rubrics:write", "more": ("calibrations:read",), "answers": 404}
NDJSON = "application/x-ndjson"
TABLE: dict[tuple[str, str], Route] = {
    ("POST", "/v1/calls"): Route("calls:write", json=examples.TRANSCRIPT),
    ("GET", "/v1/calls"): Route("calls:read"),
    ("GET", "/v1/calls/{id}"): Route("calls:read", "call"),
    ("GET", "/v1/calls/{id}/transcript"): Route("calls:read", "call"),
    ("GET", "/v1/calls/{id}/audio"): Route("calls:read", "call"),
    ("DELETE", "/v1/calls/{id}"): Route("calls:erase", "call", params={"reason": "case 7"}),
    ("POST", "/v1/calls/{id}/evaluations"): Route("evaluations:write", "call", json={"rubric": RUBRIC}),
    ("GET", "/v1/evaluations"): Route("evaluations:read"),
    ("GET", "/v1/evaluations/{id}"): Route("evaluations:read", "evaluation"),
    ("POST", "/v1/evaluations/{id}/cancel"): Route("evaluations:write", "evaluation"),
    ("POST", "/v1/evaluations/{id}/retry"): Route("evaluations:write", "evaluation"),
    ("GET", "/v1/reviews"): Route("reviews:read"),
    ("POST", "/v1/reviews"): Route("sampling:write", "evaluation", json={"evaluation": "{id}", "why": "picked"}),
    ("GET", "/v1/reviews/{id}"): Route("reviews:read", "review"),
    ("GET", "/v1/appeals"): Route("appeals:read"),
    ("POST", "/v1/appeals"): Route(
        "appeals:write", "evaluation", json={**examples.APPEAL_WANTED, "evaluation": "{id}"}
    ),
    ("GET", "/v1/appeals/{id}"): Route("appeals:read", "appeal"),
    ("POST", "/v1/appeals/{id}/withdraw"): Route("appeals:write", "appeal", json={"by": "nobody"}),
    ("POST", "/v1/appeals/{id}/decide"): Route("appeals:decide", "appeal", json=examples.APPEAL_DECIDED),
    ("GET", "/v1/calibrations"): Route("calibrations:read"),
    ("POST", "/v1/calibrations"): Route(
        "calibrations:write", json={"rubric": RUBRIC, "set": "none"}, more=("calibrations:read",), answers=404
    ),
    ("GET", "/v1/calibrations/{id}"): Route("calibrations:read", "calibration"),
    ("POST", "/v1/calibrations/{id}/cancel"): Route("calibrations:write", "calibration"),
    ("GET", "/v1/golden-sets"): Route("calibrations:read"),
    ("GET", "/v1/golden-sets/{id}"): Route("calibrations:read", "golden set"),
    ("POST", "/v1/batches"): Route("batches:write", params={"rubric": RUBRIC}, body=b"{}\n", media_type=NDJSON),
    ("GET", "/v1/batches"): Route("batches:read"),
    ("GET", "/v1/batches/{id}"): Route("batches:read", "batch"),
    ("GET", "/v1/batches/{id}/events"): Route("batches:read", "batch"),
    ("GET", "/v1/batches/{id}/results"): Route("batches:read", "batch"),
    ("DELETE", "/v1/batches/{id}"): Route("batches:write", "batch"),
    ("GET", "/v1/rubrics"): Route("rubrics:read"),
    ("GET", "/v1/rubrics/{reference}"): Route("rubrics:read", reference=RUBRIC),
    ("GET", "/v1/prompts"): Route("rubrics:read"),
    ("GET", "/v1/prompts/{reference}"): Route("rubrics:read", reference="judge"),
    ("POST", "/v1/rubrics/{reference}/back-tests"): Route(**TRYING, reference=RUBRIC, json=examples.DRAFT_TRIED),
    ("POST", "/v1/prompts/{reference}/back-tests"): Route(**TRYING, reference="judge", json=examples.PROMPT_TRIED),
    ("POST", "/v1/rubrics/{reference}/gate"): Route(**TRYING, reference=RUBRIC, json=examples.DRAFT_TRIED),
    ("POST", "/v1/prompts/{reference}/gate"): Route(**TRYING, reference="judge", json=examples.PROMPT_TRIED),
    ("POST", "/v1/rubrics/{reference}/publish"): Route(**PUBLISHING, reference=RUBRIC, json=examples.RUBRIC_PUBLISHED),
    ("POST", "/v1/prompts/{reference}/publish"): Route(**PUBLISHING, reference="judge", json=examples.PROMPT_PUBLISHED),
    ("POST", "/v1/rubrics/{reference}/retire"): Route("rubrics:write", reference=f"{RUBRIC}@v1", json={}),
    ("POST", "/v1/prompts/{reference}/retire"): Route("rubrics:write", reference="nobodys@v1", json={}, answers=404),
    ("GET", "/v1/releases"): Route("releases:read"),
    ("POST", "/v1/releases"): Route("releases:write", json={"rubric": RUBRIC}),
    ("GET", "/v1/releases/{id}"): Route("releases:read", "release"),
    ("PUT", "/v1/agents"): Route("people:write", json={"agents": [{"agent_id": "8031", "team": "sales-2"}]}),
    ("GET", "/v1/agents"): Route("people:read"),
    ("POST", "/v1/webhooks"): Route("webhooks:write", json={"url": "https://crm.example.com/hook"}),
    ("GET", "/v1/webhooks"): Route("webhooks:read"),
    ("GET", "/v1/webhooks/{id}"): Route("webhooks:read", "webhook"),
    ("DELETE", "/v1/webhooks/{id}"): Route("webhooks:write", "webhook"),
    ("GET", "/v1/webhooks/{id}/deliveries"): Route("webhooks:read", "webhook"),
    ("POST", "/v1/webhooks/{id}/test"): Route("webhooks:write", "webhook"),
    ("POST", "/v1/webhooks/{id}/redeliver"): Route("webhooks:write", "webhook", json={"delivery_id": "0" * 32}),
    ("GET", "/healthz"): Route(None),
    ("GET", "/readyz"): Route(None),
    ("GET", "/metrics"): Route("metrics:read"),
}
OWN_OR_GUARDED = [(place, route) for place, route in TABLE.items() if route.scope is not None]
NAMES = [" ".join(place) for place, _ in OWN_OR_GUARDED]


def routes_of_the_app() -> Iterator[tuple[str, str]]:
    app = build(Settings(), Metrics())
    for found in iter_route_contexts(app.routes):
        for method in found.methods or ():
            if method != "HEAD":
                yield method, str(found.path)


def test_the_table_lists_the_routes_of_the_app_and_no_others() -> None:
    assert set(routes_of_the_app()) - {("GET", "/openapi.json")} == set(TABLE)


def ask(service: Service, place: tuple[str, str], route: Route, headers: dict[str, str], id_: str = "") -> Any:
    method, path = place
    path = path.replace("{id}", id_ or new_id()).replace("{reference}", route.reference or "")
    sent = {**headers, **({"Content-Type": route.media_type} if route.media_type else {})}
    extra = {"json": _about(route.json, id_)} if route.json is not None else {"content": route.body}
    return service.http.request(method, path, params=route.params, headers=sent, **extra)


def _about(body: Any, id_: str) -> Any:
    """A body that is about something names it as a path does."""
    if not isinstance(body, dict):
        return body
    return {name: (id_ or new_id()) if value == "{id}" else value for name, value in body.items()}


@pytest.mark.parametrize(("place", "route"), OWN_OR_GUARDED, ids=NAMES)
def test_nobody_gets_in_without_a_key_that_counts(service: Service, place: tuple[str, str], route: Route) -> None:
    known = service.key()["Authorization"]
    with service.database.writing() as session:
        scopes = [scope for scope in SCOPES if scope != route.scope]
        lacking = create_key(session, ensure_client(session).id, "lacks one", scopes)[1]
    wrong = [
        ({}, 401),
        ({"Authorization": "Basic Zm9vOmJhcg=="}, 401),
        ({"Authorization": "Bearer "}, 401),
        ({"Authorization": "Bearer cg_nothing"}, 401),
        ({"Authorization": known[:-1] + ("0" if known[-1] != "0" else "1")}, 401),
        ({"Authorization": f"Bearer {lacking}"}, 403),
    ]
    for headers, status in wrong:
        answer = ask(service, place, route, headers)
        assert answer.status_code == status, (headers, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["type"] == f"urn:callgrade:problem:{'not-authenticated' if status == 401 else 'forbidden'}"
        assert ("www-authenticate" in answer.headers) == (status == 401)
    assert route.scope in ask(service, place, route, {"Authorization": f"Bearer {lacking}"}).json()["detail"]


@pytest.mark.parametrize(("place", "route"), OWN_OR_GUARDED, ids=NAMES)
def test_the_scope_alone_opens_it(service: Service, place: tuple[str, str], route: Route) -> None:
    assert route.scope is not None
    answer = ask(service, place, route, service.key(route.scope, *route.more))
    # an id that nobody has is not there, and everything else goes through
    told = 404 if route.of else route.answers
    assert answer.status_code == told if told else answer.status_code < 300, answer.text
    for scope in route.more:
        lacking = service.key(route.scope, *(one for one in route.more if one != scope))
        assert (answer := ask(service, place, route, lacking)).status_code == 403
        assert scope in answer.json()["detail"]


@pytest.mark.parametrize(
    ("place", "route"), [entry for entry in OWN_OR_GUARDED if entry[1].of], ids=lambda value: str(value)[:60]
)
def test_another_clients_id_is_no_id(service: Service, place: tuple[str, str], route: Route) -> None:
    assert route.of is not None
    owned = things(service)[route.of]
    stranger = service.key(client="stranger")
    answer = ask(service, place, route, stranger, owned)
    unknown = ask(service, place, route, stranger, new_id())
    assert (answer.status_code, unknown.status_code) == (404, 404), answer.text
    # and nothing tells the one from the other
    assert {**answer.json(), "request_id": ""} == {**unknown.json(), "request_id": ""}


OF_A_CLIENT = ("calls", "evaluations", "batches", "webhooks", "releases", "reviews", "appeals", "calibrations")
LISTS = [f"/v1/{name}" for name in (*OF_A_CLIENT, "golden-sets")]


@pytest.mark.parametrize("path", LISTS)
def test_lists_hold_nothing_of_others(service: Service, path: str) -> None:
    things(service)
    assert service.get(path, client="stranger").json()["items"] == []
    assert service.get(path).json()["items"] != []


@pytest.mark.parametrize("path", [path for (_, path), route in TABLE.items() if route.scope is None])
def test_what_is_open_needs_no_key(service: Service, path: str) -> None:
    assert service.http.get(path).status_code == 200


def things(service: Service) -> dict[str, str]:
    """One of each, of the default client."""
    form = {"audio": ("a.wav", b"RIFFhello", "audio/wav"), "metadata": (None, '{"call_id": "R-1"}')}
    recorded = service.http.post("/v1/calls", params={"rubric": RUBRIC}, files=form, headers=service.key()).json()
    hook = service.http.post("/v1/webhooks", json={"url": "https://crm.example.com/hook"}, headers=service.key()).json()
    with service.database.writing() as session:
        told = rubrics()[0]
        owner = ensure_client(session).id
        named = {"rubric_id": told["id"], "rubric_version": told["version"], "rubric_digest": told["digest"]}
        release = Release(client_id=owner, team="never", created_by="system", **named)
        session.add(release)
        session.flush()
        release_id = release.id
        review_id, appeal_id = desk_things(session, owner, recorded["evaluation_id"])
        calibration_id = calibration_run(session, owner)
        set_id = session.get_one(CalibrationRun, calibration_id).set_id
    return {
        "call": recorded["id"],
        "evaluation": recorded["evaluation_id"],
        "batch": service.batch([transcript("B-1")]).json()["batch_id"],
        "release": release_id,
        "webhook": hook["id"],
        "review": review_id,
        "appeal": appeal_id,
        "calibration": calibration_id,
        "golden set": set_id,
    }


def calibration_run(session: Session, owner: str, **more: Any) -> str:
    """A run over a set of the client's own, which has no report yet."""
    golden = GoldenSet(client_id=owner, name=f"own-{new_id()}", title="made up", created_by="system")
    session.add(golden)
    session.flush()
    run = CalibrationRun(
        client_id=owner, set_id=golden.id, split="dev", rubric_id=RUBRIC, rubric_version="v1", rubric_digest="sha256:x",
        created_by="system", **more,
    )  # fmt: skip
    session.add(run)
    session.flush()
    return run.id


def desk_things(session: Session, owner: str, evaluation_id: str) -> tuple[str, str]:
    """(a review, an appeal)."""
    user = User(client_id=owner, login=f"u{new_id()}", role="reviewer")
    session.add(user)
    session.flush()
    moment = {"due_at": now(), "called_at": now()}
    review = Review(client_id=owner, evaluation_id=evaluation_id, attempt=1, why="sample", rubric_id=RUBRIC, **moment)
    appeal = Appeal(
        client_id=owner, evaluation_id=evaluation_id, revision=1, criterion_id="x", filed_by=user.id, file_by=now(),
        reason="made up", wanted={"outcome": None},
    )  # fmt: skip
    session.add_all([review, appeal])
    session.flush()
    return review.id, appeal.id
