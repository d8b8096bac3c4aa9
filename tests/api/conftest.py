from tests.api.made import *  # noqa: F403
from tests.api.wire import *  # noqa: F403
from tests.db.databases import *  # noqa: F403
