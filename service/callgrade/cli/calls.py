"""`demo`, `transcribe` and `score`."""

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from pydantic import JsonValue

from callgrade.cli.output import emit, progress_bar, report_failure, tell, to_json, write_file
from callgrade.domain.errors import CallgradeError, ConfigurationError
from callgrade.ports import AgentChannel
from callgrade.settings import load_settings

AgentChannelOption = Annotated[
    Literal["0", "1", "auto"] | None,
    typer.Option(help="Which channel of a stereo recording is the agent. auto: by what is said; doubt is marked."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document; one a line for several inputs.")]


def register(app: typer.Typer) -> None:
    app.command()(demo)
    app.command()(transcribe)
    app.command()(score)


def transcribe(
    audio: Annotated[list[Path], typer.Argument(help="Recordings, or folders of them.")],
    agent_channel: AgentChannelOption = None,
    json_: JsonOption = False,
    out: Annotated[Path | None, typer.Option(help="Write one <recording>.json per input here.")] = None,
) -> int:
    """Turn recordings into transcripts. 录音转写。"""
    from callgrade.calls.inputs import expand, is_recording
    from callgrade.cli.render import show_transcript
    from callgrade.wiring import Recordings

    recordings = Recordings(load_settings())
    # a file named outright is tried whatever it is; of a folder only the recordings are meant
    paths = [path for path in expand(audio) if path in audio or is_recording(path)]
    failed = 0
    for path in paths:
        try:
            transcript = _with_progress(recordings, path, agent_channel)
        except ConfigurationError:
            raise
        except CallgradeError as error:
            failed += 1
            report_failure(path.name, path, error, as_json=json_, alone=len(paths) == 1)
            continue
        if out is not None:
            write_file(out, f"{path.name}.json", to_json(transcript, pretty=True))
        if json_:
            emit(to_json(transcript, pretty=len(paths) == 1))
        else:
            show_transcript(transcript)
    return 1 if failed else 0


def _with_progress(recordings: Any, path: Path, agent_channel: AgentChannel | None) -> Any:
    with progress_bar() as shown:
        if shown is None:
            return recordings.transcribe(path, agent_channel=agent_channel)
        task = shown.add_task(path.name, total=None)
        return recordings.transcribe(
            path,
            agent_channel=agent_channel,
            progress=lambda done, total: shown.update(task, completed=done // 1000, total=max(total, done) // 1000),
        )


def score(
    inputs: Annotated[list[Path], typer.Argument(help="Recordings, transcripts (JSON or labelled text), or folders.")],
    rubric: Annotated[str, typer.Option(help="ID, ID@vN, or the path of a rubric file.")],
    judge: Annotated[
        Literal["auto", "rules", "llm"],
        typer.Option(help="auto: everything available. rules: no model. llm: as auto, and a model is a must."),
    ] = "auto",
    agent_channel: AgentChannelOption = None,
    fact: Annotated[
        list[str] | None,
        typer.Option(help="NAME=VALUE, such as outcome=closed, of calls that do not say. May be given again."),
    ] = None,
    json_: JsonOption = False,
    out: Annotated[Path | None, typer.Option(help="Write each scorecard here as JSON and HTML.")] = None,
) -> int:
    """Score calls against a rubric. 按评分标准打分。"""
    from callgrade.calls.inputs import expand
    from callgrade.catalog import load_rubric
    from callgrade.cli.scoring import Delivery, score_all

    settings = load_settings()
    facts = _facts(fact or [])
    loaded = load_rubric(rubric)
    paths = list(expand(inputs))
    if judge == "auto" and settings.llm.model is None and loaded.judged_by("llm"):
        tell(
            "note: no model is configured, so what only a model can judge is left open "
            "(set CALLGRADE_LLM__MODEL and CALLGRADE_LLM__BASE_URL)"
        )
    delivery = Delivery(loaded, settings.language, as_json=json_, alone=len(paths) == 1, out=out)
    return asyncio.run(score_all(paths, loaded, settings, judge, agent_channel, delivery, facts))


def _facts(given: list[str]) -> dict[str, JsonValue]:
    """`outcome=closed` is a word, `complaint=true` and `hold_ms=[12000]` are what JSON says they are."""
    facts: dict[str, JsonValue] = {}
    for pair in given:
        name, sign, text = pair.partition("=")
        if not sign or not name:
            raise typer.BadParameter(f"--fact {pair}: write NAME=VALUE, for example outcome=closed")
        try:
            facts[name] = json.loads(text)
        except ValueError:
            facts[name] = text
    return facts


def demo(
    out: Annotated[Path, typer.Option(help="Where the HTML scorecards go.")] = Path("callgrade-demo"),
    rubric: Annotated[str, typer.Option(help="The rubric to score against.")] = "telesales-misconduct",
) -> int:
    """Transcribe and score the synthetic sample recordings, offline. 离线演示。"""
    from callgrade.cli.demo import run_demo

    return run_demo(out, rubric)
