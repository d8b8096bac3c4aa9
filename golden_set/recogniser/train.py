"""Train the tiny recogniser: FunASR's own SenseVoiceSmall in a small size, written as a FunASR model directory.

    python make_data.py --out /tmp/asr-data && python train.py --data /tmp/asr-data --minutes 40

Model class, frontend and tokenizer are the ones FunASR registers, so its `AutoModel` loads the result like any
other model. Beside FunASR's CTC loss each 60 ms frame is told its character, because espeak-ng says when it spoke
which: training leaves CTC's long plateau at once, and the time stamps cover the characters instead of marking one
peak in each. The learning rate follows a cosine over the wall-clock budget.
"""

import argparse
import json
import math
import random
import time
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sentencepiece
import torch
import yaml

HERE = Path(__file__).resolve().parent
LANGUAGES = ["<|zh|>", "<|en|>", "<|nospeech|>"]
EMOTIONS = ["<|HAPPY|>", "<|SAD|>", "<|ANGRY|>", "<|NEUTRAL|>", "<|EMO_UNKNOWN|>"]
EVENTS = ["<|Speech|>", "<|BGM|>", "<|Laughter|>", "<|Event_UNK|>"]
TAGS = [*LANGUAGES, *EMOTIONS, *EVENTS, "<|withitn|>", "<|woitn|>"]
FRAME_S = 0.06
QUERIES = 4
"""SenseVoice puts four queries before the frames and answers them with tags: language, emotion, event, text form."""
FRONTEND: dict[str, Any] = {
    "fs": 16000,
    "window": "hamming",
    "n_mels": 80,
    "frame_length": 25,
    "frame_shift": 10,
    "lfr_m": 7,
    "lfr_n": 6,
    "dither": 0.0,
}
CONFIG: dict[str, Any] = {
    "model": "SenseVoiceSmall",
    "model_conf": {"length_normalized_loss": True, "sos": 1, "eos": 2, "ignore_id": -1},
    "encoder": "SenseVoiceEncoderSmall",
    "encoder_conf": {
        "output_size": 128,
        "attention_heads": 4,
        "linear_units": 512,
        "num_blocks": 4,
        "tp_blocks": 1,
        "dropout_rate": 0.0,  # random masks took a fifth of the time, and so small a model memorises little
        "positional_dropout_rate": 0.0,
        "attention_dropout_rate": 0.0,
        "input_layer": "pe",
        "pos_enc_class": "SinusoidalPositionEncoder",
        "normalize_before": True,
        "kernel_size": 11,
        "sanm_shfit": 0,  # spelt so by FunASR
        "selfattention_layer_type": "sanm",
    },
    "frontend": "WavFrontend",
    "frontend_conf": FRONTEND,
    "tokenizer": "SentencepiecesTokenizer",
    "tokenizer_conf": {"bpemodel": None, "unk_symbol": "<unk>", "split_with_space": True},
    "specaug": "SpecAugLFR",
    "specaug_conf": {
        "apply_time_warp": False,
        "apply_freq_mask": True,
        "freq_mask_width_range": [0, 20],
        "num_freq_mask": 1,
        "apply_time_mask": True,
        "time_mask_width_range": [0, 4],
        "num_time_mask": 1,
        "lfr_rate": 6,
    },
}
CONFIGURATION = {
    "framework": "pytorch",
    "task": "auto-speech-recognition",
    "model": {"type": "funasr"},
    "pipeline": {"type": "funasr-pipeline"},
    "file_path_metas": {
        "init_param": "model.pt",
        "config": "config.yaml",
        "tokenizer_conf": {"bpemodel": "bpe.model"},
        "frontend_conf": {"cmvn_file": "am.mvn"},
    },
}
PEAK_RATE = 2e-3
WARM_UP_STEPS = 200
CTC_WEIGHT, FRAME_WEIGHT = 0.1, 2.0
BATCH_FRAMES = 900
"""Frames (60 ms each) a batch: short clips go together in larger numbers."""


@dataclass
class Example:
    """Features (frames, 560) in half precision, target ids (tags, then characters), an id a frame, plain text."""

    features: torch.Tensor
    target: list[int]
    frames: list[int]
    text: str


def read_meta(data: Path) -> list[dict[str, Any]]:
    lines = (data / "meta.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def make_tokenizer(rows: list[dict[str, Any]], data: Path, out: Path) -> Any:
    """One piece a character of the training texts, plus SenseVoice's tags; FunASR's tokenizer over it."""
    from funasr.register import tables

    corpus = data / "texts.txt"
    corpus.write_text("\n".join(sorted({row["text"] for row in rows})) + "\n", encoding="utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(corpus),
        model_prefix=str(out / "bpe"),
        model_type="char",
        vocab_size=4000,
        hard_vocab_limit=False,
        character_coverage=1.0,
        user_defined_symbols=TAGS,
        add_dummy_prefix=False,
        unk_id=0,
        bos_id=1,
        eos_id=2,
        pad_id=-1,
        minloglevel=2,
    )
    (out / "bpe.vocab").unlink()
    return tables.tokenizer_classes["SentencepiecesTokenizer"](bpemodel=str(out / "bpe.model"))


def read_features(rows: list[dict[str, Any]]) -> list[torch.Tensor]:
    """Filter-bank features of each clip as FunASR's own frontend makes them, before normalisation."""
    from funasr.register import tables
    from funasr.utils.load_utils import extract_fbank

    frontend = tables.frontend_classes["WavFrontend"](**FRONTEND)
    features = []
    for row in rows:
        with wave.open(row["path"], "rb") as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768
        frames, _ = extract_fbank([torch.from_numpy(samples)], frontend=frontend)
        features.append(frames[0].half())
    return features


def write_normalisation(mean: torch.Tensor, deviation: torch.Tensor, path: Path) -> None:
    """`am.mvn`: Kaldi's text form of "add -mean, multiply by 1/deviation", which FunASR's frontend reads."""

    def numbers(values: torch.Tensor) -> str:
        return " ".join(f"{value:.6g}" for value in values.tolist())

    size = len(mean)
    path.write_text(
        f"<Nnet>\n<Splice> {size} {size}\n[ 0 ]\n<AddShift> {size} {size}\n<LearnRateCoef> 0 [ {numbers(-mean)} ]\n"
        f"<Rescale> {size} {size}\n<LearnRateCoef> 0 [ {numbers(1 / deviation)} ]\n</Nnet>\n",
        encoding="utf-8",
    )


def make_model(tokenizer: Any, feature_size: int) -> Any:
    """SenseVoiceSmall with our sizes; its fixed table of language and text-form ids is told our tag ids."""
    from funasr.register import tables

    parts = {key: CONFIG[key] for key in ("encoder", "encoder_conf", "specaug", "specaug_conf")}
    model = tables.model_classes["SenseVoiceSmall"](
        input_size=feature_size, vocab_size=tokenizer.get_vocab_size(), **parts, **CONFIG["model_conf"]
    )
    piece = tokenizer.sp.PieceToId
    model.lid_int_dict = {piece("<|zh|>"): 3}
    model.textnorm_int_dict = {piece("<|woitn|>"): 15, piece("<|withitn|>"): 14}
    return model


def frame_labels(ids: list[int], spans: list[list[float]], count: int) -> list[int]:
    """The character each frame should name, 0 (CTC's blank) in pauses.

    Frame i stands for the sound from i x 60 - 30 to i x 60 + 30 ms, as FunASR's time stamps take it. Between two equal
    characters the last frame of the first is blank: CTC would otherwise read them as one.
    """
    labels = [0] * count
    for index, (label, (begin, end)) in enumerate(zip(ids, spans, strict=True)):
        first = round(begin / FRAME_S + 0.5)
        last = max(first + 1, round(end / FRAME_S + 0.5))
        if index + 1 < len(ids) and ids[index + 1] == label:
            last = max(first + 1, last - 1)
        for at in range(max(0, first), min(count, last)):
            labels[at] = label
    return labels


def make_examples(rows: list[dict[str, Any]], features: list[torch.Tensor], tokenizer: Any) -> list[Example]:
    piece = tokenizer.sp.PieceToId
    examples = []
    for row, frames in zip(rows, features, strict=True):
        tags = ["<|zh|>", f"<|{row['emotion']}|>", "<|Speech|>", "<|woitn|>"]
        ids = tokenizer.encode(row["text"])
        labels = frame_labels(ids, row["spans"], len(frames))
        examples.append(Example(frames, [piece(tag) for tag in tags] + ids, labels, row["text"]))
    return examples


def make_batches(examples: list[Example], chance: random.Random) -> list[list[Example]]:
    """Clips of like length together, batches in random order."""
    batches: list[list[Example]] = [[]]
    for example in sorted(examples, key=lambda item: len(item.features) + chance.random() * 10):
        if (len(batches[-1]) + 1) * len(example.features) > BATCH_FRAMES:
            batches.append([])
        batches[-1].append(example)
    chance.shuffle(batches)
    return [batch for batch in batches if batch]


def pad(rows: list[list[int]]) -> torch.Tensor:
    """Rows of ids as one matrix, -1 (ignored by the losses) after their ends."""
    return torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=-1)


def losses_of(model: Any, batch: list[Example]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """CTC, tag and frame loss of a batch."""
    frames = torch.nn.utils.rnn.pad_sequence([item.features.float() for item in batch], batch_first=True)
    lengths = torch.tensor([len(item.features) for item in batch])
    target = pad([item.target for item in batch])
    target_lengths = torch.tensor([len(item.target) for item in batch])
    with torch.autocast("cpu", torch.bfloat16):
        encoded, encoded_lengths = model.encode(frames, lengths, target)
    encoded = encoded.float()
    ctc = model.ctc(encoded[:, QUERIES:], encoded_lengths - QUERIES, target[:, QUERIES:], target_lengths - QUERIES)
    logits = model.ctc.ctc_lo(encoded).transpose(1, 2)
    cross_entropy = torch.nn.functional.cross_entropy
    tag = cross_entropy(logits[:, :, :QUERIES], target[:, :QUERIES])
    frame = cross_entropy(logits[:, :, QUERIES:], pad([item.frames for item in batch]), ignore_index=-1)
    return ctc, tag, frame


def edit_distance(left: str, right: str) -> int:
    """Levenshtein distance in characters."""
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        diagonal, row[0] = row[0], i
        for j, b in enumerate(right, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (a != b))
    return row[-1]


@torch.no_grad()
def character_error(model: Any, tokenizer: Any, examples: list[Example]) -> float:
    """Character errors per reference character under greedy CTC decoding."""
    model.eval()
    errors = total = 0
    query = model.embed(torch.LongTensor([[0, 1, 2, 15]]))  # language auto, event, emotion, without text form
    for item in examples:
        frames = torch.cat([query, item.features.float()[None]], 1)
        encoded, _ = model.encoder(frames, torch.tensor([frames.shape[1]]))
        ids = torch.unique_consecutive(model.ctc.log_softmax(encoded)[0].argmax(-1)).tolist()
        pieces = [tokenizer.sp.IdToPiece(index) for index in ids if index]
        errors += edit_distance("".join(piece for piece in pieces if not piece.startswith("<|")), item.text)
        total += len(item.text)
    return errors / total


def train(model: Any, tokenizer: Any, sets: dict[str, list[Example]], options: argparse.Namespace) -> None:
    """Train until the budget is spent; the weights are written every few epochs and at the end."""
    chance = random.Random(options.seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=options.peak, weight_decay=1e-3)
    began, steps, epoch, share = time.monotonic(), 0, 0, 0.0
    while share < 1:
        model.train()
        history = []
        for batch in make_batches(sets["train"], chance):
            share = (time.monotonic() - began) / (60 * options.minutes)
            cosine = max(0.01, 0.5 * (1 + math.cos(math.pi * min(1.0, share))))
            for group in optimizer.param_groups:
                group["lr"] = options.peak * min(1.0, (steps + 1) / WARM_UP_STEPS) * cosine
            ctc, tag, frame = losses_of(model, batch)
            optimizer.zero_grad()
            (CTC_WEIGHT * ctc + tag + FRAME_WEIGHT * frame).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
            history.append([float(ctc), float(tag), float(frame)])
            steps += 1
            if share >= 1:
                break
        epoch += 1
        ctc_mean, tag_mean, frame_mean = np.mean(history, axis=0)
        line = f"epoch {epoch} steps {steps} ctc {ctc_mean:.3f} tag {tag_mean:.3f} frame {frame_mean:.3f}"
        line += f" {60 * options.minutes * share:.0f} s"
        if epoch % 2 == 0 or share >= 1:
            line += f" held-out character error {character_error(model, tokenizer, sets['heldout']):.4f}"
            torch.save(dict(model.state_dict()), options.out / "model.pt")
        print(line, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder written by make_data.py")
    parser.add_argument("--out", type=Path, default=HERE / "model", help="model directory to write")
    parser.add_argument("--minutes", type=float, default=40.0, help="wall-clock budget of the training proper")
    parser.add_argument("--peak", type=float, default=PEAK_RATE, help="highest learning rate")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    import funasr  # noqa: F401 - fills the registry of classes

    options.out.mkdir(parents=True, exist_ok=True)
    rows = read_meta(options.data)
    tokenizer = make_tokenizer(rows, options.data, options.out)
    features = read_features(rows)
    sample = torch.cat([frames.float() for row, frames in zip(rows, features, strict=True) if row["split"] == "train"])
    mean, deviation = sample.mean(0), sample.std(0).clamp(min=1e-3)
    del sample
    write_normalisation(mean, deviation, options.out / "am.mvn")
    features = [((frames.float() - mean) / deviation).half() for frames in features]
    (options.out / "config.yaml").write_text(yaml.safe_dump(CONFIG, sort_keys=False), encoding="utf-8")
    (options.out / "configuration.json").write_text(json.dumps(CONFIGURATION, indent=1) + "\n", encoding="utf-8")
    examples = make_examples(rows, features, tokenizer)
    names = ("train", "heldout")
    sets = {name: [item for row, item in zip(rows, examples, strict=True) if row["split"] == name] for name in names}
    model = make_model(tokenizer, len(mean))
    count = sum(parameter.numel() for parameter in model.parameters())
    print(f"{count} parameters, {tokenizer.get_vocab_size()} pieces, { {name: len(sets[name]) for name in names} }")
    train(model, tokenizer, sets, options)


if __name__ == "__main__":
    main()
