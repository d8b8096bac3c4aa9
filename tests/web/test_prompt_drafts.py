"""Writing a prompt's draft in the browser, seeing what it makes of golden calls, and publishing it."""

from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from callgrade.adapters.scripted import ScriptedJudge
from callgrade.calibration.gating import Host
from callgrade.catalog import golden
from callgrade.domain.judgements import Judgement
from callgrade.domain.outcomes import Occurrences
from callgrade.ports import Usage
from callgrade.web.pages import back_tests
from tests.web.browsing import assert_accessible, shot, wait_for
from tests.web.reviewing import call
from tests.web.test_back_tests import digest_in, rows, small, text_in, until

__all__ = ["small"]
RUBRIC = "telesales-misconduct@v1"
AT = "/prompts/judge"
EDIT = ("拿不准填 cannot_assess", "拿不准就判没有")


@pytest.fixture
def lead(rooms):
    return rooms.browser("qa_lead", name="林")


def form(text, expected=0, **more):
    return {"text": text, "expected": str(expected), "based_on": "v1", **more}


def pressed(count):
    outcome = Occurrences(occurrences=count)
    return Judgement(criterion_id="pressure", method="llm", status="judged", outcome=outcome)


@pytest.fixture
def model(monkeypatch, small):
    """A model that finds pressure nowhere, and by any other prompt than the shipped one in the first three calls; and
    costs more by it."""
    names = [one.id for one in golden.load().calls]

    def judges(asking):
        new = asking.prompt is not None and asking.prompt.version != "v1"
        said = {name: [pressed(int(new and at < 3))] for at, name in enumerate(names)}
        judge = ScriptedJudge(said, Usage(requests=1, cost=Decimal("0.02" if new else "0.01")))

        def sample(number):
            @asynccontextmanager
            async def open_():
                yield [judge]

            return open_()

        return sample

    monkeypatch.setattr(back_tests, "host_of", lambda desk, visitor: Host(judges, "made-up-model", 4))
    return names[:3]


def test_a_draft_is_begun_checked_saved_and_closed(lead):
    text = text_in(lead.get(f"{AT}/edit"))
    assert "version: v2" in text
    assert "status: draft" in text
    wrong = lead.post(f"{AT}/edit/lint", data={"text": text.replace("{{ transcript }}", "{{ transscript }}")})
    assert "unknown variable" in wrong.text
    assert "declared and never used" in wrong.text
    assert (
        "is &#39;other&#39;" in lead.post(f"{AT}/edit/lint", data={"text": text.replace("id: judge", "id: other")}).text
    )
    assert "没有问题" in lead.post(f"{AT}/edit/lint", data={"text": text}).text
    assert lead.post(f"{AT}/edit", data=form(text.replace(*EDIT))).status_code == 303
    again = lead.get(f"{AT}/edit")
    assert EDIT[1] in text_in(again)
    stale = lead.post(f"{AT}/edit", data=form("mine"))
    assert (stale.status_code, text_in(stale).strip()) == (409, "mine")
    assert lead.post(f"{AT}/edit/close", data={"expected": "1"}).status_code == 303
    assert EDIT[1] not in lead.get(f"{AT}/edit").text


def test_the_exact_request_is_shown_with_the_drafts_words(rooms, lead):
    _, words = call(rooms)
    text = text_in(lead.get(f"{AT}/edit")).replace(*EDIT)
    told = form(text, on=RUBRIC, call=words.call_id)
    shown = lead.post(f"{AT}/edit/preview", data=told)
    assert EDIT[1] in shown.text
    assert "&lt;call" in shown.text
    assert "先改正" in lead.post(f"{AT}/edit/preview", data={**told, "text": "nothing"}).text
    assert "请填通话编号" in lead.post(f"{AT}/edit/preview", data={**told, "call": ""}).text
    assert lead.post(f"{AT}/edit/preview", data={**told, "call": "none"}).status_code == 404


def saved(lead, prompt="judge"):
    text = text_in(lead.get(f"/prompts/{prompt}/edit")).replace(*EDIT)
    return lead.post(f"/prompts/{prompt}/edit?then=back-test", data=form(text, on=RUBRIC))


def test_what_flips_by_the_new_words_is_shown_and_published(rooms, lead, model):
    assert saved(lead).headers["location"] == f"{AT}/back-test?on={RUBRIC}"
    began = lead.post(f"{AT}/back-tests", data={"on": RUBRIC})
    page = until(lead, began.headers["location"], "草稿改变了什么")
    assert all(f">{name}<" in page.text for name in model)
    assert "+0.0100" in page.text
    lead.post(f"{AT}/gate", data={"on": RUBRIC})
    until(lead, f"{AT}/back-test?on={RUBRIC}", "发布为 v2")
    told = {"digest": digest_in(page), "on": RUBRIC}
    other = lead.get(f"{AT}/back-test?on=service-quality-core")
    assert "在标准通话上试一试" in other.text, "by another rubric it was not tried yet"
    assert lead.post(f"{AT}/publish", data=told).headers["location"] == f"{AT}?version=v2"
    assert [row["version"] for row in rows(rooms, "prompt_version") if row["id"] == "judge"] == ["v1", "v2"]
    assert EDIT[1] in lead.get(f"{AT}?version=v2").text


def test_without_a_model_or_a_rubric_nothing_is_tried(lead, small):
    saved(lead)
    assert lead.post(f"{AT}/back-tests", data={"on": RUBRIC}).status_code == 409
    assert lead.post(f"{AT}/back-tests", data={}).status_code == 422
    assert lead.get(f"{AT}/back-test").headers["location"] == f"{AT}/edit"


def test_in_a_browser(rooms, open_page, model):
    _, words = call(rooms)
    page = open_page(f"{AT}/edit", role="qa_lead")
    assert_accessible(page)
    page.locator("#text").fill(page.locator("#text").input_value().replace(*EDIT))
    page.locator("#on").select_option(RUBRIC)
    page.locator("#call").fill(words.call_id)
    page.get_by_role("button", name="发给模型的内容").click()
    wait_for(page, lambda: page.locator("#preview pre").count() > 0)
    assert_accessible(page)
    shot(page, "prompt-draft", whole=True)
    dark = open_page(f"{AT}/edit", role="qa_lead", dark=True, language="en", width=800)
    assert_accessible(dark)
    shot(dark, "prompt-draft-dark")
