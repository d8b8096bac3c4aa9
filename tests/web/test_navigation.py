"""The menu of every role: each door opens for whoever is shown it, and where one stands is marked."""

import re
from typing import Any

import pytest

from callgrade.web.navigation import PLACES

EVERYBODY = ("admin", "qa_lead", "reviewer", "agent")


def doors(text: str) -> list[str]:
    menu = text.partition('<nav class="places"')[2].partition("</nav>")[0]
    return re.findall(r'href="([^"]+)"', menu)


@pytest.mark.parametrize("role", EVERYBODY)
def test_every_door_opens(rooms: Any, role: Any) -> None:
    browser = rooms.browser(role)
    shown = doors(browser.get("/nothing").text)
    assert shown
    for path in shown:
        answer = browser.get(path, follow_redirects=True)
        assert answer.status_code == 200, path
        assert doors(answer.text) == shown


def test_who_finds_what(rooms: Any) -> None:
    found = {role: set(doors(rooms.browser(role).get("/nothing").text)) for role in EVERYBODY}
    assert {"/", "/calls", "/batches", "/admin"} <= found["admin"]
    assert {"/", "/calls"} <= found["reviewer"]
    assert not {"/batches", "/admin", "/results", "/alerts", "/sampling"} & found["reviewer"]
    assert not {"/", "/calls", "/batches", "/admin", "/sampling"} & found["agent"]
    assert "/results" not in found["admin"] | found["qa_lead"]
    assert doors(rooms.browser().get("/sign-in").text) == []


def test_where_one_stands_is_marked(rooms: Any) -> None:
    browser = rooms.browser("admin")
    for path, here in (("/batches", "/batches"), ("/admin/users", "/admin"), ("/calls", "/calls"), ("/nothing", None)):
        answer = browser.get(path)
        marked = re.findall(r'href="([^"]+)" aria-current="page"', answer.text.partition("</nav>")[0])
        assert marked == ([here] if here else []), path


def test_a_place_is_named_once() -> None:
    paths = [place.path for place in PLACES]
    assert len(paths) == len(set(paths))
