import pytest

from tests.api.made import *  # noqa: F403
from tests.api.wire import *  # noqa: F403
from tests.db.databases import *  # noqa: F403
from tests.web.browsing import *  # noqa: F403
from tests.web.made import *  # noqa: F403


@pytest.fixture
def backend() -> str:
    """Pages are looked at on one database: the SQL below them is tested on both where it is written."""
    return "sqlite"
