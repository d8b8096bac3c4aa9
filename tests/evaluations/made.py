"""Calls, rubrics and batches in a database, for the tests of evaluations. Made up; nobody said any of it."""

import asyncio
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from callgrade.access.principals import Principal, system
from callgrade.adapters.blobs import FsspecBlobs
from callgrade.calls import service as calls
from callgrade.catalog import digest, resolved_json
from callgrade.db.session import Database
from callgrade.db.tables import Batch, BatchChunk, Client, Evaluation, RubricVersion, Webhook
from callgrade.domain.calls import Transcript
from callgrade.domain.judgements import JudgeFailure, Judgement
from callgrade.domain.rubrics import Rubric
from callgrade.evaluations import registry, repository
from callgrade.evaluations.asking import Asking, Bench
from callgrade.evaluations.failures import NoOutage
from callgrade.evaluations.pipeline import Pipeline
from callgrade.evaluations.tables import RUBRIC_VERSION
from callgrade.ports import Verdicts
from callgrade.settings import load_settings
from tests.domain.forms import answer, judged, rubric, violation

CLIENT = "01a2000000007000800000000000c1c1"
US: Principal = system(CLIENT)
RULE = {"find": {"phrases": ["随时取消"]}}
FORM = rubric(
    answer("warm", 6, not_applicable="forbidden"),
    answer("clear", 4, not_applicable="forbidden"),
    violation("bait", "flag", judge="rules", rule=RULE),
)


def transcript(call_id: str = "C-1", said: str = "不满意随时取消", **more: Any) -> Transcript:
    turns = [{"speaker": "agent", "text": said, "start_ms": 0, "end_ms": 1400}]
    return Transcript.model_validate({"call_id": call_id, "turns": turns, **more})


def begin(database: Database, form: Rubric = FORM) -> RubricVersion:
    """A client, and the registry with one rubric."""
    with database.writing() as session:
        session.add(Client(id=CLIENT, name="one"))
        session.add(Client(id="c2", name="other"))
        row = {"id": form.id, "version": form.version, "status": form.status, "content": resolved_json(form)}
        moment = Client(name="").created_at
        session.execute(insert(RUBRIC_VERSION).values(**row, digest=digest(form), origin="shipped", created_at=moment))
        return registry.rubric_version(session, form.id)


def submit(database: Database, words: Transcript, version: RubricVersion, **more: Any) -> Evaluation:
    with database.writing() as session:
        call = calls.submit_transcript(session, US, words)
        return repository.create_evaluation(session, US, call, version, **more)[0]


def evaluation(database: Database, id_: str) -> Evaluation:
    with database.reading() as session:
        return repository.find(session, CLIENT, id_)


def batch(database: Database, folder: Path, lines: Iterable[Transcript | str | bytes], *, chunk: int = 1000) -> str:
    """A batch that has come in whole, by its id."""
    texts = [_line(line) for line in lines]
    blobs = FsspecBlobs(str(folder / "blobs"))
    with database.writing() as session:
        row = Batch(client_id=CLIENT, rubric_id=FORM.id, rubric_version="v1", status="running", total=len(texts))
        session.add(row)
        session.flush()
        for number, start in enumerate(range(0, len(texts), chunk)):
            some = texts[start : start + chunk]
            blob = blobs.put(io.BytesIO(b"\n".join(some) + b"\n"))
            session.add(
                BatchChunk(batch_id=row.id, number=number, first_line=start + 1, lines=len(some), blob=blob.sha256)
            )
        return row.id


def webhook(database: Database, *events: str) -> str:
    with database.writing() as session:
        row = Webhook(client_id=CLIENT, url="https://example.com/", secret="s", events=list(events))
        session.add(row)
        session.flush()
        return row.id


def pipeline(database: Database, folder: Path, judges: Sequence[Any], **more: Any) -> Pipeline:
    outage = more.pop("outage", NoOutage())

    async def judges_for(client_id: str, asking: Asking) -> Bench:
        return Bench(judges, outage)

    settings = load_settings({"CALLGRADE_DATA_DIR": str(folder), "CALLGRADE_LLM__CONCURRENCY": "4"})
    recordings = more.pop("recordings", None)
    return Pipeline(database, FsspecBlobs(str(folder / "blobs")), judges_for, recordings, settings, **more)


class Model:
    """A judge that answers `yes` to everything, after failing as often as it is told to; counts what it is asked."""

    def __init__(self, *failures: str, calls: dict[str, str] | None = None):
        self._failures, self._calls = list(failures), calls or {}
        self.asked: list[str] = []

    async def judge(self, words: Transcript, form: Rubric) -> Verdicts:
        self.asked.append(words.call_id)
        await asyncio.sleep(0)
        criteria = form.judged_by("llm")
        kind = self._calls.get(words.call_id) or (self._failures.pop(0) if self._failures else None)
        if kind is not None:
            failure = JudgeFailure(type=kind, message="it failed", retryable=True)
            return Verdicts(
                judgements=tuple(
                    Judgement(criterion_id=c.id, status="failed", method="llm", error=failure) for c in criteria
                )
            )
        return Verdicts(judgements=tuple(judged(**{c.id: {"answer": "yes"} for c in criteria}).values()))


def _line(line: Transcript | str | bytes) -> bytes:
    if isinstance(line, bytes):
        return line
    return line.encode() if isinstance(line, str) else line.model_dump_json(by_alias=True).encode()


def as_json(**fields: Any) -> str:
    return json.dumps(fields, ensure_ascii=False)
