"""The commands' root, and what happens when one fails."""

import os
import sys
import warnings
from typing import Annotated

import typer

from callgrade import __version__
from callgrade.cli import (
    access,
    agree,
    autonomy,
    calibrate,
    calls,
    database,
    evals,
    golden,
    ground,
    models,
    people,
    prompts,
    publishing,
    releases,
    rubrics,
    second_opinion,
    serve,
)
from callgrade.domain.errors import CallgradeError, ConfigurationError, PromptError, RubricError

WRONG_SETUP = (ConfigurationError, RubricError, PromptError)

app = typer.Typer(
    name="callgrade",
    help="Evaluate customer-service calls: a recording or a transcript in, a scorecard with found quotes out.\n\n"
    "通话质检：录音或转写进，带原话证据的评分表出。",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
calls.register(app)
ground.register(app)
agree.register(app)
app.add_typer(rubrics.app, name="rubric")
app.add_typer(prompts.app, name="prompt")
publishing.register(rubrics.app, prompts.app)
app.add_typer(golden.app, name="golden")
app.add_typer(autonomy.app, name="autonomy")
app.add_typer(calibrate.app, name="calibrate")
app.add_typer(second_opinion.app, name="second-opinion")
app.add_typer(evals.app, name="eval")
app.add_typer(releases.app, name="release")
app.add_typer(models.app, name="models")
serve.register(app)
app.add_typer(database.app, name="db")
app.add_typer(people.users, name="user")
app.add_typer(people.agents, name="agents")
app.add_typer(access.keys, name="key")
app.add_typer(access.audit, name="audit")


def _version(wanted: bool) -> None:
    if wanted:
        print(f"callgrade {__version__}")  # noqa: T201
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def run() -> int:
    """Exit status: 0 all done, 1 some inputs failed, 2 wrong usage or configuration."""
    warnings.showwarning = _plain_warning  # type: ignore[assignment]  # fewer parameters, all by position
    try:
        status = app(standalone_mode=False)
    except typer.Exit as leaving:
        return leaving.exit_code
    except CallgradeError as error:
        _say(f"error: {error}")
        return 2 if isinstance(error, WRONG_SETUP) else 1
    except (KeyboardInterrupt, typer.Abort):
        _say("interrupted")
        return 130
    except BrokenPipeError:
        # the reader of a pipe (head, less) has gone; nothing is wrong
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if not _is_usage(error):
            raise
        error.show()  # type: ignore[attr-defined]
        return 2
    return status if isinstance(status, int) else 0


def _is_usage(error: Exception) -> bool:
    # typer carries its own copy of click in some releases, so the class is known by what it can do
    return hasattr(error, "show") and hasattr(error, "exit_code")


def _say(message: str) -> None:
    print(message, file=sys.stderr)  # noqa: T201


def _plain_warning(message: Warning | str, *_: object) -> None:
    _say(f"warning: {message}")
