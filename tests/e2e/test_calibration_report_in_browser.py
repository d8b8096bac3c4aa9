"""The calibration report as somebody opens it: axe finds nothing, nothing sticks out, nothing is refused or fetched."""

import pytest

from callgrade.calibration.report_page import render_html
from tests.calibration.judged import NO_FAULT, card, label, report
from tests.calibration.made import a_call
from tests.e2e.browser import chromium, missing

YES, NO = {"answer": "yes"}, {"answer": "no"}


@pytest.fixture(scope="module")
def browser():
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def made():
    names = [f"g-{at}" for at in range(24)]
    cards = {
        (name, 0): card(name, warm=YES if at % 3 else NO, bait={"occurrences": at % 2}) for at, name in enumerate(names)
    }
    labels = [
        label(name, who, warm=YES if at % 2 else NO, bait=NO_FAULT, rater_kind="model")
        for at, name in enumerate(names)
        for who in ("a", "b")
    ]
    return report(cards, labels, [a_call(name) for name in names])


@pytest.mark.parametrize(("language", "width", "scheme"), [("zh", 1280, "light"), ("en", 390, "dark")])
def test_the_page_is_for_everybody(browser, made, tmp_path, language, width, scheme):
    try:
        from axe_playwright_python.sync_playwright import Axe
    except ImportError:
        missing("the Python package axe-playwright-python", "pip install 'callgrade[dev]'")
    path = tmp_path / "page.html"
    path.write_text(render_html(made, language=language), "utf-8")
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    told, fetched = [], []
    page.on("console", lambda message: told.append(message.text))
    page.on("request", lambda request: fetched.append(request.url))
    page.goto(path.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(found => { found.open = true })")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert fetched == [path.as_uri()]
    assert told == []
    page.close()
