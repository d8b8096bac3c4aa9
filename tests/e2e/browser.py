"""The machine's own Chromium, driven by playwright. Nothing is downloaded."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def missing(what: str, remedy: str) -> NoReturn:
    """A machine without a browser may skip these tests, out loud; one that guards the main branch may not."""
    message = f"NOT TESTED in a browser: {what} is missing; {remedy}"
    if os.environ.get("CI", "").lower() in ("1", "true", "yes"):
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


@contextmanager
def chromium() -> Iterator["Browser"]:
    """A running browser. Skips the test where there is none, and fails it where CI is set."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("the Python package playwright", "pip install 'callgrade[dev]'")
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        missing(f"a browser (looked for {', '.join(NAMES)})", "on Debian: apt-get install chromium fonts-noto-cjk")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()
