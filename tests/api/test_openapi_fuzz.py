"""schemathesis over the whole OpenAPI, along its links and with two clients' keys: no answer that is not documented, no
5xx, nothing taken that the documentation refuses, nothing refused that it allows, nobody let in without a key, and
nobody shown what is another's. What is left out of that, and why, stands in schemathesis.toml.

More cases, and new ones each time:

    FUZZ="--max-examples 300 --seed 7" python -m pytest -n 0 -s tests/api/test_openapi_fuzz.py
"""

import itertools
import json
import os
import shlex
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from callgrade.api import examples
from callgrade.db.tables import (
    Appeal,
    Delivery,
    Evaluation,
    GoldenSet,
    PromptVersion,
    PublishedScorecard,
    Release,
    Review,
    User,
)
from callgrade.db.types import now
from callgrade.evaluations import repository as evaluations
from callgrade.evaluations.pipeline import Pipeline
from tests.api.made import Service, prompt, rubrics, transcript
from tests.api.test_who_may import calibration_run
from tests.api.wire import Address

ROOT = Path(__file__).parents[2]
CONFIG = Path(__file__).with_name("schemathesis.toml")
SAME_EACH_TIME = "--generation-deterministic"
REFUSED = {400, 401, 403, 404, 405, 415, 422}
"""Answered before the operation came to what it is for."""


def keys(service: Service, folder: Path) -> Path:
    """Both clients' keys, in the shape that schemathesis takes identities in."""
    users = [
        {"name": name, "fixedHeaders": [{"name": name_, "value": value} for name_, value in key.items()]}
        for name, key in ((client, service.key(client=client)) for client in ("default", "stranger"))
    ]
    path = folder / "keys.json"
    path.write_text(json.dumps({"auth": users}), "utf-8")
    return path


class Sometimes:
    """Leaves every third piece of work undone, so that there is something to cancel."""

    def __init__(self, works: Pipeline):
        self.works, self.turns = works, itertools.cycle((True, True, False))

    async def transcribe(self, id_: str) -> bool:
        return await self.works.transcribe(id_)

    async def judge(self, id_: str) -> None:
        if next(self.turns):
            await self.works.judge(id_)

    async def judge_chunk(self, batch_id: str, number: int) -> None:
        if next(self.turns):
            await self.works.judge_chunk(batch_id, number)

    async def fetch(self, id_: str, call_id: str, number: int) -> None:
        await self.works.fetch(id_, call_id, number)

    async def aclose(self) -> None:
        await self.works.aclose()


@pytest.fixture
def delivered() -> Iterator[None]:
    """Every delivery, at once: what is under way cannot be sent again."""

    def deliver(_mapper: object, _connection: object, row: Delivery) -> None:
        row.status = "delivered"

    event.listen(Delivery, "before_insert", deliver)
    yield
    event.remove(Delivery, "before_insert", deliver)


def release_of_everybody(service: Service) -> None:
    """Nothing in the API makes one yet."""
    told = rubrics()[0]
    named = {"rubric_id": told["id"], "rubric_version": told["version"], "rubric_digest": told["digest"]}
    with service.database.writing() as session:
        session.add(Release(client_id=None, team="never", created_by="system", **named))


def desk_of_examples(service: Service) -> None:
    """The published evaluation, the review, the appeal, the calibration, the people, the golden set and the prompt that
    the examples name."""
    made = service.submit(transcript("of-the-examples"), rubric=examples.RUBRIC).json()["evaluation_id"]
    with service.database.writing() as session:
        row = session.get_one(Evaluation, made)
        card = evaluations.scorecard_of(session, row)
        assert card is not None
        calibration_run(session, row.client_id, id=examples.ID)
        set_name = examples.DRAFT_TRIED["set"]
        told = {"id": examples.ID, "client_id": row.client_id, "name": set_name, "title": "made up"}
        session.add(GoldenSet(**told, created_by="system"))
        of_old, _, version = examples.RETIRABLE_PROMPT.partition("@")
        retirable = {**prompt(), "id": of_old, "version": version, "status": "published", "digest": "sha256:of-old"}
        session.add(PromptVersion(**retirable))
        of = {"client_id": row.client_id, "evaluation_id": examples.EVALUATION_ID, "agent_id": "8031"}
        told = {**row.model_dump(), "id": examples.EVALUATION_ID, "dedupe": "x", "agent_id": "8031"}
        session.add(Evaluation(**{**told, "status": "published"}))
        agent = User(client_id=row.client_id, login=examples.APPEAL_WANTED["by"], role="agent", agent_id="8031")
        boss = User(client_id=row.client_id, login=examples.APPEAL_DECIDED["by"], role="admin")
        session.add_all([agent, boss])
        session.flush()
        content, later = card.model_dump_json(by_alias=True), now() + timedelta(days=1)
        session.add(
            PublishedScorecard(evaluation_id=examples.EVALUATION_ID, revision=1, content=content, published_by="system")
        )
        session.add(
            Review(
                id=examples.ID, attempt=1, why="sample", rubric_id=row.rubric_id, due_at=later, called_at=later, **of
            )
        )
        session.add(
            Appeal(
                id=examples.ID, revision=1, criterion_id="insult", filed_by=agent.id, file_by=later, decide_by=later,
                reason="made up", wanted={"outcome": None}, **of,
            )
        )  # fmt: skip


def statuses(report: Path) -> dict[str, set[int]]:
    """What each operation answered, from the report's events."""
    seen = defaultdict[str, set[int]](set)
    for line in report.read_text("utf-8").splitlines():
        recorder = json.loads(line).get("ScenarioFinished", {}).get("recorder") or {}
        for id_, exchange in recorder.get("interactions", {}).items():
            case = recorder["cases"][id_]["value"]
            if exchange.get("response"):
                seen[f"{case['method']} {case['path']}"].add(exchange["response"]["status_code"])
    return seen


@pytest.mark.usefixtures("delivered")
@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_every_answer_is_documented(service: Service, address: Address, tmp_path: Path) -> None:
    service.queue.pipeline = Sometimes(service.pipeline)
    release_of_everybody(service)
    desk_of_examples(service)
    report, more = tmp_path / "report.ndjson", shlex.split(os.environ.get("FUZZ", SAME_EACH_TIME))
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run", *more]
    command += ["--report-ndjson-path", str(report), f"http://{address[0]}:{address[1]}/openapi.json"]
    environment = {**os.environ, "CALLGRADE_FUZZ_KEYS": str(keys(service, tmp_path)), "PYTHONPATH": str(ROOT)}
    shown = None if "FUZZ" in os.environ else subprocess.PIPE
    done = subprocess.run(command, cwd=tmp_path, env=environment, stdout=shown, text=True, check=False)
    assert done.returncode == 0, done.stdout
    seen = statuses(report)
    documented = {
        f"{method.upper()} {path}" for path, found in service.app.openapi()["paths"].items() for method in found
    }
    reached = {name for name, found in seen.items() if found - REFUSED}
    assert documented - reached == set()
