"""A disk of a few megabytes, for nobody but the processes that are started on it.

It is memory, mounted in a namespace of its own. Root may make one, and on most Linux machines everybody else may too
(a user namespace); where the kernel forbids both the test is skipped, and says so.
"""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

SCRIPT = 'mount -t tmpfs -o size="$1",mode=0777 callgrade-test "$2" && echo mounted && exec sleep infinity'


class SmallDisk:
    """`path` is where it is for the processes on it, which are started with the words `enter` in front."""

    def __init__(self, holder: int, path: Path, enter: Sequence[str]):
        self.path, self.enter = path, enter
        # good enough for a file; SQLite looks through it, and finds what is there for everybody else
        self._ballast = Path(f"/proc/{holder}/root{path}") / "ballast"

    def fill(self, leave: int = 0) -> None:
        """Until `leave` bytes are free."""
        with self._ballast.open("wb", buffering=0) as file:
            try:
                while file.write(bytes(65_536)):
                    pass
            except OSError:
                pass
            file.truncate(max(0, file.tell() - leave))

    def clear(self) -> None:
        self._ballast.unlink()


@contextmanager
def small_disk(path: Path, megabytes: int) -> Iterator[SmallDisk]:
    path.mkdir()
    for user in ([], ["--user", "--map-root-user"]):
        command = ["unshare", "--mount", *user, "sh", "-c", SCRIPT, "sh", f"{megabytes}m", str(path)]
        holder = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            assert holder.stdout is not None
            if holder.stdout.readline() == "mounted\n":
                # in its old folder, which it would leave for the root of the other namespace
                namespaces = ["--mount", *(["--user", "--preserve-credentials"] if user else []), f"--wd={Path.cwd()}"]
                yield SmallDisk(holder.pid, path, ["nsenter", "--target", str(holder.pid), *namespaces, "--"])
                return
        finally:
            holder.kill()
            holder.wait()
            holder.stdout.close()
    pytest.skip("needs leave to mount in a namespace of its own: neither root's nor a user's is allowed here")
