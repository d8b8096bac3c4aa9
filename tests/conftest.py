"""What every test shares. Sockets are off but for loopback (see `addopts` in pyproject.toml)."""

import os

import pytest


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    """No test may depend on the settings, keys or caches of the machine it runs on."""
    for name in os.environ:
        if name.startswith("CALLGRADE_") or name.endswith("_API_KEY") or name in ("OPENAI_BASE_URL", "HTTPS_PROXY"):
            monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CALLGRADE_DATA_DIR", str(tmp_path / "data"))
