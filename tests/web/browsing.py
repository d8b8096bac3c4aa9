"""Pages as a browser shows them: open one, look whether everybody can use it, keep a picture.

`open_page` gives a function: `page = open_page("/batches", role="qa_lead", dark=True, language="en", width=800)`.
"""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from callgrade.web.dependencies import session_cookie
from tests.api.wire import Address
from tests.e2e.browser import chromium, missing
from tests.web.made import Rooms

__all__ = ["browser", "open_page"]

PICTURES = Path(__file__).parents[2] / "build" / "screens"
"""Kept after the tests, for people to look at."""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SECOND_LOOK = ["color-contrast", "target-size", "scrollable-region-focusable"]
WATCH = """
  window.refused = [];
  addEventListener("securitypolicyviolation", (event) => window.refused.push(event.violatedDirective));
"""
EXPECTED = ("Failed to load resource", "Response Status Error Code", "htmx:")
"""An answer that is an error, and none at all, are among the things looked at."""
Open = Callable[..., Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.fixture
def open_page(browser: Any, rooms: Rooms, address: Address) -> Iterator[Open]:
    """Keyword arguments beside those above go to the browser's context. At its end a page that complained, or was
    refused something by its own policy, has failed the test."""
    contexts: list[Any] = []
    pages: list[Any] = []

    def opened(
        path: str, role: Any = None, *, dark: bool = False, language: str = "zh", width: int = 1440, **more: Any
    ) -> Any:
        more.setdefault("viewport", {"width": width, "height": 900})
        context = browser.new_context(
            color_scheme="dark" if dark else "light", locale="zh-CN" if language == "zh" else "en-GB", **more
        )
        contexts.append(context)
        base = f"http://127.0.0.1:{address[1]}"
        if role is not None:
            context.add_cookies([cookie(rooms, role, base)])
        page = context.new_page()
        page.complaints = []
        page.on("console", lambda message: page.complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        if more.get("java_script_enabled", True):
            page.add_init_script(WATCH)
        page.base = base
        page.goto(base + path)
        pages.append(page)
        return page

    yield opened
    for page in pages:
        faults = [it for it in page.complaints if not it.startswith(EXPECTED)]
        assert faults == [], f"{page.url} complained: {faults}"
    for context in contexts:
        context.close()


def cookie(rooms: Rooms, who: Any, base: str) -> dict[str, str]:
    """`who`: a role, or a role and a login."""
    role, login = who if isinstance(who, tuple) else (who, "")
    return {"name": session_cookie(rooms.desk.settings), "value": rooms.token(role, login), "url": base}


def signed_in(page: Any, rooms: Rooms, role: Any) -> None:
    """From the next request on."""
    page.context.add_cookies([cookie(rooms, role, page.base)])


def assert_accessible(page: Any, *, within: str | None = None, rules: Sequence[str] = ()) -> None:
    """axe finds nothing, nothing sticks out sideways, and the page's own policy refused it nothing. With `rules` axe
    looks at these alone."""
    try:
        from axe_playwright_python.sync_playwright import Axe
    except ImportError:
        missing("the Python package axe-playwright-python", "pip install 'callgrade[dev]'")
    only = {"type": "rule", "values": list(rules)} if rules else RULES
    found = Axe().run(page, context=within, options={"runOnly": only}).response["violations"]
    told = [f"{item['id']}: {node['html'][:160]} {node['failureSummary']}" for item in found for node in item["nodes"]]
    assert told == [], f"{page.url}: " + "\n".join(told)
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{page.url} is {wide} px too wide"
    assert page.evaluate("window.refused ?? []") == [], page.url


def assert_for_everybody(page: Any, name: str, *, whole: bool = False) -> None:
    """axe finds nothing and nothing sticks out, in both themes, wide and narrow; keeps a picture of each. Themes differ
    in colours alone, and a narrow window in what lies where, so the second look is for these."""
    for dark, width in ((False, 1440), (True, 800)):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="dark" if dark else "light")
        # what is scrolled half under a bar counts as too small
        page.evaluate("scrollTo(0, 0)")
        shot(page, f"{name}-{'dark' if dark else 'light'}-{width}", whole=whole)
        assert_accessible(page, rules=SECOND_LOOK if dark else ())
    page.set_viewport_size({"width": 1440, "height": 900})
    page.emulate_media(color_scheme="light")


def wait_for(page: Any, true: Callable[[], bool]) -> None:
    """Asked from outside, again and again: a page's own policy forbids it to evaluate strings."""
    deadline = monotonic() + 20
    while not true():
        assert monotonic() < deadline, "it never came true"
        page.wait_for_timeout(25)


def shot(page: Any, name: str, *, whole: bool = False) -> Path:
    """A picture in build/screens, for people to look at."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    path = PICTURES / f"{re.sub('[^a-z0-9-]+', '-', name.lower())}.png"
    page.screenshot(path=path, full_page=whole, animations="disabled", caret="initial")
    os.utime(path)
    return path
