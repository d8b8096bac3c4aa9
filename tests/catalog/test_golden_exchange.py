"""What is carried away comes back as it was, and no cell is a formula."""

import csv
import io
import json
from datetime import UTC

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callgrade.catalog import golden
from callgrade.catalog.golden_exchange import COLUMNS, from_csv, from_jsonl, to_csv, to_jsonl
from callgrade.domain.errors import GoldenSetError
from callgrade.domain.golden import GoldenCall, Label

WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12) | st.sampled_from(
    ["=1+1", "'=1", "+86", "-", "@x", "\t=1", "＝1", "'", "a\nb", "a\r\nb", '"', ",", "您好"]
)
IDS = st.sampled_from(["warm", "clear", "bait"])
OUTCOMES = st.sampled_from([{"answer": "yes"}, {"occurrences": 2, "aggravated": 1}]) | WORDS.map(
    lambda words: {"status": "cannot_assess", "reason": words}
)
LABELS = st.builds(
    Label,
    call=st.sampled_from(["C-1", "=cmd()", "'x", "c,\n"]),
    rubric=st.just("sales@v1"),
    rater=st.sampled_from(["user:1", "=2", "李"]),
    rater_kind=st.sampled_from(["person", "model"]),
    kind=st.sampled_from(["rating", "adjudicated"]),
    blind=st.booleans(),
    at=st.none() | st.datetimes(timezones=st.just(UTC)),
    judgements=st.dictionaries(IDS, OUTCOMES),
    rest=st.none() | OUTCOMES,
    quotes=st.dictionaries(IDS, st.lists(WORDS, min_size=1, max_size=2).map(tuple)),
    note=WORDS,
)


def who(label: Label) -> tuple[object, ...]:
    return (label.call, label.rater, label.rater_kind, label.kind, label.blind, label.at, label.note)


@given(st.lists(LABELS, max_size=4, unique_by=who))
@settings(deadline=None, max_examples=150)
def test_labels_come_back_from_csv_and_no_cell_begins_like_a_formula(labels):
    raw = to_csv(labels)
    assert from_csv(raw, "x.csv") == labels
    for row in csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")):
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")) for cell in row)


@given(st.lists(LABELS, max_size=4))
@settings(deadline=None, max_examples=100)
def test_labels_come_back_from_json_lines(labels):
    assert from_jsonl("\n".join(to_jsonl([], labels)), "x.jsonl") == ([], labels)


def test_the_shipped_set_comes_back_whole():
    found = golden.load()
    text = "\n".join(to_jsonl(found.calls, found.labels))
    assert from_jsonl(text, "x.jsonl") == (list(found.calls), list(found.labels))
    assert from_csv(to_csv(found.labels), "x.csv") == list(found.labels)


def a_call() -> dict[str, object]:
    return json.loads(next(to_jsonl(golden.load().calls[:1], [])))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "x.jsonl:2: error: is no JSON"),
        (json.dumps({**a_call(), "split": "test"}), "x.jsonl:2: error: split: literal error"),
        (json.dumps({**a_call(), "speaker": "x"}), "x.jsonl:2: error: speaker: extra forbidden"),
        ('{"schema": "callgrade.label/1"}', "x.jsonl:2: error: the field 'call' is missing"),
        ('{"call": "x"}', "x.jsonl:2: error: has no schema"),
    ],
)
def test_a_fault_in_a_line_is_named_and_quotes_nothing(line, told):
    secret = json.dumps({**a_call(), "written_by": 3, "about": "他姓欧阳"}, ensure_ascii=False)
    with pytest.raises(GoldenSetError) as raised:
        from_jsonl(f"\n{line}\n{secret}", "x.jsonl")
    assert told in str(raised.value)
    assert "x.jsonl:3" in str(raised.value)
    assert "欧阳" not in str(raised.value)


HEAD = ",".join(COLUMNS)
SAID = 'g-1,sales@v1,li,person,rating,yes,,warm,"{""answer"": ""yes""}",,'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("call,rubric\n", "lacks the column(s) rater, rater_kind"),
        (f"{HEAD}\ng-1,sales@v1,li,person,rating,maybe,,warm,{{}},,", "x.csv:2: error: is no label"),
        (f"{HEAD}\ng-1,sales@v1,li,person,rating,yes,,warm,yes,,", "x.csv:2: error: is no label"),
        (f"{HEAD}\ng-1,sales@v1,li,robot,rating,yes,,warm,,,", "x.csv:2: error: rater_kind: must be"),
        (f"{HEAD}\n{SAID}\n{SAID}", "x.csv:3: error: is no label"),
    ],
)
def test_a_fault_in_a_csv_is_named_at_its_line(text, told):
    with pytest.raises(GoldenSetError) as raised:
        from_csv(text.encode(), "x.csv")
    assert told in str(raised.value)


def test_what_is_no_text_is_no_csv():
    with pytest.raises(GoldenSetError, match="no CSV"):
        from_csv(b"\xff\xfe\x00", "x.csv")


def test_a_call_keeps_its_split_and_what_was_meant():
    call = next(call for call in golden.load().calls if call.about)
    ((again,), _) = from_jsonl(next(to_jsonl([call], [])), "x")
    assert isinstance(again, GoldenCall)
    assert (again.split, again.about) == (call.split, call.about)
