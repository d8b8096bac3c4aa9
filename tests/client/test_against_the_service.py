"""The clients and the real app: the blocking one through a socket, the asynchronous one in this process."""

import io
import time
import wave
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from callgrade.access.keys import ensure_client
from callgrade.access.principals import system
from callgrade.api import examples
from callgrade.client import (
    AsyncClient,
    Client,
    RecordingMetadata,
    UnreachableError,
    WaitTimeoutError,
    asks,
    problem_of,
)
from callgrade.domain.calls import Transcript
from callgrade.domain.errors import (
    CallgradeError,
    ConflictError,
    ForbiddenError,
    InputError,
    NotAuthenticatedError,
    TooLargeError,
    TranscriptError,
    UnknownResourceError,
)
from tests.api.made import Service, transcript
from tests.calibration.publishing import TEXT, filled, published
from tests.client.conftest import Served
from tests.reviews.made import person

RUBRIC = examples.RUBRIC
NOBODYS = "0" * 32


@pytest.fixture(autouse=True)
def _short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asks, "PAGE", 2)


@pytest.fixture
async def aclient(service: Service) -> AsyncIterator[AsyncClient]:
    key = service.key()["Authorization"].removeprefix("Bearer ")
    transport = httpx.ASGITransport(app=service.app)
    async with AsyncClient("http://in-process", key, attempts=1, transport=transport) as opened:
        yield opened


# calls and evaluations


def test_a_transcript_becomes_a_scorecard(client: Client) -> None:
    made = client.calls.submit_transcript(transcript("C-1"), rubric=RUBRIC)
    assert made.call_id == "C-1"
    assert made.evaluation_id is not None
    evaluation = client.evaluations.wait(made.evaluation_id, timeout_s=30)
    assert (evaluation.status, evaluation.call, evaluation.call_id) == ("proposed", made.id, "C-1")
    assert evaluation.scorecard is not None
    assert evaluation.scorecard.rubric.id == RUBRIC
    assert client.calls.get(made.id).agent == client.calls.transcript(made.id).agent


def test_the_same_call_again_is_the_same_one(client: Client) -> None:
    first = client.calls.submit_transcript(Transcript.model_validate(transcript("C-1")), rubric=RUBRIC)
    assert client.calls.submit_transcript(transcript("C-1"), rubric=RUBRIC) == first
    assert client.calls.evaluate(first.id, rubric=RUBRIC) == first
    assert len(list(client.calls.list())) == 1


def test_a_recording_is_sent_in_pieces(client: Client, tmp_path: Path) -> None:
    sound = tmp_path / '录音 "1".wav'
    sound.write_bytes(b"RIFF" + "您好，很高兴为您服务。".encode() * 10_000)
    steps: list[tuple[int, int | None]] = []
    made = client.calls.submit_recording(
        sound,
        RecordingMetadata(agent={"id": "8031"}, agent_channel="1"),
        rubric=RUBRIC,
        progress=lambda sent, total: steps.append((sent, total)),
    )
    assert made.call_id == '录音 "1".wav'
    recording = client.calls.get(made.id).recording
    assert recording is not None
    assert recording.size == sound.stat().st_size
    assert recording.agent_channel == "1"
    assert recording.file_name.startswith("录音")
    assert steps[0][0] == 0
    assert steps[-1][0] == steps[-1][1] == steps[0][1]
    assert [sent for sent, _ in steps] == sorted(sent for sent, _ in steps)
    assert len(steps) > 3
    assert client.evaluations.wait(made.evaluation_id or "").status == "proposed"


@pytest.mark.parametrize("opened", [True, False])
def test_a_recording_from_memory(client: Client, opened: bool) -> None:
    data = b"RIFF" + "您好".encode()
    audio = io.BytesIO(b"skipped" + data) if opened else data
    if isinstance(audio, io.BytesIO):
        audio.seek(len(b"skipped"))
    made = client.calls.submit_recording(audio, {"call_id": "C-1"})
    assert made.evaluation_id is None
    recording = client.calls.get(made.id).recording
    assert recording is not None
    assert recording.size == len(data)


def test_real_sound_keeps_its_media_type(client: Client, tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(b"\0\0" * 8000)
    made = client.calls.submit_recording(tmp_path / "a.wav")
    recording = client.calls.get(made.id).recording
    assert recording is not None
    assert recording.media_type.startswith("audio/")


def test_lists_run_over_all_pages(client: Client) -> None:
    for number in range(5):
        client.calls.submit_transcript(transcript(f"C-{number}"), rubric=RUBRIC)
    assert [call.call_id for call in client.calls.list(agent="8031")] == ["C-4", "C-3", "C-2", "C-1", "C-0"]
    assert [e.call_id for e in client.evaluations.list()] == ["C-4", "C-3", "C-2", "C-1", "C-0"]
    assert [e.call_id for e in client.evaluations.list(status="failed")] == []
    assert list(client.calls.list(agent="nobody")) == []


def test_a_call_is_erased(client: Client) -> None:
    made = client.calls.submit_transcript(transcript("C-1"), rubric=RUBRIC)
    assert client.calls.erase(made.id, "the customer asked").id == made.id
    with pytest.raises(CallgradeError) as caught:
        client.calls.get(made.id)
    assert caught.value.status == 410


def test_waiting_has_an_end(client: Client, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served.service.queue, "enqueue_evaluation", lambda *args, **settings: None)
    made = client.calls.submit_transcript(transcript("C-1"), rubric=RUBRIC)
    with pytest.raises(WaitTimeoutError, match="queued"):
        client.evaluations.wait(made.evaluation_id or "", timeout_s=0.05, poll_s=0.01)
    with pytest.raises(TimeoutError):
        client.evaluations.wait(made.evaluation_id or "", timeout_s=0)
    client.evaluations.cancel(made.evaluation_id or "")
    assert client.evaluations.wait(made.evaluation_id or "").status == "cancelled"
    assert client.evaluations.retry(made.evaluation_id or "").attempt == 2


# errors


def test_what_the_service_raised_is_what_comes_out(client: Client, served: Served) -> None:
    with pytest.raises(UnknownResourceError) as caught:
        client.evaluations.get(NOBODYS)
    problem = problem_of(caught.value)
    assert problem is not None
    assert (problem.status, problem.retryable) == (404, False)
    assert problem.request_id
    client.calls.submit_transcript(transcript("C-1"))
    with pytest.raises(ConflictError):
        client.calls.submit_transcript(transcript("C-1", turns=[]))
    with pytest.raises(TranscriptError, match=r"turns"):
        client.calls.submit_transcript({"call_id": "C-2", "turns": 7})
    with pytest.raises(InputError):
        client.calls.submit_transcript(transcript("C-3"), rubric="NO SUCH")
    with pytest.raises(CallgradeError) as lacking:
        client.calls.submit_transcript(transcript("C-3"), rubric="no-such-rubric")
    assert lacking.value.status == 404
    with pytest.raises(InputError):
        list(client.evaluations.list(order="lowest"))
    with pytest.raises(NotAuthenticatedError), Client(served.url, "cg_wrong_wrong") as stranger:
        stranger.calls.get(NOBODYS)
    with pytest.raises(ForbiddenError, match="calls:write"), Client(served.url, served.key("calls:read")) as reader:
        reader.calls.submit_transcript(transcript("C-4"))


def test_another_clients_call_is_unknown(client: Client, served: Served) -> None:
    made = client.calls.submit_transcript(transcript("C-1"))
    with pytest.raises(UnknownResourceError), Client(served.url, served.key(client="other")) as other:
        other.calls.get(made.id)


def test_too_much_is_refused_while_it_is_sent(client: Client) -> None:
    with pytest.raises(TooLargeError):
        client.calls.submit_recording(b"RIFF" + b"x" * 3_000_000, {"call_id": "C-1"})


def test_the_same_key_for_something_else_is_a_conflict(client: Client) -> None:
    made = client.calls.submit_transcript(transcript("C-1"), idempotency_key="k1")
    assert client.calls.submit_transcript(transcript("C-1"), idempotency_key="k1") == made
    with pytest.raises(ConflictError):
        client.calls.submit_transcript(transcript("C-2"), idempotency_key="k1")
    one = client.calls.submit_recording(b"RIFF1", {"call_id": "C-3"}, idempotency_key="k2")
    assert client.calls.submit_recording(b"RIFF1", {"call_id": "C-3"}, idempotency_key="k2") == one


# releases


def test_a_release_is_made_found_and_used(client: Client) -> None:
    made = client.releases.create(
        RUBRIC, team="sales-2", prompt="judge", parameters={"temperature": 0.2}, idempotency_key="r"
    )
    assert (made.rubric.id, made.team, made.prompt and made.prompt.version) == (RUBRIC, "sales-2", "v1")
    again = client.releases.create(
        RUBRIC, team="sales-2", prompt="judge", parameters={"temperature": 0.2}, idempotency_key="r"
    )
    assert again == made == client.releases.get(made.id)
    later = client.releases.create(RUBRIC, active_from=datetime.now(UTC) + timedelta(days=1))
    assert [release.id for release in client.releases.list()] == [later.id, made.id]
    with pytest.raises(InputError, match=f"{RUBRIC}@v1"):
        client.releases.create("no-such")
    with pytest.raises(ValueError, match="time zone"):
        client.releases.create(RUBRIC, active_from=datetime(2999, 1, 1))  # noqa: DTZ001
    call = client.calls.submit_transcript(transcript("C-1"))
    one = client.calls.evaluate(call.id, release=later.id)
    assert client.evaluations.wait(one.evaluation_id or "").release == later.id


async def test_releases_asynchronously(aclient: AsyncClient) -> None:
    made = await aclient.releases.create(RUBRIC)
    assert await aclient.releases.get(made.id) == made
    assert [release.id async for release in aclient.releases.list()] == [made.id]


# batches


def test_a_batch_from_a_generator(client: Client) -> None:
    def calls() -> Iterator[Any]:
        yield transcript("C-0")
        yield Transcript.model_validate(transcript("C-1"))
        yield "not a transcript"
        yield '{"call_id": "C-3", "turns": [{"speaker": "agent", "text": "a\u2028b\u0085c"}]}'

    steps: list[tuple[int, int | None]] = []
    made = client.batches.submit(calls(), rubric=RUBRIC, progress=lambda sent, total: steps.append((sent, total)))
    assert made.total == 4
    assert steps[0] == (0, None)
    batch = client.batches.wait(made.batch_id, timeout_s=60)
    assert (batch.status, batch.total, batch.proposed, batch.failed, batch.pending) == ("done", 4, 3, 1, 0)
    results = list(client.batches.results(made.batch_id))
    assert [(r.line, r.call_id, r.status) for r in results] == [
        (1, "C-0", "proposed"), (2, "C-1", "proposed"), (3, None, "failed"), (4, "C-3", "proposed"),
    ]  # fmt: skip
    assert results[2].error is not None
    assert results[2].error.type == "transcript"
    assert results[0].scorecard is not None
    assert results[0].scorecard.call_id == "C-0"
    assert [r.line for r in client.batches.results(made.batch_id, after=2)] == [3, 4]
    assert [b.id for b in client.batches.list()] == [made.batch_id]


def test_a_batch_from_a_file_and_from_a_list(client: Client, tmp_path: Path) -> None:
    lines = [transcript(f"C-{number}") for number in range(12)]
    first = client.batches.submit(lines, rubric=RUBRIC, idempotency_key="b")
    assert client.batches.submit(lines, rubric=RUBRIC, idempotency_key="b") == first
    file = tmp_path / "calls.ndjson"
    file.write_bytes(b"".join(asks.JsonBody(line)._content + b"\n" for line in lines))
    with file.open("rb") as opened:
        second = client.batches.submit(opened, rubric=RUBRIC)
    assert second.batch_id != first.batch_id
    assert second.total == 12


def test_an_error_of_the_callers_own_ends_the_upload(client: Client) -> None:
    def calls() -> Iterator[Any]:
        # more than one piece, so that the service has some of it
        yield from ("x" * 10_000 for _ in range(10))
        while not list(client.batches.list()):
            time.sleep(0.02)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        client.batches.submit(calls(), rubric=RUBRIC)
    (left,) = client.batches.list()
    assert client.batches.wait(left.id, timeout_s=30, poll_s=0.05).status == "incomplete"


def test_a_batch_is_cancelled(client: Client) -> None:
    made = client.batches.submit([transcript("C-0")], rubric=RUBRIC)
    client.batches.wait(made.batch_id, timeout_s=60)
    with pytest.raises(ConflictError):
        client.batches.cancel(made.batch_id)


# webhooks


def test_a_webhook_comes_and_goes(client: Client) -> None:
    hook = client.webhooks.create("https://crm.example.com/hook", ["evaluation.failed", "batch.done"])
    assert hook.secret.startswith("whsec_")
    assert client.webhooks.get(hook.id).events == ("evaluation.failed", "batch.done")
    assert [found.id for found in client.webhooks.list()] == [hook.id]
    sent = client.webhooks.test(hook.id)
    assert sent.event == "webhook.test"
    assert [delivery.id for delivery in client.webhooks.deliveries(hook.id)] == [sent.id]
    client.webhooks.remove(hook.id)
    with pytest.raises(UnknownResourceError):
        client.webhooks.get(hook.id)


@pytest.mark.parametrize("url", ["http://169.254.169.254/", "http://localhost/", "http://user@crm.example.com/"])
def test_a_webhook_to_our_own_network_is_refused(client: Client, url: str) -> None:
    with pytest.raises(InputError) as caught:
        client.webhooks.create(url)
    assert caught.value.status == 422


# the asynchronous one


async def test_the_asynchronous_client_does_the_same(aclient: AsyncClient, tmp_path: Path) -> None:
    made = await aclient.calls.submit_transcript(transcript("C-1"), rubric=RUBRIC)
    evaluation = await aclient.evaluations.wait(made.evaluation_id or "", timeout_s=30)
    assert evaluation.status == "proposed"
    assert (await aclient.evaluations.get(evaluation.id)).scorecard == evaluation.scorecard
    assert (await aclient.calls.transcript(made.id)).call_id == "C-1"
    (tmp_path / "C-2.wav").write_bytes(b"RIFF" + "您好".encode() * 50_000)
    steps: list[tuple[int, int | None]] = []
    heard = await aclient.calls.submit_recording(
        tmp_path / "C-2.wav", rubric=RUBRIC, progress=lambda sent, total: steps.append((sent, total))
    )
    assert heard.call_id == "C-2.wav"
    assert steps[-1][0] == steps[-1][1]
    await aclient.calls.submit_transcript(transcript("C-3"))
    assert [call.call_id async for call in aclient.calls.list()] == ["C-3", "C-2.wav", "C-1"]
    assert (await aclient.calls.evaluate(made.id, rubric=RUBRIC)).evaluation_id == made.evaluation_id
    assert [e.call_id async for e in aclient.evaluations.list(call=made.id)] == ["C-1"]
    with pytest.raises(ConflictError):
        await aclient.evaluations.cancel(evaluation.id)
    with pytest.raises(ConflictError):
        await aclient.evaluations.retry(evaluation.id)
    assert (await aclient.calls.erase(made.id, "asked")).id == made.id
    with pytest.raises(UnknownResourceError):
        await aclient.calls.get(NOBODYS)


@pytest.mark.parametrize("asynchronously", [True, False])
async def test_an_asynchronous_batch(aclient: AsyncClient, asynchronously: bool) -> None:
    async def coming() -> AsyncIterator[Any]:
        for number in range(15):
            yield transcript(f"C-{number}")

    given = coming() if asynchronously else (transcript(f"C-{number}") for number in range(15))
    made = await aclient.batches.submit(given, rubric=RUBRIC)
    batch = await aclient.batches.wait(made.batch_id, timeout_s=60)
    assert (batch.total, batch.proposed) == (15, 15)
    assert [r.line async for r in aclient.batches.results(made.batch_id)] == list(range(1, 16))
    assert [b.id async for b in aclient.batches.list()] == [made.batch_id]
    assert (await aclient.batches.get(made.batch_id)).is_done


async def test_asynchronous_webhooks(aclient: AsyncClient) -> None:
    hook = await aclient.webhooks.create("https://crm.example.com/hook")
    assert (await aclient.webhooks.get(hook.id)).url == hook.url
    assert [found.id async for found in aclient.webhooks.list()] == [hook.id]
    sent = await aclient.webhooks.test(hook.id)
    assert [found.id async for found in aclient.webhooks.deliveries(hook.id)] == [sent.id]
    await aclient.webhooks.remove(hook.id)


async def test_nobody_there() -> None:
    with pytest.raises(UnreachableError), Client("http://127.0.0.1:1", "cg_a_b", attempts=1) as client:
        client.calls.get(NOBODYS)
    async with AsyncClient("http://127.0.0.1:1", "cg_a_b", attempts=1) as aclient:
        with pytest.raises(UnreachableError):
            await aclient.calls.get(NOBODYS)


# drafts on their way


def test_a_draft_is_tried_decided_on_published_and_retired(served: Served, client: Client) -> None:
    _ready(served)
    draft = edited("包赚", "稳赚", "保本")
    found = client.rubrics.back_test("promises", draft, golden_set="sales-2026", poll_s=0.05)
    assert found.comparison is not None
    assert (found.status, found.comparison["flips"]) == ("done", [])
    gate = client.rubrics.gate("promises", draft, golden_set="sales-2026", poll_s=0.05)
    assert (gate.status, gate.outcome) == ("decided", "insufficient_data")
    made = client.rubrics.publish("promises", draft, by="wang.li")
    assert (made.reference, made.human_only) == ("promises@v2", ("promise",))
    assert client.rubrics.retire("promises@v1").status == "retired"
    with pytest.raises(ConflictError):
        client.rubrics.retire("promises@v1")
    with pytest.raises(UnknownResourceError):
        client.prompts.retire("nobodys@v1")


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
async def test_a_draft_goes_the_same_way_asynchronously(served: Served, aclient: AsyncClient) -> None:
    _ready(served)
    draft = edited("包赚")
    found = await aclient.rubrics.back_test("promises", draft, golden_set="sales-2026", poll_s=0.05)
    assert found.status == "done"
    decided = await aclient.rubrics.gate("promises", draft, golden_set="sales-2026", poll_s=0.05)
    assert decided.outcome == "stopped"
    with pytest.raises(ConflictError):
        await aclient.rubrics.publish("promises", draft)
    made = await aclient.rubrics.publish("promises", draft, override="逐条核对过", by="wang.li")
    assert (made.outcome, made.reason) == ("overridden", "逐条核对过")
    with pytest.raises(InputError):
        await aclient.prompts.back_test("judge", "no prompt", rubric="promises@v1", golden_set="sales-2026")


def edited(*phrases: str) -> str:
    return TEXT.replace("包赚, 稳赚", ", ".join(phrases)).replace("published", "draft")


def _ready(served: Served) -> None:
    database = served.service.database
    published(database)
    with database.writing() as session:
        owner = system(ensure_client(session).id)
    filled(database, owner, each=20)
    person(database, "wang.li", "qa_lead", client_id=owner.client_id)
