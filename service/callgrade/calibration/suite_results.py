"""What came of eval suites: callgrade.eval-result/1, and beside what they are held: callgrade.eval-baseline/1.

Neither holds a quote: verdicts are told in the few fixed words of `Said`, which `suite_words` has in both languages.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from callgrade.domain.frozen import Frozen, Id, LocalText

Said = Annotated[str, StringConstraints(max_length=120)]
"""`count:2`, `answer:yes`, `level:full`, `score:4`, `not_applicable`, `cannot_assess`, `exact`, `turn:3`,
`unfounded:wrong_side`, or several with ` / ` between them."""
Outcome = Literal["passed", "failed", "not_judged"]


class Difference(Frozen):
    """What was expected of a criterion (or of a quote: None) and what came."""

    criterion: str | None = None
    expected: Said
    came: Said


class CaseResult(Frozen):
    """`why` is set for what was not judged: `no_model`, `nothing_at_stake`, `failed:<error type>`."""

    id: str
    group: str
    outcome: Outcome
    differences: tuple[Difference, ...] = ()
    why: str | None = None


class Rate(Frozen):
    """The share that passed of what was judged, with its 95 % Wilson interval; None with the reason where nothing
    was. Cases count as independent, which those of one call are not quite."""

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str | None = None


class GroupResult(Frozen):
    group: str
    n: int
    passed: int
    not_judged: int
    rate: Rate


class Quotes(Frozen):
    """The evidence that judges gave in the suite's calls, and how much of it was found."""

    given: int = 0
    founded: int = 0


class SuiteResult(Frozen):
    """`n` counts every case; those not judged have neither passed nor failed."""

    schema_: Literal["callgrade.eval-result/1"] = Field("callgrade.eval-result/1", alias="schema")
    suite: Id
    title: LocalText
    about: LocalText
    digest: str
    judge: str
    models: tuple[str, ...] = ()
    """What answered, by the name it gives itself."""
    n: int
    passed: int
    not_judged: int
    rate: Rate
    margin: float
    groups: tuple[GroupResult, ...] = ()
    open_criteria: tuple[str, ...] = ()
    """Criteria of the suite's calls that no judge at hand could judge."""
    judge_failures: int = 0
    """Judgements that a judge failed to give."""
    quotes: Quotes = Quotes()
    cases: tuple[CaseResult, ...] = ()

    @property
    def failures(self) -> tuple[CaseResult, ...]:
        return tuple(case for case in self.cases if case.outcome == "failed")


class Baseline(Frozen):
    schema_: Literal["callgrade.eval-baseline/1"] = Field("callgrade.eval-baseline/1", alias="schema")
    suite: Id
    judge: str
    digest: str
    """Of the suite that it was made from."""
    callgrade: str
    passed: tuple[str, ...]
    failed: tuple[str, ...]
    not_judged: tuple[str, ...]


class Comparison(Frozen):
    """A run beside its baseline, on the cases that the baseline has a verdict on and that there still are."""

    suite: Id
    judge: str
    common: int
    before: float | None
    now: float | None
    margin: float
    regressed: bool
    newly_failed: tuple[str, ...] = ()
    """A case that passed and is not judged any more is among them."""
    newly_passed: tuple[str, ...] = ()
    new: int = 0
    gone: int = 0
    stale: bool = False
    """The suite has changed since; renew the baseline."""


class EvalReport(Frozen):
    """Everything that one `eval run` found."""

    schema_: Literal["callgrade.eval-report/1"] = Field("callgrade.eval-report/1", alias="schema")
    callgrade: str
    judge: str
    suites: tuple[SuiteResult, ...]
    comparisons: tuple[Comparison, ...] = ()

    def document(self) -> dict[str, Any]:
        """For JSON: each suite lists its failures and what was not judged; what passed is a number."""
        told = self.model_dump(mode="json", by_alias=True)
        for suite in told["suites"]:
            cases = suite.pop("cases")
            suite["failures"] = [_plain(case, "differences") for case in cases if case["outcome"] == "failed"]
            suite["unjudged"] = [_plain(case, "why") for case in cases if case["outcome"] == "not_judged"]
        return told


def _plain(case: dict[str, Any], what: str) -> dict[str, Any]:
    return {"id": case["id"], "group": case["group"], what: case[what]}
