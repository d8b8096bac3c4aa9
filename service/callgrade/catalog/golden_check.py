"""Whether labels fit the rubrics they are by, and quote what was really said."""

from functools import cache
from pathlib import Path

from callgrade.catalog.faults import Fault, did_you_mean
from callgrade.catalog.golden import load, placed_labels
from callgrade.catalog.rubrics import load_rubric
from callgrade.domain.errors import CallgradeError, JudgementError
from callgrade.domain.folding import fold
from callgrade.domain.given import as_judgement
from callgrade.domain.golden import Label
from callgrade.domain.reviews import check_override
from callgrade.domain.rubrics import Rubric


def check(folder: Path | None = None) -> list[Fault]:
    """Everything that is wrong with the labels of a set that loads: criteria and outcomes that their rubrics do not
    have, and quotes that nobody said. Raises GoldenSetError where it does not load."""
    golden = load(folder)
    said = {call.id: [fold(turn.text).text for turn in call.transcript.turns] for call in golden.calls}
    faults = []
    for placed in placed_labels(folder):
        label = placed.label
        try:
            check_label(label, _rubric(label.rubric))
        except CallgradeError as error:
            faults.append(placed.fault(str(error)))
        for criterion, quotes in label.quotes.items():
            missing = sum(not any(fold(quote).text in turn for turn in said[label.call]) for quote in quotes)
            if missing:
                faults.append(placed.fault(f"{missing} quote(s) for {criterion} stand in no turn of {label.call}"))
    return faults


def check_label(label: Label, rubric: Rubric) -> None:
    """Raises JudgementError for a criterion that the rubric lacks, or an outcome that its scale does not take."""
    for id_, given in label.judgements.items():
        judgement = as_judgement(id_, given, rubric)
        if judgement.status != "cannot_assess":
            check_override(rubric.by_id[id_], judgement.outcome)
    for id_ in label.quotes:
        if id_ not in rubric.by_id:
            mend = did_you_mean(id_, rubric.by_id)
            raise JudgementError(id_, f"is not in {rubric.reference}; {mend}")
    if label.rest is not None:
        for criterion in rubric.criteria:
            if criterion.id not in label.judgements:
                # what it comes to is said of every other criterion, so that each must take it
                judgement = as_judgement(criterion.id, label.rest, rubric)
                if judgement.status != "cannot_assess":
                    check_override(criterion, judgement.outcome)


@cache
def _rubric(reference: str) -> Rubric:
    return load_rubric(reference)
