"""Which models may be named here."""

from collections.abc import Iterator

import httpx
import pytest
import respx

from callgrade.adapters.llm import has_endpoint, require_offered, require_reachable
from callgrade.domain.errors import InputError, SettingsError
from tests.adapters.llm.exchange import BASE_URL, KEY, settings

REACHABLE = [
    ("judge-7b", "another", None),
    ("judge-7b", "gguf:a.gguf", "the models of CALLGRADE_LLM__BASE_URL"),
    ("judge-7b", "litellm:x", "the models of CALLGRADE_LLM__BASE_URL"),
    ("litellm:openai/a", "litellm:anthropic/b", None),
    ("litellm:openai/a", "b", "litellm:NAME"),
    ("gguf:a.gguf", "gguf:a.gguf", None),
    ("gguf:a.gguf", "gguf:b.gguf", "gguf:a.gguf alone"),
    (None, "another", None),
    (None, "litellm:x", "the models of CALLGRADE_LLM__BASE_URL"),
]


@pytest.mark.parametrize(("own", "model", "told"), REACHABLE)
def test_a_host_is_set_up_for_one_way_to_reach_models(own: str | None, model: str, told: str | None) -> None:
    if told is None:
        require_reachable(settings(model=own), model)
        return
    with pytest.raises(SettingsError) as refused:
        require_reachable(settings(model=own), model)
    assert model in str(refused.value)
    assert told in str(refused.value)


def test_without_an_endpoint_there_is_none() -> None:
    nothing = settings(model=None, base_url=None, api_key=None)
    assert not has_endpoint(nothing)
    with pytest.raises(InputError, match="no endpoint is set up"):
        require_offered(nothing, "m")


@pytest.fixture
def listing() -> Iterator[respx.Route]:
    with respx.mock(assert_all_called=False) as router:
        yield router.get(f"{BASE_URL}/models")


def listed(*names: str) -> httpx.Response:
    return httpx.Response(200, json={"object": "list", "data": [{"id": name, "object": "model"} for name in names]})


def test_what_the_endpoint_does_not_list_is_refused_with_what_it_lists(listing: respx.Route) -> None:
    listing.mock(return_value=listed("b", "a"))
    require_offered(settings(), "a")
    assert listing.calls.last.request.headers["authorization"] == f"Bearer {KEY}"
    with pytest.raises(InputError, match="model: the endpoint does not serve c; it serves a, b$"):
        require_offered(settings(), "c")
    listing.mock(return_value=listed(*(f"m{number:03}" for number in range(400))))
    with pytest.raises(InputError, match="m029, and 370 more$"):
        require_offered(settings(), "c")


def test_the_hosts_own_model_needs_no_look(listing: respx.Route) -> None:
    require_offered(settings(), "judge-7b")
    require_offered(settings(model="litellm:a"), "litellm:b")
    assert not listing.called


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404),
        httpx.Response(401, json={"error": {"message": "no"}}),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json={"data": None}),
        httpx.Response(200, json={"data": []}),
        httpx.Response(200, json={"data": ["a", {"name": "b"}]}),
        httpx.Response(200, json=["a"]),
        httpx.ConnectError("away"),
        httpx.ReadTimeout("slow"),
    ],
    ids=str,
)
def test_an_endpoint_that_does_not_say_is_taken_to_serve_it(
    listing: respx.Route, answer: httpx.Response | Exception
) -> None:
    listing.mock(side_effect=answer) if isinstance(answer, Exception) else listing.mock(return_value=answer)
    require_offered(settings(), "c")
