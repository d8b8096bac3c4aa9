"""What the figures of a criterion come to: a verdict, its reason, what to do next, how many labels are missing.

Below a hundred labelled calls, or ten agents, there is none: the interval is shown and that is all that can be said. Of
what is rare kappa says little, and recall and precision are held to a line of their own.
"""

import math
from typing import NamedTuple

from callgrade.domain.calibration import (
    ClassFigures,
    ConfusionTable,
    CriterionReport,
    Figure,
    Raters,
    VerdictKind,
    VerdictLine,
)
from callgrade.domain.frozen import LocalText
from callgrade.domain.gates import signed
from callgrade.stats.intervals import FEWEST_GROUPS
from callgrade.stats.samples import FEWEST, advice

MARGIN = 0.10
"""Of kappa: so much further from what is right than the raters are from each other is still as good. Both are estimates
on the same calls, and what is held to the margin is the interval of their difference: taking the raters' kappa as known
lets up to one in ten of the judges pass that stand right on the line (simulated, 200 to 1,000 calls)."""
UNCLEAR = 0.40
"""Raters whose kappa surely lies below do not agree on what the criterion means."""
GOAL = 0.60
"""Kappa where nobody rated twice: "substantial" of Landis & Koch (1977), for want of anything better."""
GOOD_SHARE = 0.80
"""Recall and precision that a rare criterion must surely reach."""
FAULTS_NEEDED = 62
"""Occurrences for a recall of 0.8 within ± 0.10."""


def verdict(found: CriterionReport, *, labelled: int, commonest: float | None, faults: int) -> VerdictLine:
    """`labelled`: calls of which it is known what is right, of those compared where any are; `commonest`: the share of
    the category that is most of them (None without any); `faults`: how many of them have a fault."""
    missing = advice(labelled, commonest)
    rare = missing.report == "recall and precision" and labelled > 0
    needed = max(FAULTS_NEEDED - faults if rare else missing.missing, FEWEST - labelled)
    of = "faults" if rare else "calls"
    if found.calls == 0:
        return _line("not_judged", _say("nothing_yet"), _say("do_nothing_yet"), needed, of=of)
    if found.not_judged == found.calls:
        return _not_judged(found.judge, needed, of)
    if labelled == 0:
        return _line("unlabelled", _say("no_truth"), _say("label"), needed)
    if found.model is None:
        return _line("insufficient_data", _say("nothing_rated"), _say("label"), needed)
    fault = _rarer(found.confusion) if found.confusion else None
    if rare and fault is not None:
        return _of_rare(found, fault)
    if found.compared < FEWEST or found.agents < FEWEST_GROUPS or found.model.kappa.low is None:
        return _line("insufficient_data", _few(found, found.model.kappa), _say("label"), needed)
    if _unclear(found.raters):
        return _line("unclear", _say("unclear", raters=_shown(found.raters)), _say("sharpen"), None)
    return _of_common(found, missing.missing)


def _of_common(found: CriterionReport, needed: int) -> VerdictLine:
    """Held to the raters where enough calls were rated twice to tell how well they agree; else to a common line."""
    assert found.model is not None
    apart, shown = found.beside_raters, _say("kappa", kappa=interval(found.model.kappa), n=found.model.kappa.n)
    if apart.n >= FEWEST and apart.low is not None:
        told = {"raters": _shown(found.raters), "who": _who(found.raters), "n": apart.n, "apart": signed(apart)}
        held, goal, against, line = apart, -MARGIN, _say("beside", **told), f"{-MARGIN:+.2f}"
        needed = max(needed, _more_calls(apart))
    else:
        held, goal, line = found.model.kappa, GOAL, f"{GOAL:.2f}"
        against = _say("few_twice", n=apart.n, fewest=FEWEST) if apart.n else _say("alone")
    assert held.low is not None
    assert held.high is not None
    kind: VerdictKind = "on_par" if held.low >= goal else "below" if held.high < goal else "undecided"
    reason = _join(shown, against, _say(kind, goal=line))
    return _line(kind, reason, _say(f"do_{kind}"), needed if kind == "undecided" else 0)


def _more_calls(apart: Figure) -> int:
    """Calls rated twice until the difference is known within the margin; an interval narrows with the root of them."""
    assert apart.low is not None
    assert apart.high is not None
    reach = (apart.high - apart.low) / 2 / MARGIN
    return max(0, math.ceil(apart.n * (reach**2 - 1) / 10) * 10)


def _of_rare(found: CriterionReport, fault: ClassFigures) -> VerdictLine:
    needed = max(0, FAULTS_NEEDED - fault.true, FEWEST - found.compared)
    reason = _say("rare", true=fault.true, n=found.compared, recall=interval(fault.recall))
    reason = _join(reason, _say("precision", precision=interval(fault.precision), said=fault.said))
    lows = [fault.recall.low, fault.precision.low]
    highs = [fault.recall.high, fault.precision.high]
    good = all(low is not None and low >= GOOD_SHARE for low in lows)
    bad = any(high is not None and high < GOOD_SHARE for high in highs)
    few = found.compared < FEWEST or found.agents < FEWEST_GROUPS
    # that it is bad can be sure long before it can be sure that it is good
    if few or (fault.true < FAULTS_NEEDED and not bad):
        reason = _join(reason, _say("too_rare", needed=FAULTS_NEEDED))
        return _line("insufficient_data", reason, _say("find"), needed, of="faults")
    kind: VerdictKind = "on_par" if good else "below" if bad else "undecided"
    reason = _join(reason, _say(f"rare_{kind}", goal=f"{GOOD_SHARE:.0%}"))
    return _line(kind, reason, _say(f"do_{kind}"), needed if kind == "undecided" else 0, of="faults")


def _rarer(table: ConfusionTable) -> ClassFigures:
    """Faults, or the category that is rarest where the scale knows none."""
    return table.fault or min(table.classes, key=lambda one: one.true)


def _unclear(raters: Raters | None) -> bool:
    if raters is None or raters.kappa.n < FEWEST or raters.kappa.high is None:
        return False
    return raters.kappa.high < UNCLEAR


def _not_judged(judge: str, needed: int, of: str) -> VerdictLine:
    by = "people" if judge == "human" else "no_model" if judge == "llm" else "no_judge"
    return _line("not_judged", _say(by), _say(f"do_{by}"), None if judge == "human" else needed, of=of)


def _few(found: CriterionReport, kappa: Figure) -> LocalText:
    shown = _say("kappa", kappa=interval(kappa), n=found.compared)
    if found.compared < FEWEST:
        return _join(shown, _say("few", fewest=FEWEST))
    if found.agents < FEWEST_GROUPS:
        return _join(shown, _say("few_agents", agents=found.agents, fewest=FEWEST_GROUPS))
    return _join(shown, _say("no_interval"))


# words


class _Words(NamedTuple):
    zh: str
    en: str


_TABLE = {
    "kappa": _Words("κ {kappa}（{n} 通）", "κ {kappa} on {n} calls"),
    "beside": _Words(
        "{who}之间为 {raters}；在双人盲评的 {n} 通上相差 {apart}",
        "{who} reach {raters} with each other; on the {n} calls rated twice it is {apart} apart",
    ),
    "few_twice": _Words(
        "双人盲评仅 {n} 通，不足 {fewest} 通，只能按通用门槛看",
        "{n} calls were rated twice, and below {fewest} a common line must do",
    ),
    "alone": _Words("没有两人盲评，只能按通用门槛看", "nobody rated twice, so that a common line must do"),
    "on_par": _Words("区间下限达到 {goal}", "surely at least {goal}"),
    "below": _Words("区间上限低于 {goal}", "surely below {goal}"),
    "undecided": _Words("区间跨过 {goal}，尚无定论", "the interval lies on both sides of {goal}"),
    "few": _Words("不足 {fewest} 通，不下结论", "below {fewest} calls no verdict is given"),
    "few_agents": _Words(
        "只有 {agents} 名坐席，不足 {fewest} 名，不下结论", "{agents} agents: below {fewest} no verdict is given"
    ),
    "no_interval": _Words("给不出区间，不下结论", "without an interval no verdict is given"),
    "rare": _Words(
        "少见：{n} 通中有 {true} 通；找出 {recall}", "rare: it occurs in {true} of {n} calls; recall {recall}"
    ),
    "precision": _Words("判出的 {said} 通中属实 {precision}", "precision {precision} of {said} said to have it"),
    "too_rare": _Words("须有 {needed} 通出现才下结论", "a verdict takes {needed} in which it occurs"),
    "rare_on_par": _Words("两者区间下限都达到 {goal}", "both surely at least {goal}"),
    "rare_below": _Words("其中有的区间上限低于 {goal}", "one of them is surely below {goal}"),
    "rare_undecided": _Words("区间跨过 {goal}，尚无定论", "an interval lies on both sides of {goal}"),
    "unclear": _Words(
        "评分人之间的 κ 只有 {raters}：标准本身还不清楚", "the raters reach only κ {raters} with each other"
    ),
    "no_truth": _Words("没有标注说明什么是对的", "no label says what is right"),
    "nothing_rated": _Words("没有一通两边都给出了评分", "no call has a rating of both sides"),
    "nothing_yet": _Words("还没有评判任何通话", "no call was judged yet"),
    "do_nothing_yet": _Words("看为何没有评判，然后重跑", "see why nothing was judged, and run again"),
    "people": _Words("这一项只由人评判", "only people judge this one"),
    "no_model": _Words("没有配置模型：未评判", "no model was there to judge it"),
    "no_judge": _Words("没有评判者作答", "no judge answered"),
    "do_people": _Words("无须处理", "nothing to be done"),
    "do_no_model": _Words("设置 CALLGRADE_LLM__MODEL 后重跑", "set CALLGRADE_LLM__MODEL and run again"),
    "do_no_judge": _Words("看通话是否有它要的事实", "see whether the calls bring the facts that it needs"),
    "do_on_par": _Words("可以为它定阈值并证明漏检上限", "fix a threshold for it and prove its risk bound"),
    "do_below": _Words(
        "仍由人评判；逐条看分歧，改标准或提示词后重跑",
        "leave it to people; read the disagreements, mend criterion or prompt, run again",
    ),
    "do_undecided": _Words("仍由人复核，并增加标注", "keep people in and label more calls"),
    "label": _Words("仍由人复核，并增加标注", "keep people in and label more calls"),
    "find": _Words(
        "仍由人复核；多找出现它的通话来标注", "keep people in; look for calls in which it occurs and label them"
    ),
    "sharpen": _Words("先写清标准与例子，再双人盲评", "sharpen the criterion and its examples, then grade twice again"),
    "raters_person": _Words("评分人", "the raters"),
    "raters_model": _Words("模型评分人", "the model raters"),
    "raters_mixed": _Words("人与模型评分人", "the raters, people and models,"),
}


def _say(key: str, **values: object) -> LocalText:
    words = _TABLE[key]
    both = {
        name: value if isinstance(value, LocalText) else LocalText(zh=str(value), en=str(value))
        for name, value in values.items()
    }
    return LocalText(
        zh=words.zh.format(**{name: text.zh for name, text in both.items()}),
        en=words.en.format(**{name: text.en for name, text in both.items()}),
    )


def _join(*parts: LocalText) -> LocalText:
    return LocalText(zh="；".join(part.zh for part in parts), en="; ".join(part.en for part in parts))


def _line(
    kind: VerdictKind, reason: LocalText, action: LocalText, needed: int | None, *, of: str = "calls"
) -> VerdictLine:
    return VerdictLine.model_validate(
        {"kind": kind, "reason": reason, "action": action, "labels_needed": needed, "needed_of": of}
    )


def _who(raters: Raters | None) -> LocalText:
    return _say(f"raters_{raters.kind if raters else 'person'}")


def _shown(raters: Raters | None) -> str:
    value = None if raters is None else raters.kappa.value
    return "–" if value is None else f"{value:.2f}"


def interval(figure: Figure) -> str:
    """`0.82 [0.74, 0.89]`, `0.82`, `–`."""
    if figure.value is None:
        return "–"
    if figure.low is None or figure.high is None:
        return two_places(figure.value)
    return f"{two_places(figure.value)} [{two_places(figure.low)}, {two_places(figure.high)}]"


def two_places(value: float) -> str:
    """Never `-0.00`."""
    return f"{round(value, 2) + 0.0:.2f}"
