"""A second opinion without a model: a small scorer trained on a team's own labels, by criterion.

It says of a call whether a criterion's fault is in it, with a calibrated probability. It never changes a score: where
it firmly says otherwise than the judge, a person looks. Like any judge it is held against labels first, and stays off
where these are too few or it agrees with them too little.
"""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from callgrade.domain.calibration import Figure, is_violation, rating_where_absent
from callgrade.domain.frozen import Frozen, LocalText
from callgrade.domain.judgements import EXCLUDED, Judgement
from callgrade.domain.rubrics import Criterion

Probability = Annotated[float, Field(ge=0, le=1)]
Counted = Annotated[int, Field(ge=0)]
Gate = Literal["on", "insufficient_data", "below"]

FIRM = 0.9
"""From this probability on it disagrees firmly: that there is a fault, or that there is none."""
FEWEST_TO_TRAIN = 20
"""Labelled calls with the fault, and as many without it."""
FEWEST_TO_CHECK = 10
"""Of each kind, among the calls that it was not trained on."""
AGREES = 0.4
"""The lower end of kappa with what is right. Below it agreement is at most fair (Landis and Koch, Biometrics 33,
1977), and its alarms would be noise."""


class Source(Frozen):
    """What it was trained on and checked by. `calls` and `faults` are of the training, `blind` the labels among them
    whose rater had seen no proposal; `agents` different ones. Never calls of a holdout."""

    kind: Literal["golden", "reviews"]
    name: str
    """The golden set's name; of reviews the rubric's id."""
    digest: str
    """Of the golden set as it stood, or of the reviewed calls and their labels."""
    synthetic: bool = False
    by_models: bool = False
    """Labels that models gave are among them: it is then no check by people."""
    calls: Counted = 0
    faults: Counted = 0
    blind: Counted = 0
    agents: Counted = 0
    first: AwareDatetime | None = None
    last: AwareDatetime | None = None
    """When the oldest and the newest label was given, where that is known."""


class Firm(Frozen):
    """What it said firmly of one kind on the calls of the check, and how often that was right."""

    said: Counted = 0
    right: Figure = Figure()


class Check(Frozen):
    """How it did on calls that it was not trained on, by agents it has never heard: as a judge who says "fault" from a
    probability of one half on. `brier` and `ece` are of the probabilities; `base` is the Brier score of always saying
    how frequent the fault is."""

    split: str
    calls: Counted
    faults: Counted
    kappa: Figure = Figure()
    ac: Figure = Figure()
    recall: Figure = Figure()
    precision: Figure = Figure()
    brier: float | None = None
    base: float | None = None
    ece: float | None = None
    firm_fault: Firm = Firm()
    firm_none: Firm = Firm()


class Verdict(Frozen):
    """Whether it is asked at all, why, and what next; `needed`: how many more labelled calls with the fault (or
    without it, if those are the rarer), None where no number helps."""

    gate: Gate
    reason: LocalText
    action: LocalText
    needed: int | None = None


class Opinion(Frozen):
    """One trained scorer, as it is named wherever it speaks. Its weights lie in the file, of which `sha256` is the
    digest; it is asked for exactly the criterion whose digest it names, and of no other."""

    schema_: Literal["callgrade.second-opinion/1"] = Field("callgrade.second-opinion/1", alias="schema")
    rubric: str
    """`id@version`."""
    rubric_digest: str
    criterion_id: str
    criterion_digest: str
    recipe: str
    """How words become numbers; another recipe reads another file."""
    library: str
    trained_at: AwareDatetime
    source: Source
    firm: Probability = FIRM
    check: Check | None = None
    verdict: Verdict
    sha256: str = ""


class Difference(Frozen):
    """It says otherwise than what was proposed. `fault` is what it says, `probability` how sure it is of that; the rest
    is what a reviewer should know of where it comes from."""

    opinion: str
    """The id of the row that the scorer is kept in."""
    criterion_id: str
    fault: bool
    probability: Probability
    calls: Counted
    faults: Counted
    trained_at: AwareDatetime
    kappa: float | None = None
    synthetic: bool = False


def decide(faults: int, none: int, check: Check | None) -> Verdict:
    """The gate. `faults` and `none` are labelled calls that there are to train on; `check` None where it was not
    trained, because they are too few."""
    if min(faults, none) < FEWEST_TO_TRAIN:
        return _too_few("训练", "to train on", faults, none, FEWEST_TO_TRAIN)
    if check is None:
        return Verdict(gate="insufficient_data", reason=_HANGS_TOGETHER, action=_OTHER_PEOPLE)
    if min(check.faults, check.calls - check.faults) < FEWEST_TO_CHECK:
        return _too_few("检验", "to check it by", check.faults, check.calls - check.faults, FEWEST_TO_CHECK)
    low = check.kappa.low
    if low is None or low < AGREES:
        return Verdict(gate="below", reason=_disagrees(check.kappa), action=_MORE_LABELS)
    if check.brier is None or check.base is None or check.brier >= check.base:
        return Verdict(gate="below", reason=_NO_BETTER, action=_MORE_LABELS)
    return Verdict(
        gate="on",
        reason=LocalText(
            zh=f"kappa {check.kappa.value:.2f}（下限 {low:.2f}），检验 {check.calls} 通",
            en=f"Kappa {check.kappa.value:.2f}, at least {low:.2f}, on {check.calls} calls it was not trained on.",
        ),
        action=LocalText(zh="标注增多后重新训练", en="Train it again when there are more labels."),
        needed=0,
    )


def says_fault(criterion: Criterion, proposed: Judgement) -> bool | None:
    """Whether a proposal finds fault; None where it says nothing that could be contradicted."""
    if proposed.method == "human" or proposed.reason == EXCLUDED:
        return None
    if proposed.status == "not_applicable":
        return False if rating_where_absent(criterion) is not None else None
    return is_violation(criterion, proposed.outcome)


def differs(opinion: Opinion, id_: str, proposed_fault: bool | None, probability: float) -> Difference | None:
    """None where it agrees, is not firm, or has nothing to disagree with. `probability` is of the fault."""
    sure = 1 - probability if proposed_fault else probability
    if proposed_fault is None or sure < opinion.firm:
        return None
    return Difference(
        opinion=id_,
        criterion_id=opinion.criterion_id,
        fault=not proposed_fault,
        probability=sure,
        calls=opinion.source.calls,
        faults=opinion.source.faults,
        trained_at=opinion.trained_at,
        kappa=opinion.check.kappa.value if opinion.check else None,
        synthetic=opinion.source.synthetic,
    )


_HANGS_TOGETHER = LocalText(
    zh="坐席与客户彼此相连，无法分出不重叠的检验通话",
    en="All calls hang together by their agents and customers: none can be kept apart to check it by.",
)
_OTHER_PEOPLE = LocalText(zh="补充其他坐席的标注", en="Label calls of other agents.")
_MORE_LABELS = LocalText(
    zh="增加标注后重新训练；仍不够，则这一项靠字面看不出来",
    en="Label more calls and train again; if that does not help, the wording alone does not tell this fault.",
)
_NO_BETTER = LocalText(zh="概率并不比只报出现频率更准", en="Its probabilities are no better than naming the frequency.")


def _disagrees(kappa: Figure) -> LocalText:
    found = "–" if kappa.value is None else f"{kappa.value:.2f}"
    if kappa.low is None:
        return LocalText(
            zh=f"与正确答案的一致性 kappa {found}，给不出区间，不能说达到 {AGREES:g}",
            en=f"Its kappa with what is right is {found}, without an interval: nothing shows {AGREES:g}.",
        )
    return LocalText(
        zh=f"与正确答案的一致性 kappa {found}，下限 {kappa.low:.2f} 低于 {AGREES:g}",
        en=f"Its kappa with what is right is {found}, at least {kappa.low:.2f}: below {AGREES:g}.",
    )


def _too_few(zh: str, en: str, faults: int, none: int, fewest: int) -> Verdict:
    rarer = min(faults, none)
    of = LocalText(zh="有此问题", en="with the fault") if faults <= none else LocalText(zh="无此问题", en="without it")
    missing = fewest - rarer
    return Verdict(
        gate="insufficient_data",
        reason=LocalText(
            zh=f"可供{zh}的标注中{of.zh}的只有 {rarer} 通，至少要 {fewest} 通",
            en=f"{rarer} labelled calls {of.en} {en}; it takes {fewest}.",
        ),
        action=LocalText(zh=f"再标注 {missing} 通{of.zh}的通话", en=f"Label {missing} more {of.en}."),
        needed=missing,
    )
