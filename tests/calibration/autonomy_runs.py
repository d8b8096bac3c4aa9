"""Calibration runs as they are stored, for the tests of autonomy. Made up."""

from datetime import UTC, datetime
from typing import Any

from callgrade.catalog import digest
from callgrade.db.tables import CalibrationRun
from callgrade.domain.calibration import (
    Agreement,
    CalibrationReport,
    ConfusionTable,
    CriterionReport,
    Figure,
    JudgeUnderTest,
    Raters,
    VerdictLine,
    categories_of,
)
from callgrade.domain.frozen import LocalText
from callgrade.domain.rubrics import Rubric
from tests.evaluations.made import CLIENT


def run(
    form: Rubric,
    *,
    criterion: str,
    matrix: tuple[tuple[int, ...], ...],
    split: str = "holdout",
    status: str = "done",
    synthetic: bool = False,
    kind: str = "person",
    applicability: int = 0,
    **more: Any,
) -> CalibrationRun:
    """One whose report holds one criterion; categories beyond the matrix are empty."""
    one = form.by_id[criterion]
    categories = categories_of(one)
    whole = [[0] * len(categories) for _ in categories]
    for row, counts in enumerate(matrix):
        whole[row][: len(counts)] = counts
    same = Agreement(coefficient="cohen_kappa", kappa=Figure(), ac=Figure(), percent=Figure())
    compared = sum(map(sum, matrix))
    told = CriterionReport(
        criterion_id=criterion,
        title=one.title,
        judge=one.judge,
        scale=one.scale.kind,
        categories=categories,
        category_names=tuple(LocalText(zh=str(value)) for value in categories),
        verdict=VerdictLine(kind="undecided", reason=LocalText(), action=LocalText()),
        calls=compared,
        compared=compared,
        agents=5,
        raters=Raters(names=("a", "b"), kind=kind, **same.model_dump()),
        confusion=ConfusionTable(categories=categories, matrix=tuple(map(tuple, whole)), classes=()),
        applicability=applicability,
    )
    at = datetime(2026, 11, 22, 9, tzinfo=UTC)
    report = CalibrationReport(
        run="r",
        made_at=at,
        set_id="s",
        set_name="own",
        set_title="own",
        synthetic=synthetic,
        split=split,
        judge=JudgeUnderTest(rubric=form.reference, rubric_digest=digest(form)),
        samples=1,
        calls=compared,
        items=compared,
        items_wanted=compared,
        criteria=(told,),
    )
    return CalibrationRun(
        client_id=CLIENT,
        set_id="s",
        split=split,
        rubric_id=form.id,
        rubric_version=form.version,
        rubric_digest=digest(form),
        status=status,
        report=report.model_dump(mode="json", by_alias=True),
        created_by="u",
        **more,
    )
