"""`calibrate run | list | show | compare`: how well a judge does on a golden set, criterion by criterion."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from callgrade.cli.opened import golden_set_id, open_database
from callgrade.cli.output import emit, progress_bar, tell, to_json, write_file
from callgrade.domain.errors import InputError, SettingsError, UnknownResourceError
from callgrade.settings import load_settings

if TYPE_CHECKING:
    from sqlmodel import Session

    from callgrade.access.principals import Principal
    from callgrade.calibration.running import Done
    from callgrade.db.session import Database
    from callgrade.domain.calibration import CalibrationReport
    from callgrade.domain.rubrics import Rubric
    from callgrade.evaluations.asking import Asking
    from callgrade.settings import Settings

app = typer.Typer(help="How far a judge may be trusted. 校准：看评判可信到什么程度。", no_args_is_help=True)
JsonOption = Annotated[bool, typer.Option("--json", help="JSON instead of a page.")]
HtmlOption = Annotated[Path | None, typer.Option("--html", help="Write the report here as one HTML file.")]
ClientOption = Annotated[str, typer.Option("--client", help="Whose runs, by the client's name.")]
SplitName = Literal["train", "dev", "train+dev", "holdout"]
DEFAULT = "default"


@app.command()
def run(
    rubric: Annotated[str, typer.Option(help="ID, ID@vN, or the path of a rubric file.")],
    split: Annotated[SplitName, typer.Option(help="Of the golden set. The holdout is for a last look alone.")] = "dev",
    samples: Annotated[int, typer.Option(min=1, max=20, help="How often each call is judged.")] = 1,
    set_: Annotated[str, typer.Option("--set", help="golden: the one that ships; or a client's own.")] = "golden",
    judge: Annotated[Literal["auto", "rules"], typer.Option(help="rules: no model, whatever is set up.")] = "auto",
    prompt: Annotated[str | None, typer.Option(help="ID or ID@vN; without it, the one that is in use.")] = None,
    model: Annotated[str | None, typer.Option(help="Another model of the same endpoint.")] = None,
    why: Annotated[str | None, typer.Option(help="What the holdout is read for. It is written down.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the report here as JSON and HTML.")] = None,
    client: ClientOption = DEFAULT,
    json_: JsonOption = False,
) -> int:
    """Judge a golden set and hold the outcome against its labels. The same command goes on with a run that was stopped.

    在标准通话集上评判，并与标注对照。
    """
    from callgrade.cli.render_calibration import show_report

    if (split == "holdout") != (why is not None):
        raise typer.BadParameter("--why goes with --split holdout, and only with it")
    settings = load_settings()
    if (prompt or model) and judge == "rules":
        raise typer.BadParameter("--prompt and --model are for a model, and --judge rules asks none")
    if prompt and settings.llm.model is None and model is None:
        raise SettingsError("--prompt needs a model: set CALLGRADE_LLM__MODEL (and CALLGRADE_LLM__BASE_URL)")
    asking = _asking(prompt, model)
    with open_database(make=True) as database:
        loaded = _rubric(database, rubric)
        _say_what_is_left_open(settings, loaded, judge, asking)
        done = _carried_out(database, settings, loaded, asking, judge, split, samples, set_, client, why)
    report = done.report
    if out is not None:
        _write(report, out, settings)
    emit(to_json(report, pretty=True)) if json_ else show_report(report, settings.language)
    if done.wear is not None and done.wear.warning:
        tell(f"warning: {done.wear.warning}")
    if done.unreached:
        tell(f"error: {done.unreached} item(s) were not judged: {done.why}; the same command goes on where it stopped")
    return 1 if done.unreached or report.failed_items else 0


@app.command("list")
def list_(
    rubric: Annotated[str | None, typer.Option(help="Runs of this rubric alone, by its id.")] = None,
    client: ClientOption = DEFAULT,
    json_: JsonOption = False,
) -> int:
    """Show the runs, the newest first. 列出校准。"""
    from callgrade.access.repository import client_named
    from callgrade.calibration import run_repository
    from callgrade.cli.render_calibration import RunLine, show_runs

    with open_database() as database, database.reading() as session:
        nobody_yet = client == DEFAULT and client_named(session, client) is None
        rows = [] if nobody_yet else run_repository.runs(session, _principal(session, client), rubric)
        found = [RunLine.of(row) for row in rows]
    if not found:
        tell("no runs yet: `callgrade calibrate run --rubric ID` makes one")
    if json_:
        emit(to_json([one.model_dump(mode="json") for one in found], pretty=True))
    else:
        show_runs(found, load_settings().language)
    return 0


@app.command()
def show(
    id_: Annotated[str, typer.Argument(metavar="RUN", help="Its id, or the beginning of it.")],
    again: Annotated[bool, typer.Option("--again", help="With the labels of today.")] = False,
    html: HtmlOption = None,
    client: ClientOption = DEFAULT,
    json_: JsonOption = False,
) -> int:
    """Show the report of a run: verdict, reason, next action and missing labels of every criterion. 查看校准报告。"""
    from callgrade.calibration import run_reports
    from callgrade.cli.render_calibration import show_report

    with open_database() as database, database.reading() as session:
        us = _principal(session, client)
        if again:
            report = run_reports.made_again(session, us, id_, _rubric_of(session, us, id_))
        else:
            report = run_reports.report_of(session, us, id_)
    settings = load_settings()
    if html is not None:
        _write_html(report, html, settings)
    if json_:
        emit(to_json(report, pretty=True))
    elif html is None:
        show_report(report, settings.language)
    return 0


@app.command()
def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="The earlier run.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The later one, over the same calls.")],
    client: ClientOption = DEFAULT,
    json_: JsonOption = False,
) -> int:
    """Compare two runs call by call: better or worse, and every verdict that flipped. 比较两次校准。"""
    from callgrade.calibration.comparing import compare_runs
    from callgrade.cli.render_calibration import show_comparison

    with open_database() as database, database.reading() as session:
        us = _principal(session, client)
        rubrics = _rubric_of(session, us, a), _rubric_of(session, us, b)
        found = compare_runs(session, us, a, b, *rubrics)
    emit(to_json(found, pretty=True)) if json_ else show_comparison(found, load_settings().language)
    return 0


def _carried_out(
    database: "Database",
    settings: "Settings",
    rubric: "Rubric",
    asking: "Asking",
    judge: Literal["auto", "rules"],
    split: SplitName,
    samples: int,
    set_: str,
    client: str,
    why: str | None,
) -> "Done":
    from callgrade.access.keys import ensure_client
    from callgrade.access.principals import system
    from callgrade.calibration.running import Asked, begin, carry_out
    from callgrade.wiring import calls_in_flight
    from callgrade.wiring.calibration import calibration_judges

    with database.writing() as session:
        us = system(ensure_client(session, client).id)
    model = None if judge == "rules" or not rubric.judged_by("llm") else asking.terms.model or settings.llm.model
    asked = Asked(
        set_id=golden_set_id(database, us, set_), split=split, samples=samples, prompt=asking.terms.prompt, model=model
    )
    with database.writing() as session:
        begun = begin(session, us, rubric, asked)
    tell(f"run {begun.run_id}" + (f": goes on, {begun.stored} item(s) are there" if begun.stored else ""))
    judges = calibration_judges(settings, database, us.client_id, asking, judge)
    with progress_bar() as shown:
        task = shown.add_task("calibrating", total=None) if shown else None

        def progress(done: int, total: int) -> None:
            if shown and task is not None:
                shown.update(task, completed=done, total=total)

        work = carry_out(
            database, us, begun.run_id, rubric, judges, in_flight=calls_in_flight(settings), why=why, progress=progress
        )
        return asyncio.run(work)


def _asking(prompt: str | None, model: str | None) -> "Asking":
    from callgrade.catalog.prompts import load_prompt
    from callgrade.evaluations.asking import Asking, PromptNamed, Terms

    loaded = None if prompt is None else load_prompt(prompt)
    named = loaded and PromptNamed(id=loaded.id, version=loaded.version, digest=loaded.digest)
    return Asking(Terms(prompt=named, model=model), loaded)


def _say_what_is_left_open(settings: "Settings", rubric: "Rubric", judge: str, asking: "Asking") -> None:
    left = len(rubric.judged_by("llm"))
    if left and (judge == "rules" or (settings.llm.model is None and asking.terms.model is None)):
        tell(
            f"warning: {left} of {len(rubric.criteria)} criteria are for a model and WILL NOT BE JUDGED: "
            + ("--judge rules asks none" if judge == "rules" else "no model is configured (CALLGRADE_LLM__MODEL)")
        )


def _rubric(database: "Database", reference: str) -> "Rubric":
    """A file, or a version that was made in the browser."""
    from callgrade.catalog import load_rubric
    from callgrade.domain.errors import NotFoundError
    from callgrade.evaluations import registry

    try:
        return load_rubric(reference)
    except NotFoundError as unknown:
        try:
            with database.reading() as session:
                return registry.rubric(session, reference)[0]
        except NotFoundError:
            raise unknown from None


def _rubric_of(session: "Session", us: "Principal", run_id: str) -> "Rubric":
    """The rubric that a run was made with, from the registry or its file. Raises InputError where it is in neither."""
    from callgrade.calibration import run_repository
    from callgrade.catalog import digest, load_rubric
    from callgrade.domain.errors import CallgradeError
    from callgrade.evaluations import registry

    row = run_repository.find(session, us, run_id)
    try:
        return registry.rubric_of_digest(session, row.rubric_digest)
    except CallgradeError:
        pass
    loaded = load_rubric(f"{row.rubric_id}@{row.rubric_version}")
    if digest(loaded) != row.rubric_digest:
        raise InputError(
            f"{loaded.reference} is not any more what run {row.id} was made with: its figures stay as stored"
        )
    return loaded


def _principal(session: "Session", client: str) -> "Principal":
    from callgrade.access.principals import system
    from callgrade.access.repository import client_named

    found = client_named(session, client)
    if found is None:
        raise UnknownResourceError(f"there is no client {client!r}, or nothing was run for it yet")
    return system(found.id)


def _write(report: "CalibrationReport", folder: Path, settings: "Settings") -> None:
    from callgrade.calibration.report_page import render_html

    name = f"calibration-{report.run}"
    tell(f"wrote {write_file(folder, f'{name}.json', to_json(report, pretty=True))}")
    tell(f"wrote {write_file(folder, f'{name}.html', render_html(report, language=settings.language))}")


def _write_html(report: "CalibrationReport", path: Path, settings: "Settings") -> None:
    from callgrade.calibration.report_page import render_html

    tell(f"wrote {write_file(path.parent, path.name, render_html(report, language=settings.language))}")
