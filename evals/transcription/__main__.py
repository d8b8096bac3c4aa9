"""Measures transcription: `python -m evals.transcription long`, `… accuracy`.

`long` makes a stereo µ-law recording of three hours (the golden set's calls one after the other) and transcribes it
with the demo recogniser: wall and processor time, real time factor, and the peak of resident memory beside what one
short call needs. `accuracy` transcribes the golden set and holds characters and times against the script that made the
sound. A production recogniser needs more of everything; decoding, cutting and buffers are the same. How fast yours is,
for `evals.sizing --asr-rtf`, says `long --model paraformer-zh --device cuda` as `real_time_factor_wall`.
"""

import argparse
import json
import re
import resource
import statistics
import tempfile
import time
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from callgrade.adapters.funasr import FunASRTranscriber
from callgrade.catalog.resources import resource_folder
from callgrade.domain.calls import Transcript
from callgrade.settings import ASRSettings

GOLDEN_SET = resource_folder("golden_set")
RECORDINGS = sorted((GOLDEN_SET / "recordings").glob("*.wav"))
MARKS = re.compile(r"\W")


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def make_long(path: Path, hours: float) -> None:
    """Stereo µ-law at 8 kHz, written piece by piece: no more than one call is held at a time."""
    import av

    wanted = round(hours * 3600 * 8000)
    with av.open(str(path), "w", format="wav") as out:
        stream = out.add_stream("pcm_mulaw", rate=8000, layout="stereo")
        written, turn = 0, 0
        while written < wanted:
            with av.open(str(RECORDINGS[turn % len(RECORDINGS)])) as call:
                for frame in call.decode(audio=0):
                    frame.pts = None
                    for packet in stream.encode(av.AudioResampler("s16", "stereo", 8000).resample(frame)[0]):
                        out.mux(packet)
                    written += frame.samples
            turn += 1


def measure_long(hours: float, settings: ASRSettings) -> dict[str, Any]:
    transcriber = FunASRTranscriber(settings)
    transcriber.transcribe(RECORDINGS[0], agent_channel="0")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.wav"
        make_long(path, hours)
        before, wall, cpu = peak_mb(), time.perf_counter(), time.process_time()
        transcript = transcriber.transcribe(path, agent_channel="0")
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        seconds = hours * 3600
        return {
            "model": settings.model,
            "device": settings.device,
            "hours": hours,
            "file_mb": round(path.stat().st_size / 1e6),
            "turns": len(transcript.turns),
            "wall_s": round(wall, 1),
            "cpu_s": round(cpu, 1),
            "real_time_factor_wall": round(wall / seconds, 4),
            "real_time_factor_cpu": round(cpu / seconds, 4),
            "peak_mb_after_one_short_call": round(before),
            "peak_mb": round(peak_mb()),
            "as_float32_mb": round(seconds * 16000 * 2 * 4 / 1e6),
        }


def measure_accuracy() -> dict[str, Any]:
    transcriber = FunASRTranscriber(ASRSettings(model="tiny"))
    characters = errors = 0
    starts: list[int] = []
    ends: list[int] = []
    tokens: list[int] = []
    for path in RECORDINGS:
        truth = Transcript.model_validate_json((GOLDEN_SET / "calls" / f"{path.stem}.json").read_bytes())
        found = transcriber.transcribe(path, agent_channel="0")
        for expected, turn in zip(truth.turns, found.turns, strict=True):
            wanted, said = MARKS.sub("", expected.text), MARKS.sub("", turn.text)
            characters += len(wanted)
            errors += edits(wanted, said)
            starts.append(abs((turn.start_ms or 0) - (expected.start_ms or 0)))
            ends.append(abs((turn.end_ms or 0) - (expected.end_ms or 0)))
            tokens += token_errors(expected, turn)
    return {
        "calls": len(RECORDINGS),
        "character_error": round(errors / characters, 4),
        "turn_start_ms": figures(starts),
        "turn_end_ms": figures(ends),
        "character_start_ms": figures(tokens),
    }


def token_errors(expected: Any, found: Any) -> list[int]:
    """How far the beginnings of the characters that both have lie apart, in milliseconds."""
    texts = ["".join(turn.text[t.start : t.end][:1] for t in turn.tokens) for turn in (expected, found)]
    blocks = SequenceMatcher(None, *texts, autojunk=False).get_matching_blocks()
    pairs = ((expected.tokens[b.a + k], found.tokens[b.b + k]) for b in blocks for k in range(b.size))
    return [abs(one.start_ms - other.start_ms) for one, other in pairs]


def figures(values: list[int]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "median": statistics.median(ordered),
        "p95": ordered[int(0.95 * (len(ordered) - 1))],
        "worst": ordered[-1],
        "n": len(ordered),
    }


def edits(wanted: str, said: str) -> int:
    """Levenshtein distance."""
    row = list(range(len(said) + 1))
    for i, a in enumerate(wanted, 1):
        diagonal, row[0] = row[0], i
        for j, b in enumerate(said, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (a != b))
    return row[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("long", "accuracy"))
    parser.add_argument("--hours", type=float, default=3.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--model", default="tiny", help="of `long`")
    parser.add_argument("--device", default="cpu", help="of `long`")
    options = parser.parse_args()
    if options.part == "long":
        asr = ASRSettings(model=options.model, device=options.device, threads=options.threads, max_minutes=1440)
        print(json.dumps(measure_long(options.hours, asr), indent=1))
    else:
        print(json.dumps(measure_accuracy(), indent=1))


if __name__ == "__main__":
    main()
