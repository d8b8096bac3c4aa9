"""What suites came to before, as files: `evals/baselines/<suite>.<judge>.json`, and a later run held against them.

Only cases that both have are compared, one by one: a suite that grows makes no judge better or worse.
"""

import re
from pathlib import Path

from pydantic import ValidationError

from callgrade import __version__
from callgrade.calibration.suite_results import Baseline, Comparison, SuiteResult
from callgrade.domain.errors import ConfigurationError, NotFoundError

ROUNDING = 1e-9


def baseline_path(folder: Path, suite: str, judge: str) -> Path:
    """A model's name may hold slashes, colons and anything else."""
    return folder / f"{suite}.{re.sub(r'[^A-Za-z0-9._-]+', '-', judge).strip('-.') or 'judge'}.json"


def baseline_of(result: SuiteResult) -> Baseline:
    by_outcome: dict[str, list[str]] = {"passed": [], "failed": [], "not_judged": []}
    for case in result.cases:
        by_outcome[case.outcome].append(case.id)
    told = {name: tuple(sorted(ids)) for name, ids in by_outcome.items()}
    return Baseline(suite=result.suite, judge=result.judge, digest=result.digest, callgrade=__version__, **told)


def write_baseline(folder: Path, result: SuiteResult) -> Path:
    """Raises ConfigurationError where the folder cannot be written to, as in an installation of somebody else's."""
    path = baseline_path(folder, result.suite, result.judge)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(baseline_of(result).model_dump_json(by_alias=True, indent=1) + "\n", "utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be written: {error.strerror}") from None
    return path


def read_baseline(folder: Path, suite: str, judge: str) -> Baseline:
    """Raises NotFoundError where there is none: what was never measured cannot be shown not to have become worse."""
    path = baseline_path(folder, suite, judge)
    try:
        return Baseline.model_validate_json(path.read_bytes())
    except OSError:
        raise NotFoundError(f"there is no baseline {path.name}; make one with `eval run --write-baseline`") from None
    except ValidationError:
        raise ConfigurationError(f"{path} is no callgrade.eval-baseline/1") from None


def compare(result: SuiteResult, baseline: Baseline) -> Comparison:
    """The run beside its baseline. What passed and is not judged now counts as failed: a check that is not made any
    more has not been passed."""
    outcomes = {case.id: case.outcome for case in result.cases}
    had_passed = [id_ for id_ in baseline.passed if id_ in outcomes]
    had_failed = [id_ for id_ in baseline.failed if id_ in outcomes]
    common = len(had_passed) + len(had_failed)
    passes = sum(outcomes[id_] == "passed" for id_ in (*had_passed, *had_failed))
    known = {*baseline.passed, *baseline.failed, *baseline.not_judged}
    before, now = (len(had_passed) / common, passes / common) if common else (None, None)
    fell = tuple(id_ for id_ in had_passed if outcomes[id_] != "passed")
    return Comparison(
        suite=result.suite,
        judge=result.judge,
        common=common,
        before=before,
        now=now,
        margin=result.margin,
        # without a margin no gain makes up for a loss
        regressed=bool(fell) and (result.margin == 0 or (len(had_passed) - passes) / common > result.margin + ROUNDING),
        newly_failed=fell,
        newly_passed=tuple(id_ for id_ in had_failed if outcomes[id_] == "passed"),
        new=sum(id_ not in known for id_ in outcomes),
        gone=sum(id_ not in outcomes for id_ in known),
        stale=result.digest != baseline.digest,
    )
