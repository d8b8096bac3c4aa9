"""The service as it is run, in processes of its own, and what they take: processor time and memory, from /proc."""

import os
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import TextIO

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
UP_WITHIN_S = 60
DOWN_WITHIN_S = 60


@dataclass(frozen=True)
class Service:
    base_url: str
    web: int
    """Process id of `callgrade serve`."""
    workers: tuple[int, ...]
    """Of each `callgrade worker` beside it."""

    @property
    def processes(self) -> tuple[int, ...]:
        return (self.web, *self.workers)


@contextmanager
def serving(environment: Mapping[str, str], *, workers: int = 0, demo: bool = False) -> Iterator[Service]:
    """`callgrade serve` on a free port, and workers beside it. What they log is shown where they do not come up."""
    whole = {**os.environ, **environment}
    with ExitStack() as stack:
        log = stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8"))
        web = stack.enter_context(_started(["serve", "--port", "0", *(["--demo"] if demo else [])], whole, log))
        base_url = _address(web, log)
        # what it says later is little, and the pipe holds it
        names = [f"bench-{number}" for number in range(workers)]
        others = [
            stack.enter_context(_started(["worker"], {**whole, "CALLGRADE_EXECUTOR_ID": name}, log)) for name in names
        ]
        _wait_until_ready(base_url)
        yield Service(base_url, web.pid, tuple(other.pid for other in others))


@contextmanager
def _started(
    arguments: Sequence[str], environment: Mapping[str, str], log: TextIO
) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "callgrade", *arguments]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True, encoding="utf-8"
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(DOWN_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert process.stdout is not None
        process.stdout.close()


def _address(web: "subprocess.Popen[str]", log: TextIO) -> str:
    assert web.stdout is not None
    for line in web.stdout:
        if "http://" in line:
            return "http://" + line.split("http://", 1)[1].split()[0]
    log.seek(0)
    raise RuntimeError(f"callgrade serve did not come up: {log.read()[-2000:]}")


def _wait_until_ready(base_url: str) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    until = monotonic() + UP_WITHIN_S
    while True:
        try:
            with opener.open(f"{base_url}/healthz", timeout=5):
                return
        except urllib.error.URLError:
            if monotonic() > until:
                raise
            sleep(0.1)


def cpu_s(*processes: int) -> float:
    """Seconds of processor time so far, with those of the children that have ended."""
    return sum(sum(map(int, _stat(process)[11:15])) for process in processes) * TICK_S


def family_of(parent: int) -> list[int]:
    """A process and its children that live."""
    children = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if int(_stat(int(entry.name))[1]) == parent:
                    children.append(int(entry.name))
            except (OSError, IndexError):
                continue  # it has ended meanwhile
    return [parent, *children]


def resident_bytes(process: int) -> int:
    return _status(process, "VmRSS")


def peak_bytes(process: int) -> int:
    """The most that was resident since the process began, or since `forget_peak`."""
    return _status(process, "VmHWM")


def forget_peak(process: int) -> None:
    Path(f"/proc/{process}/clear_refs").write_text("5")


def _stat(process: int) -> list[str]:
    """Fields from the third on (proc(5)): the second, the name, may hold blanks."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()


def _status(process: int, name: str) -> int:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/{process}/status has no {name}")
