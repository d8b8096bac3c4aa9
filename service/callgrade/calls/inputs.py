"""What the command line is given: recordings, transcripts, and folders of both."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from callgrade.domain.errors import NotFoundError

TRANSCRIPTS = frozenset({".json", ".txt"})
SOUND = ".wav .mp3 .m4a .aac .amr .awb .ogg .opus .oga .flac .gsm .wma .au .aif .aiff .3gp .g726"
VIDEO = ".webm .mp4 .mov .mkv"
RECORDINGS = frozenset(f"{SOUND} {VIDEO}".split())


def is_recording(path: Path) -> bool:
    """By its name; a file of unknown name by its bytes, since text holds no NUL."""
    suffix = path.suffix.lower()
    if suffix in RECORDINGS or suffix in TRANSCRIPTS:
        return suffix in RECORDINGS
    try:
        with path.open("rb") as file:
            return b"\0" in file.read(4096)
    except OSError:
        return False


def expand(inputs: Iterable[Path]) -> Iterator[Path]:
    """Files as they are, folders as the recordings and transcripts below them, by name; each file once.

    Raises NotFoundError for a path that does not exist and for a folder with nothing to score in it.
    """
    seen: set[Path] = set()
    for given in inputs:
        for path in _below(given):
            if path.resolve() not in seen:
                seen.add(path.resolve())
                yield path


def _below(given: Path) -> list[Path]:
    if not given.exists():
        raise NotFoundError(f"{given}: no such file or folder")
    if not given.is_dir():
        return [given]
    known = TRANSCRIPTS | RECORDINGS
    found = sorted(path for path in given.rglob("*") if path.is_file() and path.suffix.lower() in known)
    if not found:
        raise NotFoundError(f"{given}: no recordings or transcripts in this folder ({', '.join(sorted(known))})")
    return found
