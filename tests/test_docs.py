"""Every command of the README is run: here, or by CI where it is a make target."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
COMMANDS = [
    line.split("#")[0].strip()
    for block in re.findall(r"```sh\n(.*?)```", README, re.S)
    for line in block.splitlines()
    if line.split("#")[0].strip()
]
STATUS = {"callgrade models check": 1}  # the production models are not on a machine that only tests
ENDLESS = ("callgrade serve", "callgrade serve --demo", "callgrade worker")
ON_A_DATABASE = (
    "callgrade worker",
    "callgrade key",
    "callgrade user",
    "callgrade db backup",
    "callgrade audit",
    "callgrade calibrate",
    "callgrade autonomy",
    "callgrade second-opinion",
)
"""What runs beside or after a service, which has made the database."""


def test_the_readme_opens_with_what_it_does_a_picture_and_two_commands():
    head = README[: README.index("## ")]
    assert re.search(r"!\[.+\]\((docs/[^)]+)\)", head)
    assert (ROOT / re.search(r"\((docs/[^)]+)\)", head)[1]).stat().st_size > 10_000
    assert [line for line in COMMANDS if line in head][:2] == ["make demo", "make test"]


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory):
    """A data folder with a database in it."""
    folder = tmp_path_factory.mktemp("upgraded")
    environment = {**os.environ, "CALLGRADE_DATA_DIR": str(folder)}
    made = [sys.executable, "-m", "callgrade", "db", "upgrade"]
    subprocess.run(made, env=environment, capture_output=True, check=True)
    return folder


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("callgrade ")])
def test_a_callgrade_command_of_the_readme_runs(command, tmp_path, upgraded):
    words = shlex.split(command)
    words = [str(tmp_path / word) if word == "scorecards" else word for word in words]
    environment = {**os.environ, "CALLGRADE_DATA_DIR": str(tmp_path), "CALLGRADE_SERVICE__PORT": "0"}
    words = [str(tmp_path / word) if word == "callgrade.backup" else word for word in words]
    if command.startswith(ON_A_DATABASE):
        shutil.copytree(upgraded, tmp_path, dirs_exist_ok=True)
    if command in ENDLESS:
        assert _ended_after_its_first_words([sys.executable, "-m", *words], environment)
        return
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == STATUS.get(command, 0), done.stderr
    assert done.stdout.strip() or done.stderr.strip()


def _ended_after_its_first_words(command: list[str], environment: dict[str, str]) -> str:
    """What a service says when it is there; then it is asked to end, and does."""
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:
        assert run.stdout is not None
        said = run.stdout.readline()
        run.terminate()
        rest = run.communicate(timeout=120)[0]
    assert run.returncode == 0, said + rest
    return said


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("make ")])
def test_a_make_command_of_the_readme_is_run_by_ci(command):
    assert command in (ROOT / ".ci/run").read_text("utf-8")


def test_no_other_kind_of_command_is_promised():
    others = [c for c in COMMANDS if not c.startswith(("callgrade ", "make ", "pip install 'callgrade"))]
    assert others == []


def test_every_setting_of_the_readme_exists():
    from callgrade.settings import all_names

    named = set(re.findall(r"`(CALLGRADE_[A-Z_]+)`", README)) - {"CALLGRADE_CONFIG"}
    assert named
    assert named <= set(all_names())
