"""`autonomy list | show | grant | revoke`: how far the judge may go by itself, criterion by criterion."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from callgrade.cli.opened import acting_for, open_database
from callgrade.cli.output import console, emit, tell, to_json
from callgrade.settings import load_settings

if TYPE_CHECKING:
    from callgrade.calibration.autonomy import Line
    from callgrade.db.tables import Autonomy

app = typer.Typer(help="How far the judge may go by itself, and why. 自主权。", no_args_is_help=True)
JsonOption = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]
ClientOption = Annotated[str, typer.Option("--client", help="Whose calls, by the client's name.")]
Rubric = Annotated[str, typer.Argument(metavar="RUBRIC", help="A rubric's id, without a version.")]
Criterion = Annotated[
    str, typer.Argument(metavar="CRITERION", help="A criterion's id, *violations, or a key as `list` shows it.")
]
DEFAULT = "default"
COLUMNS = {
    "zh": ("评分表", "项目", "键", "状态", "为什么，下一步", "还需标注"),
    "en": ("rubric", "criterion", "key", "state", "why, and what next", "needed"),
}
NOTHING = (
    "no call has been judged yet: criteria stand here once calls were, each with what speaks for letting it go through "
    "unread · 还没有评判过通话：评判之后，各项在此列出"
)


@app.command("list")
def list_(
    rubric: Annotated[str | None, typer.Argument(metavar="RUBRIC", help="Of this rubric alone.")] = None,
    client: ClientOption = DEFAULT,
    json_: JsonOption = False,
) -> int:
    """Every criterion: its state, why, what next, and how many labels are still needed. 列出。"""
    from callgrade.calibration.autonomy import overview

    with open_database() as database:
        us = acting_for(database, client)
        with database.reading() as session:
            found = [_shown(line) for line in overview(session, us, rubric)]
    if json_:
        emit(to_json(found, pretty=True))
        return 0
    if not found:
        tell(NOTHING)
        return 0
    from rich.table import Table

    language = load_settings().language
    table = Table(box=None, pad_edge=False)
    *names, last = COLUMNS[language[:2]]
    for name in names:
        table.add_column(name, overflow="fold")
    table.add_column(last, justify="right")
    for one in found:
        said = " · ".join(text for text in (one["reason"][language[:2]], one["action"][language[:2]]) if text)
        needed = "–" if one["needed"] is None else str(one["needed"])
        table.add_row(one["rubric"], one["criterion"], one["key"], one["state"], said, needed)
    console().print(table)
    return 0


@app.command()
def show(rubric: Rubric, criterion: Criterion, client: ClientOption = DEFAULT, json_: JsonOption = False) -> int:
    """One criterion: what its state holds for, what it rests on, and all that stood before. 查看。"""
    from callgrade.calibration.autonomy import find_line
    from callgrade.calibration.autonomy_repository import history

    with open_database() as database:
        us = acting_for(database, client)
        with database.reading() as session:
            line = find_line(session, us, rubric, criterion)
            past = [_past(row) for row in history(session, us.client_id, rubric, line.key.criterion_id)]
            told = {**_shown(line), "holds_for": line.key.model_dump(), "history": past}
    if json_:
        emit(to_json(told, pretty=True))
        return 0
    language = load_settings().language[:2]
    emit(f"{told['criterion']} · {told['state']}")
    emit(f"{told['reason'][language]} {told['action'][language]}".rstrip())
    for name, value in told["holds_for"].items():
        emit(f"  {name}: {value or '–'}")
    for one in past:
        until = f" – {one['ended_at']}: {one['ended_because'][language]}" if one["ended_at"] else ""
        emit(f"  {one['since']} {one['state']}: {one['reason'][language]} ({one['id']}){until}")
    return 0


@app.command()
def grant(
    rubric: Rubric,
    criterion: Criterion,
    level: Annotated[float, typer.Option(help="Highest miss rate: 0.05, 0.02 or 0.01.")] = 0.05,
    looks: Annotated[int, typer.Option(help="How often you plan to look at this evidence.")] = 1,
    at_most: Annotated[str, typer.Option(help="assisted: no further, whatever is proven.")] = "automatic",
    run: Annotated[str | None, typer.Option(help="A run on the holdout; else reviewed calls drawn by chance.")] = None,
    fit_run: Annotated[str | None, typer.Option(help="A run on dev to calibrate confidences by.")] = None,
    threshold: Annotated[
        str | None, typer.Option(help="Only proposals of this calibrated confidence; dev: the lowest dev bears out.")
    ] = None,
    client: ClientOption = DEFAULT,
    json_: JsonOption = False,
) -> int:
    """Look at the evidence, and let the judge go as far as it proves. 授予。

    callgrade autonomy grant telesales-misconduct insult --level 0.02
    """
    from callgrade.calibration import autonomy
    from callgrade.calibration.thresholds import parse_threshold
    from callgrade.domain.autonomy import STATES

    wanted = next((state for state in STATES if state == at_most), None)
    if wanted is None:
        raise typer.BadParameter(f"--at-most is one of {', '.join(STATES)}")
    with open_database() as database:
        us = acting_for(database, client)
        row = autonomy.grant(
            database,
            us,
            rubric,
            criterion,
            level=level,
            looks=looks,
            wanted=wanted,
            run_id=run,
            fit_run=fit_run,
            threshold=parse_threshold(threshold or ""),
        )
        told = _past(row)
        verdict = autonomy.verdict_of(row)
    if json_:
        emit(to_json(told, pretty=True))
        return 0
    language = load_settings().language[:2]
    emit(f"{row.state}: {told['reason'][language]} {verdict.action.in_language(language) if verdict else ''}".rstrip())
    return 0


@app.command()
def revoke(
    state: Annotated[str, typer.Argument(metavar="STATE", help="Its id, as `show` prints it.")],
    reason: Annotated[str, typer.Option(help="Why; it stays on record.")],
    client: ClientOption = DEFAULT,
) -> int:
    """From now on people decide. 收回。"""
    from callgrade.calibration import autonomy

    with open_database() as database:
        us = acting_for(database, client)
        autonomy.revoke(database, us, state, reason)
    emit(f"{state}: people decide")
    return 0


def _shown(line: "Line") -> dict[str, Any]:
    return {
        "rubric": line.rubric.reference,
        "criterion": line.key.criterion_id,
        "key": line.id,
        "state": line.state,
        "in_use": line.in_use,
        "reason": line.verdict.reason.model_dump(),
        "action": line.verdict.action.model_dump(),
        "needed": line.verdict.needed,
        "reviewed_since": line.reviewed,
    }


def _past(row: "Autonomy") -> dict[str, Any]:
    from callgrade.reviews.autonomy import text_of

    return {
        "id": row.id,
        "state": row.state,
        "reason": text_of(row.reason).model_dump(),
        "threshold": row.threshold,
        "since": row.since.isoformat(),
        "set_by": row.set_by,
        "ended_at": row.ended_at.isoformat() if row.ended_at else None,
        "ended_because": text_of(row.ended_because).model_dump() if row.ended_at else None,
        "figures": row.evidence.get("figures"),
        "confidence": row.evidence.get("confidence") or row.evidence.get("no_confidence"),
    }
