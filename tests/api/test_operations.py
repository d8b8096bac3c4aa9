"""Alive, ready, measured."""

import re
from dataclasses import replace

import pytest

from callgrade.access.permissions import DEFAULT_SCOPES, SCOPES
from callgrade.api import health
from callgrade.api.app import serve_with
from tests.api.made import Service, transcript


def test_ready_says_of_each_part_how_it_is(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = service.get("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (200, True)
    assert answer.json()["checks"] == {"database": "ok", "disk": "ok", "model": "not_configured"}
    monkeypatch.setattr(health, "LEAST_FREE_BYTES", 1 << 60)
    full = service.get("/readyz")
    assert (full.status_code, full.json()["ready"], full.json()["checks"]["disk"]) == (503, False, "not-ready")
    assert str(service.settings.data_dir) not in full.text
    assert service.http.get("/healthz").status_code == 200


def test_a_database_that_is_away_is_not_ready(service: Service) -> None:
    object.__setattr__(service.app.state.services.health, "_checks", {"database": lambda: _away()})
    assert service.http.get("/readyz").status_code == 503


def _away() -> str:
    from callgrade.domain.errors import NotReadyError

    raise NotReadyError("the PostgreSQL database x at db.internal cannot be reached")


def test_without_a_key_ready_says_no_more_than_which_part(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "LEAST_FREE_BYTES", 1 << 60)
    known = service.get("/readyz").json()["checks"]
    strangers = [{}, service.key("calls:read"), {"Authorization": "Bearer cg_nothing"}, {"Authorization": "Basic Zm8="}]
    for headers in strangers:
        answer = service.http.get("/readyz", headers=headers)
        assert (answer.status_code, answer.json()["ready"]) == (503, False)
        assert answer.json()["checks"] == {name: "not_ok" if name == "disk" else "ok" for name in known}
    assert (known["disk"], known["model"]) == ("not-ready", "not_configured")


def test_figures_are_for_whoever_may_see_them_or_for_all_where_that_is_set(service: Service) -> None:
    assert service.http.get("/metrics").status_code == 401
    every = [scope for scope in SCOPES if scope != "metrics:read"]
    assert service.http.get("/metrics", headers=service.key(*every)).status_code == 403
    assert service.http.get("/metrics", headers=service.key("metrics:read")).status_code == 200
    assert "metrics:read" not in DEFAULT_SCOPES, "they are of all clients together"
    own = service.settings.service.model_copy(update={"open_metrics": True})
    settings = service.settings.model_copy(update={"service": own})
    serve_with(service.app, replace(service.app.state.services, settings=settings))
    for headers in ({}, {"Authorization": "Bearer cg_nothing"}):
        assert service.http.get("/metrics", headers=headers).status_code == 200


def test_figures_hold_no_ids(service: Service) -> None:
    made = service.submit(transcript("客户甲")).json()
    service.get(f"/v1/calls/{made['id']}")
    service.get("/v1/nobody/13800138000")
    service.queue.pipeline = None
    service.submit(transcript("C-2"))
    text = service.get("/metrics").text
    assert 'callgrade_http_requests_total{method="GET",route="/v1/calls/{id}",status="200"} 1.0' in text
    assert 'callgrade_http_requests_total{method="POST",route="/v1/calls",status="202"} 2.0' in text
    assert 'callgrade_evaluations_waiting{status="queued"} 1.0' in text
    assert re.search(r'callgrade_evaluations_oldest_seconds\{status="queued"\} [0-9.]+', text)
    assert re.search(
        r'callgrade_verdicts_total\{criterion="[a-z-]+",rubric="telesales-misconduct@v1",status="judged"\}', text
    )
    assert 'callgrade_scorecards_total{rubric="telesales-misconduct@v1"} 1.0' in text
    assert 'callgrade_stage_seconds_count{stage="judge"} 1.0' in text
    assert 'callgrade_tokens_total{kind="prompt"} 0.0' in text
    named = re.sub(r" \S+$", "", text, flags=re.MULTILINE)  # any four digits may stand in a figure
    for word in (made["id"], "客户甲", "13800138000", "8031", "sales-2"):
        assert word not in named


def test_lines_of_a_batch_wait_too(service: Service) -> None:
    assert "callgrade_batch_lines_waiting 0.0" in service.get("/metrics").text
    service.queue.pipeline = None
    service.batch([transcript(f"C-{number}") for number in range(12)])
    text = service.get("/metrics").text
    assert "callgrade_batch_lines_waiting 12.0" in text
    assert re.search(r"callgrade_batch_oldest_seconds [0-9.]+", text)


def test_events_wait_for_their_receivers(service: Service) -> None:
    assert "callgrade_deliveries_waiting 0.0" in service.get("/metrics").text
    wanted = {"url": "https://example.org/hook", "events": ["evaluation.proposed"]}
    assert service.http.post("/v1/webhooks", json=wanted, headers=service.key()).status_code == 201
    service.submit(transcript("C-1"))
    text = service.get("/metrics").text
    assert "callgrade_deliveries_waiting 1.0" in text
    assert re.search(r"callgrade_deliveries_oldest_seconds [0-9.]+", text)
