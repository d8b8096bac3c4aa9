"""The command line. A command is a few lines over a service; what is heavy is imported inside the command."""

import sys


def main() -> None:
    """Entry point: runs a command and turns known errors into one clear message and the right exit status."""
    from callgrade.cli.app import run

    sys.exit(run())
