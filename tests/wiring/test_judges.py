"""The judges of a process that works for many clients, as releases ask for them, against a model server on loopback."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from callgrade.catalog.prompts import load_prompt
from callgrade.domain.errors import SettingsError
from callgrade.evaluations.asking import Asking, Parameters, Terms
from callgrade.evaluations.failures import NoVerdictError
from callgrade.evaluations.judging import Seat, judged
from callgrade.evaluations.service import Evaluator
from callgrade.settings import Settings
from callgrade.wiring import judges as wired
from callgrade.wiring.judges import ClientJudges
from callgrade.wiring.service import redactions, require_model_for
from tests.adapters.llm.exchange import completion, criterion, good, rubric, transcript
from tests.adapters.llm.test_transport import server

UNKNOWN = "no-such-model"


class Model:
    """Answers well, but for a model that it does not serve."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []

    async def answer(self, body: bytes, writer: asyncio.StreamWriter) -> None:
        asked = json.loads(body)
        self.bodies.append(asked)
        status, content = (
            (b"404 Not Found", b'{"error": {"code": "model_not_found", "message": "no such model"}}')
            if asked["model"] == UNKNOWN
            else (b"200 OK", completion(good()).content)
        )
        head = b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % (status, len(content))
        writer.write(head + content)


@asynccontextmanager
async def opened(folder: Path, serving: Model, **llm: Any) -> AsyncIterator[ClientJudges]:
    async with server(serving.answer) as url:
        told = {"model": "judge-7b", "base_url": url, "api_key": "k", "attempts": 1, **llm}
        judges = ClientJudges(Settings.model_validate({"data_dir": folder, "llm": told}))
        yield judges
        await judges.aclose()


async def verdicts(judges: ClientJudges, asking: Asking, client: str = "bank", call: Any = None) -> Any:
    bench = await judges.of(client, asking)
    return await bench.judges[-1].judge(call or transcript(), rubric())


def asking(prompt: Any = None, **terms: Any) -> Asking:
    return Asking(Terms.model_validate(terms), prompt)


async def test_what_a_release_asks_is_what_is_sent_and_what_is_on_record(tmp_path: Path) -> None:
    model = Model()
    shipped = load_prompt("judge")
    blocks = {name: f"另一种问法。\n{text}" for name, text in shipped.blocks.items()}
    prompt = shipped.model_copy(update={"version": "v7", "blocks": blocks})
    parameters = {"temperature": 0.5, "seed": 7, "samples": 3, "max_tokens": 777}
    form = rubric(criterion("greeting", {"kind": "answer", "yes": 1, "no": 0}, evidence="none", critical=True))
    async with opened(tmp_path, model, seed=1, temperature=0.1, price_prompt="1", price_completion="1") as judges:
        bench = await judges.of("bank", asking(prompt, model="judge-70b", parameters=parameters))
        found = await bench.judges[-1].judge(transcript(), form)
        plain = await verdicts(judges, Asking())
    released, own = model.bodies[:3], model.bodies[3]
    assert [body["seed"] for body in released] == [7, 8, 9]
    for body in released:
        assert (body["model"], body["temperature"], body["max_tokens"]) == ("judge-70b", 0.5, 777)
        assert body["messages"][0]["content"].startswith("另一种问法。")
    assert (own["model"], own["temperature"], own["seed"], own["max_tokens"]) == ("judge-7b", 0.1, 1, 8192)
    made = found.provenance
    assert (made["model_requested"], made["model_reported"]) == ("judge-70b", "judge-7b-0425")
    assert {name: made["parameters"][name] for name in parameters} == parameters
    assert made["prompt"] == {"id": "judge", "version": "v7", "digest": prompt.digest}
    assert plain.provenance["prompt"]["digest"] == shipped.digest
    # what another model costs nobody said
    assert found.usage.cost is None
    assert plain.usage.cost == Decimal(1050) / 1_000_000


async def test_judges_are_opened_once_for_what_is_asked_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Model()
    async with opened(tmp_path, model) as judges:
        plain = await judges.of("bank", Asking())
        assert await judges.of("bank", asking()) is plain
        # two releases that ask for the same
        assert await judges.of("bank", asking(model="m2")) is await judges.of("bank", asking(model="m2"))
        worded = load_prompt("judge").model_copy(update={"version": "v2"})
        others = [
            await judges.of("hospital", Asking()),
            await judges.of("bank", asking(model="m2")),
            await judges.of("bank", asking(parameters=Parameters(temperature=1))),
            await judges.of("bank", asking(worded)),
        ]
        assert len({id(bench) for bench in (plain, *others)}) == 5
        # one breaker a model, whoever asks it
        assert others[0].outage is plain.outage
        assert others[1].outage is not plain.outage
        monkeypatch.setattr(wired, "BENCHES", 3)
        for number in range(9):
            await judges.of(f"client {number}", asking(model=f"m{number}"))
        assert (len(judges._benches), len(judges._gates)) == (3, 3)


async def test_an_answer_to_another_release_is_another_answer(tmp_path: Path) -> None:
    model = Model()
    async with opened(tmp_path, model) as judges:
        for _ in range(2):
            await verdicts(judges, Asking())
            await verdicts(judges, asking(model="m2"))
            await verdicts(judges, asking(parameters={"temperature": 1}))
        # a release that asks for what the host does anyway asks the same question
        same = await verdicts(judges, asking(model="judge-7b", parameters={"samples": 1}))
    assert len(model.bodies) == 3
    assert same.usage.cache_hits == 1


async def test_what_the_host_is_not_set_up_for_is_refused(tmp_path: Path) -> None:
    model = Model()
    refused = {
        "litellm:x": asking(model="litellm:x"),
        "gguf:x.gguf": asking(model="gguf:x.gguf"),
        "redaction off, and this host's is rules/1": asking(redaction="off"),
    }
    async with opened(tmp_path, model) as judges:
        for told, wanted in refused.items():
            with pytest.raises(SettingsError, match=told):
                await judges.of("bank", wanted)
        assert len((await judges.of("bank", asking(redaction="rules/1"))).judges) == 3
    async with opened(tmp_path, model, model=None) as judges:
        assert len((await judges.of("bank", Asking())).judges) == 2, "nothing is asked of a model"
        with pytest.raises(SettingsError, match="neither names one"):
            await judges.of("bank", asking(parameters={"temperature": 1}))
        with pytest.raises(SettingsError, match="neither names one"):
            await judges.of("bank", asking(load_prompt("judge")))
        assert (await verdicts(judges, asking(model="m2"))).provenance["model_requested"] == "m2"
    nowhere = ClientJudges(Settings.model_validate({"data_dir": tmp_path}))
    with pytest.raises(SettingsError, match="no endpoint is set up here"):
        await nowhere.of("bank", asking(model="m2"))


async def test_a_model_that_nobody_serves_fails_its_own_calls_and_keeps_nobody_waiting(tmp_path: Path) -> None:
    model = Model()
    async with opened(tmp_path, model) as judges:
        bench = await judges.of("bank", asking(model=UNKNOWN))
        seat = Seat(Evaluator(rubric(), bench.judges), bench)
        for _ in range(2):
            with pytest.raises(NoVerdictError, match="no such model"):
                await judged(seat, transcript())
        assert (await verdicts(judges, Asking())).judgements[0].status == "judged"
    assert [body["model"] for body in model.bodies] == [UNKNOWN, UNKNOWN, "judge-7b"]


async def test_the_hosts_own_model_that_is_not_served_is_worth_waiting_for(tmp_path: Path) -> None:
    async with opened(tmp_path, Model(), model=UNKNOWN) as judges:
        bench = await judges.of("bank", Asking())
        assert "model-not-found" in bench.waiting_helps
        found = await bench.judges[-1].judge(transcript(), rubric())
        assert found.judgements[0].error is not None
        assert bench.outage.is_open  # type: ignore[attr-defined]


def test_whoever_grades_nothing_need_not_know_the_models(tmp_path: Path) -> None:
    require_model_for(Settings(data_dir=tmp_path, queues=""))("anything")
    with pytest.raises(Exception, match="no endpoint is set up"):
        require_model_for(Settings(data_dir=tmp_path, queues="score"))("anything")
    assert redactions() == {"rules/1", "off"}
