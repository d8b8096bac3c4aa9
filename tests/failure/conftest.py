"""A site of its own for each test: see harness.py."""

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from evals.mock_openai.process import running

from callgrade.db.session import Database
from tests.db.databases import *  # noqa: F403
from tests.failure.harness import MockModel, Site

Begin = Callable[..., Site]
FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


def has_failed(request: pytest.FixtureRequest) -> bool:
    return bool(request.node.stash.get(FAILED, False))


@pytest.fixture
def begin(database: Database, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Begin]:
    """`begin("--latency-ms", "300", **settings)`: a site whose model has these options (see evals.mock_openai)."""
    sites: list[Site] = []
    with ExitStack() as stack:

        def begun(*options: str, **settings: str) -> Site:
            model = stack.enter_context(running("--quotes", "--latency-ms", "50", *options))
            site = Site(tmp_path / "data", database, MockModel(model), settings)
            sites.append(site)
            return site

        yield begun
        for site in sites:
            site.end(failed=has_failed(request))
