"""Keeps FunASR's chatter off the streams: standard output carries our JSON and nothing else.

FunASR prints while it is imported and loaded, sets up the root logger and logs to it. Redirecting `sys.stdout` as a
whole would also swallow what other threads print meanwhile, so only the thread that calls FunASR is muted.
"""

import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

_CHATTY = ("jieba", "modelscope", "modelscope_hub", "numba", "matplotlib")


@contextmanager
def quiet() -> Iterator[None]:
    """Mute this thread's prints, warnings and FunASR's log; leave the root logger as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    guard = logging.NullHandler()
    root.addHandler(guard)  # with a handler in place `logging.basicConfig` does nothing
    filtering = _NotFromFunASR()
    root.addFilter(filtering)
    out, err = sys.stdout, sys.stderr
    muted = [_Muted(out), _Muted(err)]
    sys.stdout, sys.stderr = muted
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for stream in muted:
            stream.muted = False
        sys.stdout = out if sys.stdout is muted[0] else sys.stdout
        sys.stderr = err if sys.stderr is muted[1] else sys.stderr
        root.removeFilter(filtering)
        root.handlers[:] = handlers
        root.setLevel(level)
        for name in _CHATTY:
            logging.getLogger(name).setLevel(logging.WARNING)


class _NotFromFunASR(logging.Filter):
    """Drops what FunASR logs through the root logger, errors excepted. A filter there sees no other logger's."""

    def __init__(self) -> None:
        super().__init__()
        package = find_spec("funasr")
        self._folders = tuple(package.submodule_search_locations or ()) if package else ()

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.ERROR or not record.pathname.startswith(self._folders)


class _Muted:
    """A stream that drops what one thread writes, until `muted` is cleared: somebody may keep it longer than we do."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._thread = threading.get_ident()
        self.muted = True

    def write(self, text: str) -> int:
        if self.muted and threading.get_ident() == self._thread:
            return len(text)
        return int(self._stream.write(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
