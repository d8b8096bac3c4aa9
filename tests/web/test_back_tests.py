"""A draft on its way from the editor into the registry, as a lead walks it."""

import re
from html import unescape
from time import monotonic, sleep

import pytest

from callgrade.catalog import golden
from callgrade.catalog.golden import load
from callgrade.domain.golden import GoldenSet
from tests.db.rows import everything
from tests.web.browsing import assert_accessible, shot, wait_for
from tests.web.test_drafts import text_in

ID = "telesales-misconduct"
AT = f"/rubrics/{ID}"
EDIT = ("lists: [impatience, forbidden-words]", "lists: [impatience]")
PATIENCE_S = 30


@pytest.fixture
def small(monkeypatch):
    """The first calls of each side of the shipped set, with what was said of them."""
    whole = load()
    some = [call for call in whole.calls if call.split == "dev"][:40]
    some += [call for call in whole.calls if call.split == "holdout"][:6]
    names = {call.id for call in some}
    labels = tuple(label for label in whole.labels if label.call in names)
    cut = GoldenSet(id=whole.id, title=whole.title, synthetic=True, calls=tuple(some), labels=labels)
    monkeypatch.setattr(golden, "load", lambda folder=None: cut)


@pytest.fixture
def lead(rooms, small):
    return rooms.browser("qa_lead", name="林")


def draft(lead, change=EDIT):
    text = text_in(lead.get(f"{AT}/edit")).replace(*change)
    return lead.post(f"{AT}/edit?then=back-test", data={"text": text, "expected": "0", "based_on": "v1"})


def until(lead, path, wanted):
    end = monotonic() + PATIENCE_S
    while wanted not in (page := lead.get(path)).text:
        assert monotonic() < end, page.text[-3000:]
        sleep(0.1)
    return page


def back_tested(lead):
    draft(lead)
    lead.post(f"{AT}/back-tests", data={"set": "shipped"})
    return until(lead, f"{AT}/back-test", "草稿改变了什么")


def digest_in(page):
    return unescape(re.search(r'name="digest" value="([^"]+)"', page.text)[1])


def rows(rooms, table):
    with rooms.desk.database.reading() as session:
        return everything(session)[table]


def test_flips_are_shown_before_anything_can_be_published(rooms, lead):
    saved = draft(lead)
    assert saved.headers["location"] == f"{AT}/back-test"
    before = lead.get(f"{AT}/back-test").text
    assert "在标准通话上试一试" in before
    assert f"{AT}/publish" not in before
    begun = lead.post(f"{AT}/back-tests", data={"set": "shipped"})
    assert begun.status_code == 303
    page = until(lead, f"{AT}/back-test", "草稿改变了什么")
    flipped = re.findall(r'<th scope="row"><code>(?:<[^>]+>)?([a-z0-9-]+)<', page.text)
    assert flipped
    assert len(flipped) == len(set(flipped))
    assert "反问、不耐烦与服务禁语" in page.text
    assert all(f">{name}<" not in page.text for name in holdout_names())


def holdout_names():
    return [call.id for call in golden.load().calls if call.split == "holdout"]


def test_the_gate_decides_in_the_background_and_lets_it_be_published(rooms, lead):
    page = back_tested(lead)
    assert "还可读 20 次" in page.text
    assert lead.post(f"{AT}/gate", data={"set": "shipped"}).status_code == 303
    page = until(lead, f"{AT}/back-test", "发布为 v2")
    assert "数据不足" in page.text
    assert all(f">{name}<" not in page.text for name in holdout_names())
    done = lead.post(f"{AT}/publish", data={"digest": digest_in(page)})
    assert done.headers["location"] == f"{AT}?version=v2"
    assert "已发布" in lead.get(f"{AT}?version=v2").text
    assert [row["version"] for row in rows(rooms, "rubric_version") if row["id"] == ID] == ["v1", "v2"]
    (gate,) = rows(rooms, "gate")
    assert gate["outcome"] == "insufficient_data"
    assert lead.get(f"{AT}/back-test").headers["location"] == f"{AT}/edit", "the draft is closed"
    assert lead.post(f"{AT}/retire", data={"version": "v2"}).status_code == 303
    assert lead.post(f"{AT}/retire", data={"version": "v2"}).status_code == 409
    assert lead.post(f"{AT}/retire", data={"version": "v9"}).status_code == 404


def test_an_override_needs_a_reason_and_the_draft_that_was_looked_at(rooms, lead):
    page = back_tested(lead)
    told = {"digest": digest_in(page), "override": " "}
    assert lead.post(f"{AT}/publish", data=told).status_code == 422
    assert lead.post(f"{AT}/publish", data={"digest": told["digest"]}).status_code == 409
    assert lead.post(f"{AT}/publish", data={"digest": "sha256:other", "override": "词表已核对"}).status_code == 409
    assert lead.post(f"{AT}/publish", data={**told, "override": "词表已核对"}).status_code == 303
    (gate,) = rows(rooms, "gate")
    assert (gate["outcome"], gate["reason"]) == ("overridden", "词表已核对")
    assert gate["details"]["name"] == "林"
    assert rows(rooms, "holdout_reading") == []


def test_a_draft_with_errors_is_not_tried(lead):
    sent = draft(lead, ("criteria:", "criterias:"))
    assert sent.headers["location"] == f"{AT}/edit"
    assert lead.post(f"{AT}/back-tests", data={}).status_code == 422
    assert lead.get(f"{AT}/back-test").headers["location"] == f"{AT}/edit"


def test_whoever_only_reads_publishes_nothing(rooms, small):
    for role in ("reviewer", "agent"):
        browser = rooms.browser(role)
        assert browser.get(f"{AT}/back-test").status_code == 403
        for what in ("back-tests", "gate", "publish", "retire"):
            assert browser.post(f"{AT}/{what}", data={"digest": "x", "version": "v1"}).status_code == 403


def test_the_whole_way_in_a_browser(rooms, small, open_page):
    page = open_page(f"{AT}/edit", role="qa_lead")
    area = page.locator("#text")
    area.fill(area.input_value().replace(*EDIT))
    page.get_by_role("button", name="保存并回测").click()
    assert_accessible(page)
    shot(page, "back-test-begin")
    page.locator(".panel button.primary").click()
    shot(page, "back-test-under-way")
    wait_for(page, lambda: page.locator("#flips").count() == 1)
    assert_accessible(page)
    shot(page, "back-test-flips", whole=True)
    page.get_by_role("button", name="过闸").click()
    wait_for(page, lambda: page.get_by_role("button", name="发布为 v2").count() == 1)
    assert_accessible(page)
    shot(page, "back-test-gate", whole=True)
    dark = open_page(f"{AT}/back-test", role="qa_lead", dark=True, language="en", width=800)
    assert_accessible(dark)
    shot(dark, "back-test-dark", whole=True)
    page.get_by_role("button", name="发布为 v2").click()
    wait_for(page, lambda: "version=v2" in page.url)
    shot(page, "back-test-published")
