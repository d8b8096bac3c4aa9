"""Make the training speech of the tiny recogniser: sentences from `grammar.yaml`, spoken by espeak-ng.

    python make_data.py --out /tmp/asr-data

writes `wav/*.wav` (16 kHz mono) and `meta.jsonl`, one clip a line: {path, split, text, spans, emotion, telephone,
seconds}, `spans` being start and end in seconds of each character of `text`, as espeak-ng announced them.

The sentences of the demo scripts are HELD OUT: no training text equals one of them, and none contains a demo
sentence of five characters or more, a planted quote of five or more, or a demo turn. `assert_disjoint` holds this
over the finished list. A random part of the grammar's own sentences is held out likewise: the split `heldout`.
"""

import argparse
import json
import multiprocessing
import random
import re
import sys
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from speech import ESPEAK_RATE, PUNCTUATION, Samples, Voice, resample, speak, telephone  # noqa: E402

RATE = 16000
DIGITS = "零一二三四五六七八九"
VARIANTS = ["", "f1", "f2", "f3", "f4", "f5", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8"]
CONTAINED_FROM = 5
"""A held-out text of at least so many characters may not stand inside a training text either."""
_MARKS = re.compile(f"[{PUNCTUATION}]")


@dataclass(frozen=True)
class Clip:
    """A clip to be made: `parts` are spoken one after the other in one voice."""

    path: str
    split: str
    parts: tuple[str, ...]
    angry: bool
    seed: int

    @property
    def text(self) -> str:
        """The label: all parts without punctuation."""
        return plain("".join(self.parts))


def plain(text: str) -> str:
    """Text without punctuation: the form in which the recogniser writes."""
    return _MARKS.sub("", text)


def expand(template: str, slots: dict[str, list[str]], chance: random.Random) -> str:
    """One sentence of a template, slots filled at random."""

    def fill(match: re.Match[str]) -> str:
        name = match.group(1)
        if re.fullmatch(r"d\d+", name):
            return "".join(chance.choice(DIGITS) for _ in range(int(name[1:])))
        return expand(chance.choice(slots[name]), slots, chance)

    return re.sub(r"\{(\w+)\}", fill, template)


def demo_texts(scripts: Path) -> set[str]:
    """What the training may not say: sentences (cut at 。？！), whole turns and planted quotes of all scripts, plain.

    A planted quote shorter than `CONTAINED_FROM` (您好, 不知道) is a word of the language and not held out by itself.
    """
    held: set[str] = set()
    for path in sorted(scripts.glob("*.yaml")):
        script = yaml.safe_load(path.read_text(encoding="utf-8"))
        for turn in script["turns"]:
            held.add(plain(turn["text"]))
            held.update(plain(sentence) for sentence in re.split("[。？！]", turn["text"]))
        held.update(plain(item["quote"]) for item in script["planted"] if len(item["quote"]) >= CONTAINED_FROM)
    return held - {""}


def clashes(text: str, held: set[str]) -> bool:
    """Whether a plain text says something that is held out."""
    return text in held or any(len(item) >= CONTAINED_FROM and item in text for item in held)


def assert_disjoint(clips: list[Clip], held: set[str]) -> None:
    """Raise when a training clip says a held-out text."""
    for text in {clip.text for clip in clips if clip.split == "train"}:
        if clashes(text, held):
            raise AssertionError(f"training text {text!r} holds a held-out sentence")


def partial(sentence: str, chance: random.Random) -> str:
    """Some neighbouring clauses of a sentence: a voice activity detector cuts at the pause of a comma."""
    clauses = sentence.split("，")
    first = chance.randrange(len(clauses))
    return "，".join(clauses[first : chance.randint(first + 1, len(clauses))])


def plan(grammar: dict[str, Any], held: set[str], out: Path, per_template: int, chance: random.Random) -> list[Clip]:
    """All clips: each template `per_template` times (in other words, or else in other voices), and joined pairs."""
    sentences = [
        (expand(template, grammar["slots"], chance), "{" in template)
        for side in ("agent", "customer")
        for template in grammar[side]
        for _ in range(per_template if "{" in template else max(1, per_template // 2))
    ]
    varied = sorted({text for text, slotted in sentences if slotted and not clashes(plain(text), held)})
    own = {plain(text) for text in chance.sample(varied, min(160, len(varied) // 10))}
    forbidden = held | own
    spoken = [partial(text, chance) if chance.random() < 0.35 else text for text, _ in sentences]
    parts: list[tuple[str, ...]] = [(text,) for text in spoken]
    parts += [tuple(chance.sample(spoken, 2)) for _ in range(len(spoken) // 8)]
    parts = [item for item in parts if not clashes(plain("".join(item)), forbidden)]
    heldout = [(text,) for text in varied if plain(text) in own]
    chance.shuffle(parts)
    labelled = [("train", item) for item in parts] + [("heldout", item) for item in heldout]
    return [
        Clip(str(out / "wav" / f"{split}-{index:05d}.wav"), split, item, chance.random() < 0.2, index)
        for index, (split, item) in enumerate(labelled)
    ]


def voice_of(angry: bool, chance: np.random.Generator) -> Voice:
    """Angry is fast and high, neutral is slower and lower: that is all the recogniser can know of emotion."""
    variant = VARIANTS[int(chance.integers(len(VARIANTS)))]
    if angry:
        return Voice(variant, int(chance.integers(195, 226)), int(chance.integers(80, 100)), 70)
    return Voice(variant, int(chance.integers(145, 196)), int(chance.integers(30, 61)))


def speak_parts(parts: tuple[str, ...], voice: Voice, chance: np.random.Generator) -> tuple[Samples, list[list[float]]]:
    """The parts in order with pauses between, 22,050 Hz, and start and end in seconds of each character."""
    pieces: list[Samples] = []
    spans: list[list[float]] = []
    clock = 0.0
    for number, part in enumerate(parts):
        if number:
            pieces.append(np.zeros(int(ESPEAK_RATE * chance.uniform(0.1, 0.5)), np.float32))
            clock += len(pieces[-1]) / ESPEAK_RATE
        spoken = speak(part, voice).trimmed()
        spans += [[clock + begin, clock + end] for _, (begin, end) in sorted(spoken.spans.items())]
        pieces.append(spoken.samples)
        clock += len(spoken.samples) / ESPEAK_RATE
    return np.concatenate(pieces), spans


def render(clip: Clip) -> dict[str, Any]:
    """Speak a clip, spoil it as a telephone line and a voice activity detector would, write it; its metadata."""
    chance = np.random.default_rng(clip.seed)
    samples, spans = speak_parts(clip.parts, voice_of(clip.angry, chance), chance)
    cut = chance.integers(0, int(0.035 * ESPEAK_RATE), 2)
    samples = samples[int(cut[0]) : len(samples) - int(cut[1])]
    over_telephone = bool(chance.random() < 0.6)
    if over_telephone:
        gain = np.float32(chance.uniform(0.4, 1.1))
        samples = resample(telephone(resample(samples, ESPEAK_RATE, 8000) * gain), 8000, RATE)
    else:
        samples = resample(samples, ESPEAK_RATE, RATE)
    before, after = (np.zeros(int(RATE * chance.uniform(0, 0.3)), np.float32) for _ in range(2))
    shift = len(before) / RATE - cut[0] / ESPEAK_RATE
    samples = np.concatenate([before, samples * np.float32(chance.uniform(0.4, 1.1)), after])
    samples = samples + chance.normal(0, 10 ** chance.uniform(-4.8, -2.7), len(samples)).astype(np.float32)
    with wave.open(clip.path, "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return {
        "path": clip.path,
        "split": clip.split,
        "text": clip.text,
        "spans": [[round(begin + shift, 3), round(end + shift, 3)] for begin, end in spans],
        "emotion": "ANGRY" if clip.angry else "NEUTRAL",
        "telephone": over_telephone,
        "seconds": round(len(samples) / RATE, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for the data (some hundred megabytes)")
    parser.add_argument("--per-template", type=int, default=24, help="clips a template with slots (default 24)")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    (options.out / "wav").mkdir(parents=True, exist_ok=True)
    grammar = yaml.safe_load((HERE / "grammar.yaml").read_text(encoding="utf-8"))
    held = demo_texts(HERE.parent / "scripts")
    clips = plan(grammar, held, options.out, options.per_template, random.Random(options.seed))
    assert_disjoint(clips, held)
    known = {character for clip in clips if clip.split == "train" for character in clip.text}
    missing = {character for text in held for character in text} - known
    if missing:
        raise SystemExit(f"the grammar never says {''.join(sorted(missing))}: add sentences to grammar.yaml")
    with multiprocessing.Pool(options.processes) as pool:
        rows = pool.map(render, clips, chunksize=32)
    lines = (json.dumps(row, ensure_ascii=False) for row in rows)
    (options.out / "meta.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    hours = sum(row["seconds"] for row in rows) / 3600
    texts = len({row["text"] for row in rows if row["split"] == "train"})
    print(f"{len(rows)} clips, {hours:.2f} h, {texts} training texts, {len(known)} characters, {len(held)} held out")


if __name__ == "__main__":
    main()
