"""Speak the demo scripts: recordings, true transcripts and the manifest of the golden set.

    python make_recordings.py

reads `scripts/*.yaml` and writes, for each, `recordings/<id>.wav` (agent left, customer right, 8 kHz mu-law as a
telephone exchange records it; encoded with PyAV), `calls/<id>.json` (the truth: `callgrade.transcript/1` with the
time of every character as espeak-ng announced it) and an entry of `manifest.yaml` with what was planted and when it
is said. Some calls are written in other formats too, under `recordings/variants/`. The same scripts give the same
bytes.
"""

import argparse
import json
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import yaml
from speech import ESPEAK_RATE, PUNCTUATION, Samples, Spoken, Voice, resample, speak

HERE = Path(__file__).resolve().parent
RATE = 8000
LEAD_MS, TAIL_MS = 300, 400
GAP_MS = (300, 600)
LEVEL = 0.7
LINE_NOISE = 4e-4
CHANNELS = {"agent": 0, "customer": 1}
AUTHOR = "callgrade developers; every word invented, every voice espeak-ng"


def voice_of(speaker: dict[str, Any], angry: bool) -> Voice:
    """The speaker's own voice; angry it is faster, higher and livelier, as in the recogniser's training."""
    if angry:
        return Voice(speaker["voice"], 204, 90, 70)
    return Voice(speaker["voice"], speaker["speed"], speaker["pitch"])


def speak_turns(script: dict[str, Any]) -> list[tuple[dict[str, Any], Spoken, int]]:
    """Every turn of a script with its sound and its start in milliseconds.

    A turn starts `gap_ms` after the end of the one before (negative: it interrupts), or after a short natural pause.
    """
    chance = np.random.default_rng(zlib.crc32(script["id"].encode()))
    clock = LEAD_MS
    placed = []
    for number, turn in enumerate(script["turns"]):
        spoken = speak(turn["text"], voice_of(script[turn["speaker"]], turn.get("angry", False))).trimmed()
        natural = int(chance.integers(*GAP_MS)) if number else 0
        start = clock + turn.get("gap_ms", natural)
        placed.append((turn, spoken, start))
        clock = max(clock, start + round(len(spoken.samples) / ESPEAK_RATE * 1000))
    return placed


def character_times(spoken: Spoken, start_ms: int) -> list[list[int | None]]:
    """Tokens of the transcript contract: one a character, confidence unknown because nobody recognised it."""
    return [
        [at, at + 1, start_ms + round(begin * 1000), start_ms + round(end * 1000), None]
        for at, (begin, end) in sorted(spoken.spans.items())
    ]


def transcript(script: dict[str, Any], placed: list[tuple[dict[str, Any], Spoken, int]]) -> dict[str, Any]:
    """The true transcript in the shape of the contract."""
    turns = [
        {
            "speaker": turn["speaker"],
            "start_ms": start,
            "end_ms": start + round(len(spoken.samples) / ESPEAK_RATE * 1000),
            "text": turn["text"],
            "emotion": "angry" if turn.get("angry") else "neutral",
            "tokens": character_times(spoken, start),
        }
        for turn, spoken, start in placed
    ]
    return {
        "schema": "callgrade.transcript/1",
        "call_id": f"{script['id']}.wav",
        "channel": "phone",
        "language": "zh",
        "started_at": script["started_at"],
        "agent": {key: script["agent"][key] for key in ("id", "team")},
        "customer": {"id": script["customer"]["id"]},
        "queue": script["queue"],
        "turns": turns,
        "facts": script["facts"],
    }


def readable(truth: dict[str, Any]) -> str:
    """JSON with one turn a line, so that a change of one turn is one line of a diff."""
    turns = ",\n".join(f"  {json.dumps(turn, ensure_ascii=False)}" for turn in truth["turns"])
    head = json.dumps({**truth, "turns": []}, ensure_ascii=False, indent=1)
    return head.replace('"turns": []', f'"turns": [\n{turns}\n ]') + "\n"


def mix(placed: list[tuple[dict[str, Any], Spoken, int]], rate: int, seed: int) -> Samples:
    """Two channels (2, n) at `rate` Hz: agent, customer, and the hiss of a quiet line."""
    end_ms = max(start + len(spoken.samples) * 1000 // ESPEAK_RATE for _, spoken, start in placed) + TAIL_MS
    sound = np.random.default_rng(seed).normal(0, LINE_NOISE, (2, end_ms * rate // 1000)).astype(np.float32)
    for turn, spoken, start in placed:
        piece = resample(spoken.samples * np.float32(LEVEL), ESPEAK_RATE, rate)
        at = start * rate // 1000
        sound[CHANNELS[turn["speaker"]], at : at + len(piece)] += piece
    return sound


def write(sound: Samples, rate: int, codec: str, path: Path) -> None:
    """Encode (channels, n) samples with PyAV; the container follows from the file name."""
    layout = "stereo" if len(sound) == 2 else "mono"
    pcm = (np.clip(sound, -1, 1) * 32767).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(pcm.T.reshape(1, -1)), format="s16", layout=layout)
    frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), 0
    with av.open(str(path), "w", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream(codec, rate=rate, layout=layout, options={"flags": "+bitexact"})
        if codec == "libopus":
            stream.bit_rate = 24000
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)


def planted(script: dict[str, Any], truth: dict[str, Any]) -> list[dict[str, Any]]:
    """What the script plants, with speaker, character span and true time of each quote.

    Raises ValueError when a quote does not stand in the turn it names.
    """
    findings = []
    for item in script["planted"]:
        turn = truth["turns"][item["turn"]]
        start = turn["text"].find(item["quote"])
        if start < 0:
            raise ValueError(f"scripts/{script['id']}.yaml: turn {item['turn']} does not say {item['quote']!r}")
        end = start + len(item["quote"])
        times = [token for token in turn["tokens"] if start <= token[0] < end]
        place = {"speaker": turn["speaker"], "start": start, "end": end}
        findings.append({**item, **place, "start_ms": times[0][2], "end_ms": times[-1][3]})
    return findings


def entry(script: dict[str, Any], truth: dict[str, Any], seconds: float) -> dict[str, Any]:
    """The manifest's entry of a call."""
    speech = sum(1 for turn in truth["turns"] for character in turn["text"] if character not in PUNCTUATION)
    return {
        "id": script["id"],
        "title": script["title"],
        "recording": f"recordings/{script['id']}.wav",
        "agent_channel": CHANNELS["agent"],
        "transcript": f"calls/{script['id']}.json",
        "script": f"scripts/{script['id']}.yaml",
        "synthetic": True,
        "written_by": AUTHOR,
        "seconds": round(seconds, 1),
        "characters": speech,
        "planted": planted(script, truth),
    }


VARIANTS: list[tuple[str, str, str, int, bool, float | None]] = [
    ("missing-identity", "missing-identity.mono.wav", "pcm_mulaw", 8000, True, 18.0),
    ("unauthorised-opening", "unauthorised-opening.16k.wav", "pcm_s16le", 16000, False, 3.2),
    ("rude-agent", "rude-agent.ogg", "libopus", 16000, False, None),
]
"""(script, file, codec, Hz, mixed to mono, first seconds only) of the recordings in other formats."""


def write_variants(script_id: str, sounds: dict[int, Samples], folder: Path) -> list[str]:
    """The variants of one call; returns their names."""
    names = []
    for owner, name, codec, rate, mono, seconds in VARIANTS:
        if owner != script_id:
            continue
        sound = sounds[rate] if seconds is None else sounds[rate][:, : int(seconds * rate)]
        if codec == "libopus":  # Opus in PyAV wants 48 kHz
            sound, rate = np.stack([resample(channel, rate, 48000) for channel in sound]), 48000
        write(sound.sum(0, keepdims=True) if mono else sound, rate, codec, folder / name)
        names.append(f"recordings/variants/{name}")
    return names


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=HERE, help="golden set folder to write into")
    out = parser.parse_args().out
    (out / "recordings" / "variants").mkdir(parents=True, exist_ok=True)
    (out / "calls").mkdir(exist_ok=True)
    manifest = out / "manifest.yaml"
    before = yaml.safe_load(manifest.read_text(encoding="utf-8")) if manifest.exists() else {}
    kept = {item["id"]: item for item in before.get("calls", [])}
    entries = []
    for path in sorted((HERE / "scripts").glob("*.yaml")):
        script = yaml.safe_load(path.read_text(encoding="utf-8"))
        placed = speak_turns(script)
        truth = transcript(script, placed)
        sounds = {rate: mix(placed, rate, zlib.crc32(path.stem.encode())) for rate in (RATE, 16000)}
        write(sounds[RATE], RATE, "pcm_mulaw", out / "recordings" / f"{path.stem}.wav")
        (out / "calls" / f"{path.stem}.json").write_text(readable(truth), encoding="utf-8")
        made = entry(script, truth, sounds[RATE].shape[1] / RATE)
        if names := write_variants(script["id"], sounds, out / "recordings" / "variants"):
            made["variants"] = names
        entries.append({**kept.get(script["id"], {}), **made})  # what others added to an entry stays
        print(f"{script['id']}: {made['seconds']} s, {len(placed)} turns, {made['characters']} characters")
    # texts, labels and splits stay as they are
    document = {"schema": "callgrade.golden-set/1", "synthetic": True, **before, "calls": entries}
    manifest.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=110), encoding="utf-8")


if __name__ == "__main__":
    main()
