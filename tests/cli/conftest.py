"""The command line run in this process, as a shell would."""

import logging
import sys
from collections.abc import Callable, Iterator

import pytest

from callgrade.cli import app

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def _loggers_as_before() -> Iterator[None]:
    """`serve` sends all lines to standard error, which here is closed when the test is over."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    levels = {name: found.level for name, found in root.manager.loggerDict.items() if isinstance(found, logging.Logger)}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


@pytest.fixture
def run(_loggers_as_before: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`run("rubric", "show", path, language="en")` → (exit status, standard output, standard error)."""

    def command(*words: object, language: str = "zh") -> tuple[int, str, str]:
        monkeypatch.setenv("CALLGRADE_LANGUAGE", language)
        monkeypatch.setattr(sys, "argv", ["callgrade", *map(str, words)])
        status = app.run()
        out, err = capsys.readouterr()
        return status, out, err

    return command
