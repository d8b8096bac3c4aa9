"""Nothing of FunASR's reaches the streams or the loggers, and nobody else's words are swallowed."""

import io
import json
import logging
import subprocess
import sys
import threading

import pytest

from callgrade.adapters.funasr.quiet import quiet
from tests.adapters.sounds import RECORDINGS

PROGRAM = f"""
import json, logging
from pathlib import Path
from callgrade.adapters.funasr import FunASRTranscriber
from callgrade.settings import ASRSettings
found = FunASRTranscriber(ASRSettings(model="tiny", threads=1)).transcribe(Path({str(RECORDINGS / "pcm.wav")!r}))
logging.getLogger("mine").info("not to be seen")
print(json.dumps([len(found.turns), logging.getLogger().level, len(logging.getLogger().handlers)]))
"""


def test_a_whole_transcription_prints_our_line_and_nothing_else() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [1, logging.WARNING, 0]
    assert done.stderr == ""


def test_prints_and_logs_of_this_thread_are_dropped_and_then_not(capsys: pytest.CaptureFixture[str]) -> None:
    with quiet():
        print("chatter")
        print("more", file=sys.stderr)
    print("ours")
    assert capsys.readouterr() == ("ours\n", "")


def test_other_threads_go_on_printing(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    with quiet():
        thread = threading.Thread(target=print, args=("theirs",))
        thread.start()
        thread.join()
        print("chatter")
    assert stream.getvalue() == "theirs\n"
    assert sys.stdout is stream


def test_a_stream_that_somebody_kept_speaks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    with quiet():
        kept = sys.stdout
        sys.stdout = io.StringIO()  # a progress bar takes over and will put back what it found
    assert sys.stdout is not stream
    sys.stdout = kept
    print("ours")
    assert stream.getvalue() == "ours\n"


def test_the_root_logger_is_left_as_it_was() -> None:
    root = logging.getLogger()
    before = (list(root.handlers), root.level, list(root.filters))
    with quiet():
        logging.basicConfig(level=logging.DEBUG)
        root.addHandler(logging.StreamHandler())
        root.setLevel(logging.DEBUG)
    assert (root.handlers, root.level, root.filters) == before
