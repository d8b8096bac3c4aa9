"""Which models are here: said without the network, without importing FunASR, and with what to do about it."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from callgrade.adapters import models
from callgrade.adapters.models import PullProgress, check, pull, require
from callgrade.domain.errors import MissingExtraError, ModelNotInstalledError
from callgrade.settings import ASRSettings

PARAFORMER = "iic/speech_seaco_paraformer_large_asr_nat-zh-cn-16k-common-vocab8404-pytorch"
FSMN = "iic/speech_fsmn_vad_zh-cn-16k-common-pytorch"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MODELSCOPE_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A hub that answers 404 to everything: it can be reached, which is all that is asked of it."""

    class Nothing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Nothing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("MODELSCOPE_ENDPOINT", address)
    yield address
    server.shutdown()
    server.server_close()


def install(folder: Path, *, without: str = "") -> Path:
    folder.mkdir(parents=True)
    named = {"init_param": "model.pt", "config": "config.yaml", "frontend_conf": {"cmvn_file": "am.mvn"}}
    description = {"file_path_metas": {**named, "tokens": ["tokens.json"]}}
    (folder / "configuration.json").write_text(json.dumps(description), encoding="utf-8")
    for name in ("model.pt", "config.yaml", "am.mvn", "tokens.json"):
        if name != without:
            (folder / name).write_bytes(b"x")
    return folder


def test_the_demo_needs_nothing_more() -> None:
    recogniser, detector = check(ASRSettings(model="tiny"))
    assert (recogniser.ok, recogniser.role, detector.ok, detector.path) == (True, "recogniser", True, None)
    assert recogniser.path is not None
    assert (recogniser.path / "model.pt").is_file()


def test_a_model_that_is_not_here_says_where_it_was_sought_and_what_to_do(cache: Path) -> None:
    status = check(ASRSettings())[0]
    assert (status.name, status.ok, status.path) == ("paraformer-zh", False, None)
    assert status.problem == f"{PARAFORMER} is not on this machine (looked in {cache / 'models'})"
    assert status.remedy == "run: callgrade models pull"


@pytest.mark.parametrize(
    "layout",
    [
        "models/iic--{dotted}/snapshots/master",
        "models/iic/{name}",
        "hub/models/iic/{name}",
        "iic/{name}",
        "hub/iic/{name}",
    ],
)
def test_every_layout_of_the_hubs_cache_is_known(cache: Path, layout: str) -> None:
    name = PARAFORMER.split("/")[1]
    folder = install(cache / layout.format(dotted=name, name=name))
    assert require(ASRSettings())["recogniser"] == folder


def test_an_id_of_the_hub_needs_no_short_name(cache: Path) -> None:
    folder = install(cache / "models" / "owner" / "name___5")
    assert require(ASRSettings(model="owner/name.5"))["recogniser"] == folder


def test_an_interrupted_download_names_the_missing_files(cache: Path) -> None:
    folder = install(cache / "models" / FSMN, without="am.mvn")
    status = check(ASRSettings(model="tiny", vad="fsmn-vad"))[1]
    assert (status.ok, status.role, status.problem) == (False, "voice detector", f"{folder} lacks am.mvn")


def test_a_whole_copy_wins_over_a_broken_one(cache: Path) -> None:
    install(cache / "models" / f"{FSMN.replace('/', '--')}" / "snapshots" / "master", without="model.pt")
    whole = install(cache / "hub" / FSMN)
    assert require(ASRSettings(model="tiny", vad="fsmn-vad"))["voice detector"] == whole


def test_a_local_directory_is_checked_by_its_own_description(tmp_path: Path) -> None:
    assert check(ASRSettings(model=str(install(tmp_path / "whole"))))[0].ok
    broken = install(tmp_path / "broken", without="config.yaml")
    assert check(ASRSettings(model=str(broken)))[0].problem == f"{broken} lacks config.yaml"
    bare = tmp_path / "bare"
    bare.mkdir()
    assert check(ASRSettings(model=str(bare)))[0].problem == f"{bare} lacks config.yaml, model.pt"
    (bare / "configuration.json").write_text("[", encoding="utf-8")
    assert check(ASRSettings(model=str(bare)))[0].problem == f"{bare} lacks a readable configuration.json"


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    (status, _) = check(ASRSettings(model=str(tmp_path / "gone")))
    assert status.problem == f"there is no directory {tmp_path / 'gone'}"


def test_an_unknown_name_lists_the_known_ones(cache: Path) -> None:
    status = check(ASRSettings(model="paraformer-zhh"))[0]
    assert status.problem == "FunASR knows no model of this name"
    assert "paraformer-zh, " in (status.remedy or "")


def test_silero_recognises_no_words() -> None:
    assert check(ASRSettings(model="silero-vad"))[0].problem == "it finds voices and does nothing else"


def test_all_that_is_configured_is_checked(cache: Path) -> None:
    settings = ASRSettings(vad="fsmn-vad", punctuation="ct-punc", speakers="cam++")
    assert [(s.role, s.ok) for s in check(settings)] == [
        ("recogniser", False),
        ("voice detector", False),
        ("punctuation", False),
        ("speakers", False),
    ]


def test_without_the_extra_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "find_spec", lambda name: None if name in ("torch", "funasr") else object())
    status = check(ASRSettings(model="tiny"))[0]
    assert status.problem == "the extra 'asr' is not installed: no package torch, funasr"
    assert status.remedy == "pip install 'callgrade[asr]'"
    for demand in (require, pull):
        with pytest.raises(MissingExtraError, match=r"callgrade\[asr\]"):
            demand(ASRSettings(model="tiny"))


def test_checking_imports_neither_torch_nor_funasr_and_opens_no_socket() -> None:
    program = (
        "import socket, sys\n"
        "socket.socket.connect = None\n"
        "from callgrade.adapters.models import check\n"
        "from callgrade.settings import ASRSettings\n"
        "from callgrade.adapters.funasr import FunASRTranscriber\n"
        "FunASRTranscriber(ASRSettings()); check(ASRSettings(punctuation='ct-punc'))\n"
        "print(sorted({'torch', 'funasr', 'silero_vad', 'av', 'modelscope'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_pull_fetches_what_is_missing_and_only_that(cache: Path, hub: str) -> None:
    asked: list[str] = []
    seen: list[tuple[str, int, int]] = []

    def fetch(hub_id: str, progress: PullProgress) -> None:
        asked.append(hub_id)
        progress("model.pt", 5, 10)
        install(cache / "models" / hub_id.replace("/", "--") / "snapshots" / "master")

    settings = ASRSettings(model="tiny", vad="fsmn-vad")
    statuses = pull(settings, lambda *state: seen.append(state), fetch=fetch)
    assert (asked, seen) == ([FSMN], [("model.pt", 5, 10)])
    assert all(status.ok for status in statuses)
    assert pull(settings, fetch=fetch) == statuses
    assert asked == [FSMN]


def test_pull_without_network_says_so_at_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MODELSCOPE_ENDPOINT", f"http://127.0.0.1:{free.getsockname()[1]}")

    def fetch(hub_id: str, progress: PullProgress) -> None:
        raise AssertionError("the hub's client would retry for 22 s")

    with pytest.raises(ModelNotInstalledError) as caught:
        pull(ASRSettings(), fetch=fetch)
    message = str(caught.value)
    assert message.startswith("cannot fetch 'paraformer-zh': the model hub http://127.0.0.1:")
    assert "cannot be reached" in message
    assert "CALLGRADE_ASR__MODEL" in message


def test_pull_of_a_half_model_is_no_success(cache: Path, hub: str) -> None:
    def fetch(hub_id: str, progress: PullProgress) -> None:
        install(cache / "models" / hub_id, without="tokens.json")

    with pytest.raises(ModelNotInstalledError, match=r"lacks tokens\.json"):
        pull(ASRSettings(), fetch=fetch)


def test_pull_tells_the_hubs_own_error(cache: Path, hub: str) -> None:
    def fetch(hub_id: str, progress: PullProgress) -> None:
        raise ConnectionError("quota")

    with pytest.raises(ModelNotInstalledError, match=rf"cannot fetch 'paraformer-zh' \({PARAFORMER}\).*quota"):
        pull(ASRSettings(), fetch=fetch)


def test_pull_asks_the_real_client_of_the_hub(cache: Path, hub: str) -> None:
    """The hub here knows nothing: what counts is that its own client asked it and its answer is told."""
    with pytest.raises(ModelNotInstalledError, match=rf"cannot fetch 'fsmn-vad' .*{hub}"):
        pull(ASRSettings(model="tiny", vad="fsmn-vad"))


def test_pull_fetches_no_directories(tmp_path: Path, hub: str) -> None:
    with pytest.raises(ModelNotInstalledError, match="there is no directory"):
        pull(ASRSettings(model=str(tmp_path / "gone")))
