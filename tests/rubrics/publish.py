"""Publishes shipped rubrics for good: `python -m tests.rubrics.publish ID…`, or `--all`.

Sets `status: published` in the newest version's file and puts its digest into the lock. Refuses a rubric without
hand-worked cases, and a version that is published already.
"""

import json
import sys

from callgrade.catalog import digest, list_rubrics, load_rubric
from callgrade.catalog.lock import LOCK
from callgrade.catalog.resources import resource_folder
from callgrade.catalog.rubrics import find_rubric
from tests.rubrics.hand_worked import FILES

DRAFT, PUBLISHED = "\nstatus: draft\n", "\nstatus: published\n"


def main(ids: list[str]) -> int:
    if ids == ["--all"]:
        ids = sorted({entry.id for entry in list_rubrics() if entry.status == "draft"})
    lock_file = resource_folder("rubrics") / LOCK
    lock: dict[str, str] = json.loads(lock_file.read_text("utf-8"))
    with_cases = {path.stem for path in FILES}
    for id_ in ids:
        rubric, path = load_rubric(id_), find_rubric(id_)
        text = path.read_text("utf-8")
        if rubric.reference in lock or id_ not in with_cases or text.count(DRAFT) != 1:
            print(
                f"{rubric.reference}: is published already, has no hand-worked cases, or is no draft", file=sys.stderr
            )
            return 1
        lock[rubric.reference] = digest(rubric)
        path.write_text(text.replace(DRAFT, PUBLISHED), "utf-8")
        lock_file.write_text(json.dumps(dict(sorted(lock.items())), indent=2) + "\n", "utf-8")
        print(f"{rubric.reference} {lock[rubric.reference]}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
