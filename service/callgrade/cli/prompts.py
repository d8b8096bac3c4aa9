"""`prompt list | show | lint | diff | render`."""

from pathlib import Path
from typing import Annotated

import typer

from callgrade.cli.output import emit, tell, to_json

app = typer.Typer(help="List, read and check prompts, and render the exact request. 提示词。", no_args_is_help=True)
JsonOption = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]


@app.command("list")
def list_(json_: JsonOption = False) -> int:
    """Show the prompts that ship with callgrade."""
    from callgrade.catalog.prompts import list_prompts

    rows = [
        {"id": p.id, "version": p.version, "status": p.status, "variables": sorted(p.variables), "digest": p.digest}
        for p in list_prompts()
    ]
    if json_:
        emit(to_json(rows, pretty=True))
        return 0
    for row in rows:
        emit(f"{row['id']}@{row['version']}  {row['status']}  {', '.join(row['variables'])}  {row['digest']}")
    return 0


@app.command()
def show(reference: Annotated[str, typer.Argument(help="ID or ID@vN.")], json_: JsonOption = False) -> int:
    """Print a prompt."""
    from callgrade.catalog.prompts import find_prompt, load_prompt

    if json_:
        emit(to_json(load_prompt(reference), pretty=True))
    else:
        emit(find_prompt(reference).read_text("utf-8"))
    return 0


@app.command()
def lint(paths: Annotated[list[Path], typer.Argument(help="Prompt files, or folders of them.")]) -> int:
    """Report every fault of prompt files at once."""
    from callgrade.catalog.prompts import lint_prompt

    files = [file for path in paths for file in (sorted(path.rglob("v*.md")) if path.is_dir() else [path])]
    faults = [fault for file in files for fault in lint_prompt(file)]
    for fault in faults:
        emit(str(fault))
    tell(f"{len(files)} file(s), {len(faults)} fault(s)")
    return 1 if any(fault.severity == "error" for fault in faults) else 0


@app.command()
def diff(
    before: Annotated[str, typer.Argument(help="ID@vN")], after: Annotated[str, typer.Argument(help="ID@vM")]
) -> int:
    """Show what changed between two versions of a prompt."""
    from callgrade.catalog.prompts import diff_prompts

    emit(diff_prompts(before, after))
    return 0


@app.command()
def render(
    rubric: Annotated[str, typer.Argument(help="ID, ID@vN, or the path of a rubric file.")],
    transcript: Annotated[Path, typer.Argument(help="A transcript: JSON or labelled text.")],
    json_: JsonOption = False,
) -> int:
    """Print the exact request that a model would be sent, with its tokens by part. Nothing is sent."""
    from callgrade.adapters.llm import render_request
    from callgrade.calls.reading import read_transcript
    from callgrade.catalog import load_rubric
    from callgrade.settings import load_settings
    from callgrade.wiring import make_redactor

    settings = load_settings()
    call = read_transcript(transcript)
    rendered = render_request(load_rubric(rubric), call, make_redactor(settings), settings.llm, settings.language)
    if json_:
        emit(to_json(rendered, pretty=True))
        return 0
    for message in rendered.messages:
        emit(f"--- {message['role']}\n{message['content']}")
    tokens = rendered.tokens
    tell(
        f"tokens ({tokens.counter}): prompt {tokens.prompt} = instructions {tokens.instructions} + rubric "
        f"{tokens.rubric} + transcript {tokens.transcript}; schema {tokens.output_schema} beside it"
    )
    if rendered.parts > 1:
        tell(f"part {rendered.part} of {rendered.parts}: the call does not fit one request")
    return 0
