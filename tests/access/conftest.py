from tests.access.openid import *  # noqa: F403
from tests.access.people import *  # noqa: F403
from tests.db.databases import *  # noqa: F403
