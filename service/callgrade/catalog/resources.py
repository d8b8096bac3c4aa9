"""Where the shipped data lies: `rubrics/`, `prompts/`, `golden_set/` and `evals/` as package resources.

In a checkout and an editable install they are committed links to the top-level folders; in a wheel they are folders
of the package. Either way the same path finds them.
"""

from importlib.resources import files
from pathlib import Path
from typing import Literal

from callgrade.domain.errors import ConfigurationError

ResourceKind = Literal["rubrics", "prompts", "golden_set", "evals"]


def resource_folder(kind: ResourceKind) -> Path:
    """The folder of one kind of shipped data. Raises ConfigurationError where the installation lacks it."""
    folder = Path(str(files("callgrade"))) / kind
    if not folder.is_dir():
        raise ConfigurationError(
            f"this installation of callgrade has no {kind}/ folder (looked for {folder}): install it again from a "
            "wheel, or check the repository out with symbolic links enabled (git config core.symlinks true)"
        )
    return folder
