"""Who may open which route, on whose rows: one table over every route of the application.

A new route fails here until it stands in the table. Pages are asked by everybody, from nobody to an admin, about a
thing of their own team, of another team and of another client. The API's half of the table stands in
tests/api/test_who_may.py; here it is asked by people who are signed in, whom it does not know.

    .  let in      x  403: not for this role      0  404: beyond their reach      ?  401, or on to the sign-in page
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from sqlalchemy import update
from sqlmodel import Session
from starlette.testclient import TestClient

from callgrade.access.keys import create_key, ensure_client
from callgrade.access.permissions import PEOPLE, Role
from callgrade.calibration.run_repository import RUN
from callgrade.db.tables import Alert, AlertRule, Appeal, PublishedScorecard, SamplingPlan, SamplingRun
from callgrade.db.types import new_id
from callgrade.domain.alerts import RedLine
from callgrade.domain.calibration import CalibrationReport, CriterionReport, JudgeUnderTest, VerdictLine
from callgrade.domain.frozen import LocalText
from callgrade.domain.plans import Plan
from callgrade.evaluations import repository as evaluations
from callgrade.reviews import repository as reviews
from callgrade.reviews.tables import REVIEW
from callgrade.web.static_files import asset
from tests.access.people import make, quick_hashes  # noqa: F401
from tests.api.made import *  # noqa: F403
from tests.api.made import RUBRIC, rubrics, transcript
from tests.api.test_who_may import TABLE as API
from tests.api.test_who_may import calibration_run
from tests.db.databases import *  # noqa: F403
from tests.reviews.made import DUE
from tests.web.golden import golden_set
from tests.web.made import *  # noqa: F403
from tests.web.made import AGENT, TEAM, Rooms

pytestmark = pytest.mark.usefixtures("quick_hashes")
OPEN = ". . . . ."
"""Guest, agent, reviewer, lead, admin."""
ALL, NOT_AGENTS, LEADS, ADMINS, AGENTS = "? . . . .", "? x . . .", "? x x . .", "? x x x .", "? . x x ."
NOBODY = "? x x x x"


@dataclass(frozen=True)
class Page:
    """`ours` says who is let in: guest, agent, reviewer, lead, admin. `other` is the same about another team's thing,
    None where the path names none or the client's teams share it. `theirs` is about another client's, which is unknown
    to everybody who may at all; said only where it is otherwise. `of` is the kind of thing where the parameter's name
    does not say it."""

    ours: str
    other: str | None = None
    theirs: str | None = None
    of: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    files: dict[str, Any] | None = None
    query: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    """Parameters that are something else here than in SHARED."""


PERSON = {"role": "reviewer", "name": "李敏"}
PLAN = {"name": "x", "rubric": RUBRIC, "red_lines": "yes", "teams": TEAM}
WITHDRAWN = {"do": "withdraw", "review": "{review}"}
DRAFT = {"text": "id: x", "based_on": "v1", "expected": "0"}
PAGES: dict[str, Page] = {
    # for everybody
    "GET /static/{name}": Page(OPEN, names={"name": asset("icon.svg").removeprefix("/static/")}),
    "GET /favicon.ico": Page(OPEN),
    "POST /preferences": Page(OPEN, data={"language": "en"}),
    "GET /sign-in": Page(OPEN),
    "POST /sign-in": Page("? ? ? ? ?", data={"login": "nobody", "password": "wrong"}),
    "GET /sign-in/elsewhere": Page("? ? ? ? ?"),
    "GET /sign-in/back": Page("? ? ? ? ?"),
    "POST /sign-out": Page(OPEN),
    # for everybody who is signed in
    "GET /signed-in": Page(ALL),
    "GET /account": Page(ALL),
    "POST /account/password": Page(ALL, data={"old": "wrong", "new": "wrong"}),
    "POST /account/browsers/{id}/end": Page(ALL),
    "POST /account/sign-out-everywhere": Page(ALL),
    "GET /events": Page(ALL),
    "GET /": Page(ALL),
    "GET /queue": Page(NOT_AGENTS),
    # calls, and what was made of them
    "GET /calls": Page(ALL),
    "GET /calls/{call_id}": Page(ALL, "? 0 0 0 ."),
    "GET /calls/{call_id}/audio": Page(ALL, "? 0 0 0 ."),
    "GET /calls/{call_id}/scorecard": Page(ALL, "? 0 0 0 ."),
    "GET /calls/{call_id}/scorecard.{form}": Page(ALL, "? 0 0 0 ."),
    "GET /results": Page(AGENTS),
    # reviews
    "POST /reviews/{review_id}/criteria/{criterion_id}/decisions": Page(
        NOT_AGENTS, "? x 0 0 .", data={"kind": "approve", "expected": "0"}
    ),
    "POST /reviews/{review_id}/criteria/{criterion_id}/undo": Page(NOT_AGENTS, "? x 0 0 .", data={"expected": "1"}),
    "PUT /reviews/{review_id}/criteria/{criterion_id}/draft": Page(NOT_AGENTS, "? x 0 0 .", data={"reason": "x"}),
    "POST /reviews/{review_id}/approvals": Page(NOT_AGENTS, "? x 0 0 .", data={"expected": "{}"}),
    "POST /reviews/{review_id}/finish": Page(NOT_AGENTS, "? x 0 0 ."),
    "POST /reviews/{review_id}/release": Page(NOT_AGENTS, "? x 0 0 ."),
    "GET /calls/{call_id}/words": Page(NOT_AGENTS, "? x 0 0 .", query={"review": "{review}"}),
    "POST /reviews/{review_id}/words": Page(NOT_AGENTS, "? x 0 0 .", data={"turn": "0", "version": "1", "text": "x"}),
    "POST /reviews/{review_id}/speakers": Page(NOT_AGENTS, "? x 0 0 .", data={"version": "1"}),
    "POST /calls/{call_id}/checks": Page(LEADS, "? x x 0 .", data={"evaluation": "{evaluation}", "why": "complaint"}),
    # results and appeals
    "POST /calls/{call_id}/acknowledgement": Page("? . x x 0", "? 0 x x 0", data={"evaluation": "{evaluation}"}),
    "POST /calls/{call_id}/criteria/{criterion_id}/appeals": Page(
        AGENTS, "? 0 x x .", data={"evaluation": "{evaluation}", "reason": "x"}
    ),
    "GET /appeals": Page(ALL),
    "GET /appeals/{appeal_id}": Page(ALL, "? 0 0 0 ."),
    "GET /appeals/{appeal_id}/audio": Page(ALL, "? 0 0 0 ."),
    "POST /appeals/{appeal_id}/decision": Page(NOT_AGENTS, "? x 0 0 .", data={"ruling": "upheld", "words": "x"}),
    "POST /appeals/{appeal_id}/withdrawal": Page(NOBODY, "? 0 x x x", "? 0 x x 0"),  # but whoever filed it
    # figures
    "GET /dashboards": Page(ALL),
    "GET /dashboards/{room}": Page("? 0 0 . ."),
    "GET /dashboards/{room}/table.csv": Page("? 0 0 . ."),
    "GET /dashboards/faults/{kind}/{name}": Page(ALL),
    # rubrics and prompts
    "GET /rubrics": Page(ALL),
    "GET /rubrics/{rubric_id}": Page(ALL),
    "GET /rubrics/{rubric_id}/diff/{span}": Page(ALL),
    "GET /rubrics/{rubric_id}/request": Page(ALL),
    "GET /prompts": Page(ALL),
    "GET /prompts/{prompt_id}": Page(ALL),
    "GET /rubrics/{rubric_id}/edit": Page(LEADS),
    "POST /rubrics/{rubric_id}/edit": Page(LEADS, data=DRAFT),
    "POST /rubrics/{rubric_id}/edit/lint": Page(LEADS, data=DRAFT),
    "POST /rubrics/{rubric_id}/edit/preview": Page(LEADS, data=DRAFT),
    "POST /rubrics/{rubric_id}/edit/close": Page(LEADS, data={"expected": "1"}),
    "GET /rubrics/{rubric_id}/back-test": Page(LEADS),
    "POST /rubrics/{rubric_id}/back-tests": Page(LEADS),
    "POST /rubrics/{rubric_id}/gate": Page(LEADS),
    "POST /rubrics/{rubric_id}/publish": Page(LEADS, data={"digest": "sha256:x"}),
    "POST /rubrics/{rubric_id}/retire": Page(LEADS, data={"version": ""}),  # others need it
    "GET /prompts/{prompt_id}/edit": Page(LEADS),
    "POST /prompts/{prompt_id}/edit": Page(LEADS, data=DRAFT),
    "POST /prompts/{prompt_id}/edit/lint": Page(LEADS, data=DRAFT),
    "POST /prompts/{prompt_id}/edit/preview": Page(LEADS, data=DRAFT),
    "POST /prompts/{prompt_id}/edit/close": Page(LEADS, data={"expected": "1"}),
    "GET /prompts/{prompt_id}/back-test": Page(LEADS),
    "POST /prompts/{prompt_id}/back-tests": Page(LEADS),
    "POST /prompts/{prompt_id}/gate": Page(LEADS),
    "POST /prompts/{prompt_id}/publish": Page(LEADS, data={"digest": "sha256:x"}),
    # samples
    "GET /sampling": Page(LEADS),
    "GET /sampling/new": Page(LEADS),
    "POST /sampling": Page(LEADS, data=PLAN),
    "GET /sampling/reviews": Page(LEADS),
    "POST /sampling/reviews": Page(LEADS, "? x x . .", data=WITHDRAWN),  # what is beyond reach stays as it is
    "GET /sampling/{plan_id}": Page(LEADS, "? x x . ."),
    "GET /sampling/{plan_id}/edit": Page(LEADS, "? x x . ."),
    "POST /sampling/{plan_id}": Page(LEADS, "? x x x .", data=PLAN),
    "POST /sampling/{plan_id}/drawings": Page(LEADS, "? x x . ."),  # of the calls within reach
    "POST /sampling/{plan_id}/retirement": Page(LEADS, "? x x x ."),
    "GET /sampling/{plan_id}/drawings/{run_id}": Page(LEADS, "? x x . ."),
    "GET /sampling/{plan_id}/drawings/{run_id}/calls.csv": Page(LEADS, "? x x . ."),
    # batches
    "GET /batches": Page(LEADS),
    "GET /batches/{id}": Page(LEADS, of="batch"),
    "POST /batches/{id}/cancel": Page(LEADS, of="batch"),
    # alerts
    "GET /alerts": Page(LEADS),
    "POST /alerts/seen": Page(LEADS, "? x x . .", data={"alert": "{alert}"}),  # what is beyond reach stays as it is
    "GET /alerts/rules": Page(LEADS),
    "GET /alerts/rules/new": Page(LEADS),
    "POST /alerts/rules": Page(LEADS, data={"kind": "red_line", "name": "x", "webhook": "yes"}),
    "GET /alerts/rules/{rule_id}/edit": Page(LEADS, "? x x 0 ."),
    "POST /alerts/rules/{rule_id}": Page(LEADS, "? x x 0 .", data={"name": "x", "webhook": "yes"}),
    "POST /alerts/rules/{rule_id}/test": Page(LEADS, "? x x 0 ."),
    "POST /alerts/rules/{rule_id}/disabling": Page(LEADS, "? x x 0 ."),
    # golden sets
    "GET /golden-sets": Page(LEADS),
    "POST /golden-sets": Page(LEADS, data={"name": "new", "title": "x"}),
    "POST /golden-sets/shipped": Page(LEADS),
    "GET /golden-sets/{set_id}": Page(LEADS),
    "GET /golden-sets/{set_id}/agreement": Page(LEADS),
    "GET /golden-sets/{set_id}/labels.{form}": Page(LEADS),
    "GET /golden-sets/{set_id}/reviews": Page(LEADS),
    "POST /golden-sets/{set_id}/reviews": Page(LEADS),
    "POST /golden-sets/{set_id}/collection": Page(LEADS),
    "GET /golden-sets/{set_id}/double-grading": Page(LEADS),
    "POST /golden-sets/{set_id}/double-grading": Page(LEADS),
    "GET /golden-sets/{set_id}/calls/{golden_id}": Page(LEADS),
    "POST /golden-sets/{set_id}/calls/{golden_id}/decision": Page(LEADS, data={"expected": "2"}),
    # calibration runs
    "GET /calibrations": Page(LEADS),
    "GET /calibrations/new": Page(LEADS, query={"rubric": RUBRIC, "set": "{golden}", "split": "holdout"}),
    "POST /calibrations": Page(LEADS, data={"rubric": RUBRIC, "set": "{golden}"}),
    "GET /calibrations/comparison": Page(LEADS, query={"a": "{calibration}", "b": "{calibration}"}),
    "GET /calibrations/{calibration_id}": Page(LEADS),
    "GET /calibrations/{calibration_id}/progress": Page(LEADS),
    "POST /calibrations/{calibration_id}/cancellation": Page(LEADS),
    "POST /calibrations/{calibration_id}/continuation": Page(LEADS),
    "GET /calibrations/{calibration_id}/blind": Page("? x x 0 0"),  # but whoever asked for it
    "POST /calibrations/{calibration_id}/blind": Page("? x x 0 0"),
    # autonomy
    "GET /autonomy": Page(LEADS),
    "GET /autonomy/{rubric_id}/{criterion_id}": Page(LEADS),
    "POST /autonomy/{rubric_id}/{criterion_id}/looks": Page(LEADS, data={"level": "0.05"}),
    "POST /autonomy/{rubric_id}/{criterion_id}/revocation": Page("? x x 0 0", data={"state": "x", "reason": "x"}),
    # administration
    "GET /admin": Page(LEADS),
    "GET /admin/users": Page(LEADS),
    "GET /admin/users/new": Page(ADMINS),
    "POST /admin/users": Page(ADMINS, data={**PERSON, "login": "new"}),
    "GET /admin/users/{id}": Page(ADMINS, "? x x x .", of="user"),
    "POST /admin/users/{id}": Page(ADMINS, "? x x x .", of="user", data=PERSON),
    "POST /admin/users/{id}/disable": Page(ADMINS, "? x x x .", of="user"),
    "POST /admin/users/{id}/enable": Page(ADMINS, "? x x x .", of="user"),
    "POST /admin/users/{id}/password": Page(ADMINS, "? x x x .", of="user"),
    "GET /admin/agents": Page(LEADS),
    "POST /admin/agents": Page(ADMINS, files={"file": ("a.csv", b"agent_id\n1\n", "text/csv")}),
    "GET /admin/keys": Page(ADMINS),
    "POST /admin/keys": Page(ADMINS, data={"name": "CRM", "scopes": "calls:read"}),
    "POST /admin/keys/{id}/revoke": Page(ADMINS, of="key"),
    "GET /admin/audit": Page(ADMINS),
    "POST /admin/audit/verify": Page(ADMINS),
}
NAMED = {"call_id": "call", "review_id": "review", "appeal_id": "appeal", "plan_id": "plan", "run_id": "run",
         "rule_id": "rule", "calibration_id": "calibration", "set_id": "golden",
         "golden_id": "golden-call"}  # fmt: skip
"""Which kind of thing a parameter names."""
KINDS = (*NAMED.values(), "alert", "evaluation", "batch", "user", "key", "nothing")
SHARED = {
    "rubric_id": RUBRIC,
    "prompt_id": "judge",
    "span": "v1..v1",
    "form": "csv",
    "room": "agents",
    "kind": "error",
    "name": "41",
}
"""What a parameter is where all of a client, or all clients, share the thing."""


@pytest.fixture
def backend() -> str:
    """The rows are narrowed by SQL that is tried on both where it is written: tests/access/test_rows.py."""
    return "sqlite"


@dataclass
class World:
    """Three things of each kind: of the visitor's own team, of another team, of another client."""

    rooms: Rooms
    things: dict[str, dict[str, str]]
    criterion: str

    def filled(self, values: dict[str, Any], whose: str) -> dict[str, Any]:
        """`{evaluation}` is the id of the evaluation in question."""
        return {
            name: self.things[value[1:-1]][whose] if str(value).startswith("{") and value != "{}" else value
            for name, value in values.items()
        }

    def path(self, route: str, page: Page, whose: str) -> str:
        path = route.partition(" ")[2]
        for name, kind in {**NAMED, "id": page.of or "nothing"}.items():
            path = path.replace(f"{{{name}}}", self.things[kind][whose])
        for name, value in {**SHARED, "criterion_id": self.criterion, **page.names}.items():
            path = path.replace(f"{{{name}}}", value)
        assert "{" not in path, f"say in SHARED or World what the parameters of {route} are"
        return path


@pytest.fixture
def world(rooms: Rooms) -> World:
    places = {
        "ours": ("default", TEAM, AGENT),
        "other": ("default", "south", "9000"),
        "theirs": ("stranger", TEAM, AGENT),
    }
    things: dict[str, dict[str, str]] = {kind: {} for kind in KINDS}
    things["nothing"] = dict.fromkeys(places, "0" * 16)
    criterion = ""
    rooms.desk.stopping.set()  # so that event streams end
    for place, (client, team, agent) in places.items():
        criterion = published(rooms, things, place, client, team, agent)
        things["user"][place] = make(rooms.desk.database, f"lee-{place}", "reviewer", client=client, team=team).id
        line = json.dumps(transcript(f"B-{place}")).encode()
        told = {"params": {"rubric": RUBRIC}, "headers": {**rooms.service.key(client=client)}}
        told["headers"]["Content-Type"] = "application/x-ndjson"
        batch = rooms.service.http.post("/v1/batches", content=line, **told)
        things["batch"][place] = batch.json()["batch_id"]
        with rooms.desk.database.writing() as session:
            owner = ensure_client(session, client).id
            things["key"][place] = create_key(session, owner, place)[0].id
            things["calibration"][place] = calibrated(session, owner)
            things["golden"][place], things["golden-call"][place] = golden_set(session, owner, f"set-{place}")
    return World(rooms, things, criterion)


def calibrated(session: Session, owner: str) -> str:
    """A run that is done, of one criterion that nobody judged."""
    words = LocalText(zh="编的", en="made up")
    verdict = VerdictLine(kind="not_judged", reason=words, action=words)
    one = CriterionReport(
        criterion_id="x", title=words, judge="llm", scale="answer", categories=(0, 1), category_names=(words, words),
        verdict=verdict, calls=0, compared=0, agents=0,
    )  # fmt: skip
    report = CalibrationReport(
        run="x", made_at=DUE, set_id="x", set_name="own", set_title="made up", synthetic=True, split="dev", samples=1,
        judge=JudgeUnderTest(rubric=f"{RUBRIC}@v1", rubric_digest="sha256:x"), calls=0, items=0, items_wanted=0,
        criteria=(one,),
    )  # fmt: skip
    made = calibration_run(session, owner, status="done", report=report.model_dump(mode="json", by_alias=True))
    # of a rubric that is in the registry, so that it can be compared
    session.execute(update(RUN).where(RUN.c.id == made).values(rubric_digest=rubrics()[0]["digest"]))
    return made


def published(rooms: Rooms, things: dict[str, dict[str, str]], place: str, client: str, team: str, agent: str) -> str:
    """A call that was heard, judged and published; a second look at it that waits in the pool of its team; an appeal of
    its agent's. Says which criterion the appeal is about."""
    told = json.dumps({"call_id": f"{client}-{team}", "agent": {"id": agent, "team": team}})
    form = {"audio": ("a.wav", f"RIFF{client} {team}".encode(), "audio/wav"), "metadata": (None, told)}
    made = rooms.service.http.post(
        "/v1/calls", params={"rubric": RUBRIC}, files=form, headers=rooms.service.key(client=client)
    ).json()
    things["call"][place], things["evaluation"][place] = made["id"], made["evaluation_id"]
    user = rooms.user("agent", f"filed-{place}", client, agent_id=agent, team=team)
    with rooms.desk.database.writing() as session:
        row = evaluations.find(session, user.client_id, made["evaluation_id"])
        card = evaluations.scorecard_of(session, row)
        assert card is not None
        row.status = "published"
        session.add(row)
        content = card.model_dump_json(by_alias=True)
        session.add(PublishedScorecard(evaluation_id=row.id, revision=1, content=content, published_by="system"))
        session.flush()
        assert reviews.create(session, row, slot=1, due_at=DUE, why="double")
        made_id = session.execute(reviews.select(REVIEW.c.id).where(REVIEW.c.evaluation_id == row.id)).scalar_one()
        things["review"][place] = str(made_id)
        of: dict[str, Any] = {
            "client_id": user.client_id,
            "evaluation_id": row.id,
            "agent_id": agent,
            "team": team,
            "revision": 1,
        }
        criterion, wanted = card.judgements[0].criterion_id, {"outcome": None}
        appeal = Appeal(
            **of, criterion_id=criterion, filed_by=user.id, file_by=DUE, decide_by=DUE, reason="x", wanted=wanted
        )
        session.add(appeal)
        session.flush()
        things["appeal"][place] = appeal.id
        plan = SamplingPlan(
            client_id=user.client_id, name=place, rubric_id=RUBRIC, spec=Plan(teams=(team,)).model_dump(mode="json"),
            created_by=user.id,
        )  # fmt: skip
        session.add(plan)
        session.flush()
        run = SamplingRun(
            client_id=user.client_id, plan_id=plan.id, since=DUE, until=DUE, seed="x", population=0, drawn=0,
            drawn_by=user.id,
        )  # fmt: skip
        session.add(run)
        session.flush()
        things["plan"][place], things["run"][place] = plan.id, run.id
        rule = AlertRule(
            client_id=user.client_id, name=place, kind="red_line", spec=RedLine(teams=(team,)).model_dump(mode="json"),
            webhook=True, created_by=user.id,
        )  # fmt: skip
        session.add(rule)
        session.flush()
        alert = Alert(client_id=user.client_id, rule_id=rule.id, subject="x", data={"test": True}, team=team)
        session.add(alert)
        session.flush()
        things["rule"][place], things["alert"][place] = rule.id, alert.id
    return criterion


def browser_of(rooms: Rooms, role: Role | None) -> TestClient:
    """Of a new person each time: what one route does to them must not show at the next."""
    if role is None:
        return rooms.browser()
    return rooms.browser(role, f"{role}-{new_id()}", team=TEAM)


def asked(world: World, browser: TestClient, route: str, page: Page, whose: str) -> str:
    method, path = route.partition(" ")[0], world.path(route, page, whose)
    body = {"data": world.filled(page.data, whose), "files": page.files} if method != "GET" else {}
    answer = browser.request(method, path, params=world.filled(page.query, whose), **body)
    if method == "GET" and answer.status_code == 303 and answer.headers["location"].partition("?")[0] == "/sign-in":
        return "?"
    return {401: "?", 403: "x", 404: "0"}.get(answer.status_code, "." if answer.status_code < 500 else "5")


def expected(page: Page, whose: str, place: int) -> str:
    mine = page.ours.split()[place]
    if whose == "ours":
        return mine
    if whose == "other":
        assert page.other is not None
        return page.other.split()[place]
    return page.theirs.split()[place] if page.theirs else "0" if mine == "." else mine


def things_of(route: str, page: Page) -> list[str]:
    """Whose things a route is asked about."""
    named = page.of is not None or any(f"{{{name}}}" in route for name in NAMED)
    return ["ours", *(["other"] if page.other is not None else []), *(["theirs"] if named else [])]


def routes_of_the_pages(rooms: Rooms) -> Iterator[str]:
    for found in iter_route_contexts(rooms.service.app.state.pages.routes):
        for method in found.methods or ():
            if method != "HEAD":
                yield f"{method} {found.path}"


def test_every_route_stands_in_the_table_and_nothing_else(rooms: Rooms) -> None:
    assert set(routes_of_the_pages(rooms)) == set(PAGES)
    own = {("GET", "/openapi.json")}
    api = {
        (method, str(found.path))
        for found in iter_route_contexts(rooms.service.app.routes)
        for method in found.methods or ()
        if method != "HEAD"
    }
    assert api - own - {tuple(route.split(" ")) for route in PAGES} == set(API)


@pytest.mark.parametrize("role", [None, *PEOPLE], ids=str)
def test_everybody_gets_as_far_as_the_table_says(world: World, role: Role | None) -> None:
    place = [None, "agent", "reviewer", "qa_lead", "admin"].index(role)
    told, found = {}, {}
    for route, page in PAGES.items():
        for whose in things_of(route, page):
            told[route, whose] = expected(page, whose, place)
            found[route, whose] = asked(world, browser_of(world.rooms, role), route, page, whose)
    assert found == told


def test_no_form_of_another_site_is_taken(world: World) -> None:
    for route, page in PAGES.items():
        method, path = route.partition(" ")[0], world.path(route, page, "ours")
        for site in ("cross-site", "same-site"):
            if method != "GET":
                browser = browser_of(world.rooms, "admin")
                headers = {"Sec-Fetch-Site": site}
                answer = browser.request(method, path, data=page.data, files=page.files, headers=headers)
                assert (answer.status_code, "set-cookie" in answer.headers) == (403, False), route


def test_the_api_knows_nobody_by_a_cookie(world: World) -> None:
    """So no site can have a browser ask it anything in its owner's name."""
    for role in PEOPLE:
        browser = browser_of(world.rooms, role)
        for (method, path), route in API.items():
            if route.scope is not None:
                path = path.replace("{id}", new_id()).replace("{reference}", RUBRIC)
                assert browser.request(method, path).status_code == 401, (role, method, path)


def test_no_page_is_opened_by_a_key(world: World) -> None:
    browser = world.rooms.browser()
    browser.headers.update(world.rooms.service.key())
    for route, page in PAGES.items():
        assert asked(world, browser, route, page, "ours") == page.ours.split()[0], route
