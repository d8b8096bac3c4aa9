"""What every test shares. Sockets are off but for loopback (see `addopts` in pyproject.toml)."""

import os

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


LONG = (
    "tests/failure/",
    "_in_browser.py",
    "tests/test_docs.py",
    "tests/e2e/",
    "tests/db/",
    "tests/api/test_openapi_fuzz.py",
)
"""Begun first, so that no worker is left alone with one of these at the end; each takes a minute or so."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not any(part in item.nodeid for part in LONG))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """In CI a test that was skipped has failed: what a machine cannot test must not pass in silence."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true":
        report.outcome, report.longrepr = "failed", f"skipped in CI: {report.longrepr}"
    return report
