"""Measure the tiny recogniser with FunASR's own AutoModel: character errors, planted quotes and time stamps.

    python evaluate.py [--data /tmp/asr-data] [--vad] [--show]

The demo recordings are cut at their true turn borders (or, with --vad, by silero) and recognised as a program would:
16 kHz float32 mono, local directory, no network. With --data the held-out sentences of `make_data.py` are measured too.
"""

import argparse
import difflib
import json
import sys
import wave
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml

HERE = Path(__file__).resolve().parent
GOLDEN_SET = HERE.parent
sys.path.insert(0, str(GOLDEN_SET))

from make_data import plain  # noqa: E402
from speech import Samples, resample  # noqa: E402
from train import edit_distance, read_meta  # noqa: E402

RATE = 16000
EDGE_MS = 60
"""Cut a turn a little before and after its words, as a voice activity detector pads."""


@dataclass
class Heard:
    """What was recognised of one side's speech: text, (start_ms, end_ms) of each character, tags."""

    text: str
    times: list[tuple[int, int]]
    tags: str


@dataclass
class Tally:
    """Sums over many turns; errors and characters in reference characters, deviations in milliseconds."""

    errors: int = 0
    characters: int = 0
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    emotions: int = 0
    turns: int = 0

    def report(self) -> dict[str, Any]:
        def spread(values: list[int]) -> dict[str, float]:
            size = np.abs(values)
            middle, p95 = np.percentile(size, [50, 95])
            return {
                "median": float(middle),
                "p95": float(p95),
                "max": float(size.max()),
                "bias": float(np.mean(values)),
            }

        report: dict[str, Any] = {
            "character_error": round(self.errors / self.characters, 4),
            "characters": self.characters,
        }
        if self.starts:
            report |= {"start_error_ms": spread(self.starts), "end_error_ms": spread(self.ends)}
        if self.turns:
            report["emotion_right"] = f"{self.emotions}/{self.turns}"
        return report


def load(model: Path) -> Any:
    """The model directory as FunASR's AutoModel."""
    from funasr import AutoModel

    return AutoModel(model=str(model), disable_update=True, disable_pbar=True, log_level="ERROR", ncpu=1)


def recognise(model: Any, samples: Samples, shift_ms: int = 0) -> Heard:
    """Recognise one piece of sound that begins at `shift_ms`."""
    result = model.generate(samples, output_timestamp=True, language="zh")[0]
    tags, _, text = result["text"].rpartition("|>")
    times = [(start + shift_ms, end + shift_ms) for start, end in result.get("timestamp", [])]
    return Heard(text, times, tags + "|>")


def read_channels(path: Path) -> list[Samples]:
    """Both channels of a recording at 16 kHz."""
    import av

    with av.open(str(path)) as container:
        blocks = [frame.to_ndarray() for frame in container.decode(audio=0)]
        rate = container.streams.audio[0].rate
    pcm = np.concatenate(blocks, axis=1).reshape(-1, 2).T.astype(np.float32) / 32768
    return [resample(channel, rate, RATE) for channel in pcm]


def cut(channel: Samples, start_ms: int, end_ms: int) -> tuple[Samples, int]:
    """A turn with a little edge, and where it begins in milliseconds."""
    begin = max(0, start_ms - EDGE_MS)
    return channel[begin * RATE // 1000 : (end_ms + EDGE_MS) * RATE // 1000], begin


def hear_turn(model: Any, channel: Samples, turn: dict[str, Any], segments: list[tuple[int, int]] | None) -> Heard:
    """A turn recognised whole, or in the voice activity detector's segments that begin inside it."""
    if segments is None:
        return recognise(model, *cut(channel, turn["start_ms"], turn["end_ms"]))
    inside = [piece for piece in segments if turn["start_ms"] <= sum(piece) / 2 <= turn["end_ms"]]
    heard = [recognise(model, channel[begin * RATE // 1000 : end * RATE // 1000], begin) for begin, end in inside]
    times = [time for item in heard for time in item.times]
    return Heard("".join(item.text for item in heard), times, heard[0].tags if heard else "")


def detect(channel: Samples, vad: Any) -> list[tuple[int, int]]:
    """Silero's speech segments in milliseconds, its own defaults."""
    import torch
    from silero_vad import get_speech_timestamps

    found = get_speech_timestamps(torch.from_numpy(channel), vad, sampling_rate=RATE)
    return [(item["start"] * 1000 // RATE, item["end"] * 1000 // RATE) for item in found]


def count_turn(tally: Tally, turn: dict[str, Any], heard: Heard) -> None:
    """Add a turn's character errors and, for characters recognised in place, the deviation of their times."""
    said = plain(turn["text"])
    truth = [(start, end) for _, _, start, end, _ in turn["tokens"]]
    tally.errors += edit_distance(heard.text, said)
    tally.characters += len(said)
    tally.turns += 1
    tally.emotions += turn["emotion"].upper() in heard.tags
    if len(heard.times) != len(heard.text):
        return
    for block in difflib.SequenceMatcher(None, said, heard.text, autojunk=False).get_matching_blocks():
        for offset in range(block.size):
            true, found = truth[block.a + offset], heard.times[block.b + offset]
            tally.starts.append(found[0] - true[0])
            tally.ends.append(found[1] - true[1])


def evaluate_demo(model: Any, with_vad: bool, show: bool) -> dict[str, Any]:
    """Every call of the manifest: its character error, and which planted quotes were not recognised exactly."""
    vad = None
    if with_vad:
        from silero_vad import load_silero_vad

        vad = load_silero_vad(onnx=False)
    overall, calls = Tally(), {}
    for entry in yaml.safe_load((GOLDEN_SET / "manifest.yaml").read_text(encoding="utf-8"))["calls"]:
        channels = read_channels(GOLDEN_SET / entry["recording"])
        segments = [detect(channel, vad) if vad else None for channel in channels]
        turns = json.loads((GOLDEN_SET / entry["transcript"]).read_text(encoding="utf-8"))["turns"]
        tally, texts = Tally(), []
        for turn in turns:
            side = 0 if turn["speaker"] == "agent" else 1
            heard = hear_turn(model, channels[side], turn, segments[side])
            texts.append(heard.text)
            for sums in (tally, overall):
                count_turn(sums, turn, heard)
            if show and heard.text != plain(turn["text"]):
                print(f"{entry['id']} {plain(turn['text'])} -> {heard.text}")
        missed = [item["quote"] for item in entry["planted"] if plain(item["quote"]) not in texts[item["turn"]]]
        calls[entry["id"]] = tally.report() | {"planted": len(entry["planted"]), "missed": missed}
    return {"overall": overall.report(), "calls": calls}


def evaluate_heldout(model: Any, data: Path) -> dict[str, Any]:
    """Character error on the grammar sentences that the training never saw."""
    tally = Tally()
    for row in read_meta(data):
        if row["split"] != "heldout":
            continue
        with wave.open(row["path"], "rb") as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / np.float32(32768)
        tally.errors += edit_distance(recognise(model, samples).text, row["text"])
        tally.characters += len(row["text"])
    return tally.report()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=HERE / "model")
    parser.add_argument("--data", type=Path, help="folder written by make_data.py, to measure its held-out split")
    parser.add_argument("--vad", action="store_true", help="cut by silero instead of at the true turn borders")
    parser.add_argument("--show", action="store_true", help="print each turn that was not recognised exactly")
    options = parser.parse_args()
    model = load(options.model)
    report = {"demo": evaluate_demo(model, options.vad, options.show)}
    if options.data:
        report["heldout"] = evaluate_heldout(model, options.data)
    print(json.dumps(report, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
