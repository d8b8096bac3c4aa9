"""Which recogniser models are on this machine, what is missing, and fetching it.

`check` looks at folders only: it never asks the network and imports neither torch nor FunASR (which takes 10 s), so it
answers at once. A model is named by a local directory, by one of FunASR's short names (`paraformer-zh`) or by its id
on the hub (`iic/SenseVoiceSmall`); `tiny` is the demo's own. FunASR is always handed a directory, in the hub's cache or
elsewhere, because with a name it asks the network at every start and, without one, fails after 22 s by saying that
the model is "not registered".
"""

import json
import os
import runpy
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from callgrade.catalog.resources import resource_folder
from callgrade.domain.errors import MissingExtraError, ModelNotInstalledError
from callgrade.domain.frozen import Frozen
from callgrade.settings import ASRSettings

Role = Literal["recogniser", "voice detector", "punctuation", "speakers"]
PullProgress = Callable[[str, int, int], None]
"""Called with (file, bytes done, bytes in all)."""
Fetch = Callable[[str, PullProgress], None]
"""Fetches the model with this hub id into the hub's cache."""

TINY = "tiny"
SILERO = ("silero-vad", "silero_vad")
_PACKAGES = {"av": "av", "torch": "torch", "funasr": "funasr", "modelscope": "modelscope"}
_PULL = "run: callgrade models pull"
_EXTRA = "pip install 'callgrade[asr]'"
_REACH_S = 5.0


class ModelStatus(Frozen):
    """Whether one model can be used. `problem` says what is missing and where it was sought, `remedy` what to do."""

    name: str
    role: Role
    ok: bool
    path: Path | None = None
    problem: str | None = None
    remedy: str | None = None


def no_pull_progress(file: str, done: int, total: int) -> None:
    """For callers who do not watch."""


def check(settings: ASRSettings) -> list[ModelStatus]:
    """One status for each model that the settings name, the recogniser first."""
    return [_status(name, role) for name, role in _wanted(settings)]


def require(settings: ASRSettings) -> dict[Role, Path | None]:
    """Where each model lies; None for the voice detector that comes as a package.

    Raises MissingExtraError, or ModelNotInstalledError that names the model, the places looked at and the remedy.
    """
    if _missing_packages():
        raise MissingExtraError("asr", "transcribing a recording")
    statuses = check(settings)
    for status in statuses:
        if not status.ok:
            raise ModelNotInstalledError(f"{status.role} {status.name!r}: {status.problem}; {status.remedy}")
    return {status.role: status.path for status in statuses}


def pull(
    settings: ASRSettings, progress: PullProgress = no_pull_progress, *, fetch: Fetch | None = None
) -> list[ModelStatus]:
    """Fetch what is missing from the hub that FunASR uses, then check again.

    Raises ModelNotInstalledError where nothing can be fetched: no such name, no network (said within 5 s), an
    incomplete model on the hub; MissingExtraError without the extra `asr`.
    """
    if _missing_packages():
        raise MissingExtraError("asr", "fetching models")
    for status in check(settings):
        if status.ok:
            continue
        hub_id = _hub_id(status.name)
        if hub_id is None or _is_directory_name(status.name):
            raise ModelNotInstalledError(f"{status.role} {status.name!r}: {status.problem}; {status.remedy}")
        _require_hub(status.name)
        _fetch(hub_id, status.name, fetch or _fetch_from_hub, progress)
    require(settings)
    return check(settings)


def _wanted(settings: ASRSettings) -> Iterator[tuple[str, Role]]:
    yield settings.model, "recogniser"
    yield settings.vad, "voice detector"
    if settings.punctuation:
        yield settings.punctuation, "punctuation"
    if settings.speakers:
        yield settings.speakers, "speakers"


def _status(name: str, role: Role) -> ModelStatus:
    missing = _missing_packages()
    if missing:
        problem = f"the extra 'asr' is not installed: no package {', '.join(missing)}"
        return ModelStatus(name=name, role=role, ok=False, problem=problem, remedy=_EXTRA)
    if name in SILERO:
        if role != "voice detector":
            return _bad(name, role, None, "it finds voices and does nothing else", "name another model")
        if find_spec("silero_vad") is None:
            return _bad(name, role, None, "the package silero-vad is not installed", _EXTRA)
        return ModelStatus(name=name, role=role, ok=True)
    if name == TINY:
        directory = resource_folder("golden_set") / "recogniser" / "model"
        return _directory_status(name, role, directory, "install callgrade again")
    directory = Path(name).expanduser()
    if directory.is_dir():
        return _directory_status(name, role, directory.resolve(), "copy the missing files into it")
    if _is_directory_name(name):
        return _bad(name, role, None, f"there is no directory {directory}", "mend the setting, or copy the model there")
    return _cached_status(name, role)


def _cached_status(name: str, role: Role) -> ModelStatus:
    hub_id = _hub_id(name)
    if hub_id is None:
        remedy = f"name a directory, owner/name, or one of: {', '.join(sorted(_short_names()))}"
        return _bad(name, role, None, "FunASR knows no model of this name", remedy)
    places = _places(hub_id)
    present = [place for place in places if place.is_dir() and any(place.iterdir())]
    if not present:
        return _bad(name, role, None, f"{hub_id} is not on this machine (looked in {places[0].parents[2]})", _PULL)
    whole = next((place for place in present if not _missing_files(place)), present[0])
    return _directory_status(name, role, whole, _PULL)


def _directory_status(name: str, role: Role, directory: Path, remedy: str) -> ModelStatus:
    missing = _missing_files(directory)
    if missing:
        return _bad(name, role, directory, f"{directory} lacks {', '.join(missing)}", remedy)
    return ModelStatus(name=name, role=role, ok=True, path=directory)


def _bad(name: str, role: Role, path: Path | None, problem: str, remedy: str) -> ModelStatus:
    return ModelStatus(name=name, role=role, ok=False, path=path, problem=problem, remedy=remedy)


def _missing_packages() -> list[str]:
    return [package for module, package in _PACKAGES.items() if find_spec(module) is None]


def _is_directory_name(name: str) -> bool:
    """`./model`, `/srv/model`, `~/model`: but `owner/name` is the hub's."""
    return name.startswith((".", "~", "/", "\\")) or "\\" in name or name.count("/") > 1


def _missing_files(directory: Path) -> list[str]:
    """Files that the model's own description names and that are not there. FunASR would leave them out silently."""
    description = directory / "configuration.json"
    if not description.is_file():
        return [name for name in ("config.yaml", "model.pt") if not (directory / name).is_file()]
    try:
        files = json.loads(description.read_text(encoding="utf-8")).get("file_path_metas") or {}
    except (ValueError, AttributeError):
        return ["a readable configuration.json"]
    named = list(_file_names(files)) or ["config.yaml", "model.pt"]
    return [name for name in named if not (directory / name).exists()]


def _file_names(files: Any) -> Iterator[str]:
    if isinstance(files, str):
        yield files
    elif isinstance(files, Mapping):
        for value in files.values():
            yield from _file_names(value)
    elif isinstance(files, Iterable):
        for value in files:
            yield from _file_names(value)


def _hub_id(name: str) -> str | None:
    """`paraformer-zh` → `iic/speech_…`; an `owner/name` stays as it is."""
    return _short_names().get(name) or (name if name.count("/") == 1 else None)


def _short_names() -> dict[str, str]:
    """FunASR's own table, read without importing FunASR: its names change with its version, a copy would grow stale."""
    package = find_spec("funasr")
    if package is None or not package.submodule_search_locations:
        return {}
    table = Path(package.submodule_search_locations[0]) / "download" / "name_maps_from_hub.py"
    return dict(runpy.run_path(str(table))["name_maps_ms"])


def _places(hub_id: str) -> list[Path]:
    """Where the hub's client keeps a model: the layout since modelscope 1.38, then the older ones that it reuses."""
    configured = os.environ.get("MODELSCOPE_CACHE") or os.environ.get("MS_CACHE_HOME")
    base = Path(configured).expanduser() if configured else Path.home() / ".cache" / "modelscope"
    owner, name = hub_id.split("/", 1)
    dotless = name.replace(".", "___")
    return [
        base / "models" / f"{owner}--{name}" / "snapshots" / "master",
        base / "models" / owner / dotless,
        base / "hub" / "models" / owner / dotless,
        base / owner / name,
        base / owner / dotless,
        base / "hub" / owner / name,
        base / "hub" / owner / dotless,
        base / "models" / owner / name,
    ]


def _endpoint() -> str:
    endpoint = os.environ.get("MODELSCOPE_ENDPOINT") or os.environ.get("MODELSCOPE_DOMAIN") or "modelscope.cn"
    return endpoint if endpoint.startswith(("http://", "https://")) else f"https://{endpoint}"


def _require_hub(name: str) -> None:
    """Ask the hub for anything at all: its own client would retry for 22 s before it gave up."""
    endpoint = _endpoint()
    try:
        urllib.request.urlopen(endpoint, timeout=_REACH_S).close()  # noqa: S310  # the scheme is checked above
    except urllib.error.HTTPError:
        return  # it answers: whatever it thinks of this address
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise ModelNotInstalledError(
            f"cannot fetch {name!r}: the model hub {endpoint} cannot be reached ({reason}). Nothing was downloaded. "
            "Mend the network or proxy and run `callgrade models pull` again, or copy the model's directory here "
            "from a machine that has it and name that directory in CALLGRADE_ASR__MODEL (__VAD, __PUNCTUATION, …)"
        ) from error


def _fetch(hub_id: str, name: str, fetch: Fetch, progress: PullProgress) -> None:
    try:
        fetch(hub_id, progress)
    except Exception as error:  # the hub's client raises its own tree, requests' and OSErrors
        raise ModelNotInstalledError(
            f"cannot fetch {name!r} ({hub_id}) from {_endpoint()}: {type(error).__name__}: {error}. What was "
            "downloaded so far is kept; run `callgrade models pull` again"
        ) from error


def _fetch_from_hub(hub_id: str, progress: PullProgress) -> None:
    """What FunASR itself calls for a short name, with the progress that it does not hand through."""
    from modelscope.hub.callback import ProgressCallback  # type: ignore[import-untyped]
    from modelscope.hub.snapshot_download import snapshot_download  # type: ignore[import-untyped]

    class Report(ProgressCallback):  # type: ignore[misc]  # the hub's client has no types
        done = 0

        def update(self, size: int) -> None:
            self.done += size
            progress(self.filename, self.done, self.file_size)

    snapshot_download(hub_id, revision="master", progress_callbacks=[Report])
