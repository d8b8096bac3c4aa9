"""A running service for tests: the real app over a real database and a folder of blobs. What is enqueued is done at
once by rules and speech facts; recordings are heard by a recogniser that says what it was told."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from callgrade.access.keys import create_key, ensure_client
from callgrade.access.permissions import SCOPES
from callgrade.adapters.blobs import FsspecBlobs
from callgrade.adapters.rules import RuleJudge
from callgrade.adapters.scripted import InlineWorkQueue
from callgrade.adapters.speech import SpeechJudge
from callgrade.api import examples
from callgrade.api.app import build, serve_with
from callgrade.api.metrics import Metrics
from callgrade.catalog import digest, load_rubric, resolved_json
from callgrade.catalog.prompts import list_prompts
from callgrade.db.session import Database
from callgrade.db.tables import PromptVersion, RubricVersion
from callgrade.domain.calls import Transcript
from callgrade.domain.errors import RecordingError
from callgrade.evaluations.asking import Asking, Bench
from callgrade.evaluations.pipeline import Pipeline
from callgrade.main import make_services
from callgrade.ports import AgentChannel
from callgrade.settings import ServiceSettings, Settings

__all__ = ["Service", "service"]

RUBRIC = examples.RUBRIC


class Hears:
    """A recogniser that hears in every recording the words of its bytes after the header, one turn a line."""

    def transcribe(self, path: Path, *, agent_channel: AgentChannel | None = None) -> Transcript:
        sound = path.read_bytes()
        if not sound.startswith(b"RIFF"):
            raise RecordingError("holds no sound")
        words = sound[4:].decode()
        return Transcript.model_validate(
            {"call_id": path.name, "turns": [{"speaker": "agent", "text": words}], "recogniser": "scripted"}
        )


async def judges_for(_client_id: str, _asking: Asking) -> Bench:
    return Bench([RuleJudge(), SpeechJudge()])


@dataclass
class Service:
    app: FastAPI
    http: TestClient
    database: Database
    queue: InlineWorkQueue
    settings: Settings
    pipeline: Pipeline
    keys: dict[str, str] = field(default_factory=dict)

    def key(self, *scopes: str, client: str = "default") -> dict[str, str]:
        """The header of a key with these scopes; without any named, with all."""
        name = f"{client}:{','.join(scopes)}"
        if name not in self.keys:
            with self.database.writing() as session:
                owner = ensure_client(session, client)
                self.keys[name] = create_key(session, owner.id, "a test's", scopes or tuple(SCOPES))[1]
        return {"Authorization": f"Bearer {self.keys[name]}"}

    def submit(self, call: dict[str, Any] | None = None, rubric: str | None = RUBRIC, **headers: str) -> Any:
        params = {"rubric": rubric} if rubric else {}
        body = json.dumps(call or transcript(), ensure_ascii=False).encode()
        sent = {**self.key(), "Content-Type": "application/json", **headers}
        return self.http.post("/v1/calls", params=params, content=body, headers=sent)

    def batch(self, lines: Sequence[Any], rubric: str = RUBRIC, **headers: str) -> Any:
        body = "\n".join(x if isinstance(x, str) else json.dumps(x, ensure_ascii=False) for x in lines) + "\n"
        sent = {**self.key(), "Content-Type": "application/x-ndjson", **headers}
        return self.http.post("/v1/batches", params={"rubric": rubric}, content=body.encode(), headers=sent)

    def get(self, path: str, client: str = "default", **params: Any) -> Any:
        return self.http.get(path, params=params, headers=self.key(client=client))


def transcript(call_id: str = "C-00001", **changes: Any) -> dict[str, Any]:
    return {**examples.TRANSCRIPT, "call_id": call_id, **changes}


OTHER_RUBRIC = "service-quality-core"


@cache
def rubrics() -> list[dict[str, Any]]:
    """Two of the shipped ones; to bring all of them into the registry would take seconds each time."""
    loaded = [load_rubric(reference) for reference in (RUBRIC, OTHER_RUBRIC)]
    return [
        {
            "id": rubric.id,
            "version": rubric.version,
            "status": rubric.status,
            "content": resolved_json(rubric),
            "digest": digest(rubric),
            "origin": "shipped",
        }
        for rubric in loaded
    ]


def prompt() -> dict[str, Any]:
    made = list_prompts()[0]
    content = made.model_dump_json(by_alias=True)
    told = {"id": made.id, "version": made.version, "status": made.status, "digest": made.digest}
    return {**told, "content": content, "origin": "shipped"}


@pytest.fixture
def service(database: Database, tmp_path: Path) -> Iterator[Service]:
    own = ServiceSettings(max_upload_mb=1, chunk_lines=10, allow_private_urls=False, requests_per_minute=10_000_000)
    settings = Settings(data_dir=tmp_path, service=own)
    blobs = FsspecBlobs(str(tmp_path / "blobs"))
    pipeline = Pipeline(database, blobs, judges_for, Hears(), settings)
    queue = InlineWorkQueue(pipeline)
    with database.writing() as session:
        session.add_all([RubricVersion(**row) for row in rubrics()])
        session.add(PromptVersion(**prompt()))
    metrics = Metrics()
    pipeline.watch = metrics
    app = build(settings, metrics)
    serve_with(app, make_services(settings, database, blobs, queue, metrics, Event()))
    with TestClient(app, raise_server_exceptions=False) as http:
        yield Service(app, http, database, queue, settings, pipeline)
    queue.close()
