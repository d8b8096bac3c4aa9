"""Published versions never change: `rubrics/published.json` holds the digest of each.

A changed file would change what old scorecards mean, and an agent's bonus with it. Whoever wants another rubric
writes the next version.
"""

import json
from functools import cache

from callgrade.catalog.resources import resource_folder
from callgrade.domain.errors import RubricError
from callgrade.domain.rubrics import Rubric

LOCK = "published.json"


@cache
def locked() -> dict[str, str]:
    """`id@vN` → digest, of every published version that ships with callgrade."""
    found: dict[str, str] = json.loads((resource_folder("rubrics") / LOCK).read_text("utf-8"))
    return found


def hold_to_lock(rubric: Rubric, digest: str, source: str) -> None:
    """Raises RubricError for a shipped version whose content is not what was published."""
    promised = locked().get(rubric.reference)
    if promised is None and rubric.status == "published":
        told = f"{rubric.reference} is published and stands not in {LOCK}"
        raise RubricError(source, (f"{told}: set status: draft, or publish it",))
    if promised is not None and promised != digest:
        told = f"{rubric.reference} is published and has been changed (lists and named errors count)"
        raise RubricError(source, (f"{told}: take the change back, or write it as the next version",))
