"""The shipped golden set is strict: each fault has its file and line, nothing loads by half, splits never move."""

import json
from collections import Counter
from pathlib import Path

import pytest

from callgrade.catalog import golden
from callgrade.catalog.golden_labels import parse_labels, written
from callgrade.domain.errors import GoldenSetError
from callgrade.domain.golden import Label
from callgrade.domain.splits import astride

MANIFEST = """schema: callgrade.golden-set/1
synthetic: true
calls: []
texts: texts
labels: labels
splits: {seed: s, train: [A1], dev: [A2], holdout: []}
"""
TEXTS = """schema: callgrade.golden-texts/1
written_by: nobody
calls:
- id: g-1
  agent: A1
  customer: K1
  facts: {direction: outbound}
  started_at: "2026-10-01T09:00:00+08:00"
  about:
  - {criterion: coercion, side: over, why: made up}
  turns:
  - "坐席：您好。"
  - "客户：不要：真的。"
- id: g-2
  agent: A2
  customer: K2
  turns:
  - "坐席：您好。"
  - "客户：好。"
"""


def a_label(call: str = "g-1", rater: str = "r1", **more: object) -> dict[str, object]:
    said = {"judgements": {"coercion": {"occurrences": 1}}, "rest": {"answer": "no"}, **more}
    base = {"schema": "callgrade.label/1", "call": call, "rubric": "misconduct@v1", "rater": rater}
    return {**base, "rater_kind": "model", "blind": True, **said}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "texts").mkdir()
    (tmp_path / "labels").mkdir()
    (tmp_path / "manifest.yaml").write_text(MANIFEST, "utf-8")
    (tmp_path / "texts" / "a.yaml").write_text(TEXTS, "utf-8")
    return tmp_path


def write_labels(folder: Path, *labels: object) -> None:
    lines = [label if isinstance(label, str) else json.dumps(label, ensure_ascii=False) for label in labels]
    (folder / "labels" / "r.jsonl").write_text("\n".join(lines), "utf-8")


def faults(folder: Path) -> str:
    with pytest.raises(GoldenSetError) as raised:
        golden.load(folder)
    return str(raised.value)


def edit(folder: Path, before: str, after: str, name: str = "texts/a.yaml") -> None:
    text = (folder / name).read_text("utf-8")
    assert before in text
    (folder / name).write_text(text.replace(before, after), "utf-8")


def test_a_call_is_read_with_its_turns_its_side_and_what_its_author_had_in_mind(folder):
    write_labels(folder, a_label(), "", a_label(rater="r2", quotes={"coercion": ["不要：真的。"]}))
    found = golden.load(folder)
    call = found.calls[0]
    assert (call.id, call.split, call.synthetic, call.written_by) == ("g-1", "train", True, "nobody")
    assert [(turn.speaker, turn.text) for turn in call.transcript.turns] == [
        ("agent", "您好。"),
        ("customer", "不要：真的。"),
    ]
    assert call.about[0].side == "over"
    assert call.transcript.facts == {"direction": "outbound"}
    assert found.calls[1].split == "dev"
    assert [label.rater for label in found.labels] == ["r1", "r2"]
    assert found.labels[0].said_of("coercion") == {"occurrences": 1}
    assert found.labels[0].said_of("other") == {"answer": "no"}


def test_the_digest_is_of_everything_and_of_nothing_else(folder):
    before = golden.digest(golden.load(folder))
    assert before == golden.digest(golden.load(folder))
    write_labels(folder, a_label())
    labelled = golden.digest(golden.load(folder))
    edit(folder, "真的。", "真的！")
    assert len({before, labelled, golden.digest(golden.load(folder))}) == 3


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("  agent: A2\n", "  agent: A9\n", "a.yaml:15: error: calls[g-2].agent: agent A9 stands on no split"),
        ("- id: g-2", "- id: g-1", "a.yaml:14: error: calls[1].id: the id g-1 stands twice"),
        ("客户：好。", "顾客：好。", "a.yaml:19: error: calls[g-2].turns[1]: no turn"),
        ("side: over", "side: above", "a.yaml:10: error: calls[g-1].about[0].side: must be 'over' or 'under'"),
        ("customer: K2", "custumer: K2", "a.yaml:16: error: calls[g-2].custumer: unknown field 'custumer'"),
        ('"2026-10-01T09:00:00+08:00"', '"2026-10-01"', "a.yaml:8: error: calls[g-1].started_at"),
        ("customer: K2", "customer: K1", "customer K1 stands on two splits"),
        ("written_by: nobody\n", "", "the field 'written_by' is missing"),
    ],
)
def test_a_fault_in_a_text_is_named_at_its_line(folder, before, after, told):
    edit(folder, before, after)
    assert told in faults(folder)


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (["{"], "r.jsonl:1: error: is no JSON"),
        ([a_label(), {**a_label(rater="r2"), "schema": "callgrade.label/2"}], "r.jsonl:2: error: schema"),
        ([{key: value for key, value in a_label().items() if key != "schema"}], "r.jsonl:1: error: has no schema"),
        ([a_label("g-9")], "r.jsonl:1: error: there is no call 'g-9'"),
        ([a_label(), a_label()], "r.jsonl:2: error: r1 labelled g-1 by misconduct@v1 before"),
        ([a_label(blnd=True)], "r.jsonl:1: error: blnd: unknown field 'blnd' (did you mean 'blind'?)"),
        ([a_label(kind="adjudicated")], "r.jsonl:1: error: g-1 is adjudicated, but has 0 rating(s)"),
        (
            [a_label(), a_label(rater="r2"), a_label(kind="adjudicated")],
            "r.jsonl:3: error: r1 rated g-1 and adjudicates it",
        ),
    ],
)
def test_a_fault_in_a_label_is_named_at_its_line(folder, labels, told):
    write_labels(folder, *labels)
    assert told in faults(folder)


def test_a_fault_quotes_nothing_of_a_call(folder):
    edit(folder, "客户：好。", "顾客：机密。")
    write_labels(folder, a_label("g-9", quotes={"coercion": ["机密的话"]}))
    assert "机密" not in faults(folder)


def test_an_agent_placed_twice_is_a_fault(folder):
    edit(folder, "dev: [A2]", "dev: [A2, A1]", "manifest.yaml")
    assert "manifest.yaml:6: error: agent A1 is placed twice" in faults(folder)


def test_a_label_survives_being_written_and_read():
    label = Label.model_validate({key: value for key, value in a_label().items() if key != "schema"})
    (again,), wrong = parse_labels(written(label), "x")
    assert (again.label, wrong) == (label, [])


def test_new_agents_are_drawn_and_nobody_who_is_placed_moves(folder):
    edit(folder, "  agent: A2\n", "  agent: A9\n")
    drawn = golden.drawn(folder)
    assert drawn.side("A1") == "train"
    assert drawn.side("A9") in ("dev", "holdout")
    edit(folder, "customer: K2", "customer: K1")
    assert golden.drawn(folder).side("A9") == "train", "they share a customer with one who stands there"


def test_agents_who_share_a_customer_over_two_sides_are_named(folder):
    edit(folder, "customer: K2", "customer: K1")
    with pytest.raises(GoldenSetError, match="A1, A2 share customers and stand on dev and train"):
        golden.drawn(folder)


# what ships

SHIPPED = golden.load()


def test_everybody_stands_on_one_side_and_the_recorded_calls_in_train():
    assert (
        astride([(call.agent, call.customer) for call in SHIPPED.calls], [call.split for call in SHIPPED.calls]) == []
    )
    recorded = {sample.id for sample in golden.sample_calls()}
    assert len(recorded) == 8
    assert {call.split for call in SHIPPED.calls if call.id in recorded} == {"train"}


def test_everything_is_synthetic_and_says_who_wrote_it():
    assert SHIPPED.synthetic
    assert all(call.synthetic and call.written_by for call in SHIPPED.calls)


def test_the_shares_are_about_what_they_should_be():
    count = Counter(call.split for call in SHIPPED.calls)
    total = len(SHIPPED.calls)
    for split, share in {"train": 0.4, "dev": 0.3, "holdout": 0.3}.items():
        assert abs(count[split] / total - share) < 0.05, count


def test_nobody_has_moved_since_the_splits_were_drawn():
    splits = golden.drawn()
    assert {split: " ".join(getattr(splits, split)) for split in ("train", "dev", "holdout")} == {
        "train": "G03 G04 G07 G08 G09 G16 G21 G22 G24 G25 G26",
        "dev": "G01 G02 G11 G12 G17 G19 G20 G27",
        "holdout": "G05 G06 G10 G13 G14 G15 G18 G23 G28",
    }
