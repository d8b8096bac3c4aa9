"""The golden set is what it says: planted quotes stand where they should, files hold what the manifest names."""

import itertools
import json
import random
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from callgrade.domain.calls import Transcript

GOLDEN_SET = Path(__file__).parent.parent / "golden_set"
MANIFEST: dict[str, Any] = YAML(typ="safe").load(GOLDEN_SET / "manifest.yaml")
CALLS: list[dict[str, Any]] = MANIFEST["calls"]


def truth(entry: dict[str, Any]) -> dict[str, Any]:
    return json.loads((GOLDEN_SET / entry["transcript"]).read_text(encoding="utf-8"))


@pytest.mark.parametrize("entry", CALLS, ids=lambda entry: entry["id"])
def test_every_call_is_synthetic_and_its_transcript_a_valid_one(entry: dict[str, Any]) -> None:
    assert entry["synthetic"] is True
    transcript = Transcript.model_validate(truth(entry))
    assert transcript.call_id == Path(entry["recording"]).name
    assert 8 <= len(transcript.turns) <= 16
    assert 25 <= entry["seconds"] <= 70


@pytest.mark.parametrize("entry", CALLS, ids=lambda entry: entry["id"])
def test_planted_quotes_stand_in_their_turns_at_their_times(entry: dict[str, Any]) -> None:
    turns = truth(entry)["turns"]
    for item in entry["planted"]:
        turn = turns[item["turn"]]
        assert turn["text"][item["start"] : item["end"]] == item["quote"]
        assert turn["speaker"] == item["speaker"]
        assert turn["start_ms"] <= item["start_ms"] < item["end_ms"] <= turn["end_ms"]


@pytest.mark.parametrize("entry", CALLS, ids=lambda entry: entry["id"])
def test_every_spoken_character_has_its_time_in_order(entry: dict[str, Any]) -> None:
    for turn in truth(entry)["turns"]:
        spoken = [at for at, character in enumerate(turn["text"]) if character not in "，。？！"]
        assert [token[0] for token in turn["tokens"]] == spoken
        moments = [moment for token in turn["tokens"] for moment in token[2:4]]
        assert moments == sorted(moments)


@pytest.mark.parametrize("entry", CALLS, ids=lambda entry: entry["id"])
def test_recordings_are_stereo_mu_law_of_the_named_length(entry: dict[str, Any]) -> None:
    av = pytest.importorskip("av")
    with av.open(str(GOLDEN_SET / entry["recording"])) as container:
        stream = container.streams.audio[0]
        assert (stream.codec_context.name, stream.rate, stream.codec_context.channels) == ("pcm_mulaw", 8000, 2)
        samples = sum(frame.samples for frame in container.decode(stream))
    assert abs(samples / 8000 - entry["seconds"]) < 0.06


def test_variants_exist_and_the_folder_stays_small() -> None:
    names = [name for entry in CALLS for name in entry.get("variants", [])]
    assert names
    assert all((GOLDEN_SET / name).is_file() for name in names)
    assert sum(path.stat().st_size for path in (GOLDEN_SET / "recordings").rglob("*")) < 6_200_000


def test_one_call_is_silent_for_over_ten_seconds_and_one_turn_interrupts() -> None:
    gaps = []
    for entry in CALLS:
        turns = truth(entry)["turns"]
        gaps += [after["start_ms"] - before["end_ms"] for before, after in itertools.pairwise(turns)]
    assert max(gaps) > 10_000
    assert min(gaps) < -1_000


def test_the_training_never_says_a_demo_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("scipy")
    monkeypatch.syspath_prepend(str(GOLDEN_SET / "recogniser"))
    monkeypatch.syspath_prepend(str(GOLDEN_SET))
    for name in ("make_data", "speech"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import make_data

    grammar = YAML(typ="safe").load(GOLDEN_SET / "recogniser" / "grammar.yaml")
    held = make_data.demo_texts(GOLDEN_SET / "scripts")
    clips = make_data.plan(grammar, held, Path("unused"), 3, random.Random(11))
    make_data.assert_disjoint(clips, held)
    assert {"先试用不满意随时取消", "我没空跟你说", "三七二一"} <= held
    planted_clash = make_data.Clip("", "train", ("您，先试用不满意随时取消吧",), False, 0)
    with pytest.raises(AssertionError, match="held-out"):
        make_data.assert_disjoint([planted_clash], held)
