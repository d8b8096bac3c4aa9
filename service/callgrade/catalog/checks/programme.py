"""Whether the programme speaks of what the form has."""

from collections.abc import Iterator

from callgrade.catalog.draft import Draft
from callgrade.catalog.faults import Problem, did_you_mean
from callgrade.domain.scales import ViolationScale


def programme_problems(draft: Draft) -> Iterator[Problem]:
    mending = draft.programme.mending if draft.programme else None
    if mending is None or draft.criteria_in_doubt:
        return
    scales = [c.scale for _, c in draft.criteria if isinstance(c.scale, ViolationScale)]
    mendable = {(s.severity, s.aggravated.severity) for s in scales if s.aggravated is not None}
    if (mending.severity, mending.becomes) in mendable:
        return
    named = {severity for severity, _ in mendable}
    if mending.severity not in named:
        message = f"no violation of severity {mending.severity!r} says what it becomes"
        mend = did_you_mean(mending.severity, named) or "give it `aggravated: {severity: …, effect: …}`"
        yield Problem(at=("programme", "mending", "severity"), message=message, suggestion=mend)
    else:
        message = f"violations of severity {mending.severity!r} do not become {mending.becomes!r}"
        mend = did_you_mean(mending.becomes, {after for _, after in mendable})
        yield Problem(at=("programme", "mending", "becomes"), message=message, suggestion=mend)
