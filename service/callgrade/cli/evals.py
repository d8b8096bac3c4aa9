"""`eval run | list | show`: suites of made-up calls that try what a judge must withstand."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from callgrade.cli.output import emit, tell, to_json
from callgrade.domain.errors import InputError

if TYPE_CHECKING:
    from callgrade.calibration.suite_results import Comparison, EvalReport, SuiteResult
    from callgrade.catalog.eval_suites import Suite
    from callgrade.settings import Settings
    from callgrade.wiring import JudgeMode

app = typer.Typer(help="Try the judges: injection, evidence, fairness… 评测套件。", no_args_is_help=True)
JsonOption = Annotated[bool, typer.Option("--json", help="JSON instead of a page.")]
BaselinesOption = Annotated[Path | None, typer.Option("--baselines", help="Their folder; without it, the shipped one.")]
RULES = "rules"
"""The judge's name where no model is asked."""


@app.command("list")
def list_(baselines: BaselinesOption = None, json_: JsonOption = False) -> int:
    """Show the suites: how many cases each has, and the judges that there is a baseline for. 列出套件。"""
    from callgrade.calibration.suite_cases import cases_of
    from callgrade.catalog.eval_suites import load_suite, suite_ids

    folder = _folder(baselines)
    rows = []
    for id_ in suite_ids():
        suite = load_suite(id_)
        judges = [path.name[len(id_) + 1 : -len(".json")] for path in sorted(folder.glob(f"{id_}.*.json"))]
        rows.append((suite, len(cases_of(suite)), judges))
    if json_:
        told = [
            {"id": suite.id, "kind": suite.kind, "title": suite.title.model_dump(), "cases": n, "margin": suite.margin,
             "baselines": judges}
            for suite, n, judges in rows
        ]  # fmt: skip
        emit(to_json(told, pretty=True))
    else:
        from callgrade.cli.render_evals import show_suites

        show_suites(rows, _language())
    return 0


@app.command()
def show(suite: Annotated[str, typer.Argument(help="Its id.")], json_: JsonOption = False) -> int:
    """Show what a suite tries, and its cases by group. 查看套件。"""
    from callgrade.calibration.suite_cases import cases_of
    from callgrade.catalog.eval_suites import load_suite

    found = load_suite(suite)
    if json_:
        emit(to_json(found, pretty=True))
        return 0
    from callgrade.cli.render_evals import show_suite

    groups: dict[str, int] = {}
    for case in cases_of(found):
        groups[case.group] = groups.get(case.group, 0) + 1
    show_suite(found, groups, _language())
    return 0


@app.command()
def run(
    suites: Annotated[list[str] | None, typer.Argument(help="Their ids; without any, all.")] = None,
    judge: Annotated[Literal["auto", "rules", "llm"], typer.Option(help="As in `score`.")] = "auto",
    check: Annotated[bool, typer.Option("--check", help="Fail where a suite is worse than its baseline.")] = False,
    write_baseline: Annotated[bool, typer.Option("--write-baseline", help="Make this run the baseline.")] = False,
    baselines: BaselinesOption = None,
    json_: JsonOption = False,
    out: Annotated[Path | None, typer.Option("--out", help="Write the JSON to a file as well.")] = None,
) -> int:
    """Put the suites' calls to the judges at hand. Without a model rules and speech facts judge alone, and what nobody
    judged is said. 运行。"""
    from callgrade.calibration.baselines import compare, read_baseline
    from callgrade.catalog.eval_suites import load_suite, suite_ids
    from callgrade.settings import load_settings

    settings = load_settings()
    chosen = [load_suite(id_) for id_ in dict.fromkeys(suites or suite_ids())]
    name = _judge_name(settings, judge)
    # read first: a baseline that is missing must not cost a run, nor one that is renewed be held against itself
    before = [read_baseline(_folder(baselines), suite.id, name) for suite in chosen] if check else []
    results = asyncio.run(_run(settings, judge, name, chosen))
    comparisons = tuple(compare(result, baseline) for result, baseline in zip(results, before, strict=False))
    report = _report(results, comparisons)
    if out is not None:
        _write(out, to_json(report.document(), pretty=True))
    if json_:
        emit(to_json(report.document(), pretty=True))
    else:
        from callgrade.cli.render_evals import show_report

        show_report(report, settings.language)
    failures = sum(result.judge_failures for result in results)
    if failures:
        tell(f"error: {failures} judgement(s) failed: requests to the model did; no baseline is made of that")
    elif write_baseline:
        _renew(results, _folder(baselines), settings.language)
    return 1 if failures or any(comparison.regressed for comparison in comparisons) else 0


def _judge_name(settings: "Settings", mode: "JudgeMode") -> str:
    """A local file goes by its name: paths stay at home."""
    model = settings.llm.model
    if mode == "rules" or model is None:
        return RULES
    return model.replace("\\", "/").rsplit("/", 1)[-1] if model.startswith("gguf:") else model


async def _run(settings: "Settings", mode: "JudgeMode", name: str, suites: "list[Suite]") -> "tuple[SuiteResult, ...]":
    from callgrade.calibration.suites import SuiteRunner
    from callgrade.wiring import calls_in_flight, open_judges

    async with open_judges(settings, mode) as judges:
        runner = SuiteRunner(judges, name, in_flight=calls_in_flight(settings))
        return tuple([await runner.run(suite) for suite in suites])


def _report(results: "tuple[SuiteResult, ...]", comparisons: "tuple[Comparison, ...]") -> "EvalReport":
    from callgrade import __version__
    from callgrade.calibration.suite_results import EvalReport

    return EvalReport(callgrade=__version__, judge=results[0].judge, suites=results, comparisons=comparisons)


def _renew(results: "tuple[SuiteResult, ...]", folder: Path, language: str) -> None:
    from callgrade.calibration.baselines import write_baseline
    from callgrade.cli.eval_words import word

    for result in results:
        tell(word("wrote", language, path=write_baseline(folder, result)))


def _folder(given: Path | None) -> Path:
    from callgrade.catalog.resources import resource_folder

    return resource_folder("evals") / "baselines" if given is None else given


def _language() -> str:
    from callgrade.settings import load_settings

    return load_settings().language


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text + "\n", "utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from None
