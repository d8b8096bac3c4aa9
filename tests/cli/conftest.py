"""The command line run in this process, as a shell would."""

import sys
from collections.abc import Callable

import pytest

from callgrade.cli import app

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`run("rubric", "show", path, language="en")` → (exit status, standard output, standard error)."""

    def command(*words: object, language: str = "zh") -> tuple[int, str, str]:
        monkeypatch.setenv("CALLGRADE_LANGUAGE", language)
        monkeypatch.setattr(sys, "argv", ["callgrade", *map(str, words)])
        status = app.run()
        out, err = capsys.readouterr()
        return status, out, err

    return command
