"""`second-opinion train | list | check | ask | retire`: a cross-check of the judge by a scorer without a model."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from callgrade.cli.opened import acting_for, golden_set_id, open_database
from callgrade.cli.output import emit, progress_bar, tell, to_json
from callgrade.domain.errors import InputError
from callgrade.settings import load_settings

if TYPE_CHECKING:
    from callgrade.calibration.second_opinion.standing import Standing
    from callgrade.db.session import Database
    from callgrade.domain.rubrics import Rubric
    from callgrade.domain.second_opinion import Check

app = typer.Typer(
    help="A second opinion without a model: a small scorer, trained on labels, that cross-checks the judge.\n\n"
    "不用大模型的第二意见：用已有标注训练的小模型，与评判不一致时请人看。",
    no_args_is_help=True,
)
JsonOption = Annotated[bool, typer.Option("--json", help="JSON instead of a page.")]
ClientOption = Annotated[str, typer.Option("--client", help="Whose, by the client's name.")]
RubricArgument = Annotated[str, typer.Argument(metavar="RUBRIC", help="ID or ID@vN, as the registry has it.")]
DEFAULT = "default"


@app.command()
def train(
    rubric: RubricArgument,
    set_: Annotated[
        str | None, typer.Option("--set", help="A golden set: shipped, or a client's own. Without it: reviewed calls.")
    ] = None,
    firm: Annotated[float, typer.Option(help="From this probability on it calls a person; above 0.5.")] = 0.9,
    client: ClientOption = DEFAULT,
    json_: JsonOption = False,
) -> int:
    """Train one scorer a criterion on reviewed calls, or a golden set's train split, and put each before its gate.

    Never on a holdout. What is trained takes the place of what stood; only what passes the gate is asked from now on.

    按复核过的通话或标准通话集训练；样本不足或不够准的不启用。
    """
    from callgrade.calibration.second_opinion.training import train as train_on
    from callgrade.cli.render_second_opinion import show

    with open_database() as database:
        us = acting_for(database, client)
        form = _rubric(database, rubric)
        set_id = None if set_ is None else golden_set_id(database, us, set_)
        with progress_bar() as shown:
            task = shown.add_task("training", total=None) if shown else None

            def progress(done: int, total: int) -> None:
                if shown and task is not None:
                    shown.update(task, completed=done, total=total)

            made = train_on(database, us, form, set_id=set_id, firm=firm, progress=progress)
    if json_:
        emit(to_json([one.model_dump(mode="json", by_alias=True) for one in made], pretty=True))
    else:
        show(made, load_settings().language)
    tell(f"{sum(one.verdict.gate == 'on' for one in made)} of {len(made)} second opinion(s) are on")
    return 0


@app.command("list")
def list_(
    rubric: Annotated[str | None, typer.Argument(metavar="RUBRIC", help="Of this rubric alone, by its id.")] = None,
    client: ClientOption = DEFAULT,
    json_: JsonOption = False,
) -> int:
    """Show what stands: on or off and why, what it was trained on, how it agrees with what is right. 列出。"""
    from callgrade.calibration.second_opinion.standing import standing
    from callgrade.cli.render_second_opinion import show

    with open_database() as database:
        us = acting_for(database, client)
        found = [one.about for one in standing(database, us, rubric)]
    if not found:
        tell("none yet: `callgrade second-opinion train RUBRIC` makes them · 还没有，先训练")
    if json_:
        emit(to_json([one.model_dump(mode="json", by_alias=True) for one in found], pretty=True))
    else:
        show(found, load_settings().language)
    return 0


@app.command()
def check(
    rubric: RubricArgument,
    holdout: Annotated[
        str | None, typer.Option(help="Hold them against a holdout too: why. It is written down.")
    ] = None,
    set_: Annotated[str, typer.Option("--set", help="Whose holdout: shipped, or a client's own set.")] = "shipped",
    client: ClientOption = DEFAULT,
    json_: JsonOption = False,
) -> int:
    """Open every file: unchanged since it was made, and of the criterion as it is now? Exit status 1 if one is not.

    检查训练文件是否完好、评分项是否已改；加 --holdout 用验证集检验。
    """
    from callgrade.calibration.second_opinion.standing import on_holdout, opened

    with open_database() as database:
        us = acting_for(database, client)
        form = _rubric(database, rubric)
        found = opened(database, us, form)
        held = None
        if holdout is not None and found:
            held = on_holdout(database, us, form, found, golden_set_id(database, us, set_), holdout)
    if not found:
        raise InputError(
            f"no second opinion stands for {form.id}: `callgrade second-opinion train {form.id}` makes them"
        )
    _print_checked(found, {} if held is None else held.checks, json_=json_)
    if held is not None and held.wear.warning:
        tell(f"warning: {held.wear.warning}")
    return 1 if any(one.fault for one in found) else 0


@app.command()
def ask(
    rubric: RubricArgument,
    call: Annotated[Path, typer.Argument(metavar="TRANSCRIPT", help="A transcript, JSON or text.")],
    client: ClientOption = DEFAULT,
    json_: JsonOption = False,
) -> int:
    """Ask about one transcript: the probability of each criterion's fault, also by those that are off. 问一通。"""
    from callgrade.calibration.second_opinion.standing import opened, said_of
    from callgrade.calls.reading import read_transcript
    from callgrade.cli.render_second_opinion import show_said

    words = read_transcript(call)
    with open_database() as database:
        us = acting_for(database, client)
        found = opened(database, us, _rubric(database, rubric))
    said = said_of(found, words)
    if json_:
        gates = {one.about.criterion_id: one.about.verdict.gate for one in found}
        told = [{"criterion": id_, "probability": p, "gate": gates[id_]} for id_, p in said.items()]
        emit(to_json(told, pretty=True))
    else:
        show_said(found, said, load_settings().language)
    if not said:
        tell("no trained scorer stands for this rubric · 没有训练好的第二意见")
    return 0


@app.command()
def retire(
    rubric: Annotated[str, typer.Argument(metavar="RUBRIC", help="A rubric's id, without a version.")],
    criterion: Annotated[str | None, typer.Argument(help="One criterion; without it, all of them.")] = None,
    client: ClientOption = DEFAULT,
) -> int:
    """From now on nobody asks it. What it said stays on record. 停用。"""
    from callgrade.calibration.second_opinion.training import retire as end

    with open_database() as database:
        ended = end(database, acting_for(database, client), rubric, criterion)
    emit(f"{len(ended)} ended")
    return 0


def _print_checked(found: "Sequence[Standing]", checks: "Mapping[str, Check]", *, json_: bool) -> None:
    """With the figures of the holdout in the place of those of the training, where it was read."""
    from callgrade.cli.render_second_opinion import show, show_faults

    if json_:
        emit(to_json([_told(one, checks) for one in found], pretty=True))
        return
    language = load_settings().language
    told = [(one.about, checks.get(one.about.criterion_id, one.about.check)) for one in found]
    show([about.model_copy(update={"check": held}) for about, held in told], language)
    show_faults(found, language)


def _told(one: "Standing", checks: "Mapping[str, Check]") -> dict[str, Any]:
    held = checks.get(one.about.criterion_id)
    about = one.about.model_dump(mode="json", by_alias=True)
    return {
        "id": one.id,
        "fault": one.fault,
        "holdout": None if held is None else held.model_dump(mode="json"),
        **about,
    }


def _rubric(database: "Database", reference: str) -> "Rubric":
    from callgrade.evaluations import registry

    with database.reading() as session:
        return registry.rubric(session, reference)[0]
