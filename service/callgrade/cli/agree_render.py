"""What `agree` found, for a person, in Chinese and English."""

from collections.abc import Callable

from rich.markup import escape
from rich.table import Table

from callgrade.cli.agree_report import Report
from callgrade.cli.output import console
from callgrade.stats.results import Statistic
from callgrade.stats.samples import FEWEST

WORDS: dict[str, tuple[str, str]] = {
    "all": ("评分一致性", "Agreement"),
    "counts": (
        "样本 {items}（其中 {pairable} 个有至少两人评分）　评分人 {raters}　评分 {ratings}",
        "{items} items ({pairable} with at least two ratings), {raters} raters, {ratings} ratings",
    ),
    "figure": ("指标", "figure"),
    "value": ("值", "value"),
    "interval": ("95 % 区间", "95 % interval"),
    "n": ("样本", "items"),
    "note": ("说明", "note"),
    "percent_agreement": ("一致率", "percentage agreement"),
    "cohen_kappa": ("Cohen kappa", "Cohen's kappa"),
    "weighted_kappa_linear": ("加权 kappa（线性）", "weighted kappa, linear"),
    "weighted_kappa_quadratic": ("加权 kappa（平方）", "weighted kappa, quadratic"),
    "fleiss_kappa": ("Fleiss kappa", "Fleiss' kappa"),
    "krippendorff_alpha": ("Krippendorff alpha（{kind}）", "Krippendorff's alpha, {kind}"),
    "gwet_ac1": ("Gwet AC1", "Gwet's AC1"),
    "gwet_ac2_quadratic": ("Gwet AC2（平方）", "Gwet's AC2, quadratic"),
    "icc_2_1": ("ICC(2,1) 绝对一致", "ICC(2,1), absolute"),
    "nominal": ("定类", "nominal"),
    "ordinal": ("定序", "ordinal"),
    "interval_kind": ("定距", "interval"),
    "ratio": ("定比", "ratio"),
    "prevalence": ("取值分布", "prevalence"),
    "bias": ("偏差（与其他评分人均值之差）", "bias (against the mean of the others)"),
    "bias_of_two": ("偏差（给出“{label}”的比例之差）", "bias (how much oftener “{label}” than the others)"),
    "by_items": ("区间：按样本抽样", "intervals: items drawn"),
    "by_agents": ("区间：按坐席抽样（{agents} 名）", "intervals: agents drawn ({agents})"),
    "guessed": (
        "量表取自文件：没有用到的取值未计入；请用 --scale 写明",
        "the scale was taken from the file: values that nobody used do not count; name it with --scale",
    ),
    "no_verdict": (
        "只看区间，不下结论：不足 {fewest} 个样本。",
        "No verdict, intervals only: fewer than {fewest} items.",
    ),
    "verdict": ("可以下结论。", "Enough for a verdict."),
    "needed": (
        "kappa ±0.10 约需 {needed} 个样本，还缺 {missing} 个。",
        "Kappa ±0.10 takes about {needed} items: {missing} more.",
    ),
    "reached": ("kappa ±0.10 所需的约 {needed} 个样本已够。", "The {needed} items or so for kappa ±0.10 are there."),
    "rare": (
        "少数类不足 5 %：请报告召回率与精确率，而不是 kappa。",
        "The rarer side is below 5 %: report recall and precision in the place of kappa.",
    ),
}


def say(key: str, language: str, **values: object) -> str:
    chinese, english = WORDS[key]
    return (chinese if language.startswith("zh") else english).format(**values)


def show_report(report: Report, language: str) -> None:
    """The criterion, how far it goes, then the figures."""
    out, ratings = console(), report.rated.ratings
    out.print(f"[bold]{escape(report.rated.criterion or say('all', language))}[/]")
    if report.advice is not None:
        out.print(advice_in_words(report, language))
    out.print(
        say(
            "counts",
            language,
            items=len(ratings.items),
            pairable=report.pairable,
            raters=len(ratings.raters),
            ratings=report.ratings_number,
        )
    )
    out.print(_table(report, language))
    if report.prevalence:
        shares = "  ".join(f"{label} {share:.0%}" for label, share in report.prevalence.items())
        out.print(f"{say('prevalence', language)}: {escape(shares)}")
    if report.bias:
        out.print(f"{_bias_title(report, language)}: {escape(_biases(report, language))}")
    drawn = say("by_items", language) if report.by_agent is None else say("by_agents", language, agents=report.by_agent)
    out.print(f"[dim]{drawn}[/]")
    if report.rated.scale is not None and not report.rated.scale.given:
        out.print(f"[yellow]{say('guessed', language)}[/]")
    out.print()


def advice_in_words(report: Report, language: str) -> str:
    """Whether there is enough for a verdict, how many items are missing, and what to tell where one side is rare."""
    advice = report.advice
    assert advice is not None
    parts = [say("verdict" if advice.verdict else "no_verdict", language, fewest=FEWEST)]
    key = "needed" if advice.missing else "reached"
    parts.append(say(key, language, needed=advice.needed, missing=advice.missing))
    if advice.report != "kappa":
        parts.append(say("rare", language))
    return ("" if language.startswith("zh") else " ").join(parts)


def _table(report: Report, language: str) -> Table:
    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    table.add_column(say("figure", language))
    table.add_column(say("value", language), justify="right")
    table.add_column(say("interval", language), justify="right", no_wrap=True)
    table.add_column(say("n", language), justify="right")
    table.add_column(say("note", language), overflow="fold")
    kind = report.rated.ratings.kind
    named = say("interval_kind" if kind == "interval" else kind, language)
    for name, found in report.figures.items():
        shown = _percent if name == "percent_agreement" else _plain
        why = "" if found.why is None else found.why.words(language)
        table.add_row(
            say(name, language, kind=named), shown(found.value), _interval(found, shown), str(found.n), escape(why)
        )
    return table


def _bias_title(report: Report, language: str) -> str:
    scale = report.rated.scale
    if scale is not None and scale.words and len(scale.labels) == 2:
        return say("bias_of_two", language, label=scale.labels[1])
    return say("bias", language)


def _biases(report: Report, language: str) -> str:
    parts = []
    for name, found in report.bias.items():
        if found.value is None:
            parts.append(f"{name} – ({found.why.words(language) if found.why else ''})")
            continue
        around = f" [{found.interval.low:+.2f}, {found.interval.high:+.2f}]" if found.interval else ""
        parts.append(f"{name} {found.value:+.2f}{around}")
    return "  ".join(parts)


def _plain(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _interval(found: Statistic, shown: Callable[[float | None], str]) -> str:
    return "–" if found.interval is None else f"{shown(found.interval.low)} … {shown(found.interval.high)}"
