"""What makes a rubric that has the right shape a good one. Each check looks at a draft and yields problems."""

from collections.abc import Callable, Iterator

from callgrade.catalog.checks.judges import judge_problems
from callgrade.catalog.checks.points import point_problems
from callgrade.catalog.checks.programme import programme_problems
from callgrade.catalog.checks.reach import reach_problems
from callgrade.catalog.checks.references import reference_problems
from callgrade.catalog.checks.texts import text_problems
from callgrade.catalog.draft import Draft
from callgrade.catalog.faults import Problem

CHECKS: tuple[Callable[[Draft], Iterator[Problem]], ...] = (
    reference_problems,
    point_problems,
    text_problems,
    judge_problems,
    reach_problems,
    programme_problems,
)

__all__ = ["CHECKS"]
