"""What people read around a calibration report, in Chinese and English: the page and the terminal share it."""

from collections.abc import Mapping

from pydantic import JsonValue

from callgrade.domain.calibration import CriterionReport, Disagreement, Figure, VerdictLine
from callgrade.evaluations.words import word
from callgrade.stats.results import Why

TABLE: dict[str, tuple[str, str]] = {
    "title": ("校准报告", "Calibration report"),
    "product": ("通话质检", "Call quality"),
    "skip": ("跳到各项结论", "Skip to the verdicts"),
    "on_this_page": ("本页内容", "On this page"),
    "overview": ("各项结论", "Verdicts"),
    "details": ("逐项", "Each criterion"),
    "disagreements": ("分歧", "Disagreements"),
    "synthetic": ("合成数据", "Synthetic data"),
    "synthetic_note": (
        "通话全是虚构的：数字说明方法，不说明真实通话中的表现。",
        "Every call is made up: the figures show the method, not how a judge does on real calls.",
    ),
    "model_raters": ("评分人是模型", "Raters are models"),
    "model_raters_note": (
        "标注由模型给出，不是人工：评分人之间的一致率不是人与人的一致率。",
        "Labels were given by models, not people: agreement between raters is no human–human figure.",
    ),
    "partial": ("未完成", "Not complete"),
    "partial_note": ("{items} / {wanted} 份已评判", "{items} of {wanted} were judged"),
    "not_judged_note": (
        "{number} 项没有评判：没有配置模型，或只由人评判。",
        "{number} criteria were not judged: no model is set up, or only people judge them.",
    ),
    "other_versions": ("其他版本的标注", "Labels by other versions"),
    "set": ("通话集", "Golden set"),
    "split": ("数据", "Split"),
    "split.train": ("训练", "train"),
    "split.dev": ("开发", "dev"),
    "split.train+dev": ("训练 + 开发", "train + dev"),
    "split.holdout": ("验证", "holdout"),
    "calls": ("通话", "Calls"),
    "samples": ("每通评判次数", "Samples per call"),
    "model": ("模型", "Model"),
    "no_model": ("无（只用规则）", "none (rules alone)"),
    "prompt": ("提示词", "Prompt"),
    "run": ("编号", "Run"),
    "made_at": ("时间", "Made"),
    "recogniser": ("识别器", "Recogniser"),
    "requests": ("请求", "Requests"),
    "from_cache": ("{number} 次取自缓存", "{number} from the cache"),
    "tokens": ("词元（提示 / 回答）", "Tokens (prompt / answer)"),
    "cost": ("费用", "Cost"),
    "cost_unknown": ("未知", "unknown"),
    "latency": ("每通用时（中位 / 95 %）", "Time a call (median / 95 %)"),
    "criterion": ("评分项", "Criterion"),
    "verdict": ("结论", "Verdict"),
    "on_par": ("与评分人相当", "On par"),
    "below": ("不及评分人", "Below"),
    "undecided": ("未定", "Undecided"),
    "unclear": ("标准不清", "Unclear"),
    "insufficient_data": ("数据不足", "Too little data"),
    "not_judged": ("未评判", "Not judged"),
    "unlabelled": ("未标注", "Unlabelled"),
    "reason": ("理由", "Reason"),
    "action": ("下一步", "Next"),
    "needed": ("还需标注", "Labels needed"),
    "needed_calls": ("还需标注 {number} 通", "{number} more labelled calls needed"),
    "needed_faults": (
        "还需标注 {number} 通出现它的通话",
        "{number} more labelled calls in which it occurs needed",
    ),
    "short_calls": ("{number} 通", "{number} calls"),
    "short_faults": ("{number} 通有它的", "{number} that have it"),
    "needed_none": ("标注已够", "no more labels needed"),
    "needed_unknown": ("标注再多也无济于事", "no number of labels would help"),
    "compared": ("对照", "Compared"),
    "compared_of": ("{compared} / {calls} 通，{agents} 名坐席", "{compared} of {calls} calls, {agents} agents"),
    "kappa": ("κ", "κ"),
    "weighted_kappa": ("加权 κ（线性）", "Weighted κ (linear)"),
    "against_truth": ("评判与正确答案", "Judge against what is right"),
    "between_raters": ("评分人之间", "Raters with each other"),
    "between_model_raters": ("模型评分人之间", "Model raters with each other"),
    "between_mixed_raters": ("人与模型评分人之间", "Raters (people and models) with each other"),
    "with_raters": ("评判与各评分人：κ 平均", "Judge with each rater: mean κ"),
    "ac": ("AC1 / AC2", "AC1 / AC2"),
    "percent": ("一致率", "Agreement"),
    "prevalence": ("出现率", "Prevalence"),
    "bias": ("偏差（评判减正确）", "Bias (judge less right)"),
    "recall": ("召回", "Recall"),
    "precision": ("精确", "Precision"),
    "faults": ("有无问题", "Any fault"),
    "true": ("实有", "Are so"),
    "said": ("判有", "Said so"),
    "confusion": ("混淆表", "Confusion"),
    "confusion_note": ("行：正确答案；列：评判", "rows: what is right; columns: what was proposed"),
    "abstained": ("弃权", "Abstained"),
    "failed": ("评判失败", "Failed"),
    "applicability": ("是否适用看法不同", "Applies or not: seen differently"),
    "contested": ("评分人不一致且无人裁定", "Raters differ and nobody decided"),
    "truth": ("正确答案来自", "What is right comes from"),
    "truth.adjudicated": ("裁定 {number}", "{number} adjudicated"),
    "truth.unanimous": ("一致 {number}", "{number} unanimous"),
    "truth.single": ("仅一人 {number}", "{number} by one rater"),
    "founded": ("引文属实", "Quotes found in the call"),
    "overlap": ("与标注引文重合", "Quotes that raters point to as well"),
    "repeatability": ("重复评判一致率（{samples} 次）", "Agreement of {samples} samples"),
    "all_figures": ("全部指标与混淆表", "All figures and the confusion table"),
    "figure": ("指标", "Figure"),
    "value": ("值", "Value"),
    "interval": ("95 % 区间", "95 % interval"),
    "n": ("通话", "Calls"),
    "note": ("说明", "Note"),
    "call": ("通话", "Call"),
    "turn": ("话轮", "Turn"),
    "proposed": ("评判", "Proposed"),
    "right": ("正确", "Right"),
    "raters": ("评分人", "Raters"),
    "distance": ("差距", "Distance"),
    "none_listed": ("没有分歧。", "No disagreement."),
    "holdout_unlisted": (
        "验证集的分歧从不列出：看过的数据就不再是验证。",
        "Those of the holdout are never listed: what has been looked at proves nothing any more.",
    ),
    "more": ("另有 {number} 条，见 JSON。", "{number} more in the JSON."),
    "chart_note": (
        "点与线：κ 与 95 % 区间；菱形：评分人之间的 κ。",
        "Dot and line: κ with its 95 % interval; diamond: κ of the raters with each other.",
    ),
    "undefined": ("无定义", "undefined"),
    "method_note": (
        "区间按坐席抽样（不足十名时按通话）；召回与精确为 Wilson 区间；不足 100 通不下结论。",
        "Intervals draw agents (calls where fewer than ten); recall and precision have Wilson intervals; below 100 "
        "calls no verdict is given.",
    ),
    "better": ("变好", "Better"),
    "worse": ("变差", "Worse"),
    "same": ("未见变化", "No change shown"),
    "unknown": ("无从比较", "Cannot be compared"),
    "gained": ("改对", "Mended"),
    "lost": ("改错", "Broken"),
    "flips": ("改判", "Flips"),
    "before": ("之前", "Before"),
    "after": ("之后", "After"),
    "status": ("状态", "State"),
    "rubric": ("评分表", "Rubric"),
}


def say(key: str, language: str, **values: object) -> str:
    chinese, english = TABLE[key]
    return (chinese if language.startswith("zh") else english).format(**values)


def needed(line: VerdictLine, language: str) -> str:
    """How many labels are still needed, as a sentence of its own."""
    if line.labels_needed is None:
        return say("needed_unknown" if line.kind == "unclear" else "needed_none", language)
    if line.labels_needed == 0:
        return say("needed_none", language)
    return say(f"needed_{line.needed_of}", language, number=line.labels_needed)


def why(figure: Figure, language: str) -> str:
    """Why a figure or its interval is missing; empty where nothing is."""
    return "" if figure.why is None else Why(figure.why).words(language)


def outcome_in_words(given: Mapping[str, JsonValue], language: str) -> str:
    """An outcome as contracts.md has judgements: `2 found`, `yes`, `Cannot assess`."""
    match dict(given):
        case {"status": str(status)}:
            return word(f"status.{status}", language)
        case {"answer": str(answer)}:
            return word(f"outcome.{answer}", language)
        case {"occurrences": int(number), "aggravated": int(grave)} if grave:
            return word("outcome.aggravated", language, number=number, aggravated=grave)
        case {"occurrences": int(number)}:
            return word("outcome.occurrences", language, number=number)
        case {"kinds": int(number)}:
            return word("outcome.kinds", language, number=number)
        case {"count": int(number)}:
            return word("outcome.count", language, number=number)
        case other:
            return ", ".join(f"{value}" for value in other.values())


def raters_title(found: CriterionReport, language: str) -> str:
    kind = found.raters.kind if found.raters else "person"
    return say("between_raters" if kind == "person" else f"between_{kind}_raters", language)


def where(one: Disagreement) -> str:
    """`#7` for the eighth turn; empty where there is none."""
    return "" if one.turn is None else f"#{one.turn}"
