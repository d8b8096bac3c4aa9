"""What is promised of the package: it imports light, and its wheel holds all it needs (`make smoke` installs it)."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = (
    "torch",
    "funasr",
    "litellm",
    "openai",
    "instructor",
    "av",
    "numpy",
    "xllamacpp",
    "playwright",
    "rich.table",
    "babel",
    "fastapi",
)


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return done.stdout


@pytest.mark.parametrize("module", ["callgrade", "callgrade.cli.app"])
def test_importing_pulls_in_nothing_heavy(module):
    loaded = python(f"import {module}, sys; print(*sys.modules)").split()
    assert not set(HEAVY) & set(loaded)


def test_the_links_are_committed_and_lead_to_the_top_level():
    for name in ("rubrics", "prompts", "golden_set", "evals"):
        link = ROOT / "service/callgrade" / name
        assert link.is_symlink()
        assert link.resolve() == ROOT / name
        mode = subprocess.run(
            ["git", "ls-files", "-s", f"service/callgrade/{name}"], capture_output=True, text=True, cwd=ROOT, check=True
        ).stdout
        assert mode.startswith("120000")


@pytest.fixture(scope="module")
def wheels(tmp_path_factory) -> dict[str, Path]:
    """A wheel built from the checkout and one built from the sdist, without isolation: the tools are installed."""
    out = tmp_path_factory.mktemp("dist")
    base = [sys.executable, "-m", "build", "--no-isolation", "--outdir"]
    subprocess.run([*base, out / "direct", "--wheel", ROOT], check=True, capture_output=True)
    subprocess.run([*base, out / "via-sdist", ROOT], check=True, capture_output=True)
    return {kind: next((out / kind).glob("*.whl")) for kind in ("direct", "via-sdist")}


def test_both_wheels_hold_the_same_files_and_all_the_data(wheels):
    names = {kind: set(zipfile.ZipFile(path).namelist()) for kind, path in wheels.items()}
    assert names["direct"] == names["via-sdist"]
    for needed in (
        "callgrade/rubrics/telesales-misconduct/v1.yaml",
        "callgrade/rubrics/rubric.schema.json",
        "callgrade/prompts/judge/v1.md",
        "callgrade/evals/baselines/injection.rules.json",
        "callgrade/evals/suites/injection.yaml",
        "callgrade/golden_set/manifest.yaml",
        "callgrade/golden_set/recogniser/model/model.pt",
        "callgrade/py.typed",
        "callgrade/web/locale/zh_CN.po",
        "callgrade/web/static/HTMX.md",
        "callgrade/web/static/app.css",
        "callgrade/web/static/htmx.min.js",
        "callgrade/web/templates/base.html",
    ):
        assert needed in names["direct"]
    assert not [name for name in names["direct"] if name.startswith(("service", "tests"))]
    evals = {name.split("/")[2] for name in names["direct"] if name.startswith("callgrade/evals/")}
    assert evals == {"baselines", "suites"}
