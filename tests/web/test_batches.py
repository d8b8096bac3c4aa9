"""Batches on the page: how far they are, what went wrong, and all of it live."""

from typing import Any

import pytest

from callgrade.db.tables import BatchChunk
from callgrade.web.live import TICK_S
from tests.api.made import Service, transcript
from tests.web.browsing import assert_accessible, shot, wait_for


def hold(service: Service) -> None:
    """What comes in from now on waits."""
    service.queue.pipeline = None


def go_on(service: Service, batch_id: str, *chunks: int) -> None:
    service.queue.pipeline = service.pipeline
    for number in chunks:
        service.queue.enqueue_chunk(batch_id, number)


def batch_of(service: Service, number: int, *others: str, name: str = "B") -> str:
    calls = [transcript(f"{name}-{n}") for n in range(number)]
    return service.batch([*calls, *others]).json()["batch_id"]


class TestList:
    def test_says_why_it_is_empty(self, rooms) -> None:
        text = rooms.browser("qa_lead").get("/batches").text
        assert "还没有批次" in text
        assert "POST /v1/batches" in text

    def test_shows_how_far_each_is(self, rooms) -> None:
        done = batch_of(rooms.service, 3, "not json")
        hold(rooms.service)
        waiting = batch_of(rooms.service, 2, name="W")
        text = rooms.browser("qa_lead").get("/batches").text
        assert text.index(waiting) < text.index(done)
        assert "已完成，有失败" in text
        assert "处理中" in text
        assert '<progress class="progress none" value="4" max="4" aria-label="4 / 4">' in text
        assert '<progress class="progress none" value="0" max="2" aria-label="0 / 2">' in text

    def test_goes_on_behind_its_first_page(self, rooms, monkeypatch) -> None:
        monkeypatch.setattr("callgrade.web.pages.batches.PAGE", 2)
        made = [batch_of(rooms.service, 1, name=f"B{n}") for n in range(3)]
        browser = rooms.browser("qa_lead")
        first = browser.get("/batches").text
        assert [f'"/batches/{id_}"' in first for id_ in made] == [False, True, True]
        assert f'href="/batches?before={made[1]}"' in first
        second = browser.get(f"/batches?before={made[1]}").text
        assert [f'"/batches/{id_}"' in second for id_ in made] == [True, False, False]
        assert browser.get("/batches?before=x").status_code == 422

    def test_holds_nothing_of_other_clients(self, rooms) -> None:
        made = batch_of(rooms.service, 1)
        stranger = rooms.browser("qa_lead", "stranger", client="other")
        assert made not in stranger.get("/batches").text
        assert stranger.get(f"/batches/{made}").status_code == 404
        assert stranger.post(f"/batches/{made}/cancel").status_code == 404


class TestOne:
    def test_names_the_lines_that_are_no_calls(self, rooms) -> None:
        made = batch_of(rooms.service, 2, "<b>not json</b>")
        text = rooms.browser("qa_lead", language="en").get(f"/batches/{made}").text
        assert "1 line is no call" in text
        assert '<th scope="row" class="number">3</th>' in text
        assert "not json" not in text
        assert f'href="/calls?batch={made}"' in text

    def test_says_how_many_wait_for_a_model_that_is_down(self, rooms) -> None:
        hold(rooms.service)
        made = batch_of(rooms.service, 5)
        assert "等模型恢复" not in rooms.browser("qa_lead").get(f"/batches/{made}").text
        with rooms.desk.database.writing() as session:
            session.get(BatchChunk, (made, 0)).parked = 3
        assert "其中 3 通在等模型恢复" in rooms.browser("qa_lead").get(f"/batches/{made}").text

    def test_htmx_gets_the_part_that_changes(self, rooms) -> None:
        made = batch_of(rooms.service, 1)
        part = rooms.browser("qa_lead").get(f"/batches/{made}", headers={"HX-Request": "true"}).text
        assert "<html" not in part
        assert "<progress" in part

    def test_can_be_cancelled_by_whoever_may(self, rooms) -> None:
        hold(rooms.service)
        made = batch_of(rooms.service, 2)
        browser = rooms.browser("qa_lead")
        assert 'action="/batches/' in browser.get(f"/batches/{made}").text
        answer = browser.post(f"/batches/{made}/cancel")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/batches/{made}")
        after = browser.get(f"/batches/{made}").text
        assert "已取消。已有结果的保留不变。" in after
        assert 'action="/batches/' not in after
        rooms.service.queue.pipeline = rooms.service.pipeline
        assert browser.post(f"/batches/{batch_of(rooms.service, 1, name='D')}/cancel").status_code == 409

    def test_there_is_none_that_nobody_made(self, rooms) -> None:
        for id_ in ("0" * 32, "x", "%00"):
            assert rooms.browser("qa_lead").get(f"/batches/{id_}").status_code == 404


class TestInABrowser:
    @pytest.mark.parametrize(("dark", "language", "width"), [(False, "zh", 1440), (True, "en", 800)])
    def test_everybody_can_read_them(self, rooms, open_page, dark, language, width) -> None:
        page = open_page("/batches", "qa_lead", dark=dark, language=language, width=width)
        shot(page, f"batches-empty-{language}-{width}")
        assert_accessible(page)
        batch_of(rooms.service, 5, "not json", "{}")
        hold(rooms.service)
        made = batch_of(rooms.service, 25, name="W")
        go_on(rooms.service, made, 0, 1)
        page.reload()
        shot(page, f"batches-{language}-{width}")
        assert_accessible(page)
        page.locator("tbody a").first.click()
        shot(page, f"batch-at-work-{language}-{width}")
        assert_accessible(page)
        page.go_back()
        page.locator("tbody a").last.click()
        shot(page, f"batch-done-{language}-{width}")
        assert_accessible(page)

    def test_progress_shows_by_itself(self, rooms, open_page) -> None:
        hold(rooms.service)
        made = batch_of(rooms.service, 25)
        page = open_page(f"/batches/{made}", "qa_lead")
        assert page.locator("progress").get_attribute("value") == "0"
        page.wait_for_timeout(1000 * TICK_S)
        go_on(rooms.service, made, 0, 1)
        wait_for(page, lambda: page.locator("progress").get_attribute("value") == "20")
        go_on(rooms.service, made, 2)
        page.locator(".chip.good", has_text="已完成").wait_for()
        assert page.locator("details.confirm").count() == 0

    def test_seven_tabs_share_one_stream(self, rooms, open_page) -> None:
        hold(rooms.service)
        made = batch_of(rooms.service, 10)
        first = open_page("/nothing", "qa_lead")
        asked: list[str] = []
        first.context.on("request", lambda request: asked.append(request.url) if "/events" in request.url else None)
        first.goto(first.base + f"/batches/{made}")
        wait_for(first, lambda: len(asked) == 1)
        tabs = [first.context.new_page() for _ in range(7)]
        for tab in tabs:
            tab.goto(first.base + f"/batches/{made}")
        first.wait_for_timeout(1000 * TICK_S)
        go_on(rooms.service, made, 0)
        for tab in tabs:
            tab.bring_to_front()
            wait_for(tab, lambda tab=tab: tab.locator("progress").get_attribute("value") == "10")
        assert len(asked) == 1
        # the tab that listened goes, and another takes its place
        with first.context.expect_event("request", lambda request: "/events" in request.url):
            first.close()

    def test_without_a_lock_or_a_channel_it_asks_now_and_then(self, rooms, open_page) -> None:
        hold(rooms.service)
        made = batch_of(rooms.service, 10)
        page = open_page("/nothing", "qa_lead")
        page.add_init_script("Object.defineProperty(navigator, 'locks', { value: undefined });")
        page.clock.install()
        page.goto(page.base + f"/batches/{made}")
        go_on(rooms.service, made, 0)
        with page.expect_response(lambda answer: answer.url.endswith(made)) as answered:
            page.clock.fast_forward(15_000)
        assert answered.value.request.headers["desk-background"] == "1"
        wait_for(page, lambda: page.locator("progress").get_attribute("value") == "10")

    def test_a_hidden_tab_asks_when_it_is_seen_again(self, rooms, open_page) -> None:
        hold(rooms.service)
        made = batch_of(rooms.service, 10)
        page = open_page(f"/batches/{made}", "qa_lead")
        asked: list[Any] = []
        page.on("request", lambda request: asked.append(request.url) if request.url.endswith(made) else None)
        hide(page, True)
        page.evaluate("new BroadcastChannel('callgrade').postMessage({ changed: ['batches', 'batches'] })")
        page.wait_for_timeout(200)
        assert asked == []
        hide(page, False)
        wait_for(page, lambda: len(asked) == 1)

    def test_without_script_a_link_asks(self, rooms, open_page) -> None:
        hold(rooms.service)
        made = batch_of(rooms.service, 10)
        page = open_page(f"/batches/{made}", "qa_lead", java_script_enabled=False)
        go_on(rooms.service, made, 0)
        page.get_by_role("link", name="现在到哪儿了？").click()
        assert page.locator("progress").get_attribute("value") == "10"

    def test_cancelling_asks_first(self, rooms, open_page) -> None:
        hold(rooms.service)
        made = batch_of(rooms.service, 10)
        page = open_page(f"/batches/{made}", "qa_lead")
        page.get_by_text("取消批次…").click()
        page.get_by_role("button", name="取消这个批次").click()
        page.locator(".toast.good", has_text="已取消").wait_for()
        assert page.locator(".chip", has_text="已取消").count() == 1


def hide(page: Any, hidden: bool) -> None:
    page.evaluate(
        """(hidden) => {
          Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )
