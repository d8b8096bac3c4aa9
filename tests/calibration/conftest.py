from tests.db.databases import *  # noqa: F403
