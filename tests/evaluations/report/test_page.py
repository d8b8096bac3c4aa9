"""What stands on the page, and where."""

import json
from itertools import pairwise

import pytest

from callgrade.domain.calls import Transcript
from callgrade.domain.judgements import Judgement
from callgrade.domain.scorecards import score
from callgrade.evaluations.report import render_html
from tests.domain.forms import answer, deduct, rubric
from tests.evaluations.report.dom import Node, parse
from tests.evaluations.report.pages import DIGEST, RUBRIC, scorecard, tone_wav, transcript

CALL = transcript()
CARD = scorecard(CALL)


@pytest.fixture(scope="module")
def zh() -> Node:
    return parse(render_html(CARD, CALL, RUBRIC, language="zh", synthetic=True))


@pytest.fixture(scope="module")
def en() -> Node:
    return parse(render_html(CARD, CALL, RUBRIC, language="en"))


@pytest.fixture(scope="module")
def heard(tmp_path_factory) -> Node:
    recording = tone_wav(tmp_path_factory.mktemp("sound") / "hum.wav")
    return parse(render_html(CARD, CALL, RUBRIC, language="zh", recording=recording))


def words(node: Node) -> str:
    return " ".join(node.text.split())


def card(page: Node, criterion: str) -> Node:
    """The card of a criterion; the page numbers them in the order of the sections."""
    ids = [c.id for s in RUBRIC.sections for c in RUBRIC.criteria if c.section == s.id]
    ids += [c.id for c in RUBRIC.criteria if c.section is None]
    return page.by_id(f"c{ids.index(criterion) + 1}")


class TestHead:
    def test_call_rubric_and_version(self, zh):
        assert zh.one("h1").text == CALL.call_id
        assert "外呼销售质检表（样例）" in words(zh.by_id("summary"))
        assert "outbound-sales-sample@v3" in words(zh.by_id("summary"))
        assert zh.one("html")["lang"] == "zh-CN"

    def test_what_is_known_comes_first_and_an_open_total_is_an_interval(self, zh):
        labels = [node.text for node in zh.one("dl", "figures").all("dt")]
        assert labels == ["已评", "总分", "结论", "等级", "关键项得分"]
        values = [words(node) for node in zh.one("dl", "figures").all("span", "value")]
        total = CARD.total
        assert total is not None
        assert total.value is None
        assert values[1] == f"{total.low:g}–{total.high:g} / 100"
        assert values[2] == "✗ 不合格"
        assert values[3] == "待改进"
        assert "及格线 60 · 有一票否决的违规" in words(zh.one("dl", "figures"))

    def test_violations_and_flags_in_words(self, zh, en):
        violation, flags = zh.all("div", "notice")
        assert "以先试用、免费诱导开通 红线 · 整通判为不合格" in words(violation)
        assert violation.all("a")[0]["href"] == "#" + card(zh, "free-trial")["id"]
        assert "有引文在转写中查无原话" in words(flags)
        assert "A quote was not found in the transcript" in words(en.all("div", "notice")[1])

    def test_synthetic_data_says_so_and_real_data_does_not(self, zh, en):
        assert words(zh.one("p", "synthetic")).startswith("合成数据")
        assert not en.all("p", "synthetic")


class TestCards:
    def test_every_criterion_has_one_in_file_order_under_its_section(self, zh):
        titles = [words(node.one("div", "card-head")) for node in zh.all("article")]
        assert len(titles) == len(RUBRIC.criteria)
        assert titles[0].startswith("1 开场问候并报工号")
        sections = [words(node) for node in zh.all("div", "section")]
        assert [text.split()[0] for text in sections] == ["开场与核实", "业务合规", "服务态度", "规则线索", "其他"]
        assert sections[0].endswith("25 / 25")
        assert "不合格" in sections[1]

    @pytest.mark.parametrize(
        ("criterion", "verdict", "points", "facts"),
        [
            ("greeting", "✓ 达标", "10 / 10", "规则 结果 是"),
            ("identity", "✓ 达标", "15 / 15", "模型 关键项 结果 是 置信度 95%"),
            ("fee-clear", "! 部分达标", "7 / 15", "模型 关键项 结果 只讲清一部分 置信度 71%"),
            ("promise", "✗ 不达标", "−30", "模型 结果 2 处，其中情节严重 1 处 置信度 91% 扣分项"),
            ("free-trial", "✗ 已发现", None, "规则 关键项 结果 1 处 违规项 · 红线 · 整通判为不合格"),
            ("consent", "? 无法评判", "– / 10", "模型"),
            ("needs", "✗ 不达标", "1 / 5", "模型 结果 1 / 5 置信度 64%"),
            ("pressure", "? 评判失败", "–", "模型 扣分项"),
            ("tone", "? 待人工", "– / 5", "人工"),
            ("silence", "✓ 达标", "5 / 5", "语音 结果 是"),
            ("fillers", "! 部分达标", "−2", "模型 结果 2 种 置信度 55% 扣分项"),
            ("heard-reassurance", "! 已发现", None, "规则 结果 1 处 违规项 · 线索 · 只作标记"),
            ("dispute", "✓ 未发现", None, "模型 结果 0 处 置信度 99% 违规项 · 二级 · 按“被拒绝后强推”计一次"),
            ("apology", "– 不适用", None, "模型"),
            ("praise", "– 无加分", "0", "模型 结果 否 置信度 97% 加分项"),
        ],
    )
    def test_verdict_points_method_and_outcome(self, zh, criterion, verdict, points, facts):
        shown = card(zh, criterion)
        assert words(shown.one("span", "pill")) == verdict
        assert [words(node) for node in shown.all("span", "points")] == ([points] if points else [])
        assert words(shown.one("p", "card-facts")) == facts

    @pytest.mark.parametrize(
        ("criterion", "zh_reason", "en_reason"),
        [
            ("tone", "待人工：这一项只能由人评判", "Awaiting a person: only people can judge this one"),
            ("apology", "按通话事实，这一项不适用", "Excluded by the call's facts"),
            (
                "pressure",
                "模型超时（稍后重试可能成功）",
                "the model did not answer in time (trying again later may help)",
            ),
            ("promise", "对费用作了绝对化承诺，客户追问后仍然坚持。", "对费用作了绝对化承诺，客户追问后仍然坚持。"),
        ],
    )
    def test_reasons(self, zh, en, criterion, zh_reason, en_reason):
        assert card(zh, criterion).one("p", "reason").text == zh_reason
        assert card(en, criterion).one("p", "reason").text == en_reason

    def test_no_model_is_said_in_words(self):
        form = rubric(answer("warm", 5))
        made = score(
            form,
            {"warm": Judgement(criterion_id="warm", status="cannot_assess", method="llm", reason="no_model")},
            {},
        )
        page = parse(render_html(made, CALL, form, language="zh"))
        assert page.by_id("c1").one("p", "reason").text.startswith("未配置模型")

    def test_a_title_without_translation_names_its_language(self, en):
        title = card(en, "needs").one("h4")
        assert title.one("span")["lang"] == "zh"
        assert not card(en, "tone").one("h4").all("span")

    def test_guidance_folds_away_and_is_left_out_where_there_is_none(self, zh):
        assert "证件后四位" in card(zh, "identity").one("details").text
        assert not card(zh, "tone").all("details")


class TestQuotes:
    def test_a_quote_names_its_moment_and_leads_to_its_turn(self, zh):
        first, second = card(zh, "promise").all("a", "quote")
        assert words(first) == "0:25.7 坐席 一分钱都不用花"
        assert (first["href"], first["data-ms"]) == ("#t6", "25728")
        assert second["href"] == "#t8"
        assert zh.by_id("t8").classes == ["turn", "agent"]

    def test_what_differs_only_in_writing_says_so(self, zh):
        assert "仅写法不同" in words(card(zh, "identity").one("ul", "quotes"))

    def test_unfounded_quotes_are_shown_as_such_with_why_and_lead_nowhere(self, zh):
        invented, short = card(zh, "consent").all("li", "unfounded")
        assert words(invented) == "✗ 证据未核实 我同意开通这个会员业务 转写中没有这句话"
        assert words(short) == "✗ 证据未核实 好 太短，不足为证"
        assert not card(zh, "consent").all("a")

    def test_the_words_are_marked_in_the_turn_and_lead_back(self, zh):
        _, quote = card(zh, "promise").all("a", "quote")
        marks = [m for m in zh.by_id("t8").all("mark") if quote["data-quote"] in m["data-quotes"].split()]
        assert "".join(mark.text for mark in marks) == "肯定不会扣费"
        back = next(a for a in zh.by_id("t8").all("a", "cited") if a["href"] == "#c4")
        assert card(zh, "promise")["id"] == "c4"
        assert back["aria-label"] == "第 4 项的证据：虚假或绝对化承诺"

    def test_overlapping_quotes_are_all_marked(self, zh):
        marks = zh.by_id("t6").all("mark")
        assert [mark.text for mark in marks] == ["先试用不满意随时取消，", "一分钱都不用花"]
        assert ["several" in mark.classes for mark in marks] == [False, True]
        assert [a["href"] for a in zh.by_id("t6").all("a", "cited")] == ["#c4", "#c5"]


class TestTranscript:
    def test_every_turn_word_for_word(self, zh):
        for number, turn in enumerate(CALL.turns):
            line = zh.by_id(f"t{number}")
            notes = "".join(node.text for node in line.one("p", "words").all("a", "cited"))
            assert len(line.one("p", "words").text) == len(turn.text) + len(notes)
            spoken = [n for n in line.one("p", "words").all("bdi") if n.parent is not None and n.parent.tag != "a"]
            assert "".join(node.text for node in spoken) == turn.text

    def test_speakers_times_emotions_silences_and_doubts(self, zh):
        assert words(zh.by_id("t5")).startswith("0:20.9 客户 真的不要钱吗")
        assert words(zh.by_id("t5").one("span", "emotion")) == "情绪 惊讶"
        assert not zh.by_id("t4").all("span", "emotion")
        assert zh.by_id("t10").one("p", "silence").text == "静默 3.1 秒"
        assert "".join(node.text for node in zh.by_id("t3").all("span", "unsure")) == "六零五八"

    def test_a_chat_without_times_and_an_empty_call(self):
        chat = Transcript.model_validate(
            {"call_id": "chat", "turns": [{"speaker": "unknown", "text": "在吗", "emotion": "很激动"}]}
        )
        form = rubric(answer("warm", 5))
        page = parse(render_html(score(form, {}, {}), chat, form, language="en"))
        assert words(page.by_id("t0")) == "#1 Unknown 在吗 Emotion 很激动"
        empty = parse(render_html(score(form, {}, {}), chat.model_copy(update={"turns": ()}), form, language="en"))
        assert "There are no turns to show." in words(empty.by_id("transcript"))

    def test_evidence_that_points_beyond_the_transcript_breaks_nothing(self):
        beyond = {"quote": "在吗", "grounding": "exact", "turn": 70, "speaker": "agent", "start": 0, "end": 2}
        made = {"outcome": {"answer": "no"}, "evidence": [beyond]}
        form = rubric(answer("warm", 5))
        fields = {"criterion_id": "warm", "status": "judged", "method": "llm", **made}
        page = parse(
            render_html(score(form, {"warm": Judgement.model_validate(fields)}, {}), CALL, form, language="zh")
        )
        assert page.by_id("c1").all("li", "unfounded")
        assert not page.by_id("transcript").all("mark")


class TestPlayer:
    def test_the_recording_the_waves_and_a_pin_for_each_quote(self, heard):
        player = heard.by_id("player")
        assert player.one("audio")["src"].startswith("data:audio/wav;base64,")
        assert "controls" in player.one("audio").attributes
        assert len(player.all("svg", "channel")) == 2
        assert len(player.all("svg", "bad")) == len({25728, 31282, 23306, 15539})
        assert player.by_id("length").text == "0:42.0"

    def test_without_recording_there_is_no_player(self, zh):
        assert not [node for node in zh.walk() if node.attributes.get("id") == "player"]
        assert not zh.all("span", "play-sign")

    def test_a_recording_left_out_says_why(self, tmp_path):
        page = parse(render_html(CARD, CALL, RUBRIC, language="zh", recording=tmp_path / "gone.wav"))
        assert page.one("p", "left-out").text == "找不到录音；文字不受影响。"
        (tmp_path / "a.amr").write_bytes(b"#!AMR\n")
        page = parse(render_html(CARD, CALL, RUBRIC, language="en", recording=tmp_path / "a.amr"))
        assert "Browsers cannot play" in page.one("p", "left-out").text

    def test_the_channels_take_the_colours_of_who_speaks_on_them(self, tmp_path):
        turns = [
            {"speaker": "customer" if second % 2 == 0 else "agent", "text": "嗯", "start_ms": second * 1000 + 50,
             "end_ms": second * 1000 + 950}
            for second in range(6)
        ]  # fmt: skip
        call = Transcript.model_validate({"call_id": "a", "turns": turns})
        form = rubric(answer("warm", 5))
        recording = tone_wav(tmp_path / "hum.wav", 6.0)
        page = parse(render_html(score(form, {}, {}), call, form, language="zh", recording=recording))
        assert [node.classes[1] for node in page.all("svg", "channel")] == ["customer", "agent"]
        nobody = call.model_copy(update={"turns": ()})
        page = parse(render_html(score(form, {}, {}), nobody, form, language="zh", recording=recording))
        assert [node.classes[1] for node in page.all("svg", "channel")] == ["other", "other"]


class TestProvenance:
    def test_ids_versions_digests_and_costs(self, zh):
        rows = {row.one("th").text: row.one("td").text for row in zh.one("table").all("tr")}
        assert rows["评分表"] == f"outbound-sales-sample@v3 {DIGEST}"
        assert rows["提示词"].startswith("id: judge · version: v1")
        assert rows["词元"] == "输入 1874 · 其中缓存 1024 · 输出 402"
        assert "发布组合" not in rows


class TestForms:
    def test_a_form_without_sections_total_or_lines(self):
        form = rubric(deduct("rude", 5), total=None)
        page = parse(render_html(score(form, {}, {}), CALL, form, language="en"))
        values = [words(node) for node in page.one("dl", "figures").all("dd")]
        assert values == ["0% of the criteria are settled", "– This form counts; it has no total", "– No pass line"]
        assert [node.tag for node in page.by_id("c1").one("div", "card-head").all("h3")] == ["h3"]
        assert not page.all("div", "section")

    def test_sections_inside_sections(self):
        sections = [{"id": "outer"}, {"id": "inner", "parent": "outer"}, {"id": "after"}]
        form = rubric(
            answer("a", 5, section="inner"), answer("b", 5, section="after"), answer("c", 5, section="outer"),
            sections=sections,
        )  # fmt: skip
        page = parse(render_html(score(form, {}, {}), CALL, form, language="zh"))
        headings = [(node.tag, node.text) for node in page.walk() if node.text in ("outer", "inner", "after")]
        assert [h for h in headings if h[0][0] == "h"] == [("h3", "outer"), ("h4", "inner"), ("h3", "after")]
        assert [words(node.one("div", "card-head")).split()[1] for node in page.all("article")] == ["c", "a", "b"]


class TestTheWholePage:
    def test_ids_are_unique_and_every_link_leads_somewhere(self, heard):
        ids = [node["id"] for node in heard.walk() if "id" in node.attributes]
        assert len(ids) == len(set(ids))
        links = [node["href"] for node in heard.all("a")]
        assert links
        assert {link.removeprefix("#") for link in links} <= set(ids)

    def test_headings_step_down_one_at_a_time(self, zh):
        levels = [int(node.tag[1]) for node in zh.walk() if node.tag in ("h1", "h2", "h3", "h4", "h5", "h6")]
        assert levels[0] == 1
        assert all(later - earlier <= 1 for earlier, later in pairwise(levels))

    def test_the_english_page_holds_no_chinese_of_ours(self, en):
        brought = [RUBRIC.model_dump(mode="json"), CALL.model_dump(mode="json"), CARD.model_dump(mode="json")]
        brought_text = json.dumps(brought, ensure_ascii=False)
        chinese = {c for c in en.text if "\u3400" <= c <= "\u9fff"}
        assert chinese <= set(brought_text)
        labels = [value or "" for node in en.walk() for name, value in node.attributes.items() if name == "aria-label"]
        assert not [label for label in labels if any("\u3400" <= c <= "\u9fff" for c in label.split(": ")[0])]

    def test_the_same_input_makes_the_same_page(self):
        pages = {render_html(CARD, CALL, RUBRIC, language="zh") for _ in range(2)}
        assert len(pages) == 1
