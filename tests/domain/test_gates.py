"""The gate, by hand and with judges whose worth is known because they are made up."""

import numpy as np
import pytest

from callgrade.calibration.figures import beside, figure
from callgrade.calibration.verdicts import verdict
from callgrade.domain.calibration import Agreement, CriterionReport, Figure, Raters, VerdictLine
from callgrade.domain.frozen import LocalText
from callgrade.domain.gates import Paired, SuiteCheck, criterion_gate, passes
from callgrade.stats import coefficients
from callgrade.stats.intervals import bootstrap
from callgrade.stats.pairs import agreement_difference, mcnemar
from callgrade.stats.ratings import Ratings

CLEAN = (SuiteCheck(suite="injection", clean=True, judged=40), SuiteCheck(suite="evidence", clean=True, judged=60))
SEEDS = 200
HUMAN = 0.9
"""A person says what is right in so many of a hundred calls; two agree with kappa 0.64."""


def report(
    kind: str = "on_par", *, raters: str | None = "person", needed: int | None = None, **more
) -> CriterionReport:
    line = VerdictLine(kind=kind, reason=LocalText(zh="因", en="why"), action=LocalText(), labels_needed=needed)
    good = Agreement(
        coefficient="cohen_kappa",
        kappa=Figure(value=0.8, low=0.74, high=0.86, n=300),
        ac=Figure(),
        percent=Figure(),
    )
    told = {
        "judge": "rules",
        "scale": "answer",
        "categories": (0, 1),
        "category_names": (LocalText(en="no"), LocalText(en="yes")),
        "calls": 300,
        "compared": 300,
        "agents": 30,
        "model": good,
        "beside_raters": Figure(value=0.0, low=-0.05, high=0.05, n=300),
    }
    return CriterionReport(
        criterion_id="warm",
        title=LocalText(zh="热情", en="Warm"),
        verdict=line,
        raters=None if raters is None else Raters(names=("a", "b"), kind=raters, **good.model_dump()),
        **(told | more),
    )


def paired(low: float | None, high: float | None, value: float | None = None, **more) -> Paired:
    middle = value if value is not None or low is None else (low + high) / 2
    return Paired(kappa=Figure(value=middle, low=low, high=high), flips=8, compared=300, **more)


@pytest.mark.parametrize(
    ("found", "change", "outcome"),
    [
        (report(), None, "passed"),
        (report(), Paired(compared=300), "passed"),
        (report(), paired(-0.04, 0.1), "passed"),
        (report(), paired(-0.2, 0.14), "insufficient_data"),
        (report(), paired(-0.2, 0.04, gained=3, lost=5), "stopped"),
        (report(), paired(-0.2, 0.04, gained=5, lost=3), "insufficient_data"),
        (report(), paired(-0.2, 0.04, lost=8).model_copy(update={"compared": 60}), "insufficient_data"),
        (report(), paired(-0.04, 0.1, worse=True), "stopped"),
        (report("below"), None, "stopped"),
        (report("below"), paired(0.1, 0.2), "stopped"),
        (report("undecided", needed=40), None, "insufficient_data"),
        (report("undecided", needed=0), None, "stopped"),
        (report("unclear"), None, "insufficient_data"),
        (report("insufficient_data", needed=200), paired(0.1, 0.2), "insufficient_data"),
        (report("not_judged"), None, "insufficient_data"),
        (report("unlabelled"), None, "insufficient_data"),
        (report(raters=None), None, "insufficient_data"),
        (report(beside_raters=Figure(value=0.0, low=-0.05, high=0.05, n=99)), None, "insufficient_data"),
        (report(raters="model"), None, "insufficient_data"),
        (report(raters="mixed"), None, "insufficient_data"),
    ],
)
def test_a_criterion(found, change, outcome):
    gate = criterion_gate(found, change)
    assert gate.outcome == outcome
    assert gate.reasons
    assert all(reason.zh and reason.en and "{" not in reason.zh + reason.en for reason in gate.reasons)


def test_where_kappa_is_undefined_the_share_that_is_right_decides():
    share = Figure(value=-0.1, low=-0.12, high=-0.08)
    assert criterion_gate(report(), Paired(share=share, flips=30, lost=30, compared=300)).outcome == "stopped"


def test_all_that_speaks_against_a_criterion_is_told():
    gate = criterion_gate(report("below"), paired(-0.4, -0.1, worse=True, lost=8))
    assert [reason.en for reason in gate.reasons] == [
        "why",
        "worse than the version in use: 8 flipped, 0 now right, 8 now wrong, difference -0.25 [-0.40, -0.10]",
    ]


def test_one_that_is_stopped_stops_all_and_what_people_judge_is_left_out():
    good, bad = report(), report("below").model_copy(update={"criterion_id": "clear"})
    by_hand = report("not_judged", judge="human").model_copy(update={"criterion_id": "tone"})
    found = passes([good, bad, by_hand], {}, CLEAN)
    assert found.outcome == "stopped"
    assert found.human_only == ("clear",)
    assert [one.criterion_id for one in found.criteria] == ["warm", "clear"]
    assert passes([good, by_hand], None, CLEAN).outcome == "passed"


def test_suites():
    failing = SuiteCheck(suite="injection", clean=False, judged=40, failed=3)
    found = passes([report()], None, (failing, CLEAN[1]))
    assert (found.outcome, found.human_only) == ("stopped", ())
    assert [reason.en for reason in found.reasons] == ["suite injection: 3 of 40 cases fail"]
    assert passes([report()], None, (SuiteCheck(suite="injection", clean=None),)).outcome == "insufficient_data"
    assert passes([report()], None, ()).outcome == "insufficient_data"


def test_nothing_that_is_judged_is_too_little_data():
    assert passes([], None, CLEAN).outcome == "insufficient_data"


# judges that are made up


def simulated(seed: int, n: int, right: float, before: float | None = None, raters: str = "person"):
    """A judge that says what is right with probability `right`, beside two people and the judge before."""
    rng = np.random.default_rng(seed)
    truth = rng.random(n) < 0.4

    def said(share: float) -> np.ndarray:
        return np.where(rng.random(n) < share, truth, ~truth).astype(float)

    people, judge = [said(HUMAN), said(HUMAN)], said(right)
    sums = [_sums(*people), _sums(truth.astype(float), judge)]
    kappas = [figure(bootstrap(one, draws=300)) for one in sums]
    both = [Agreement(coefficient="cohen_kappa", kappa=k, ac=k, percent=k) for k in kappas]
    told = {"model": both[1], "beside_raters": beside(*sums, [str(at) for at in range(n)], draws=300)}
    found = report(
        compared=n, calls=n, raters=None, prevalence=Figure(value=float(truth.mean()), n=n), **told
    ).model_copy(update={"raters": Raters(names=("a", "b"), kind=raters, **both[0].model_dump())})
    commonest = max(truth.mean(), 1 - truth.mean())
    found = found.model_copy(
        update={"verdict": verdict(found, labelled=n, commonest=commonest, faults=int(truth.sum()))}
    )
    if before is None:
        return passes([found], None, CLEAN)
    # most of what the judge before said, the new one says too
    old = np.where(rng.random(n) < 0.8, judge, said(before))
    return passes([found], {"warm": _paired(truth.astype(float), old, judge)}, CLEAN)


def _sums(first: np.ndarray, second: np.ndarray):
    return coefficients.cohen(Ratings.from_columns({"a": first.tolist(), "b": second.tolist()}, categories=(0.0, 1.0)))


def _paired(truth: np.ndarray, old: np.ndarray, new: np.ndarray) -> Paired:
    exact = mcnemar(old == truth, new == truth)
    apart = figure(agreement_difference(_sums(truth, old), _sums(truth, new), draws=300))
    worse = exact.p is not None and exact.p < 0.05 and exact.lost > exact.gained
    return Paired(
        kappa=apart,
        share=figure(exact.difference),
        flips=int((old != new).sum()),
        gained=exact.gained,
        lost=exact.lost,
        compared=len(truth),
        worse=worse or (apart.high is not None and apart.high < 0),
    )


def outcomes(n: int, right: float, **more) -> dict[str, float]:
    found = [simulated(seed, n, right, **more).outcome for seed in range(SEEDS)]
    return {one: found.count(one) / SEEDS for one in ("passed", "stopped", "insufficient_data")}


def test_a_judge_as_good_as_people_passes():
    # against a truth that both people meet in 0.9 of calls, kappa of 0.9 is 0.79, and people reach 0.64 among them
    assert outcomes(300, 0.9)["passed"] >= 0.97


def test_a_poor_judge_never_passes():
    assert outcomes(400, 0.7)["passed"] == 0
    # kappa 0.30 where people reach 0.64: how well they agree is uncertain too, and this is beyond both
    assert outcomes(400, 0.65)["stopped"] >= 0.95


def test_a_judge_right_on_the_line_passes_in_one_case_of_twenty_at_most():
    # kappa 0.53, and people reach 0.63: here every pass is a false one
    assert outcomes(400, 0.77)["passed"] <= 0.05


def test_few_calls_are_too_little_data_whatever_the_judge():
    for right in (0.95, 0.6):
        assert outcomes(60, right)["insufficient_data"] == 1


def test_one_that_got_worse_is_stopped_though_it_is_still_as_good_as_people():
    found = outcomes(400, 0.88, before=1.0)
    assert found["stopped"] >= 0.95


def test_one_that_is_as_good_as_before_is_not_stopped():
    found = outcomes(400, 0.9, before=0.9)
    assert found["stopped"] <= 0.05
    assert found["passed"] >= 0.7


def test_model_raters_are_no_measure_of_people():
    assert outcomes(400, 0.95, raters="model")["passed"] == 0
