"""docs/deployment.md and every file beside it: settings, commands and figures that exist, and what checks each kind."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from callgrade.api.metrics import Metrics
from callgrade.evaluations.views import Waiting
from callgrade.settings import all_names
from evals import sizing
from tests.deployment.commands import faults, spoken_in

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "deployment.md"
FOLDER = DOCS / "deployment"
FILES = [path for path in sorted(FOLDER.rglob("*")) if path.is_file()]
MANIFESTS = sorted((FOLDER / "kubernetes").glob("*.yaml"))
UNITS = sorted((FOLDER / "systemd").glob("*.service")) + sorted((FOLDER / "systemd").glob("*.timer"))
OTHERS_NAMES = {
    "AWS_ENDPOINT_URL_S3",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_DEFAULT_REGION",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "MODELSCOPE_CACHE",
    "POSTGRES_USER",
    "POSTGRES_DB",
    "POSTGRES_PASSWORD",
    "PYTHONUNBUFFERED",
    "PYTHONDONTWRITEBYTECODE",
    "PATH",
}
"""Read by botocore, OpenTelemetry, the model hub, PostgreSQL's image and Python."""
COMPOSES_OWN = {"CALLGRADE_IMAGE", "CALLGRADE_ASR_IMAGE"}
"""Names that only compose.yaml itself reads."""


def documents(path: Path) -> list[Any]:
    return [found for found in yaml.safe_load_all(path.read_text("utf-8")) if found is not None]


def name_of(path: Path) -> str:
    return str(path.relative_to(DOCS))


def test_the_page_names_every_file_and_every_link_leads_somewhere() -> None:
    page = PAGE.read_text("utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", page):
        assert (DOCS / target).exists(), target
    for path in FILES:
        assert path.name in page or path.parent.name in page or path.suffix in (".service", ".timer"), path
    headings = {re.sub(r"[^a-z0-9 -]", "", line.lstrip("# ").lower()).replace(" ", "-") for line in page.splitlines()
                if line.startswith("#")}  # fmt: skip
    assert set(re.findall(r"\]\(#([^)]+)\)", page)) <= headings


@pytest.mark.parametrize("path", [PAGE, *FILES], ids=name_of)
def test_every_setting_that_is_named_exists(path: Path) -> None:
    text = path.read_text("utf-8")
    named = set(re.findall(r"\bCALLGRADE_[A-Z_]*[A-Z]\b", text)) - COMPOSES_OWN
    assert named <= {*all_names(), "CALLGRADE_CONFIG"}, named - set(all_names())


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix in (".yaml", ".env")], ids=name_of)
def test_every_other_variable_is_one_that_somebody_reads(path: Path) -> None:
    text = path.read_text("utf-8")
    set_here = re.findall(r"^\s*(?:#)?([A-Z][A-Z0-9_]+)[=:] ?", text, re.M) + re.findall(r"name: ([A-Z_0-9]{3,})", text)
    assert {name for name in set_here if not name.startswith("CALLGRADE_")} <= OTHERS_NAMES


def commands_of(path: Path) -> list[list[str]]:
    text = path.read_text("utf-8")
    if path.suffix == ".md":
        blocks = re.findall(r"```sh\n(.*?)```", text, re.S)
        inline = re.findall(r"`(callgrade [^`]+)`", text)
        return [words for part in (*blocks, *inline) for words in spoken_in(part)]
    if path.parent.name == "kubernetes":
        containers = [c for found in documents(path) for c in _containers(found)]
        plain = [[str(word) for word in c["args"]] for c in containers if "args" in c]
        return plain + [words for c in containers for part in c.get("command", ()) for words in spoken_in(part)]
    if path.name == "compose.yaml":
        services = documents(path)[0]["services"].values()
        own = [s["command"] for s in services if str(s.get("image", "")).startswith("${CALLGRADE")]
        return [[str(word) for word in command] for command in own]
    if path.name == "Dockerfile":
        return [json.loads(re.search(r"^CMD (\[.*\])$", text, re.M)[1])]
    return spoken_in(text) if path.suffix == ".service" else []


def _containers(found: Any) -> list[dict[str, Any]]:
    if isinstance(found, dict):
        here = [c for c in found.get("containers", ()) if isinstance(c, dict)]
        return here + [c for value in found.values() for c in _containers(value)]
    return [c for item in found for c in _containers(item)] if isinstance(found, list) else []


@pytest.mark.parametrize("path", [PAGE, *FILES], ids=name_of)
def test_every_command_that_is_used_exists(path: Path) -> None:
    assert [fault for words in commands_of(path) for fault in faults(words)] == []


def test_commands_are_found_at_all_and_wrong_ones_are_told() -> None:
    found = {" ".join(words[:2]) for path in (PAGE, *FILES) for words in commands_of(path)}
    assert {"serve", "db upgrade", "db backup", "key create", "audit verify", "worker --metrics-port"} <= found
    assert faults(["db", "drop"])
    assert faults(["key"])
    assert faults(["serve", "--prot", "1"])
    assert not faults(["serve", "--port=1"])


# systemd


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units as on a machine where callgrade is installed: the programs and files that they name are there."""
    program = tmp_path / "callgrade"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for path in UNITS:
        text = path.read_text("utf-8")
        assert "/opt/callgrade/bin/callgrade" in text or path.suffix == ".timer"
        text = text.replace("/opt/callgrade/bin/callgrade", str(program))
        # what stands in front of it in an instance's name: %i
        (tmp_path / path.name.replace("@", "@score")).write_text(text)
    return tmp_path


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="NOT CHECKED: no systemd-analyze here")
@pytest.mark.parametrize("unit", [path.name.replace("@", "@score") for path in UNITS])
def test_systemd_takes_the_unit(unit: str, units: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(units / unit)], capture_output=True, text=True, check=False
    )
    ours = [line for line in done.stderr.splitlines() if str(units) in line or unit in line]
    assert (done.returncode, ours) == (0, []), done.stderr


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="NOT CHECKED: no systemd-analyze here")
@pytest.mark.parametrize("unit", [path.name.replace("@", "@score") for path in UNITS if path.suffix == ".service"])
def test_systemd_finds_the_unit_hardened(unit: str, units: Path) -> None:
    """Exposure from 0 to 10, ours times ten at most; a plain service has 9.6."""
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", str(units / unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]


def test_units_end_no_sooner_than_the_service_needs() -> None:
    from callgrade.cli.serve import DRAIN_S
    from callgrade.main import GRACE_S

    for path in UNITS:
        text = path.read_text("utf-8")
        if "TimeoutStopSec" in text:
            assert int(re.search(r"TimeoutStopSec=(\d+)", text)[1]) > DRAIN_S + GRACE_S
    for grace in re.findall(r"terminationGracePeriodSeconds: (\d+)", "".join(p.read_text("utf-8") for p in MANIFESTS)):
        assert int(grace) > DRAIN_S + GRACE_S


# Compose


def test_compose_is_valid_and_what_it_refers_to_is_there() -> None:
    schema = json.loads((Path(__file__).parent / "compose-spec.json").read_text("utf-8"))
    (compose,) = documents(FOLDER / "compose.yaml")
    jsonschema.Draft7Validator(schema).validate(compose)
    for name, service in compose["services"].items():
        assert set(service.get("depends_on", {})) <= set(compose["services"]), name
        volumes = {volume.partition(":")[0] for volume in service.get("volumes", ())}
        assert volumes <= set(compose["volumes"]), name
    needed = set(re.findall(r"\$\{([A-Z_]+):\?", (FOLDER / "compose.yaml").read_text("utf-8")))
    assert needed <= set(re.findall(r"^([A-Z_]+)=", (FOLDER / "compose.env").read_text("utf-8"), re.M))


# Kubernetes


@pytest.mark.parametrize("version", ["1.31", "1.34", "1.37"])
@pytest.mark.parametrize("path", MANIFESTS, ids=name_of)
def test_kubernetes_knows_every_field(path: Path, version: str) -> None:
    for found in documents(path):
        kubernetes_validate.validate(found, version, strict=True)


def test_what_manifests_refer_to_is_there() -> None:
    every = [found for path in MANIFESTS for found in documents(path)]
    named = {(found["kind"], found["metadata"]["name"]) for found in every}
    text = json.dumps(every)
    for kind, key in (("ConfigMap", "configMapRef"), ("Secret", "secretRef")):
        assert {(kind, name) for name in re.findall(rf'"{key}": {{"name": "([^"]+)"', text)} <= named
    assert {("PersistentVolumeClaim", name) for name in re.findall(r'"claimName": "([^"]+)"', text)} <= named
    assert {("Service", name) for name in re.findall(r'"service": {"name": "([^"]+)"', text)} <= named
    labels = [found["spec"]["template"]["metadata"]["labels"] for found in every if found["kind"] == "Deployment"]
    for found in every:
        selector = found.get("spec", {}).get("selector")
        wanted = (selector or {}).get("matchLabels", selector)
        if wanted:
            assert wanted in labels, found["metadata"]["name"]
        if found["kind"] == "HorizontalPodAutoscaler":
            target = found["spec"]["scaleTargetRef"]
            assert (target["kind"], target["name"]) in named
            assert all(m["external"]["metric"]["name"] in figures() for m in found["spec"]["metrics"])


def test_every_container_is_held_tightly() -> None:
    pods = [c for path in MANIFESTS for found in documents(path) for c in _containers(found)]
    assert len(pods) == 5
    for container in pods:
        context = container["securityContext"]
        assert (context["allowPrivilegeEscalation"], context["readOnlyRootFilesystem"]) == (False, True)
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert "memory" in container["resources"]["limits"]


# Prometheus


def figures() -> dict[str, set[str]]:
    """Every sample that /metrics can show, with the labels of its kind."""
    metrics = Metrics()
    metrics.request("GET", "/v1/calls", 200, 0.1)
    metrics.done("judge", 0.1, "not-ready")
    text = metrics.exposition({"queued": Waiting(1, 2.0)}, Waiting(1, 2.0), Waiting(1, 2.0)).decode()
    kinds = dict(re.findall(r"^# TYPE (\S+) (\w+)$", text, re.M))
    names = {name: set() for name in kinds} | {
        f"{name}_{part}": set() for name in kinds for part in ("bucket", "count")
    }
    for name, labels in re.findall(r"^(callgrade_\w+)\{([^}]*)\}", text, re.M):
        names.setdefault(name, set()).update(re.findall(r"(\w+)=", labels))
    return names


def test_rules_and_page_name_figures_and_labels_that_exist() -> None:
    known = figures()
    assert set(re.findall(r"`(callgrade_[a-z_]+)`", PAGE.read_text("utf-8"))) <= {
        *known, *(f"{name}_total" for name in known)
    }  # fmt: skip
    (rules,) = documents(FOLDER / "prometheus" / "rules.yaml")
    alerts = [rule for group in rules["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in alerts}) == len(alerts)
    for rule in alerts:
        expression = rule["expr"]
        assert expression.count("(") == expression.count(")")
        for name, labels in re.findall(r"\b(callgrade_\w+)(?:\{([^}]*)\})?", expression):
            assert name in known, rule["alert"]
            assert set(re.findall(r"(\w+)\s*[=!]~?", labels)) <= known[name], rule["alert"]
        assert set(rule["annotations"]) == {"summary", "action"}
        assert rule["labels"]["severity"] in ("page", "ticket")


def test_the_scrape_file_loads_the_rules_and_shows_its_key() -> None:
    (scrape,) = documents(FOLDER / "prometheus" / "scrape.yaml")
    web, workers = scrape["scrape_configs"]
    assert web["authorization"]["credentials_file"]
    assert {
        target.rpartition(":")[2] for job in (workers,) for s in job["static_configs"] for target in s["targets"]
    } == {"9101"}


# sizing


@pytest.mark.parametrize(
    ("marker", "made"),
    [("table", sizing.table(sizing.Figures())), ("figures", sizing.figures_table(sizing.Figures()))],
)
def test_the_page_shows_what_sizing_prints(marker: str, made: str) -> None:
    page = PAGE.read_text("utf-8")
    shown = re.search(rf"<!-- evals\.sizing: {marker} -->\n(.*?)\n?<!-- end -->", page, re.S)
    assert shown
    assert shown[1].strip() == made
