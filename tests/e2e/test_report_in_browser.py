"""The HTML scorecard as a person meets it: opened from the disk, clicked, heard, printed, read out."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.browser import chromium, missing
from tests.evaluations.report.pages import write_pages
from tests.evaluations.report.test_hostile import HOSTILE, render

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WATCH = """
  window.refused = [];
  addEventListener("securitypolicyviolation", (event) => window.refused.push(event.violatedDirective));
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> dict[str, str]:
    return {path.name: path.as_uri() for path in write_pages(tmp_path_factory.mktemp("pages"))}


class Visit:
    """An open page, with all that went wrong on it: console errors, refusals of its policy, requests."""

    def __init__(self, browser: Any, address: str, **context: Any):
        context.setdefault("viewport", {"width": 1440, "height": 900})
        self.context = browser.new_context(**context)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.complaints.append(f"dialog {dialog.message}"), dialog.dismiss()))
        self.page.on("request", lambda request: self.requests.append(request.url))
        if context.get("java_script_enabled", True):
            self.page.add_init_script(WATCH)
        self.page.goto(address)

    def __enter__(self) -> "Visit":
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()

    def fits(self) -> bool:
        return self.page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")

    def in_view(self, selector: str) -> bool:
        """Whether all of an element can be seen, in the window and in the pane that it scrolls in."""
        return self.page.evaluate(
            """(selector) => {
              const box = document.querySelector(selector).getBoundingClientRect();
              const pane = document.getElementById("pane").getBoundingClientRect();
              const top = Math.max(0, pane.top), bottom = Math.min(innerHeight, pane.bottom);
              return box.top >= top - 1 && box.bottom <= bottom + 1;
            }""",
            selector,
        )

    def wait_until(self, condition: str) -> None:
        # asked from outside, again and again: the page's own policy forbids it to evaluate strings
        deadline = time.monotonic() + 20
        while not self.page.evaluate(condition):
            assert time.monotonic() < deadline, f"never came true: {condition}"
            self.page.wait_for_timeout(25)

    def wait_until_in_view(self, selector: str) -> None:
        deadline = time.monotonic() + 20
        while not self.in_view(selector):
            assert time.monotonic() < deadline, f"never came into view: {selector}"
            self.page.wait_for_timeout(25)


@pytest.mark.parametrize("name", ["zh.html", "en.html", "silent.html"])
def test_it_opens_without_complaint_and_asks_the_network_for_nothing(browser, pages, name):
    with Visit(browser, pages[name]) as visit:
        visit.page.wait_for_timeout(200)
        assert visit.complaints == []
        assert visit.page.evaluate("window.refused") == []
        assert [url for url in visit.requests if not url.startswith("data:audio/")] == [pages[name]]


class TestQuotes:
    def test_a_click_shows_the_turn_marks_the_words_and_plays_from_them(self, browser, pages):
        with Visit(browser, pages["zh.html"], viewport={"width": 1280, "height": 420}) as visit:
            quote = visit.page.locator("#c4 a.quote").nth(1)
            start = int(quote.get_attribute("data-ms")) / 1000
            visit.wait_until("document.getElementById('sound').readyState >= 1")
            # held still, so that what is measured is where it starts and not how long the test took
            visit.page.evaluate("document.getElementById('sound').playbackRate = 0.0625")
            quote.click()
            visit.wait_until("!document.getElementById('sound').paused")
            assert abs(visit.page.evaluate("document.getElementById('sound').currentTime") - start) < 0.3
            visit.wait_until_in_view("#t8")
            assert visit.page.locator("#t8.lit").count() == 1
            assert "".join(visit.page.locator("#t8 mark.lit").all_text_contents()) == "肯定不会扣费"
            assert visit.page.evaluate("window.refused") == []
            assert visit.complaints == []

    def test_the_keyboard_does_the_same(self, browser, pages):
        with Visit(browser, pages["zh.html"]) as visit:
            visit.page.locator("#c5 a.quote").first.focus()
            visit.page.keyboard.press("Enter")
            visit.wait_until("document.getElementById('sound').currentTime > 23.2")
            assert visit.page.locator("#t6.lit").count() == 1

    def test_on_a_narrow_screen_the_page_itself_scrolls_there(self, browser, pages):
        with Visit(browser, pages["zh.html"], viewport={"width": 400, "height": 800}) as visit:
            visit.page.locator("#c5 a.quote").first.click()
            visit.wait_until("""() => {
              const box = document.getElementById("t6").getBoundingClientRect();
              const player = document.getElementById("player").getBoundingClientRect();
              return box.top >= player.bottom && box.bottom <= innerHeight;
            }""")

    def test_a_mark_leads_back_to_its_criterion(self, browser, pages):
        with Visit(browser, pages["zh.html"]) as visit:
            visit.page.locator("#t8 a.cited[href='#c4']").click()
            visit.wait_until("""() => {
              const box = document.getElementById("c4").getBoundingClientRect();
              const player = document.getElementById("player").getBoundingClientRect();
              return player.bottom <= box.top + 1 && box.top < 900;
            }""")

    def test_without_a_recording_it_still_shows_the_turn(self, browser, pages):
        with Visit(browser, pages["silent.html"]) as visit:
            visit.page.locator("#c5 a.quote").first.click()
            assert visit.page.locator("#t6.lit").count() == 1
            assert visit.complaints == []


class TestPlayer:
    def test_button_position_and_speed(self, browser, pages):
        with Visit(browser, pages["en.html"]) as visit:
            page = visit.page
            assert page.locator("#sound").is_hidden()
            assert page.locator("#length").text_content() == "0:41.7"
            page.locator("#play").click()
            visit.wait_until("document.getElementById('sound').currentTime > 0.1")
            visit.wait_until("document.getElementById('play').getAttribute('aria-label') === 'Pause'")
            page.locator("#play").click()
            visit.wait_until("document.getElementById('play').getAttribute('aria-label') === 'Play'")
            page.locator("#speed").select_option("1.5")
            assert page.evaluate("document.getElementById('sound').playbackRate") == 1.5
            box = page.locator("#position").bounding_box()
            page.mouse.click(box["x"] + box["width"] * 0.43, box["y"] + box["height"] / 2)
            visit.wait_until("Math.abs(document.getElementById('sound').currentTime - 17.94) < 0.3")
            visit.wait_until("document.querySelector('#t4.now') !== null")
            assert page.locator("#now").text_content().startswith(("0:17.", "0:18."))

    def test_the_arrow_keys_move_it(self, browser, pages):
        with Visit(browser, pages["zh.html"]) as visit:
            visit.wait_until("document.getElementById('sound').readyState >= 1")
            visit.page.locator("#position").focus()
            for _ in range(5):
                visit.page.keyboard.press("ArrowRight")
            visit.wait_until("Math.abs(document.getElementById('sound').currentTime - 0.5) < 0.05")
            # the words follow the sound's own event, which comes after its time has changed
            visit.wait_until("document.getElementById('position').getAttribute('aria-valuetext') === '0:00.5'")


class TestWithoutJavaScript:
    def test_links_and_native_controls_work(self, browser, pages):
        with Visit(browser, pages["zh.html"], java_script_enabled=False) as visit:
            assert visit.page.locator("#sound").is_visible()
            assert visit.page.locator("#play").is_hidden()
            visit.page.locator("#c5 a.quote").first.click()
            assert visit.page.url.endswith("#t6")


class TestHostileCalls:
    @pytest.mark.parametrize("number", range(len(HOSTILE)))
    def test_nothing_runs_and_nothing_is_asked_for(self, browser, tmp_path, number):
        path = tmp_path / "hostile.html"
        path.write_text(render(HOSTILE[number]), encoding="utf-8")
        with Visit(browser, path.as_uri()) as visit:
            visit.page.wait_for_timeout(50)
            assert visit.complaints == []
            assert visit.page.evaluate("window.refused") == []
            assert visit.requests == [path.as_uri()]
            assert visit.page.evaluate("document.scripts.length") == 1
            assert visit.page.locator("article").count() == 4

    def test_were_something_to_slip_through_the_policy_would_stop_it(self, browser, tmp_path):
        path = tmp_path / "broken.html"
        slipped = "<script>document.title='taken'</script><img src='https://127.0.0.1/x'><p style='color:red'>"
        path.write_text(render("甲").replace("<main>", f"<main>{slipped}"), encoding="utf-8")
        with Visit(browser, path.as_uri()) as visit:
            visit.wait_until("window.refused.length >= 3")
            assert visit.page.title() != "taken"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("name", "width"), [("zh.html", 1440), ("en.html", 400), ("silent.html", 1440)])
def test_axe_finds_nothing(browser, pages, name, width, scheme):
    try:
        from axe_playwright_python.sync_playwright import Axe
    except ImportError:
        missing("the Python package axe-playwright-python", "pip install 'callgrade[dev]'")
    look = {"color_scheme": scheme, "reduced_motion": "reduce", "viewport": {"width": width, "height": 900}}
    with Visit(browser, pages[name], **look) as visit:
        # folded parts and lit ones are judged, too
        visit.page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
        visit.page.locator("#c4 a.quote").first.click()
        # what lies half under the sticky player at the moment is not too small
        visit.page.evaluate("window.scrollTo({top: 0, behavior: 'instant'})")
        found = Axe().run(visit.page, options={"runOnly": RULES}).response["violations"]
        told = [
            f"{item['id']}: {node['html'][:160]} {node['failureSummary']}" for item in found for node in item["nodes"]
        ]
        assert told == []


@pytest.mark.parametrize("name", ["zh.html", "en.html"])
@pytest.mark.parametrize("width", [320, 400, 768, 1024, 1920])
def test_nothing_sticks_out_at_any_width(browser, pages, name, width):
    with Visit(browser, pages[name], viewport={"width": width, "height": 800}) as visit:
        assert visit.fits()


def test_the_themes_follow_the_system(browser, pages):
    grounds = set()
    for scheme in ("light", "dark"):
        with Visit(browser, pages["zh.html"], color_scheme=scheme) as visit:
            grounds.add(visit.page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(grounds) == 2


def test_on_paper_there_is_no_player_all_of_the_transcript_and_light_ground(browser, pages, tmp_path):
    with Visit(browser, pages["zh.html"], color_scheme="dark") as visit:
        visit.page.emulate_media(media="print")
        assert visit.page.locator("#player").is_hidden()
        assert visit.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert visit.page.evaluate("getComputedStyle(document.getElementById('pane')).overflowY") == "visible"
        printed = visit.page.pdf(format="A4")
        (tmp_path / "printed.pdf").write_bytes(printed)
        assert printed.startswith(b"%PDF")
