"""Sampling without a browser: plans by form, drawings, their tables, and handing out."""

import csv
import io
import re
from html import unescape

import pytest
from sqlmodel import select

from callgrade.catalog import load_rubric
from callgrade.catalog.rubrics import digest, resolved_json
from callgrade.db.tables import Review, RubricVersion, SampledCall, SamplingPlan, SamplingRun
from callgrade.domain.plans import Plan, plan_of
from callgrade.domain.programme import Sampling
from callgrade.web.plan_forms import PlanForm, PlanFormError, QuotaForm, form_of, plan_from
from callgrade.web.plan_words import (
    always_in_words,
    manner_in_words,
    period_in_words,
    quotas_in_words,
    stratum_in_words,
)
from callgrade.web.words import words_in
from tests.api.made import OTHER_RUBRIC
from tests.web.publishing import person
from tests.web.reviewing import call, review

MINIMUM = {
    "rubric": OTHER_RUBRIC,
    "name": "月度抽检",
    "unit": "year",
    "first_day": "1",
    "q0.title": "",
    "red_lines": "on",
}


def fields_of(page):
    """What a browser would send of the form as it stands."""
    form = page.split('class="plan-form"')[1].split("</form>")[0]
    told = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if re.search(r'type="(checkbox|radio)"', tag) and " checked" not in tag:
            continue
        told.setdefault(name[1], []).append(unescape(value[1]) if value else "on")
    for name, options in re.findall(r'<select[^>]*name="([^"]*)">(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        told[name] = [chosen[1] if chosen else ""]
    return told


def rows(rooms, table):
    with rooms.desk.database.reading() as session:
        return session.exec(select(table)).all()


@pytest.fixture
def lead(rooms):
    return rooms.browser("qa_lead")


def made(rooms, lead, **fields):
    answer = lead.post("/sampling", data={**MINIMUM, "do": "save", **fields})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def test_a_plan_begins_with_what_the_rubric_says_of_itself(rooms, lead):
    shipped = load_rubric("insurance-telesales")
    with rooms.desk.database.writing() as session:
        told = {"id": shipped.id, "version": shipped.version, "status": shipped.status, "origin": "shipped"}
        session.add(RubricVersion(**told, content=resolved_json(shipped), digest=digest(shipped)))
    page = lead.get("/sampling/new?rubric=insurance-telesales").text
    sent = fields_of(page)
    assert (sent["first_day"], sent["unit"]) == (["21"], ["month"])
    assert [sent[f"q{n}.per_agent"] for n in range(4)] == [["3"], ["1"], ["3"], ["2"]]
    assert (sent["q0.kind"], sent["q0.instead_kind"], sent["q0.who"]) == (["closed"], ["unclosed"], ["rank=tsr"])
    saved = lead.post("/sampling", data={**sent, "do": "save"})
    assert saved.status_code == 303
    (row,) = rows(rooms, SamplingPlan)
    told = plan_of(shipped)
    # nothing of the programme is lost on the way, but that it is a lead's: their teams
    assert Plan.model_validate(row.spec) == told.model_copy(update={"teams": ("sales-2",)})
    shown = lead.get(saved.headers["location"]).text
    assert "每位坐席 3 通（成交, rank=tsr），不足时以未成交补足" in shown
    assert "每月（21 日至次月 20 日）" in shown


def test_a_plan_of_every_kind_reads_as_it_was_written(rooms, lead):
    location = made(
        rooms, lead, unit="month", first_day="21",
        **{"q0.share": "10", "q0.kind": "closed", "q0.instead_kind": "unclosed", "q0.calls": "direction=outbound"},
        **{"q1.title": "", "q1.confidence": "95", "q2.title": "", "q2.in_all": "30"},
        margin="4", below_confidence="60", flags=["violation", "incomplete"], topic="退款，投诉", agents="8031, 8032",
        unusual="on", double="10", blind="on", due_days="0", hand_out="pool",
    )  # fmt: skip
    page = unescape(lead.get(location).text)
    for told in (
        "通话的 10%（成交, direction=outbound），不足时以未成交补足", "按 95% 置信水平、误差 ±4% 所需的数量",
        "合计至少 30 通", "每月（21 日至次月 20 日）", "红线", "置信度低于 60%", "提到：退款, 投诉",
        "重点坐席：8031, 8032", "时长异常", "放入公共池", "当日完成", "盲评", "其中 10% 由第二人盲评", "限班组 sales-2",
    ):  # fmt: skip
        assert told in page
    # and the form brings it all back
    again = lead.post(f"{location}", data={**fields_of(lead.get(f"{location}/edit").text), "do": "save"})
    assert again.status_code == 303
    first, second = sorted(rows(rooms, SamplingPlan), key=lambda row: row.id)
    assert second.spec == first.spec
    assert (second.follows, first.retired_at is None) == (first.id, False)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"q0.share": "0"}, "请填大于 0、不超过 100 的百分数"),
        ({"q0.share": "ten"}, "请填大于 0、不超过 100 的百分数"),
        ({"q0.per_agent": "-3"}, "请填 1 以上的整数"),
        ({"q0.per_agent": "3", "q0.calls": "direction"}, "条件写法如"),
        ({"first_day": "31", "q0.in_all": "1"}, "请填 1 以上的整数"),
        ({"unit": "decade", "q0.in_all": "1"}, "请选择周期"),
        ({"red_lines": None}, "请填写抽取什么"),
        ({"name": " "}, "请填写名称"),
        ({"name": "x" * 201}, "200"),
        ({"rubric": "none"}, "请选择评分表"),
        ({"due_days": "400"}, "请填整数"),
    ],
)
def test_what_cannot_be_comes_back_with_what_was_typed(rooms, lead, fields, told):
    sent = {
        name: value for name, value in {**MINIMUM, "topic": "", **fields, "do": "save"}.items() if value is not None
    }
    answer = lead.post("/sampling", data=sent)
    assert answer.status_code == 422
    assert told in answer.text
    assert rows(rooms, SamplingPlan) == []
    for name, value in fields.items():
        if name.startswith("q0") and value:
            assert f'value="{value}"' in answer.text


def test_another_quota_is_offered_and_nothing_is_lost(rooms, lead):
    page = lead.post("/sampling", data={**MINIMUM, "q0.share": "10", "do": "another"}).text
    sent = fields_of(page)
    assert sent["q0.share"] == ["10"]
    assert sent["q1.share"] == [""]
    assert sent["name"] == [MINIMUM["name"]]


def test_the_size_of_a_sample_is_shown_before_anything_is_drawn(rooms, lead):
    for number in range(6):
        call(rooms, call_id=f"C-{number}")
    page = lead.post("/sampling", data={**MINIMUM, "q0.confidence": "95", "margin": "30", "do": "outlook"}).text
    assert "从 6 通中抽取 5 通" in page
    assert "实际并未抽取" in page
    assert rows(rooms, SamplingRun) == []


def test_drawing_now_draws_hands_out_and_says_how_likely_each_was(rooms, lead):
    evaluations = [call(rooms, call_id=f"C-{number}")[0] for number in range(4)]
    reviewer = person(rooms, "reviewer", "li")
    location = made(rooms, lead, **{"q0.share": "50"})
    drawn = lead.post(f"{location}/drawings")
    assert drawn.status_code == 303
    page = lead.get(drawn.headers["location"]).text
    assert page.count("50.0%") == 2
    assert "li" in page
    assert {row.reviewer_id for row in rows(rooms, Review)} == {reviewer.user_id}
    assert {row.evaluation_id for row in rows(rooms, SampledCall)} <= {one.id for one in evaluations}
    again = lead.get(lead.post(f"{location}/drawings").headers["location"])
    assert "没有抽到通话" in again.text
    listed = lead.get("/sampling").text
    assert "从 4 通中抽取 0 通" in listed


def test_a_drawing_is_taken_along_as_a_table(rooms, lead):
    for number in range(2):
        call(rooms, call_id=f"=C-{number}")
    location = made(rooms, lead, **{"q0.share": "100"})
    run = lead.post(f"{location}/drawings").headers["location"]
    answer = lead.get(f"{run}/calls.csv")
    assert answer.content.startswith("\ufeff".encode())
    table = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["通话"] for row in table] == ["'=C-0", "'=C-1"] or [row["通话"] for row in table] == ["'=C-1", "'=C-0"]
    assert {(row["入样概率"], row["理由"], row["评审"]) for row in table} == {("1", "抽样", "待评")}
    other = rows(rooms, SamplingPlan)[0].id
    assert lead.get(f"/sampling/{other}/drawings/{'0' * 32}").status_code == 404


def test_a_lead_neither_changes_nor_retires_a_plan_for_more_than_their_teams(rooms, lead):
    admin = rooms.browser("admin")
    location = made(rooms, admin)
    page = lead.get(location).text
    assert "停用计划" not in page
    assert lead.post(f"{location}/retirement").status_code == 403
    assert lead.post(location, data={**MINIMUM, "do": "save"}).status_code == 403
    assert admin.post(f"{location}/retirement").status_code == 303
    assert "月度抽检" not in admin.get("/sampling").text
    assert "已停用" in admin.get("/sampling?retired=1").text
    assert admin.post(f"{location}/drawings").status_code == 409


def test_only_planners_come_here(rooms):
    for role in ("agent", "reviewer"):
        browser = rooms.browser(role)
        for path in ("/sampling", "/sampling/new", "/sampling/reviews"):
            assert browser.get(path).status_code == 403


def test_reviews_are_given_on_and_withdrawn(rooms, lead):
    one, two, three = (call(rooms, call_id=f"C-{number}")[0] for number in range(3))
    li, wang = person(rooms, "reviewer", "li"), person(rooms, "reviewer", "wang")
    ids = [review(rooms, it, reviewer_id=li.user_id) for it in (one, two)]
    # wang has the other review of the third: it stays
    review(rooms, three, slot=1, reviewer_id=wang.user_id)
    stays = review(rooms, three, reviewer_id=li.user_id)
    page = lead.get("/sampling/reviews").text
    assert page.count('name="review"') == 4
    given = lead.post("/sampling/reviews", data={"review": [*ids, stays], "do": "assign", "to": wang.user_id})
    assert given.status_code == 303
    told = lead.get("/sampling/reviews").text
    assert "已改派 2 条评审" in told
    assert "另有 1 条未变" in told
    owners = {row.id: row.reviewer_id for row in rows(rooms, Review)}
    assert [owners[id_] for id_ in (*ids, stays)] == [wang.user_id, wang.user_id, li.user_id]
    lead.post("/sampling/reviews", data={"review": ids[0], "do": "assign", "to": "pool"})
    lead.post("/sampling/reviews", data={"review": ids[1], "do": "withdraw"})
    states = {row.id: (row.state, row.reviewer_id) for row in rows(rooms, Review)}
    assert states[ids[0]] == ("open", None)
    assert states[ids[1]][0] == "withdrawn"
    for data, told in (({"do": "withdraw"}, "请至少选择一条评审"), ({"do": "assign", "review": ids}, "请选择改派给谁")):
        assert lead.post("/sampling/reviews", data=data).status_code == 303
        assert told in lead.get("/sampling/reviews").text


def test_blind_reviews_tell_nothing_here_either(rooms, lead):
    made_, _ = call(rooms)
    review(rooms, made_, blind=True, why="red_line")
    page = lead.get("/sampling/reviews").text.split("<tbody>")[1]
    assert "红线" not in page
    assert "抽样" in page


@pytest.mark.parametrize("rubric", ["outbound-sales-qa", "hotline-400", "insurance-telesales", "power-hotline"])
def test_every_programme_comes_back_from_its_form(rubric):
    told = plan_of(load_rubric(rubric))
    for language in ("zh", "en"):
        again = plan_from(form_of(told, "x", rubric, language))
        assert again.period == told.period
        assert [_whenever(quota) for quota in again.quotas] == [_whenever(quota) for quota in told.quotas]


def _whenever(quota):
    """A project has no end of its own: a plan draws its quotas once a period."""
    return quota.model_copy(update={"every": ()})


def test_conditions_keep_their_kinds():
    quota = Sampling.model_validate({"in_all": 1, "calls": {"tries": (3, "3"), "complaint": (True,), "queue": ("a",)}})
    form = form_of(Plan(quotas=(quota,)), "x", "y", "zh")
    assert form.quotas[0].calls == 'tries=3, "3"; complaint=true; queue=a'
    assert plan_from(form).quotas[0].calls == quota.calls


def test_a_plan_without_anything_is_none():
    with pytest.raises(PlanFormError) as raised:
        plan_from(PlanForm(quotas=(QuotaForm(),), red_lines=False))
    assert set(raised.value.faults) == {"quotas"}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("quota 2 agent:8031", "第 2 项 · 坐席 8031"),
        ("每月 3 通 agent:8031", "每月 3 通 · 坐席 8031"),
        ("quota 1 all", "第 1 项 · 全部"),
        ("agent:a b", "坐席 a b"),
        ("all", "全部"),
        ("long calls", "时长过长"),
        ("anything", "anything"),
    ],
)
def test_strata_read_in_the_readers_words(name, told):
    assert stratum_in_words(name, words_in("zh", "Asia/Shanghai")) == told


def test_plans_read_in_english_too():
    words = words_in("en", "Asia/Shanghai")
    plan = plan_of(load_rubric("insurance-telesales"))
    assert period_in_words(plan.period, words) == "every month, from day 21 to day 20"
    assert quotas_in_words(plan, words)[1] == "a call of each agent (unclosed, rank=tsr)"
    assert always_in_words(plan, words) == ["red lines"]
    assert manner_in_words(plan, words) == ["to whoever has the least to do", "due within 3 days"]
