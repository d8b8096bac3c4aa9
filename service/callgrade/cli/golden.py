"""`golden list | show | check | split | export | import`: the calls that judges are held against.

What ships is read from its files and needs no database; a client's own sets stand in one. Of the holdout these commands
give numbers; its calls are given once it is on record who wanted them and why.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from callgrade.cli.opened import client_id, open_database
from callgrade.cli.output import emit, tell, to_json
from callgrade.domain.errors import ConflictError, GoldenSetError, InputError, UnknownResourceError

if TYPE_CHECKING:
    from sqlmodel import Session

    from callgrade.access.principals import Principal
    from callgrade.domain.golden import GoldenCall, Label

app = typer.Typer(help="The calls that judges are held against. 标准通话集。", no_args_is_help=True)
JsonOption = Annotated[bool, typer.Option("--json", help="JSON instead of a page.")]
FolderOption = Annotated[Path | None, typer.Option("--folder", help="Of a set in files; without it, the shipped one.")]
ClientOption = Annotated[str, typer.Option("--client", help="Whose set, by the client's name.")]
DEFAULT = "default"


@app.command("list")
def list_(
    client: Annotated[str | None, typer.Option("--client", help="This client's own sets too, by its name.")] = None,
    json_: JsonOption = False,
) -> int:
    """Show the golden sets: calls by split, and who labelled them. 列出通话集。"""
    from callgrade.cli.render_golden import Overview, of_files, show_sets
    from callgrade.settings import load_settings

    found: list[Overview] = [of_files()]
    if client is not None:
        from callgrade.calibration.golden import list_sets

        with open_database() as database, database.reading() as session:
            rows = list_sets(session, _principal(session, client))
            found += [Overview.of_row(row) for row in rows if row.set.client_id is not None]
    if json_:
        emit(to_json([one.model_dump(mode="json") for one in found], pretty=True))
    else:
        show_sets(found, load_settings().language)
    return 0


@app.command()
def show(
    call: Annotated[str | None, typer.Argument(help="A call's id; without it, what the set is about.")] = None,
    folder: FolderOption = None,
    json_: JsonOption = False,
) -> int:
    """Show one call with every label, or how many calls stand on which side of each line. 查看通话及标注。"""
    from callgrade.catalog import golden
    from callgrade.cli.render_golden import about, show_about, show_call
    from callgrade.settings import load_settings

    found = golden.load(folder)
    language = load_settings().language
    if call is None:
        emit(to_json(about(found), pretty=True)) if json_ else show_about(found, language)
        return 0
    one = next((one for one in found.calls if one.id == call), None)
    if one is None:
        raise UnknownResourceError(f"there is no call {call!r} in the golden set")
    if one.split == "holdout":
        raise ConflictError(f"{call} stands in the holdout, which is not for looking at")
    labels = [label for label in found.labels if label.call == call]
    if json_:
        shown = {"call": one.model_dump(mode="json", by_alias=True), "labels": [_plain(label) for label in labels]}
        emit(to_json(shown, pretty=True))
    else:
        show_call(one, labels, language)
    return 0


@app.command()
def check(
    folder: Annotated[Path | None, typer.Argument(help="Of a set in files; without it, the shipped one.")] = None,
    json_: JsonOption = False,
) -> int:
    """Report every fault at once, with file and line: texts, splits, labels, rubrics, quotes. 检查文件。"""
    from callgrade.catalog.golden_check import check as find_faults

    try:
        faults = [str(fault) for fault in find_faults(_folder(folder))]
    except GoldenSetError as error:
        faults = list(error.faults)
    if json_:
        emit(to_json(faults, pretty=True))
    else:
        for fault in faults:
            emit(fault)
    tell(f"{len(faults)} fault(s)")
    return 1 if faults else 0


@app.command()
def split(folder: FolderOption = None, json_: JsonOption = False) -> int:
    """Show on which split each agent stands; new ones are drawn, and nobody who is placed moves. 划分数据。"""
    from callgrade.catalog.golden import drawn
    from callgrade.cli.render_golden import show_splits

    found = drawn(_folder(folder))
    if json_:
        emit(to_json(found, pretty=True))
    else:
        show_splits(found)
    return 0


@app.command()
def export(
    name: Annotated[str | None, typer.Option("--set", help="A client's own; without it, the shipped one.")] = None,
    client: ClientOption = DEFAULT,
    format_: Annotated[str, typer.Option("--format", help="jsonl: calls and labels. csv: labels alone.")] = "jsonl",
    out: Annotated[Path | None, typer.Option("--out", help="A file instead of standard output.")] = None,
    holdout: Annotated[str | None, typer.Option(help="The holdout too: why. It is written down.")] = None,
    rubric: Annotated[str | None, typer.Option(help="ID@vN that the holdout is read for.")] = None,
) -> int:
    """Write a set out, without its holdout. 导出。"""
    from callgrade.catalog.golden_exchange import to_csv, to_jsonl

    if format_ not in ("jsonl", "csv"):
        raise typer.BadParameter("--format is jsonl or csv")
    if (holdout is None) != (rubric is None):
        raise typer.BadParameter("the holdout is read for a rubric and a reason: give --holdout WHY and --rubric ID@vN")
    calls, labels = _from_files() if name is None and holdout is None else _stored(name, client, holdout, rubric)
    text = to_csv(labels) if format_ == "csv" else "".join(f"{line}\n" for line in to_jsonl(calls, labels)).encode()
    if out is None:
        emit(text.decode().rstrip("\r\n"))
        return 0
    try:
        out.write_bytes(text)
    except OSError as error:
        raise InputError(f"{out}: cannot be written: {error.strerror}") from None
    tell(f"{len(calls)} call(s), {len(labels)} label(s) → {out}")
    return 0


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="JSON lines with calls and labels, or CSV with labels.")],
    name: Annotated[str, typer.Option("--set", help="Into which set; a new one is made.")],
    client: ClientOption = DEFAULT,
) -> int:
    """Take calls and labels into a client's own set. What is there already stays as it is. 导入。"""
    from callgrade.access.keys import ensure_client
    from callgrade.access.principals import system
    from callgrade.calibration import golden, golden_repository
    from callgrade.catalog.golden_exchange import from_csv, from_jsonl

    try:
        raw = file.read_bytes()
        is_csv = file.suffix.lower() == ".csv"
        calls, labels = ([], from_csv(raw, str(file))) if is_csv else from_jsonl(raw.decode("utf-8-sig"), str(file))
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{file}: is not UTF-8") from None
    with open_database() as database, database.writing() as session:
        us = system(ensure_client(session, client).id)
        row = golden_repository.named(session, us, name) or golden.create(session, us, name, name)
        added = golden.take_in(session, us, row.id, calls, labels)
    for call, why in sorted(added.refused.items()):
        tell(f"error: {call}: {why}")
    emit(to_json(added, pretty=True))
    return 1 if added.refused else 0


def _folder(folder: Path | None) -> Path | None:
    if folder is not None and not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    return folder


def _principal(session: "Session", client: str) -> "Principal":
    from callgrade.access.principals import system

    id_ = client_id(session, client)
    assert id_ is not None
    return system(id_)


def _from_files() -> "tuple[list[GoldenCall], list[Label]]":
    from callgrade.catalog.golden import load
    from callgrade.cli.render_golden import open_part

    return open_part(load())


def _stored(
    name: str | None, client: str, holdout: str | None, rubric: str | None
) -> "tuple[list[GoldenCall], list[Label]]":
    """Of a set in the database, which the shipped one is too once its holdout is to be read."""
    from callgrade.calibration import golden, golden_repository
    from callgrade.calibration.holdout import read_holdout

    with open_database() as database:
        with database.reading() as session:
            us = _principal(session, client)
            row = None if name is None else golden_repository.named(session, us, name)
            set_id = None if row is None else row.id
        if name is not None and set_id is None:
            raise UnknownResourceError(f"there is no golden set {name!r} of {client!r}")
        id_ = set_id or golden.shipped(database)
        with database.reading() as session:
            calls = [one.call for one in golden.calls(session, us, id_)]
            labels = list(golden.labels(session, us, id_))
        if holdout is not None and rubric is not None:
            read = read_holdout(database, us, id_, rubric, holdout)
            if read.wear.warning:
                tell(f"warning: {read.wear.warning}")
            calls += [one.call for one in read.calls]
            labels += read.labels
    return calls, labels


def _plain(label: "Label") -> object:
    return label.model_dump(mode="json", exclude_defaults=True)
