"""Every example in the client's docstrings runs against the real service, and shows what it says."""

import asyncio
import doctest
from pathlib import Path
from typing import Any

import pytest

from callgrade.access.keys import ensure_client
from callgrade.access.principals import system
from callgrade.api.examples import DRAFT_TRIED
from callgrade.calibration.golden import create as create_set
from callgrade.client import (
    AsyncClient,
    Client,
    asynchronous,
    batches,
    calls,
    errors,
    evaluations,
    events,
    releases,
    sync,
    versions,
    webhooks,
)
from callgrade.client.errors import problem_of
from callgrade.client.events import verify_event
from callgrade.domain.errors import UnknownResourceError
from tests.api.made import transcript
from tests.client.conftest import Served

SECRET = "whsec_c2VjcmV0IG9mIHRoZSB0ZXN0cw=="
FLAGGED = "我们绝对不会多收您一分钱，保证最低价，您放心办理。"


def examples() -> list[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    return [
        test
        for module in (sync, asynchronous, calls, evaluations, batches, webhooks, releases, versions, errors, events)
        for test in finder.find(module, module.__name__)
        if test.examples
    ]


def an_empty_set_and_a_draft(served: Served) -> str:
    with served.service.database.writing() as session:
        create_set(session, system(ensure_client(session).id), "sales-2026", "made up")
    text: str = DRAFT_TRIED["draft"]
    return text


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name.removeprefix("callgrade.client."))
def test_an_example_shows_what_happens(
    example: doctest.DocTest, served: Served, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "C-00002.wav").write_bytes(b"RIFF" + "您好，很高兴为您服务。".encode() * 3_200)
    flagged = transcript(turns=[{"speaker": "agent", "text": FLAGGED}])
    known: dict[str, Any] = {
        # the examples name a service of their own, and speak to this one
        "Client": lambda _url, key: Client(served.url, key, attempts=1),
        "AsyncClient": lambda _url, key: AsyncClient(served.url, key, attempts=1),
        "asyncio": asyncio,
        "key": served.key(),
        "client": client,
        "secret": SECRET,
        "transcript": flagged,
        "problem_of": problem_of,
        "verify_event": verify_event,
        "UnknownResourceError": UnknownResourceError,
    }
    if "evaluation_id" in example.docstring or ".list" in example.docstring:
        first = client.calls.submit_transcript(flagged, rubric="telesales-misconduct")
        known["evaluation_id"] = first.evaluation_id
        client.calls.submit_recording("C-00002.wav", {"agent": {"id": "8031"}})
    if "draft" in example.docstring:
        known["draft"] = an_empty_set_and_a_draft(served)
    if "batch_id" in example.docstring:
        lines: list[Any] = [transcript("C-0"), transcript("C-1"), "no transcript"]
        known["batch_id"] = client.batches.submit(lines, rubric="telesales-misconduct").batch_id
    example.globs = known
    told: list[str] = []
    failed, _ = doctest.DocTestRunner().run(example, out=told.append)
    assert failed == 0, "".join(told)
