"""Strict YAML with places."""

import json
import string
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callgrade.catalog.resources import resource_folder
from callgrade.catalog.yaml_source import (
    MAX_BYTES,
    MAX_DEPTH,
    Node,
    _read_carefully,
    _read_quickly,
    parse_yaml,
    read_yaml,
)


def messages(text: str) -> list[str]:
    return [fault.message for fault in parse_yaml(text, "x.yaml").faults]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("Off", "Off"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-3", -3),
        ("0.5", 0.5),
        ("1e3", 1000.0),
        ('"12"', "12"),
        ("'true'", "true"),
        ("2026-11-01", "2026-11-01"),
        ("12:30", "12:30"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("!!str 5", "5"),
    ],
)
def test_scalars_follow_the_core_schema_of_yaml_1_2(written, value):
    data = parse_yaml(f"a: {written}\n", "x.yaml").data
    assert data == {"a": value}
    assert type(data["a"]) is type(value)


def test_keys_are_words():
    assert parse_yaml("yes: 1\nno: 2\n3: x\ntrue: y\n", "x.yaml").data == {"yes": 1, "no": 2, "3": "x", "true": "y"}


def test_every_duplicate_key_is_a_fault_with_both_lines():
    file = parse_yaml("a: 1\nb:\n  c: 1\n  c: 2\na: 2\n", "x.yaml")
    assert [(f.line, f.message) for f in file.faults] == [
        (4, "the key 'c' stands twice in the same mapping (first in line 3)"),
        (5, "the key 'a' stands twice in the same mapping (first in line 1)"),
    ]
    assert file.data == {"a": 1, "b": {"c": 1}}


def test_places_of_keys_items_and_of_what_is_missing():
    file = parse_yaml("a:\n  - b: 1\n    c: 2\n  - [x, y]\n", "x.yaml")
    assert file.place(("a",)) == (1, 1)
    assert file.place(("a", 0)) == (2, 5)
    assert file.place(("a", 0, "c")) == (3, 5)
    assert file.place(("a", 1, 1)) == (4, 9)
    assert file.place(("a", 0, "missing", "deeper")) == (2, 5)
    assert file.place(("a", 9)) == (1, 1)


def test_the_first_line_may_be_elsewhere_as_in_front_matter():
    file = parse_yaml("a: 1\na: 2\n", "x.md", first_line=2)
    assert file.place(("a",)) == (2, 1)
    assert file.faults[0].line == 3


def test_a_syntax_error_names_its_line():
    file = parse_yaml("a: 1\nb: [1, 2\nc: 3\n", "x.yaml")
    assert file.root is None
    assert len(file.faults) == 1
    assert file.faults[0].line == 3
    assert str(file.faults[0]).startswith("x.yaml:3: error: ")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("# only a comment\n", "is empty"),
        ("a: 1\n---\nb: 2\n", "second document"),
        ("a: !!python/object x\n", "the tag"),
        ("a: !custom 1\n", "the tag"),
        ("base: &b {x: 1}\nc:\n  <<: *b\n", "merge keys"),
        ("? [a, b]\n: 1\n", "a key must be a word"),
        ("a: *nowhere\n", "alias *nowhere"),
        ("a: &a [*a]\n", "alias *a"),
        ("a: .nan\n", "not a finite number"),
        ("a: -.inf\n", "not a finite number"),
        ("a: 1e999\n", "not a finite number"),
        ('a: "\\ud800"\n', "surrogate"),
        ("a: \x07\n", "remove what is not plain text"),
        ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "nested deeper"),
    ],
)
def test_what_is_refused(text, says):
    found = parse_yaml(text, "x.yaml").faults
    assert len(found) == 1
    assert says in str(found[0])


def test_aliases_are_read_and_may_not_blow_up():
    assert parse_yaml("a: &x {k: 1}\nb: *x\n", "x.yaml").data == {"a": {"k": 1}, "b": {"k": 1}}
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    assert "once its aliases are expanded" in messages("\n".join(lines))[0]
    deep = ["a0: &a0 [x]"] + [f"a{i}: &a{i} [[[*a{i - 1}]]]" for i in range(1, 30)]
    assert "once its aliases are expanded" in messages("\n".join(deep))[0]


def test_files_that_cannot_be_read(tmp_path):
    missing = read_yaml(tmp_path / "no.yaml")
    assert "cannot be read" in missing.faults[0].message
    (tmp_path / "gbk.yaml").write_bytes("a: 1\nb: 语速\n".encode("gbk"))
    fault = read_yaml(tmp_path / "gbk.yaml").faults[0]
    assert (fault.line, fault.suggestion) == (2, "save the file as UTF-8")
    (tmp_path / "big.yaml").write_bytes(b"a: " + b"x" * MAX_BYTES)
    assert "larger than" in read_yaml(tmp_path / "big.yaml").faults[0].message
    assert "cannot be read" in read_yaml(tmp_path).faults[0].message


def test_a_byte_order_mark_is_no_text(tmp_path):
    (tmp_path / "bom.yaml").write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert read_yaml(tmp_path / "bom.yaml").data == {"a": 1}


SYNTAX = st.text(st.sampled_from("abc:-?&*!|>[]{}'\"#%@`,\n \t\\0.~<=_" + "语，"), max_size=80)


@given(st.one_of(SYNTAX, st.text(max_size=60), st.text(string.printable, max_size=60)))
def test_no_text_raises_and_nothing_unreadable_is_silent(text):
    file = parse_yaml(text, "x.yaml")
    assert file.root is not None or file.faults
    file.place(("a", 0, "b"))


TEXT = st.text(st.characters(max_codepoint=0xD7FF), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_json_is_yaml(value):
    file = parse_yaml(json.dumps(value), "x.yaml")
    assert not file.faults
    assert file.data == value


SHIPPED = sorted(resource_folder("rubrics").rglob("*.yaml"))


def places(node: Node) -> object:
    """What may be shown to people: where keys and items stand. Nobody is told where nothing stands."""
    if isinstance(node.value, dict):
        return [(key, place, places(node.value[key])) for key, place in node.keys.items()]
    if isinstance(node.value, list):
        return [(None if item.value is None else (item.line, item.column), places(item)) for item in node.value]
    return None


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_what_ships_is_read_quickly_and_as_the_careful_parser_reads_it(path):
    text = path.read_text("utf-8")
    quick, careful = _read_quickly(text, "x", 1), _read_carefully(text, "x", 1)
    assert quick is not None
    assert not careful.faults
    assert quick.data == careful.data
    assert places(quick.root) == places(careful.root)


SPACES = ("\n", "\n  ", "\n    ", "\r\n", "\r", "\t", "\u2028", "\ufeff", "\xa0", "\u3000")
MARKS = ("b: ", "- ", ": ", "? ", "#", " #", "[", "]", "{", "}", ",", '"', "'", "|", "|-\n", ">\n  ", "&x ", "*x", "%")
WORDS = ("a", "---\n", "\\", "\\/", "您好", "：", "@", "`", "1", "~", "true", "<<: ", ":", "😀", "0x1")
PIECES = st.lists(st.sampled_from((*SPACES, *MARKS, *WORDS)), max_size=14).map("".join)


@given(st.one_of(SYNTAX, PIECES))
def test_what_is_read_quickly_is_read_as_the_careful_parser_reads_it(text):
    quick, careful = _read_quickly(text, "x", 1), _read_carefully(text, "x", 1)
    if quick is not None:
        assert not careful.faults
        assert quick.data == careful.data
        assert places(quick.root) == places(careful.root)


def test_without_libyaml_everything_is_read_carefully(monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml.cyaml", None)
    assert _read_quickly("a: 1\n", "x", 1) is None
    assert parse_yaml("a: 1\n", "x").data == {"a": 1}
