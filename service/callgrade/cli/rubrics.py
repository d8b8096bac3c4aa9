"""`rubric list | show | diff | lint | total | schema`."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from callgrade.cli.output import emit, tell, to_json
from callgrade.domain.errors import InputError

app = typer.Typer(help="List, read and check rubrics. 评分标准。", no_args_is_help=True)
Reference = Annotated[str, typer.Argument(help="ID, ID@vN, or the path of a rubric file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON instead of a page.")]


@app.command("list")
def list_(json_: JsonOption = False) -> int:
    """Show the rubrics that ship with callgrade."""
    from callgrade.catalog import list_rubrics

    entries = list_rubrics()
    if json_:
        emit(to_json([entry.model_dump(mode="json", exclude={"path"}) for entry in entries], pretty=True))
        return 0
    from callgrade.cli.render_rubric import show_list
    from callgrade.settings import load_settings

    show_list(entries, load_settings().language)
    return 0


@app.command()
def show(
    reference: Reference,
    json_: JsonOption = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="The page as Markdown.")] = False,
) -> int:
    """Print a rubric: every section, criterion, scale and number. --json prints it resolved."""
    from callgrade.catalog import load_rubric, resolved_json
    from callgrade.settings import load_settings

    if json_ and markdown:
        raise typer.BadParameter("give --json or --markdown, not both")
    rubric = load_rubric(reference)
    if json_:
        emit(to_json(resolved_json(rubric), pretty=True))
    elif markdown:
        from callgrade.cli.rubric_markdown import markdown as as_markdown

        emit(as_markdown(rubric, load_settings().language).rstrip("\n"))
    else:
        from callgrade.cli.render_rubric import show_rubric

        show_rubric(rubric, load_settings().language)
    return 0


@app.command()
def diff(
    before: Annotated[str, typer.Argument(help="ID, ID@vN, or the path of a rubric file.")],
    after: Annotated[str, typer.Argument(help="The same, for the later one.")],
    json_: JsonOption = False,
) -> int:
    """Show what differs between two rubrics, and what that does to the totals they allow."""
    from callgrade.catalog import load_rubric
    from callgrade.catalog.diff import diff_rubrics

    old, new = load_rubric(before), load_rubric(after)
    found = diff_rubrics(old, new)
    if json_:
        emit(to_json(found, pretty=True))
        return 0
    from callgrade.cli.render_rubric_diff import show_diff
    from callgrade.settings import load_settings

    show_diff(found, old, new, load_settings().language)
    return 0


@app.command()
def lint(
    paths: Annotated[list[Path], typer.Argument(help="Rubric files, or folders of them.")], json_: JsonOption = False
) -> int:
    """Report every fault of rubric files at once, with file, line, path and a suggestion."""
    from callgrade.catalog import lint as find_faults

    faults = [fault for path in paths for fault in find_faults(_existing(path))]
    if json_:
        emit(to_json([fault.model_dump(mode="json") for fault in faults], pretty=True))
    else:
        for fault in faults:
            emit(str(fault))
    errors = sum(fault.severity == "error" for fault in faults)
    tell(f"{errors} error(s), {len(faults) - errors} warning(s)")
    return 1 if errors else 0


def _existing(path: Path) -> Path:
    if not path.exists():
        raise InputError(f"{path}: no such file or folder")
    return path


@app.command()
def total(
    reference: Reference,
    judgements: Annotated[Path, typer.Argument(help='{"facts": {…}, "judgements": {"<criterion>": {…}}}')],
    json_: JsonOption = False,
) -> int:
    """Work out the total of judgements made by hand."""
    from callgrade.catalog import digest, load_rubric
    from callgrade.domain.scorecards import score
    from callgrade.evaluations.by_hand import read_judgements

    rubric = load_rubric(reference)
    made, facts = read_judgements(_read_json(judgements), rubric)
    card = score(rubric, made, facts, call_id=judgements.stem[:200] or "by-hand", digest=digest(rubric))
    if json_:
        emit(to_json(card, pretty=True))
        return 0
    from callgrade.cli.render import show_scorecard
    from callgrade.settings import load_settings

    show_scorecard(card, rubric, load_settings().language)
    return 0


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        line = getattr(error, "lineno", None)
        raise InputError(f"{path}{f':{line}' if line else ''}: is not JSON") from None


@app.command()
def schema() -> int:
    """Print the JSON Schema of rubric files, for editors."""
    from callgrade.catalog import json_schema

    emit(to_json(json_schema(), pretty=True))
    return 0
