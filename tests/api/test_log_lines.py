"""Lines of the log."""

import json
import logging
import time

import pytest

from callgrade.api.middleware import JsonLines


def test_they_are_in_universal_time_wherever_the_service_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "Asia/Shanghai")
        time.tzset()
        line = json.loads(JsonLines().format(logging.makeLogRecord({"msg": "x", "created": 0.0, "msecs": 7.0})))
    time.tzset()
    assert line["at"] == "1970-01-01T00:00:00.007Z"
