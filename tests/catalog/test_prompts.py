"""Prompt files: strict variables, faults with lines, digests, versions."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callgrade.catalog.prompts import (
    Template,
    diff_prompts,
    find_prompt,
    lint_prompt,
    list_prompts,
    load_prompt,
    read_prompt,
)
from callgrade.domain.errors import NotFoundError, PromptError

FRONT = """---
schema: callgrade.prompt/1
id: judge
version: v1
title: {zh: 评, en: Judge}
variables: [rubric, transcript]
---
"""
BLOCKS = "## system zh\n按标准：\n{{ rubric }}\n## user zh\n{{transcript}}\n"


def write(folder: Path, text: str, name: str = "judge/v1.md") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def faults(path: Path) -> list[tuple[int, str]]:
    return [(fault.line, str(fault)) for fault in lint_prompt(path)]


def test_the_shipped_prompts_are_sound() -> None:
    assert {prompt.reference for prompt in list_prompts()} >= {"judge@v1", "repair@v1"}
    for prompt in list_prompts():
        assert lint_prompt(find_prompt(prompt.reference)) == ()
        assert prompt.title.zh
        assert prompt.title.en
        names = {key.split()[0] for key in prompt.blocks}
        assert set(prompt.blocks) == {f"{name} {language}" for name in names for language in ("zh", "en")}


def test_a_prompt_is_read(tmp_path: Path) -> None:
    prompt = read_prompt(write(tmp_path, FRONT + BLOCKS))
    assert prompt.blocks == {"system zh": "按标准：\n{{ rubric }}", "user zh": "{{transcript}}"}
    assert prompt.status == "draft"
    assert prompt.template("system", "en").render({"rubric": "一"}) == "按标准：\n一"
    with pytest.raises(PromptError, match="no block `## repair zh`"):
        prompt.template("repair", "zh")


def test_windows_line_ends_change_nothing(tmp_path: Path) -> None:
    unix = read_prompt(write(tmp_path, FRONT + BLOCKS))
    path = tmp_path / "judge" / "v1.md"
    path.write_bytes(b"\xef\xbb\xbf" + (FRONT + BLOCKS).replace("\n", "\r\n").encode())
    assert read_prompt(path).digest == unix.digest


def test_the_digest_is_of_what_a_model_is_told(tmp_path: Path) -> None:
    digest = read_prompt(write(tmp_path, FRONT + BLOCKS)).digest
    assert digest.startswith("sha256:")
    published = FRONT.replace("title: {zh: 评", "status: published\n# a note\ntitle: {zh: 判")
    assert read_prompt(write(tmp_path, published + BLOCKS)).digest == digest
    assert read_prompt(write(tmp_path, FRONT + BLOCKS.replace("按", "照"))).digest != digest


@given(st.text(), st.text())
def test_values_are_never_looked_into(rubric: str, transcript: str) -> None:
    template = Template("A{{ rubric }}B{{transcript}}C{{ rubric }}")
    assert template.render({"rubric": rubric, "transcript": transcript}) == f"A{rubric}B{transcript}C{rubric}"


@pytest.mark.parametrize("value", ["{{ transcript }}", "{% if x %}", "{{7*7}}", "$transcript", "{transcript}", "%s"])
def test_a_value_that_looks_like_a_variable_stays_what_it_is(value: str) -> None:
    assert Template("{{ rubric }}|{{ transcript }}").render({"rubric": value, "transcript": "t"}) == f"{value}|t"


@pytest.mark.parametrize(
    ("values", "said"), [({}, "missing rubric"), ({"rubric": "", "call_id": ""}, "unknown call_id")]
)
def test_variables_are_strict(values: dict[str, str], said: str) -> None:
    with pytest.raises(PromptError, match=said):
        Template("{{ rubric }}").render(values)


@pytest.mark.parametrize(
    "source", ["{{ rubric | upper }}", "{% for x in y %}", "{{ Rubric }}", "{# note #}", "a }} b", "{{"]
)
def test_a_template_has_variables_and_nothing_else(source: str) -> None:
    with pytest.raises(PromptError, match="not a variable"):
        Template(source)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (FRONT + BLOCKS.replace("rubric", "rubrik"), 8, "unknown variable 'rubrik' (did you mean 'rubric'?)"),
        (FRONT + "## system zh\n{{ rubric }}\n", 6, "'transcript' is declared and never used"),
        (FRONT + BLOCKS + "## user zh\n{{ transcript }}\n", 13, "the block 'user zh' stands twice"),
        (FRONT + BLOCKS + "## extra en\n\n", 13, "the block 'extra en' is empty"),
        (FRONT + BLOCKS + "## extra en\n{% if x %}\n", 13, "'{%' is not a variable"),
        (FRONT + "hello\n" + BLOCKS, 8, "text before the first heading"),
        (FRONT.replace("title:", "titel:") + BLOCKS, 5, "did you mean 'title'?"),
        (FRONT.replace("v1", "first") + BLOCKS, 4, "version"),
        (FRONT.replace("id: judge", "id: judge\nid: judge") + BLOCKS, 4, "stands twice"),
        (FRONT.replace("id: judge", "id: other") + BLOCKS, 3, "is 'other', but the file's path says 'judge'"),
        (FRONT.replace("id: judge", "id: [") + BLOCKS, 5, "while parsing"),
        (BLOCKS, 1, "has no front matter"),
        (FRONT, 1, "blocks"),
        ("---\n- a\n---\n" + BLOCKS, 2, "not a mapping"),
        ("", 1, "has no front matter"),
    ],
)
def test_faults_say_where_and_how_to_mend_them(text: str, line: int, said: str, tmp_path: Path) -> None:
    path = write(tmp_path, text)
    found = faults(path)
    assert any(said in message and message.startswith(f"{path}:{at}:") and at == line for at, message in found), found
    with pytest.raises(PromptError, match="fault"):
        read_prompt(path)


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    path = write(tmp_path, FRONT + "## system zh\n{{ a }} {{ b }}\n")
    assert len(faults(path)) == 4


def test_unreadable_files(tmp_path: Path) -> None:
    path = tmp_path / "v1.md"
    assert "cannot be read" in faults(path)[0][1]
    path.write_bytes(b"\xff\xfe")
    assert "not UTF-8" in faults(path)[0][1]


def test_references() -> None:
    assert load_prompt("judge").reference == load_prompt("judge@v1").reference
    with pytest.raises(NotFoundError, match="did you mean 'judge@v1'"):
        load_prompt("juge@v1")
    for wrong in ("judge@v99", "../judge", "judge@1", "", "no/such.md"):
        with pytest.raises(NotFoundError):
            load_prompt(wrong)


def test_the_newest_version_is_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("v2", "v10", "v9"):
        write(tmp_path, (FRONT + BLOCKS).replace("version: v1", f"version: {version}"), f"judge/{version}.md")
    monkeypatch.setattr("callgrade.catalog.prompts.resource_folder", lambda kind: tmp_path)
    assert find_prompt("judge").stem == "v10"
    assert [prompt.version for prompt in list_prompts()] == ["v2", "v9", "v10"]
    assert "-version: v2\n+version: v9\n" in diff_prompts("judge@v2", "judge@v9")
    assert diff_prompts("judge@v2", "judge@v2") == ""
