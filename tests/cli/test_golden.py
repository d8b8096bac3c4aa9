"""`golden` as somebody at a terminal meets it: without a database for what ships, with one for a client's own."""

import json
from pathlib import Path
from typing import Any

import pytest

from callgrade.catalog import golden
from callgrade.catalog.golden_exchange import from_csv, from_jsonl, to_csv, to_jsonl
from callgrade.db import migrate
from callgrade.db.session import Database
from callgrade.domain.golden import GoldenCall, Label
from callgrade.evaluations.registry import sync_shipped
from tests.db.rows import everything

SHIPPED = golden.load()
HIDDEN = next(call for call in SHIPPED.calls if call.split == "holdout")
SEEN = next(call for call in SHIPPED.calls if call.split == "dev")
RUBRIC = "telesales-misconduct@v1"


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    made = f"sqlite:///{tmp_path / 'callgrade.db'}"
    monkeypatch.setenv("CALLGRADE_DATABASE_URL", made)
    migrate.upgrade(made)
    database = Database(made)
    with database.writing() as session:
        sync_shipped(session)
    database.close()
    return made


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """No database at all."""
    monkeypatch.setenv("CALLGRADE_DATABASE_URL", "sqlite:////nowhere/at/all.db")


def rows(url: str, table: str) -> list[dict[str, Any]]:
    database = Database(url)
    with database.reading() as session:
        found = everything(session)[table]
    database.close()
    return found


def a_label(call: GoldenCall, **more: Any) -> Label:
    told = {"rubric": RUBRIC, "rest": {"occurrences": 0}, "blind": True, "note": "=1+1", **more}
    return Label(call=call.id, rater="li", rater_kind="person", **told)


def some() -> list[GoldenCall]:
    return [call for call in SHIPPED.calls if call.split == "dev"][:3]


def test_list_needs_no_database_and_counts_every_side(run: Any, nowhere: None) -> None:
    status, out, _ = run("golden", "list", "--json")
    (one,) = json.loads(out)
    assert status == 0
    assert (one["name"], one["synthetic"], one["digest"]) == ("shipped", True, golden.digest(SHIPPED))
    assert sum(one["calls"].values()) == len(SHIPPED.calls)
    assert "虚构" in run("golden", "list")[1]
    assert "synthetic" in run("golden", "list", language="en")[1]


def test_show_tells_what_the_set_is_about_in_numbers(run: Any, nowhere: None) -> None:
    about = json.loads(run("golden", "show", "--json")[1])["about"]
    counted = sum(number for sides in about.values() for side in sides.values() for number in side.values())
    assert counted == sum(len(call.about) for call in SHIPPED.calls)
    assert all(about[criterion][side] for criterion in about for side in ("over", "under"))
    assert "not for looking at" in run("golden", "show", language="en")[1]


def test_show_prints_a_call_with_its_words(run: Any, nowhere: None) -> None:
    status, out, _ = run("golden", "show", SEEN.id)
    assert status == 0
    assert SEEN.transcript.turns[0].text[:20] in out
    shown = json.loads(run("golden", "show", SEEN.id, "--json")[1])
    assert GoldenCall.model_validate(shown["call"]) == SEEN


def test_nothing_of_the_holdout_is_shown_or_exported(run: Any, nowhere: None) -> None:
    status, out, err = run("golden", "show", HIDDEN.id)
    assert (status, out) == (1, "")
    assert "not for looking at" in err
    calls, _ = from_jsonl(run("golden", "export")[1], "x")
    assert calls == [call for call in SHIPPED.calls if call.split != "holdout"]


def test_show_names_what_is_not_there(run: Any, nowhere: None) -> None:
    status, _, err = run("golden", "show", "g-nothing")
    assert (status, "no call 'g-nothing'" in err) == (1, True)


def test_check_finds_nothing_in_what_ships(run: Any, nowhere: None) -> None:
    assert run("golden", "check") == (0, "", "0 fault(s)\n")


def a_folder(tmp_path: Path, *labels: Label) -> Path:
    (tmp_path / "texts").mkdir()
    (tmp_path / "labels").mkdir()
    text = "schema: callgrade.golden-texts/1\nwritten_by: x\ncalls:\n- id: g-1\n  agent: A1\n  customer: K1\n  turns:\n"
    (tmp_path / "texts" / "a.yaml").write_text(text + '  - "坐席：好。"\n  - "客户：好。"\n', "utf-8")
    manifest = "schema: callgrade.golden-set/1\nsynthetic: true\ncalls: []\ntexts: texts\nlabels: labels\n"
    (tmp_path / "manifest.yaml").write_text(f"{manifest}splits: {{seed: s, dev: [A1]}}\n", "utf-8")
    (tmp_path / "labels" / "li.jsonl").write_text("\n".join(to_jsonl([], labels)), "utf-8")
    return tmp_path


CALL = SEEN.model_copy(update={"id": "g-1"})


@pytest.mark.parametrize(
    ("label", "told"),
    [
        (a_label(CALL, rubric="nothing@v1"), "there is no rubric 'nothing@v1'"),
        (a_label(CALL, judgements={"nothing": {"occurrences": 1}}), "criterion 'nothing': is not in"),
        (a_label(CALL, judgements={"coercion": {"level": "full"}}), "criterion 'coercion'"),
        (a_label(CALL, rest={"level": "full"}), "criterion"),
        (a_label(CALL, quotes={"coercion": ("没说过的话",)}), "1 quote(s) for coercion stand in no turn of g-1"),
        (a_label(HIDDEN), f"there is no call '{HIDDEN.id}'"),
    ],
)
def test_check_names_each_fault_with_file_and_line(run: Any, tmp_path: Path, label: Label, told: str) -> None:
    status, out, err = run("golden", "check", a_folder(tmp_path, label))
    assert (status, err) == (1, "1 fault(s)\n")
    assert f"li.jsonl:1: error: {told}" in out
    assert "没说过" not in out


def test_split_prints_what_stands_in_the_manifest(run: Any, nowhere: None) -> None:
    status, out, _ = run("golden", "split")
    text = (Path(golden.resource_folder("golden_set")) / "manifest.yaml").read_text("utf-8")
    assert status == 0
    assert out in text


def test_a_folder_that_is_not_there_is_an_error(run: Any, tmp_path: Path) -> None:
    status, _, err = run("golden", "check", tmp_path / "none")
    assert (status, "no such folder" in err) == (1, True)


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_what_is_imported_is_exported_as_it_was(run: Any, url: str, tmp_path: Path, kind: str) -> None:
    labels = [a_label(call) for call in some()]
    source, back = tmp_path / "in.jsonl", tmp_path / f"out.{kind}"
    source.write_text("\n".join(to_jsonl(some(), labels)), "utf-8")
    status, out, _ = run("golden", "import", source, "--set", "own")
    assert (status, json.loads(out)) == (0, {"calls": 3, "labels": 3, "refused": {}})
    assert json.loads(run("golden", "import", source, "--set", "own")[1])["calls"] == 0
    assert run("golden", "export", "--set", "own", "--format", kind, "--out", back)[0] == 0
    if kind == "csv":
        assert from_csv(back.read_bytes(), "x") == labels
    else:
        assert from_jsonl(back.read_text("utf-8"), "x") == (sorted(some(), key=lambda call: call.id), labels)
    listed = json.loads(run("golden", "list", "--client", "default", "--json")[1])
    assert [(one["name"], sum(one["calls"].values())) for one in listed][1:] == [("own", 3)]


def test_labels_from_a_spreadsheet_come_to_calls_that_are_there(run: Any, url: str, tmp_path: Path) -> None:
    calls, labels = tmp_path / "calls.jsonl", tmp_path / "labels.csv"
    calls.write_text("\n".join(to_jsonl(some(), [])), "utf-8")
    labels.write_bytes(to_csv([a_label(some()[0]), a_label(HIDDEN)]))
    run("golden", "import", calls, "--set", "own")
    status, out, err = run("golden", "import", labels, "--set", "own")
    assert (status, json.loads(out)["labels"]) == (1, 1)
    assert f"error: {HIDDEN.id}: is labelled, and is no call of the set" in err


def test_reading_the_holdout_takes_a_reason_and_is_on_record(run: Any, url: str) -> None:
    assert run("golden", "export", "--holdout", "最后一关")[0] == 2
    run("key", "create", "x")
    status, out, _ = run("golden", "export", "--holdout", "最后一关", "--rubric", RUBRIC)
    assert status == 0
    assert sorted(call.id for call in from_jsonl(out, "x")[0]) == sorted(call.id for call in SHIPPED.calls)
    (row,) = rows(url, "holdout_reading")
    assert (row["why"], row["by"], row["rubric_id"]) == ("最后一关", "system", RUBRIC.partition("@")[0])


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [("x.jsonl", b"{", "x.jsonl:1: error"), ("x.csv", b"a,b\n", "lacks the column"), ("x.jsonl", b"\xff", "not UTF-8")],
)
def test_a_file_that_is_none_brings_nothing_in(
    run: Any, url: str, tmp_path: Path, name: str, content: bytes, told: str
) -> None:
    (tmp_path / name).write_bytes(content)
    status, out, err = run("golden", "import", tmp_path / name, "--set", "own")
    assert (status, out) == (1, "")
    assert told in err
    assert rows(url, "golden_set") == []


def test_a_set_that_is_not_there_is_named(run: Any, url: str) -> None:
    run("key", "create", "x")
    status, _, err = run("golden", "export", "--set", "none")
    assert (status, "no golden set 'none'" in err) == (1, True)
