"""Standard output carries results and nothing else; progress, notes and failures go to standard error."""

import hashlib
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from callgrade.domain.errors import CallgradeError, ConfigurationError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress


def emit(text: str) -> None:
    """One result on standard output, at once: results stream."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def to_json(value: Any, *, pretty: bool) -> str:
    """JSON as the contracts write it: aliases, Chinese as it is."""
    indent = 2 if pretty else None
    if isinstance(value, BaseModel):
        return value.model_dump_json(by_alias=True, indent=indent)
    import json

    return json.dumps(value, ensure_ascii=False, indent=indent)


def tell(text: str) -> None:
    """A note for a person."""
    print(text, file=sys.stderr)  # noqa: T201


def failure(call_id: str, source: Path, error: CallgradeError) -> dict[str, Any]:
    """A failed input as the contracts show it."""
    described = {"type": error.type, "message": str(error), "retryable": error.retryable}
    return {"call_id": call_id, "source": str(source), "error": described}


def report_failure(call_id: str, source: Path, error: CallgradeError, *, as_json: bool, alone: bool) -> None:
    """Name a failed input on standard error and, under --json, on standard output as well."""
    text = str(error)
    tell(f"error: {text}" if str(source) in text else f"error: {source}: {text}")
    if as_json:
        emit(to_json(failure(call_id, source, error), pretty=alone))


def write_file(folder: Path, name: str, text: str) -> Path:
    """Write one result into a folder, made when it is missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / name
        path.write_text(text, "utf-8")
    except OSError as error:
        raise ConfigurationError(f"{folder}: cannot be written: {error.strerror}") from None
    return path


def file_name(call_id: str) -> str:
    """A call's id as a file name: an id may hold slashes, dots and anything else."""
    safe = re.sub(r"[^\w.-]+", "_", call_id).lstrip(".") or "call"
    return safe if safe == call_id else f"{safe[:80]}-{hashlib.sha256(call_id.encode()).hexdigest()[:8]}"


def console() -> "Console":
    """For results in colour on a terminal, and plain when piped."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else 120
    return Console(width=width, highlight=False, soft_wrap=False)


@contextmanager
def progress_bar() -> Iterator["Progress | None"]:
    """A progress display on a terminal's standard error, None when nobody is watching."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        yield shown
