"""`rubric list`, `show` and `diff` as people read them. The pages were written by hand from the rubric above them."""

import json
import re
from pathlib import Path

import pytest

from callgrade.catalog import list_rubrics
from callgrade.catalog.diff import diff_rubrics
from callgrade.catalog.rubrics import digest, load_rubric, resolved_json
from callgrade.cli.render_rubric_diff import show_diff
from callgrade.cli.rubric_markdown import escaped, markdown
from callgrade.evaluations.rubric_page import make_page
from callgrade.evaluations.rubric_page.say import plain
from tests.catalog.everything import everything, with_one_changed

RUBRIC = """\
schema: callgrade.rubric/1
id: small
version: v1
title: {zh: 小表, en: Small form}
source: {document: source.txt, heading: 考核}
source_notes: [甲。 / One.]
applies_when: {direction: [outbound]}
total: {start: 0, max: 30, floor: 0, pass_line: 20, grades: [{id: a, at_least: 25, title: {zh: 优, en: good}}]}
sections:
  - {id: words, title: {zh: 用语, en: Words}, max: 10, floor: 0}
  - {id: care, title: {zh: 关怀, en: Care}, max: 20}
criteria:
  - id: forbidden
    section: words
    title: {zh: 服务禁语, en: Forbidden words}
    guidance: {zh: 按话轮计。, en: Counted by turns.}
    judge: rules
    scale: {kind: deduct, points: 2.5, free: 1, cap: 10, aggravated: 2}
    rule: {find: {lists: [bad]}, after: {side: customer, find: {phrases: [不要]}, at_least: 3}}
  - id: empathy
    section: care
    title: {zh: 同理心, en: Empathy}
    guidance: {zh: 接住情绪。, en: Answers the feeling.}
    judge: llm
    not_applicable: full
    critical: true
    scale:
      kind: levels
      levels:
        - {id: full, points: 20, title: {zh: 先回应情绪, en: feeling first}}
        - {id: none, points: 0, title: {zh: 不回应, en: not at all}}
  - id: leak
    title: {zh: 泄露资料, en: Data leak}
    guidance: {zh: 见工单。, en: See the work order.}
    judge: human
    when: {complaint: [true]}
    scale: {kind: violation, severity: level-1, effect: fail_call}
"""
LIST = "schema: callgrade.phrases/1\nid: bad\ntitle: {zh: 禁语, en: Bad}\nphrases: [不知道, 自己看]\n"

PAGE_ZH = """\
小表
版本        small@v1（草稿）
来源        source.txt · 考核
适用于      方向（direction）为呼出（outbound）
评分项      3 项（规则 1 · 模型 1 · 人工 1）
总分        满分 30，起始 0，最低 0，各部分相加
可能的总分  0 至 30
及格线      20 分
等级        优（a）：不低于 25 分
摘要        DIGEST

▌ 用语  满分 10 · 起始 10（从满分扣起） · 最低 0
   1 服务禁语                                              每次扣 2.5 分，前 1 个不扣，情节严重 ×2，至多扣 10 分
     按话轮计。
     forbidden · 规则评判 · 看坐席的话 · 须有引文 · 不适用则不计
     规则  找：词表 bad
           在此之后：客户第 3 次说到词句“不要”
           按话轮计

▌ 关怀  满分 20
   2 同理心                                                                                             分档 20 / 0 分
       20 分：先回应情绪（full）
       0 分：不回应（none）
     接住情绪。
     empathy · 关键项 · 模型评判 · 看坐席的话 · 须有引文 · 不适用则不失分

▌ 未分部分
   3 泄露资料                                                                               违规（一级）：整通判为不合格
     见工单。
     leak · 人工评判 · 看坐席的话 · 须有引文 · 不适用则不计
     仅当  投诉（complaint）为是（true）

▌ 词表
  bad  词句“不知道”“自己看”

▌ 来源说明
  · 甲。 / One.
"""
MARKDOWN_EN = """\
# Small form

- **Version** small@v1 (draft)
- **Source** source.txt · 考核
- **Meant for** direction is outbound
- **Criteria** 3 criteria (Rules 1 · Model 1 · Person 1)
- **Total** max 30, start 0, floor 0, parts are added
- **Possible totals** 0 to 30
- **Pass line** 20
- **Grades**
  - good (a): from 25
- **Digest** DIGEST

## Overview

| No. | Section | Criterion | Points | Judged by |
|--:|---|---|---|---|
| 1 | Words | Forbidden words | 2.5 off per occurrence, first 1 free, aggravated ×2, at most 10 off | judged by rules |
| 2 | Care | Empathy | levels of 20 / 0 | judged by a model |
| 3 |  | Data leak | violation (level 1): the call fails | judged by people |

## Words `words`

max 10 · start 10 (deducted from the maximum) · floor 0

**1\\. Forbidden words** · 2.5 off per occurrence, first 1 free, aggravated ×2, at most 10 off

Counted by turns.

- `forbidden` · judged by rules · agent's words · quote required · if not applicable, left out
- **Rule**
  - find: lists bad
  - after this: customer says, time no. 3: phrases “不要”
  - turns are counted

## Care `care`

max 20

**2\\. Empathy** · levels of 20 / 0

- 20: feeling first (full)
- 0: not at all (none)

Answers the feeling.

- `empathy` · critical · judged by a model · agent's words · quote required · if not applicable, nothing is lost

## In no section

**3\\. Data leak** · violation (level 1): the call fails

See the work order.

- `leak` · judged by people · agent's words · quote required · if not applicable, left out
- **Only when** complaint is true

## Phrase lists

- **bad** phrases “不知道”, “自己看”

## Notes on the source

- 甲。 / One.
"""


@pytest.fixture
def small(tmp_path) -> Path:
    path = tmp_path / "small" / "v1.yaml"
    path.parent.mkdir()
    path.write_text(RUBRIC, "utf-8")
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "bad.yaml").write_text(LIST, "utf-8")
    return path


class TestShow:
    def test_the_page(self, run, small):
        status, out, err = run("rubric", "show", small)
        assert (status, err) == (0, "")
        assert squeezed(out) == squeezed(PAGE_ZH.replace("DIGEST", digest(load_rubric(small))))

    def test_points_stand_at_the_right_edge(self, run, small):
        lines = run("rubric", "show", small)[1].splitlines()
        (line,) = [line for line in lines if line.endswith("分档 20 / 0 分")]
        assert line.startswith("   2 同理心  ")
        assert width(line) == 120

    def test_the_page_as_markdown(self, run, small):
        status, out, _ = run("rubric", "show", small, "--markdown", language="en")
        assert status == 0
        assert out == MARKDOWN_EN.replace("DIGEST", digest(load_rubric(small)))

    @pytest.mark.parametrize("language", ["zh", "en"])
    def test_markdown_says_all_that_the_page_says(self, language):
        text, page = markdown(everything(), language), make_page(everything(), language)
        chapters = [line for chapter in page.chapters for line in (*chapter.facts, *chapter.lines)]
        items = [line for item in page.items.values() for line in item.everything]
        for line in (*page.lines, *chapters, *items):
            assert all(escaped(part) in text for part in (line.text, *line.below)), line

    def test_json_is_as_before(self, run, small):
        assert json.loads(run("rubric", "show", small, "--json")[1]) == resolved_json(load_rubric(small))

    def test_one_form_at_a_time(self, run, small):
        status, out, err = run("rubric", "show", small, "--json", "--markdown")
        assert (status, out) == (2, "")
        assert "not both" in err

    @pytest.mark.parametrize("language", ["zh", "en"])
    def test_whatever_a_rubric_says_is_on_its_page(self, language):
        """Each leaf in turn is changed, and the page must not stay the same (but for texts in the other language)."""
        other = {"zh": "en", "en": "zh"}[language]
        before = everything()
        page = _without_digest(make_page(before, language))
        silent = [
            way
            for way, after in with_one_changed(resolved_json(before))
            if way[-1] != other and _without_digest(make_page(after, language)) == page
        ]
        assert silent == []

    @pytest.mark.parametrize("language", ["zh", "en"])
    def test_a_page_borrows_no_words_of_the_other_language(self, language):
        page = repr(make_page(everything(), language))
        foreign = ("甲wait", "指引", "优", "录音") if language == "en" else ("About", "Guidance", "good", "Recordings")
        assert not [word for word in foreign if word in page]

    @pytest.mark.parametrize("entry", list_rubrics(), ids=lambda entry: entry.id)
    def test_every_shipped_criterion_is_there_in_order_with_its_number(self, entry, run):
        rubric = load_rubric(entry.path)
        for language in ("zh", "en"):
            items = list(make_page(rubric, language).items.values())
            assert [item.id for item in items] == [criterion.id for criterion in rubric.criteria]
            assert [item.number for item in items] == list(range(1, len(items) + 1))
            assert all(item.title and item.scale.text and item.guidance for item in items)


def _without_digest(page):
    return page._replace(lines=tuple(line for line in page.lines if line.about != "digest"))


def squeezed(text: str) -> str:
    """Without the blanks that bring points to the right edge: where that is has its own test."""
    return re.sub(r"(?<=\S)  +(?=\S)", "  ", text)


def width(line: str) -> int:
    return sum(2 if ord(character) > 0x2E80 else 1 for character in line)


class TestSections:
    def test_inner_ones_stand_below_outer_ones_and_broken_runs_are_continued(self):
        form = everything()
        titles = [(chapter.depth, chapter.id, len(chapter.items)) for chapter in make_page(form, "zh").sections]
        assert titles == [(1, "all", 0), (2, "words", 2), (1, "care", 3), (1, "", 4)]
        mixed = form.model_copy(update={"criteria": (*form.criteria[:1], form.criteria[2], form.criteria[1])})
        chapters = make_page(mixed.model_copy(update={"programme": None}), "zh").sections
        assert [chapter.title for chapter in chapters] == ["全部", "用语", "关怀", "用语（续）"]
        assert chapters[3].facts == ()

    def test_one_without_criteria_is_not_forgotten(self):
        form = everything()
        bare = form.model_copy(update={"criteria": form.criteria[-1:]})
        assert [chapter.id for chapter in make_page(bare, "en").sections] == ["", "all", "words", "care"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a_b*c", r"a\_b\*c"),
        ("| x | `y`", r"\| x \| \`y\`"),
        ("1. eins", r"1\. eins"),
        ("2) zwei", r"2\) zwei"),
        ("- minus", r"\- minus"),
        ("# h <b> [l](u) &amp;", r"\# h \<b\> \[l\](u) \&amp;"),
        ("两\n行", "两 行"),
        ("3.5 分 10", "3.5 分 10"),
    ],
)
def test_markdown_shows_a_text_as_it_is(text, shown):
    assert escaped(text) == shown


@pytest.mark.parametrize(
    ("number", "text"), [(10, "10"), (0, "0"), (-2, "−2"), (0.5, "0.5"), (-0.0, "0"), (1e-3, "0.001"), (100.0, "100")]
)
def test_a_number_is_written_as_people_write_it(number, text):
    assert plain(number) == text


class TestList:
    def test_two_lines_a_rubric(self, run):
        status, out, _ = run("rubric", "list")
        lines = out.splitlines()
        place = next(i for i, line in enumerate(lines) if line.startswith("monitoring-sheet-40@v1"))
        assert status == 0
        assert re.fullmatch(
            r"monitoring-sheet-40@v1 +(草稿|已发布) +zh en +14 项 +满分 40 +规则 \d+ · 模型 \d+ · 人工 \d+",
            lines[place],
        )
        assert lines[place + 1] == "    电话录音监听评分标准  004_8f81431cfd2c5d41.txt 电话录音监听评分标准"

    def test_every_shipped_rubric_with_its_facts(self, run):
        rows = {row["id"]: row for row in json.loads(run("rubric", "list", "--json")[1])}
        assert rows.keys() == {entry.id for entry in list_rubrics()}
        for id_, row in rows.items():
            rubric = load_rubric(id_)
            assert row["languages"] == ["zh", "en"], id_
            assert row["criteria"] == sum(row["judges"].values()) == len(rubric.criteria), id_
            assert row["sources"], id_
            assert (row["points"] is None) == (rubric.total is None), id_
        sheet = rows["monitoring-sheet-40"]
        assert (sheet["points"], sheet["combine"], sheet["criteria"]) == (40.0, "sum", 14)
        assert "path" not in sheet

    def test_what_only_counts_and_what_is_averaged_is_said(self, run):
        out = run("rubric", "list", language="en")[1]
        assert re.search(r"^telesales-misconduct@v1 .* counts only ", out, re.M)
        assert re.search(r"^likert-assessment@v1 .* mean of 5 ", out, re.M)
        assert re.search(r"^outbound-sales-qa@v1 .* max 100 ", out, re.M)

    def test_a_broken_file_and_one_in_one_language(self, run, small, tmp_path, monkeypatch):
        root = tmp_path / "shipped"
        for id_, text in (
            ("bad", "a: ["),
            ("worse", "schema: callgrade.rubric/1\nid: worse\ncriteria: []\n"),
            ("small", RUBRIC.replace(", en: Empathy", "")),
        ):
            path = root / "rubrics" / id_ / "v1.yaml"
            path.parent.mkdir(parents=True)
            path.write_text(text, "utf-8")
        monkeypatch.setattr("callgrade.catalog.rubrics.resource_folder", lambda kind: root / kind)
        lines = run("rubric", "list")[1].splitlines()
        assert [line.split() for line in lines if not line.startswith(" ")] == [
            ["bad@v1", "有误，不能读取"],
            ["small@v1", "草稿", "zh", "3", "项", "满分", "30", "规则", "1", "·", "模型", "1", "·", "人工", "1"],
            ["worse@v1", "有误，不能读取"],
        ]


LATER = (
    RUBRIC.replace("version: v1", "version: v2")
    .replace("max: 30, floor: 0, pass_line: 20", "max: 30, pass_line: 24")
    .replace("max: 10, floor: 0", "max: 10")
    .replace("服务禁语", "服务忌语")
    .replace("en: Counted by turns.", "en: Counted by the turns of the agent.")
    .replace("points: 2.5, free: 1, cap: 10", "points: 2.5, free: 1")
    .replace("judge: human", "judge: llm")
    .replace("points: 20, title: {zh: 先回应情绪", "points: 20, title: {zh: 先接住情绪")
    .replace("find: {phrases: [不要]}, at_least: 3", "find: {phrases: [不要]}, at_least: 2")
)
# the words' section has no floor any more and the deduction no cap, so nothing bounds the total from below
DIFF_ZH = """\
− small@v1  小表  草稿  OLD
+ small@v2  小表  草稿  NEW

可能的总分  0 至 30 → 不设下限，至多 30
用语        0 至 10 → 不设下限，至多 10
评分项：新增 0，删除 0，改动 3，未动 0

▌ 总表
  总分    满分 30，起始 0，[-最低 0-]{+不设下限+}，各部分相加
  及格线  20 分 → 24 分

▌ 部分
  ~ words  用语
    最低  0 → 不设下限

▌ 评分项
  ~ forbidden  1. 服务忌语
    标题（中文）      服务禁语 → 服务忌语
    评分标准（英文）  Counted by {+the +}turns{+ of the agent+}.
    计分              每次扣 2.5 分，前 1 个不扣，情节严重 ×2[-，至多扣 10 分-]
    规则              在此之后：客户第 [-3-]{+2+} 次说到词句“不要”
  ~ empathy  2. 同理心
    计分（中文）  levels[full].title 先回应情绪 → 先接住情绪
  ~ leak  3. 泄露资料
    评判  人工评判 → 模型评判

▌ 词表
  ~ bad  用于 forbidden
    词句  − 自己看  + 随便你
"""


class TestDiff:
    @pytest.fixture
    def later(self, small, tmp_path) -> Path:
        path = tmp_path / "later" / "small" / "v2.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(LATER, "utf-8")
        (tmp_path / "later" / "lists").mkdir()
        (tmp_path / "later" / "lists" / "bad.yaml").write_text(LIST.replace("自己看", "随便你"), "utf-8")
        return path

    def test_the_page(self, run, small, later):
        status, out, err = run("rubric", "diff", small, later)
        old, new = (digest(load_rubric(path))[: len("sha256:") + 12] for path in (small, later))
        assert (status, err) == (0, "")
        assert out == DIFF_ZH.replace("OLD", old).replace("NEW", new)

    def test_json(self, run, small, later):
        found = json.loads(run("rubric", "diff", small, later, "--json")[1])
        assert found == diff_rubrics(load_rubric(small), load_rubric(later)).model_dump(mode="json")
        assert found["total"]["before"] == {"low": 0.0, "high": 30.0, "max": 30.0}
        assert found["total"]["after"] == {"low": None, "high": 30.0, "max": 30.0}
        assert found["same_content"] is False
        assert {"judge", "points", "rule", "wording", "limits", "pass_line", "words"} <= {
            change["aspect"] for change in found["changes"]
        }

    def test_the_same_is_said_to_be_the_same(self, run, small, tmp_path):
        assert run("rubric", "diff", small, small)[1].splitlines()[2:] == ["内容相同，摘要一致"]
        published = tmp_path / "small" / "published.yaml"
        published.write_text(RUBRIC + "status: published\n", "utf-8")
        first, second, said = run("rubric", "diff", small, published, language="en")[1].splitlines()
        assert "draft" in first
        assert "published" in second
        assert said == "the same content, one digest"

    def test_added_and_removed_ones_are_shown_whole(self, run, small, tmp_path):
        shorter = tmp_path / "small" / "shorter.yaml"
        text = RUBRIC[: RUBRIC.index("  - id: leak")].replace("small", "shorter")
        shorter.write_text(text, "utf-8")
        out = run("rubric", "diff", small, shorter)[1]
        assert "评分项：新增 0，删除 1，改动 0，未动 2" in out
        assert "  − leak  3. 泄露资料" in out
        assert "    见工单。" in out
        out = run("rubric", "diff", shorter, small)[1]
        assert "评分项：新增 1，删除 0，改动 0，未动 2" in out
        assert "  + leak  3. 泄露资料" in out

    def test_two_quite_different_ones(self, run):
        status, out, _ = run("rubric", "diff", "telesales-misconduct", "monitoring-sheet-40")
        assert status == 0
        assert re.search("^可能的总分 +只计数 → 0 至 40$", out, re.M)

    def test_an_unknown_one(self, run, small):
        status, out, err = run("rubric", "diff", small, "no-such-thing")
        assert (status, out) == (2, "")
        assert "no-such-thing" in err

    @pytest.mark.parametrize("language", ["zh", "en"])
    def test_no_change_is_hidden(self, language, capsys):
        """Each leaf in turn is changed; beside the head, something must be printed of it."""
        before = everything()
        hidden = []
        for way, after in with_one_changed(resolved_json(before)):
            if way[0] in ("id", "version", "status"):
                continue
            show_diff(diff_rubrics(before, after), before, after, language)
            body = capsys.readouterr().out.partition("▌")[2]
            if not re.search(r" → |\[-|\{\+|− |\+ |was |原名 |order|次序", body):
                hidden.append(way)
        assert hidden == []
