"""`ground`: look quotes up in a transcript."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from callgrade.cli.output import emit, to_json
from callgrade.domain.errors import InputError


def register(app: typer.Typer) -> None:
    app.command()(ground)


def ground(
    transcript: Annotated[Path, typer.Argument(help="A transcript: JSON or labelled text.")],
    quotes: Annotated[Path, typer.Argument(help='[{"quote": "…", "turn": 3?, "speaker": "agent"?}, …]')],
    json_: Annotated[bool, typer.Option("--json", help="Kept for symmetry: the output is always JSON.")] = False,
) -> int:
    """Find quotes in a transcript: exact, normalised, approximate or unfounded. 在转写中查证引语。"""
    from callgrade.calls.reading import read_transcript
    from callgrade.domain.grounding import Grounder

    wanted = _read(quotes)
    grounder = Grounder(read_transcript(transcript))
    found = [
        grounder.ground(item["quote"], turn=item.get("turn"), side=item.get("speaker") or "any") for item in wanted
    ]
    emit(to_json([item.model_dump(mode="json") for item in found], pretty=True))
    return 0


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        items = json.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError:
        raise InputError(f"{path}: is not JSON") from None
    if not isinstance(items, list):
        raise InputError(f"{path}: holds no list of quotes")
    for index, item in enumerate(items):
        _check(item, f"{path}: [{index}]")
    return items


def _check(item: Any, place: str) -> None:
    if not isinstance(item, dict) or not isinstance(item.get("quote"), str):
        raise InputError(f'{place}: needs {{"quote": "…"}}')
    unknown = item.keys() - {"quote", "turn", "speaker"}
    if unknown:
        raise InputError(f"{place}: unknown field(s) {', '.join(sorted(unknown))}")
    turn = item.get("turn")
    if turn is not None and (not isinstance(turn, int) or isinstance(turn, bool)):
        raise InputError(f"{place}: turn is a whole number from 0")
    if item.get("speaker") not in (None, "any", "agent", "customer"):
        raise InputError(f"{place}: speaker is agent, customer or any")
