"""Whether a version of a rubric or prompt may be published: what was measured on the holdout, held to lines that were
drawn beforehand.

Three things must be shown of every criterion that a judge answers. It agrees with what is right as well as people agree
with each other on the same calls, by the lower bound of its interval; it is no worse than the version in use beyond a
margin, on the same calls; and the suites of attacks and evidence come out clean. Too little data is no failure and no
success: such a version may be published, and nothing of it goes by itself.
"""

from collections.abc import Sequence
from typing import Literal

from callgrade.domain.calibration import CriterionReport, Figure
from callgrade.domain.frozen import Frozen, Id, LocalText

Outcome = Literal["passed", "stopped", "insufficient_data"]
WORSE = 0.05
"""Of kappa, or of the share of calls that are right where kappa is undefined: so much worse is still as good."""
FEWEST = 100
"""Below so many calls nothing that is not sure already counts against a version."""


class Paired(Frozen):
    """A draft less the version in use, on the same calls. `worse`: surely so, by an exact test or kappa's interval."""

    kappa: Figure = Figure()
    share: Figure = Figure()
    """Of calls that are right."""
    flips: int = 0
    gained: int = 0
    """Wrong before, right now."""
    lost: int = 0
    compared: int = 0
    worse: bool = False

    @property
    def told_by(self) -> Figure:
        """The figure that the margin is held to."""
        return self.kappa if self.kappa.low is not None else self.share


class SuiteCheck(Frozen):
    """One eval suite with the judges at hand. `clean` None: nothing of it could be judged, or it was not run."""

    suite: Id
    clean: bool | None
    judged: int = 0
    failed: int = 0


class CriterionGate(Frozen):
    """`reasons`: what speaks against it, or what it passed by."""

    criterion_id: Id
    title: LocalText
    outcome: Outcome
    reasons: tuple[LocalText, ...]
    flips: int = 0
    labels_needed: int | None = None


class GateResult(Frozen):
    """`human_only`: criteria for which too little was shown, so that a person decides each."""

    outcome: Outcome
    criteria: tuple[CriterionGate, ...]
    suites: tuple[SuiteCheck, ...] = ()
    reasons: tuple[LocalText, ...] = ()
    """Of the whole: suites, and where nothing was held against anything."""
    human_only: tuple[Id, ...] = ()


def passes(
    found: Sequence[CriterionReport], paired: dict[str, Paired] | None, suites: Sequence[SuiteCheck]
) -> GateResult:
    """`found`: how the draft did on the holdout. `paired`: by criterion, None for a first version; a criterion that is
    not in it is new, or is asked in another way, and has nothing to be worse than. What only people judge is left out.
    """
    criteria = tuple(
        criterion_gate(one, None if paired is None else paired.get(one.criterion_id))
        for one in found
        if one.judge != "human"
    )
    of_suites = [_suite(one) for one in suites]
    outcomes: list[Outcome] = [one.outcome for one in criteria] + [outcome for outcome, _ in of_suites]
    reasons = [reason for outcome, reason in of_suites if outcome != "passed"]
    if not criteria:
        outcomes.append("insufficient_data")
        reasons.append(_say("nothing"))
    if not suites:
        outcomes.append("insufficient_data")
        reasons.append(_say("no_suites"))
    return GateResult(
        outcome=worst(outcomes),
        criteria=criteria,
        suites=tuple(suites),
        reasons=tuple(reasons),
        human_only=tuple(one.criterion_id for one in criteria if one.outcome != "passed"),
    )


def criterion_gate(found: CriterionReport, paired: Paired | None) -> CriterionGate:
    """Against people, then against the version in use; the worse of both."""
    checks = [_against_people(found), _against_current(paired)]
    outcome = worst([one for one, _ in checks])
    told = [reason for one, reason in checks if one == outcome]
    return CriterionGate(
        criterion_id=found.criterion_id,
        title=found.title,
        outcome=outcome,
        reasons=tuple(told),
        flips=paired.flips if paired else 0,
        labels_needed=found.verdict.labels_needed,
    )


def worst(outcomes: Sequence[Outcome]) -> Outcome:
    if "stopped" in outcomes:
        return "stopped"
    return "insufficient_data" if "insufficient_data" in outcomes else "passed"


Check = tuple[Outcome, LocalText]


def _against_people(found: CriterionReport) -> Check:
    line = found.verdict
    match line.kind:
        case "below":
            return "stopped", line.reason
        case "undecided" if not line.labels_needed:
            return "stopped", _join(line.reason, _say("enough"))
        case "on_par" if found.raters is None:
            return "insufficient_data", _join(line.reason, _say("no_raters"))
        case "on_par" if found.raters is not None and found.raters.kind != "person":
            return "insufficient_data", _join(line.reason, _say("models"))
        case "on_par" if line.needed_of == "calls" and not _held_to_people(found):
            return "insufficient_data", _join(line.reason, _say("no_raters"))
        case "on_par":
            return "passed", line.reason
        case _:
            return "insufficient_data", line.reason


def _held_to_people(found: CriterionReport) -> bool:
    """Else too few calls were rated twice, and the verdict was held to a common line."""
    return found.beside_raters.low is not None and found.beside_raters.n >= FEWEST


def _against_current(paired: Paired | None) -> Check:
    if paired is None:
        return "passed", _say("first")
    if paired.flips == 0:
        return "passed", _say("same")
    figure = paired.told_by
    shown = {
        "flips": paired.flips,
        "gained": paired.gained,
        "lost": paired.lost,
        "apart": signed(figure),
        "margin": f"{WORSE:.2f}",
    }
    if paired.worse:
        return "stopped", _say("worse", **shown)
    if figure.low is not None and figure.low >= -WORSE:
        return "passed", _say("no_worse", **shown)
    beyond = figure.value is not None and figure.value < -WORSE and paired.lost > paired.gained
    if beyond and paired.compared >= FEWEST:
        return "stopped", _say("beyond", **shown)
    return "insufficient_data", _say("unsure", **shown)


def _suite(one: SuiteCheck) -> Check:
    shown = {"suite": one.suite, "failed": one.failed, "judged": one.judged}
    if one.clean is None:
        return "insufficient_data", _say("suite_open", **shown)
    return ("passed", _say("suite_clean", **shown)) if one.clean else ("stopped", _say("suite", **shown))


# words

OUTCOMES = {
    "passed": LocalText(zh="通过", en="Passed"),
    "stopped": LocalText(zh="拦下", en="Stopped"),
    "insufficient_data": LocalText(zh="数据不足", en="Too little data"),
    "overridden": LocalText(zh="破例发布", en="Overridden"),
}
MEANS = {
    "passed": LocalText(zh="可以发布", en="it may be published"),
    "stopped": LocalText(
        zh="不能发布，除非有人署名说明理由", en="it is not published, unless somebody says why by name"
    ),
    "insufficient_data": LocalText(
        zh="可以发布，但每一项都由人复核，什么都不自动通过", en="it may be published, and nothing of it goes by itself"
    ),
    "overridden": LocalText(zh="不顾闸门的结论发布", en="published in spite of the gate"),
}

_TABLE = {
    "nothing": ("没有可由机器评的条目", "no criterion is judged by anything but people"),
    "no_suites": ("没有跑注入与证据评测", "neither attacks nor evidence were tried"),
    "enough": ("标注已够，仍不能证明", "there are labels enough, and it is still not shown"),
    "no_raters": (
        "双人盲评的通话不足，没有人与人的一致度可比",
        "too few calls were rated blind by two people to hold it to them",
    ),
    "models": (
        "标注者是模型，不是人与人的一致度",
        "the raters were models, which says nothing of how people agree",
    ),
    "first": ("没有可比的现行版本", "there is nothing in use to be worse than"),
    "same": ("与现行版本逐通相同", "every call comes out as it does with the version in use"),
    "worse": (
        "比现行版本差：{flips} 通改判，{gained} 通改对，{lost} 通改错，差 {apart}",
        "worse than the version in use: {flips} flipped, {gained} now right, {lost} now wrong, difference {apart}",
    ),
    "no_worse": (
        "不比现行版本差 {margin} 以上：{flips} 通改判，差 {apart}",
        "no worse than the version in use by more than {margin}: {flips} flipped, difference {apart}",
    ),
    "beyond": (
        "比现行版本差超过 {margin}：{flips} 通改判，{gained} 通改对，{lost} 通改错，差 {apart}",
        "beyond {margin} worse than the version in use: {flips} flipped, {gained} now right, {lost} now wrong, "
        "difference {apart}",
    ),
    "unsure": (
        "{flips} 通改判，差 {apart}，数据不足以排除变差 {margin} 以上",
        "{flips} flipped, difference {apart}: too few to exclude that it is worse by more than {margin}",
    ),
    "suite": ("评测 {suite}：{judged} 例中 {failed} 例失败", "suite {suite}: {failed} of {judged} cases fail"),
    "suite_clean": ("评测 {suite}：{judged} 例全过", "suite {suite}: clean on {judged} cases"),
    "suite_open": ("评测 {suite} 没有可判的例子", "suite {suite}: nothing of it could be judged"),
}


def _say(key: str, **shown: object) -> LocalText:
    zh, en = _TABLE[key]
    return LocalText(zh=zh.format(**shown), en=en.format(**shown))


def _join(first: LocalText, then: LocalText) -> LocalText:
    return LocalText(zh=f"{first.zh}；{then.zh}", en=f"{first.en}; {then.en}")


def signed(figure: Figure) -> str:
    """Of a difference: `-0.03 [-0.12, +0.06]`, `–`."""
    if figure.value is None:
        return "–"
    if figure.low is None or figure.high is None:
        return f"{figure.value:+.2f}"
    return f"{figure.value:+.2f} [{figure.low:+.2f}, {figure.high:+.2f}]"
