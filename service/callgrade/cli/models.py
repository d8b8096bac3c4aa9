"""`models check | pull`: the recogniser's files on this machine."""

from typing import Annotated

import typer

from callgrade.cli.output import emit, progress_bar, to_json

app = typer.Typer(help="Check for and fetch the recogniser's models. 语音模型。", no_args_is_help=True)


@app.command()
def check(json_: Annotated[bool, typer.Option("--json", help="JSON instead of text.")] = False) -> int:
    """Say exactly which of the configured models are here and what is missing. Touches no network."""
    from callgrade.adapters.models import check as find
    from callgrade.settings import load_settings

    statuses = find(load_settings().asr)
    if json_:
        emit(to_json([status.model_dump(mode="json") for status in statuses], pretty=True))
    for status in statuses if not json_ else ():
        emit(f"{'ok     ' if status.ok else 'missing'} {status.role}: {status.name}")
        if not status.ok:
            emit(f"        {status.problem}\n        {status.remedy}")
    return 0 if all(status.ok for status in statuses) else 1


@app.command()
def pull() -> int:
    """Fetch the configured models once; transcribing never touches the network."""
    from callgrade.adapters.models import pull as fetch
    from callgrade.settings import load_settings

    with progress_bar() as shown:
        tasks: dict[str, int] = {}

        def progress(file: str, done: int, total: int) -> None:
            if shown is not None:
                task = tasks.setdefault(file, -1)
                if task < 0:
                    tasks[file] = shown.add_task(file, total=total)
                shown.update(tasks[file], completed=done, total=total)  # type: ignore[arg-type]

        statuses = fetch(load_settings().asr, progress)
    for status in statuses:
        emit(f"ok {status.role}: {status.name} ({status.path or 'package'})")
    return 0
