"""Pages to test and to look at, made without recogniser, model or recordings.

    python -m tests.evaluations.report.pages FOLDER      writes them, to be opened in a browser

Form and judgements come from `sample.yaml`, the call is the golden set's `mis-selling`, invented and labelled so.
"""

import json
import math
import struct
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from callgrade.catalog.resources import resource_folder
from callgrade.domain.calls import Transcript
from callgrade.domain.grounding import Grounder
from callgrade.domain.judgements import Judgement
from callgrade.domain.rubrics import Rubric
from callgrade.domain.scorecards import Provenance, Scorecard, score
from callgrade.evaluations.report import render_html

SAMPLE: Any = YAML(typ="safe").load(Path(__file__).with_name("sample.yaml"))
RUBRIC = Rubric.model_validate(SAMPLE["rubric"])
DIGEST = "sha256:5f1c0b7e3a9d4c6288e1f07ab35d9b1c5e2f6a7788990a1b2c3d4e5f60718293"


def transcript() -> Transcript:
    golden = resource_folder("golden_set") / "calls" / "mis-selling.json"
    document = json.loads(golden.read_text(encoding="utf-8"))
    turns = document["turns"]
    document["notes"] = ["channel 0 is the agent: greeting found"]
    turns[5]["emotion"], turns[7]["emotion"] = "surprised", "angry"
    # nothing was recognised here, so the doubts are invented, too
    turns[3]["tokens"] = [[*token[:4], 0.31] for token in turns[3]["tokens"]]
    # the last turn comes late and without tokens: a silence to show, and times to be estimated
    turns[10]["start_ms"], turns[10]["tokens"] = 39_600, []
    return Transcript.model_validate(document)


def judgements(call: Transcript) -> dict[str, Judgement]:
    grounder = Grounder(call)
    made = {}
    for item in SAMPLE["judgements"]:
        fields = {"status": "judged", **item}
        id_, quotes = fields.pop("id"), fields.pop("quotes", ())
        evidence = tuple(grounder.ground(quote) for quote in quotes)
        made[id_] = Judgement.model_validate({**fields, "criterion_id": id_, "evidence": evidence})
    return made


PROVENANCE = Provenance(
    rubric=f"{RUBRIC.reference} {DIGEST}",
    prompt={"id": "judge", "version": "v1", "digest": "sha256:20c1…"},
    lists={"absolute-promises": "sha256:77ab…"},
    model_requested="qwen-plus",
    model_reported="qwen-plus-2026-09-11",
    parameters={"temperature": 0, "max_tokens": 8192},
    recogniser="tiny-synthetic/1",
    redaction="rules/1",
    callgrade="0.1.0",
    requests=2,
    repairs=1,
    tokens={"prompt": 1874, "cached": 1024, "completion": 402},
    cost=0.0007,
)


def scorecard(call: Transcript, rubric: Rubric = RUBRIC, made: dict[str, Judgement] | None = None) -> Scorecard:
    judged = judgements(call) if made is None else made
    card = score(rubric, judged, call.facts, call_id=call.call_id, digest=DIGEST)
    return card.model_copy(update={"provenance": PROVENANCE})


def tone_wav(path: Path, seconds: float = 42.0) -> Path:
    """A stereo µ-law recording at 8 kHz: a hum on the left in even seconds, on the right in odd ones."""
    frames = bytearray()
    for at in range(int(seconds * 8000)):
        # µ-law codes fall as loudness rises: 0xFF is silence, 0x8F fairly loud
        code = 0xFF - int(0x50 * abs(math.sin(at / 40) * math.sin(at / 900)))
        frames += bytes((code, 0xFF) if at // 8000 % 2 == 0 else (0xFF, code))
    form = struct.pack("<HHIIHHH", 7, 2, 8000, 16000, 2, 8, 0)
    body = b"WAVE" + b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(frames)) + frames
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path


def recording(folder: Path) -> Path:
    """The golden recording where it is there, else a hum of the same length."""
    golden = resource_folder("golden_set") / "recordings" / "mis-selling.wav"
    return golden if golden.exists() else tone_wav(folder / "hum.wav")


def write_pages(folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    call = transcript()
    card = scorecard(call)
    pages = {
        "zh.html": render_html(card, call, RUBRIC, language="zh", recording=recording(folder), synthetic=True),
        "en.html": render_html(card, call, RUBRIC, language="en", recording=recording(folder), synthetic=True),
        "silent.html": render_html(card, call, RUBRIC, language="zh", synthetic=True),
    }
    for name, html in pages.items():
        (folder / name).write_text(html, encoding="utf-8")
    return [folder / name for name in pages]


if __name__ == "__main__":
    for written in write_pages(Path(sys.argv[1])):
        print(written)
