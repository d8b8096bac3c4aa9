"""`rubric` and `prompt`: `back-test | publish | retire | export`: from a file to a version in the registry."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from callgrade.cli.opened import open_database
from callgrade.cli.output import emit, progress_bar, tell, to_json
from callgrade.domain.errors import InputError
from callgrade.settings import load_settings

if TYPE_CHECKING:
    from sqlmodel import Session

    from callgrade.access.principals import Principal
    from callgrade.calibration.backtesting import BackTest, Contest, Kind
    from callgrade.calibration.gating import Host
    from callgrade.db.session import Database
    from callgrade.db.tables import Gate
    from callgrade.settings import Settings

    MakeContest = Callable[[Session], Contest]

Draft = Annotated[str, typer.Argument(metavar="DRAFT.yaml", help="The path of a rubric file.")]
PromptDraft = Annotated[str, typer.Argument(metavar="DRAFT.md", help="The path of a prompt file, as ID/vN.md.")]
Reference = Annotated[str, typer.Argument(help="ID@vN")]
RubricOption = Annotated[str, typer.Option(help="ID or ID@vN: the form that it is tried out on.")]
SetOption = Annotated[str, typer.Option("--set", help="golden: the one that ships; or a client's own.")]
JudgeOption = Annotated[Literal["auto", "rules"], typer.Option(help="rules: no model, whatever is set up.")]
ClientOption = Annotated[str, typer.Option("--client", help="Whose golden set and record, by the client's name.")]
OverrideOption = Annotated[str | None, typer.Option("--override", help="In spite of the gate: why. Give --by too.")]
ByOption = Annotated[str | None, typer.Option("--by", help="Who overrides, by name. It is written down.")]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]
OutOption = Annotated[Path | None, typer.Option("--out", help="A file instead of standard output.")]
DEFAULT = "default"


def register(rubrics: typer.Typer, prompts: typer.Typer) -> None:
    """Adds the commands to those that are there."""
    rubrics.command("back-test")(back_test_rubric)
    rubrics.command("publish")(publish_rubric)
    rubrics.command("retire")(retire_rubric)
    rubrics.command("export")(export_rubric)
    prompts.command("back-test")(back_test_prompt)
    prompts.command("publish")(publish_prompt)
    prompts.command("retire")(retire_prompt)


def back_test_rubric(
    draft: Draft,
    set_: SetOption = "golden",
    judge: JudgeOption = "auto",
    client: ClientOption = DEFAULT,
    json_: JsonOption = False,
) -> int:
    """Try a draft on golden calls beside the version in use: every verdict that flips, what agreement and cost do.
    The same command goes on with one that was stopped. 回测。"""
    return _back_test(_of_rubric(draft), set_, judge, client, json_)


def back_test_prompt(
    draft: PromptDraft,
    rubric: RubricOption,
    set_: SetOption = "golden",
    client: ClientOption = DEFAULT,
    json_: JsonOption = False,
) -> int:
    """Try a prompt on golden calls beside the version in use, by one rubric and the model that is set up. 回测。"""
    return _back_test(_of_prompt(draft, rubric), set_, "auto", client, json_)


def publish_rubric(
    draft: Draft,
    set_: SetOption = "golden",
    judge: JudgeOption = "auto",
    override: OverrideOption = None,
    by: ByOption = None,
    client: ClientOption = DEFAULT,
    json_: JsonOption = False,
) -> int:
    """Put a draft that was back-tested before the gate, which reads the holdout once and on record, and publish it
    under the next number if it is let through. 过闸并发布。"""
    return _publish(_of_rubric(draft), set_, judge, client, override, by, json_)


def publish_prompt(
    draft: PromptDraft,
    rubric: RubricOption,
    set_: SetOption = "golden",
    override: OverrideOption = None,
    by: ByOption = None,
    client: ClientOption = DEFAULT,
    json_: JsonOption = False,
) -> int:
    """The same of a prompt, by the rubric that it was back-tested with. 过闸并发布。"""
    return _publish(_of_prompt(draft, rubric), set_, "auto", client, override, by, json_)


def retire_rubric(reference: Reference, client: ClientOption = DEFAULT) -> int:
    """Take a published version out of use: it is found by its full name alone. 停用。"""
    return _retire("rubric", reference, client)


def retire_prompt(reference: Reference, client: ClientOption = DEFAULT) -> int:
    """Take a published version out of use: it is found by its full name alone. 停用。"""
    return _retire("prompt", reference, client)


def export_rubric(reference: Reference, out: OutOption = None) -> int:
    """Write a version in the registry as a rubric file. 导出。"""
    from callgrade.evaluations import registry
    from callgrade.reviews.drafts import text_of

    with open_database() as database, database.reading() as session:
        text = text_of(registry.rubric_version(session, reference))
    if out is None:
        emit(text.rstrip("\n"))
        return 0
    try:
        out.write_text(text, "utf-8")
    except OSError as error:
        raise InputError(f"{out}: cannot be written: {error.strerror}") from None
    tell(f"{reference} → {out}")
    return 0


def _of_rubric(path: str) -> "MakeContest":
    from callgrade.calibration.backtesting import of_rubric
    from callgrade.catalog import load_rubric

    draft = load_rubric(path)
    return lambda session: of_rubric(session, draft)


def _of_prompt(path: str, rubric: str) -> "MakeContest":
    from callgrade.calibration.backtesting import of_prompt
    from callgrade.catalog.prompts import load_prompt
    from callgrade.evaluations import registry

    draft = load_prompt(path)
    return lambda session: of_prompt(session, draft, registry.rubric(session, rubric)[0])


def _back_test(make: "MakeContest", set_: str, judge: Literal["auto", "rules"], client: str, json_: bool) -> int:
    from callgrade.calibration.backtesting import back_test, open_back_test
    from callgrade.calibration.drafted import set_id_of
    from callgrade.wiring.calibration import host_of

    settings = load_settings()
    with open_database(make=True) as database:
        us = _us(database, client)
        set_id = set_id_of(database, us, set_)
        host = host_of(settings, database, us.client_id, judge)
        with database.writing() as session:
            contest = make(session)
            opened = open_back_test(session, us, contest, set_id, host.model)
        with progress_bar() as shown:
            task = shown.add_task(contest.reference, total=None) if shown else None

            def progress(done: int, total: int) -> None:
                if shown and task is not None:
                    shown.update(task, completed=done, total=total)

            work = back_test(database, us, contest, opened, host.judges, in_flight=host.in_flight, progress=progress)
            found = asyncio.run(work)
    _say_what_is_left_open(contest, host)
    emit(to_json(found, pretty=True)) if json_ else _show(found, settings)
    return 0


def _publish(
    make: "MakeContest",
    set_: str,
    judge: Literal["auto", "rules"],
    client: str,
    override: str | None,
    by: str | None,
    json_: bool,
) -> int:
    from callgrade.calibration import gating, publishing
    from callgrade.calibration.drafted import set_id_of
    from callgrade.wiring.calibration import host_of

    if (override is None) != (by is None):
        raise typer.BadParameter("--override REASON and --by NAME go together")
    settings = load_settings()
    with open_database() as database:
        us = _us(database, client)
        set_id = set_id_of(database, us, set_)
        with database.reading() as session:
            contest = make(session)
        if override is None:
            host = host_of(settings, database, us.client_id, judge)
            gate = asyncio.run(gating.gate(database, us, contest, set_id, host))
            if gate.outcome == "stopped":
                _show_gate(gate, contest, settings, json_)
                tell(f"error: the gate stopped {contest.reference}; mend it, or give --override REASON and --by NAME")
                return 1
        with database.writing() as session:
            gate = publishing.publish(session, us, contest, override=override, name=by)
            _show_gate(gate, contest, settings, json_)
    tell(f"published {contest.reference}")
    return 0


def _retire(kind: "Kind", reference: str, client: str) -> int:
    from callgrade.calibration.publishing import retire

    with open_database() as database:
        us = _us(database, client)
        with database.writing() as session:
            retire(session, us, kind, reference)
    tell(f"retired {reference}")
    return 0


def _us(database: "Database", client: str) -> "Principal":
    from callgrade.access.keys import ensure_client
    from callgrade.access.principals import system

    with database.writing() as session:
        return system(ensure_client(session, client).id)


def _say_what_is_left_open(contest: "Contest", host: "Host") -> None:
    rubric = contest.draft.rubric
    left = len(rubric.judged_by("llm"))
    if left and host.model is None:
        tell(f"warning: {left} of {len(rubric.criteria)} criteria are for a model, and WERE NOT TRIED: none was asked")


def _show(found: "BackTest", settings: "Settings") -> None:
    from callgrade.cli.render_calibration import show_comparison

    emit(f"{found.subject}@{found.version}  {found.digest}")
    if found.comparison is None:
        emit("nothing is in use that it could be compared with · 没有可比的现行版本")
        return
    show_comparison(found.comparison, settings.language)
    if found.cost.value is not None:
        emit(f"cost per call, paired: {found.cost.value:+.4f}")


def _show_gate(gate: "Gate", contest: "Contest", settings: "Settings", json_: bool) -> None:
    from callgrade.calibration.gating import result_of
    from callgrade.domain.gates import MEANS, OUTCOMES

    if json_:
        told = {"reference": contest.reference, "digest": gate.digest, "outcome": gate.outcome, "reason": gate.reason}
        emit(to_json({**told, **gate.details}, pretty=True))
        return
    language = settings.language
    outcome = OUTCOMES[gate.outcome].in_language(language)
    emit(f"{outcome}: {contest.reference} – {MEANS[gate.outcome].in_language(language)}")
    result = result_of(gate)
    for one in result.criteria if result else ():
        reasons = "; ".join(reason.in_language(language) for reason in one.reasons)
        emit(f"  {OUTCOMES[one.outcome].in_language(language)}  {one.criterion_id}: {reasons}")
    for reason in result.reasons if result else ():
        emit(f"  {reason.in_language(language)}")
    wear = gate.details.get("wear") or {}
    if "left" in wear:
        tell(f"the holdout was read: {wear['left']} reading(s) are left for this rubric")
