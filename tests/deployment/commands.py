"""Whether a command line is one of callgrade's: its commands and options exist. Nothing is run."""

import re
import shlex

import click
import typer

from callgrade.cli.app import app

_ROOT = typer.main.get_command(app)
_SPOKEN = re.compile(
    r"(?:^\s*|/bin/|exec |exec web )callgrade( (?:[a-z][a-z-]*|--?[a-z][a-z-]*|\"[^\"]*\"|[^\s`'\"|;)]+))+"
)


def spoken_in(text: str) -> list[list[str]]:
    """The arguments of each `callgrade …` in a text, one a line at most where lines are commands."""
    joined = text.replace("\\\n", " ")
    found = []
    for line in joined.splitlines():
        for match in _SPOKEN.finditer(line.split(" #")[0]):
            found.append(shlex.split(match[0].partition("callgrade ")[2], posix=True))
    return found


def faults(words: list[str]) -> list[str]:
    """What is wrong with these arguments; empty where they would be taken."""
    command: click.Command = _ROOT
    rest = list(words)
    while rest and hasattr(command, "commands"):
        name = rest.pop(0)
        if name not in command.commands:
            return [f"there is no command {name!r} ({' '.join(words)})"]
        command = command.commands[name]
    if hasattr(command, "commands"):
        return [f"{' '.join(words)!r} is only a group of commands"]
    known = {option: parameter for parameter in command.params for option in parameter.opts}
    given = [word.partition("=")[0] for word in rest if word.startswith("--")]
    return [f"{' '.join(words)}: there is no option {option}" for option in given if option not in known]
