"""Made-up runs: what a judge said of calls beside what raters said, with nobody's words in them."""

from collections.abc import Mapping, Sequence
from typing import Any

from callgrade.calibration.reporting import Subject, make_report
from callgrade.domain.calibration import CalibrationReport, CriterionReport, JudgeUnderTest
from callgrade.domain.golden import GoldenCall, Label
from callgrade.domain.judgements import Evidence, JudgeFailure, Judgement
from callgrade.domain.rubrics import Rubric
from callgrade.domain.scorecards import Scorecard, score
from tests.calibration.made import a_call
from tests.domain.forms import answer, deduct, rubric, violation

FORM = rubric(answer("warm", 6), deduct("slips", 2, cap=6), violation("bait", "fail_call"), total={"max": 6})
NO_FAULT = {"occurrences": 0}


def card(call: str, **given: Any) -> Scorecard:
    """`card("g-1", warm={"answer": "yes"}, bait="cannot_assess")`."""
    made = {id_: judgement(id_, outcome) for id_, outcome in given.items()}
    return score(FORM, made, {}, call_id=call)


def judgement(id_: str, outcome: Any, *quotes: str, reason: str = "") -> Judgement:
    if isinstance(outcome, Judgement):
        return outcome
    fields: dict[str, Any] = {"status": outcome} if isinstance(outcome, str) else {"outcome": outcome}
    if outcome == "failed":
        fields["error"] = JudgeFailure(type="bad-answer", message="no JSON", retryable=False)
    evidence = [Evidence(quote=quote, grounding="exact", turn=0, speaker="agent", start=0, end=1) for quote in quotes]
    told = {"criterion_id": id_, "method": "llm", "reason": reason, "evidence": evidence}
    return Judgement.model_validate({"status": "judged", **told, **fields})


def label(call: str, rater: str = "r1", **given: Any) -> Label:
    more = {
        name: given.pop(name) for name in ("kind", "blind", "rater_kind", "quotes", "rubric", "rest") if name in given
    }
    told = {"rubric": FORM.reference, "rater_kind": "person", "blind": True, **more}
    return Label(call=call, rater=rater, judgements=given, **told)


def report(
    cards: Mapping[tuple[str, int], Scorecard],
    labels: Sequence[Label],
    calls: Sequence[GoldenCall] | None = None,
    *,
    split: str = "dev",
    samples: int = 1,
    form: Rubric = FORM,
    usage: Sequence[Mapping[str, Any]] = (),
) -> CalibrationReport:
    names = dict.fromkeys(name for name, _ in cards)
    found = [a_call(name) for name in names] if calls is None else calls
    judge = JudgeUnderTest(rubric=form.reference, rubric_digest="sha256:x", rubric_title=form.title)
    subject = Subject(
        "run", "set", "made-up", "<b>编造</b>", True, split, judge, samples, len(found) * samples, 0, usage
    )
    return make_report(subject, form, found, cards, labels)


def of_pairs(
    pairs: Sequence[tuple[int, int]], *, agents: int = 20, raters: Sequence[tuple[int, int]] | None = None
) -> CriterionReport:
    """The report on `bait` of calls with these (right, proposed) occurrences; `raters`: what two people said."""
    calls = [a_call(f"g-{at}", agent=f"agent {at % agents}") for at in range(len(pairs))]
    cards = {(f"g-{at}", 0): card(f"g-{at}", bait={"occurrences": said}) for at, (_, said) in enumerate(pairs)}
    labels = [
        label(f"g-{at}", "chief", kind="adjudicated", blind=False, bait={"occurrences": right})
        for at, (right, _) in enumerate(pairs)
    ]
    for at, both in enumerate(raters or []):
        labels += [label(f"g-{at}", f"r{who}", bait={"occurrences": said}) for who, said in enumerate(both)]
    return report(cards, labels, calls).by_id["bait"]
