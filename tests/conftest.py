"""What every test shares. Sockets are off but for loopback (see `addopts` in pyproject.toml)."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A slow machine is no fault of the code: time is measured in benchmarks, never in tests.
# CI tries the same examples each time, so that a red run is the change's doing; at home they are new each time.
settings.register_profile(
    "callgrade", deadline=None, derandomize=bool(os.environ.get("CI")), suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("callgrade")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    """No test may depend on the settings, keys or caches of the machine it runs on."""
    for name in os.environ:
        if name.startswith("CALLGRADE_") or name.endswith("_API_KEY") or name in ("OPENAI_BASE_URL", "HTTPS_PROXY"):
            monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CALLGRADE_DATA_DIR", str(tmp_path / "data"))


LONG = ("tests/failure/", "_in_browser.py", "tests/test_docs.py", "tests/e2e/", "tests/test_engine", "openapi_fuzz")
"""Files that take a minute or so, and start servers and browsers of their own."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files are spread over the first three quarters of all, for xdist to hand them out in this order: side by
    side they would starve each other, and at the end one worker would be left alone with them."""
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    long = [path for path in files if any(part in path.as_posix() for part in LONG)]
    order = [path for path in files if path not in long]
    apart = max(1, 3 * len(order) // (4 * len(long) or 1))
    for number, path in enumerate(long):
        order.insert(number * (apart + 1), path)
    items[:] = [item for path in order for item in files[path]]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """In CI a test that was skipped has failed: what a machine cannot test must not pass in silence."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true":
        report.outcome, report.longrepr = "failed", f"skipped in CI: {report.longrepr}"
    return report
