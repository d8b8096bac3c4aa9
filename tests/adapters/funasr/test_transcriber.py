"""The real pipeline with the demo recogniser: golden calls, every codec, and recordings that hold nothing."""

import threading
from pathlib import Path

import numpy as np
import pytest

from callgrade.adapters.audio import RATE, blocks
from callgrade.adapters.funasr import FunASRTranscriber
from callgrade.adapters.funasr.transcriber import DEMO_NOTE
from callgrade.catalog.resources import resource_folder
from callgrade.domain.calls import Speaker, Transcript
from callgrade.domain.errors import ModelNotInstalledError, RecordingError, SettingsError
from callgrade.settings import ASRSettings
from tests.adapters.funasr.conftest import TINY
from tests.adapters.sounds import RECORDINGS, hush, tone, wav
from tests.adapters.test_audio import CODECS

GOLDEN_SET = resource_folder("golden_set")
CALLS = sorted(path.stem for path in (GOLDEN_SET / "recordings").glob("*.wav"))
WITHIN_MS = 300
SAID = "您好我是星河金融客服"


def recording(name: str) -> Path:
    return GOLDEN_SET / "recordings" / name


def truth(name: str) -> Transcript:
    return Transcript.model_validate_json((GOLDEN_SET / "calls" / f"{name}.json").read_bytes())


def text_of(transcript: Transcript) -> str:
    return "".join(turn.text for turn in transcript.turns)


def letters(text: str) -> str:
    return "".join(character for character in text if character.isalnum())


def alike(one: str, other: str) -> float:
    from difflib import SequenceMatcher

    return SequenceMatcher(None, one, other, autojunk=False).ratio()


@pytest.mark.parametrize("name", CALLS)
def test_golden_calls_have_their_turns_times_and_roles(transcriber: FunASRTranscriber, name: str) -> None:
    expected, found = truth(name), transcriber.transcribe(recording(f"{name}.wav"))
    assert [turn.speaker for turn in found.turns] == [turn.speaker for turn in expected.turns]
    assert found.notes[0] == DEMO_NOTE
    assert found.notes[1].startswith("agent channel 0 (auto, confidence 0.9")
    assert "only its own grammar; weights sha256:" in (found.recogniser or "")
    for turn, wanted in zip(found.turns, expected.turns, strict=True):
        assert abs((turn.start_ms or 0) - (wanted.start_ms or 0)) <= WITHIN_MS
        assert abs((turn.end_ms or 0) - (wanted.end_ms or 0)) <= WITHIN_MS
    assert alike(text_of(found), letters(text_of(expected))) > 0.9


def test_tokens_cover_the_text_with_times_and_confidences(transcriber: FunASRTranscriber) -> None:
    found = transcriber.transcribe(recording("polite-sale.wav"))
    for turn in found.turns:
        assert "".join(turn.text[t.start : t.end] for t in turn.tokens) == turn.text
        times = [(t.start_ms, t.end_ms) for t in turn.tokens]
        assert times == sorted(times)
        assert (turn.start_ms or 0) <= times[0][0]
        assert times[-1][1] <= (turn.end_ms or 0)
        assert all(t.confidence is not None and 0 < t.confidence <= 1 for t in turn.tokens)


def test_characters_stand_where_they_were_spoken(transcriber: FunASRTranscriber) -> None:
    expected, found = truth("coercion"), transcriber.transcribe(recording("coercion.wav"))
    apart = [
        abs(token.start_ms - wanted.start_ms)
        for turn, spoken in zip(found.turns, expected.turns, strict=True)
        if turn.text == letters(spoken.text)
        for token, wanted in zip(turn.tokens, spoken.tokens, strict=True)
    ]
    assert len(apart) > 50
    assert max(apart) <= WITHIN_MS
    assert sorted(apart)[len(apart) // 2] <= 60  # a frame of the recogniser


def test_emotions_come_out_of_the_tags_and_the_tags_out_of_the_text(transcriber: FunASRTranscriber) -> None:
    found = transcriber.transcribe(recording("rude-agent.wav"))
    assert {turn.emotion for turn in found.turns} == {"neutral", "angry"}
    assert "<|" not in text_of(found)
    assert found.language == "zh"


def test_the_channels_swapped_swap_the_agent(transcriber: FunASRTranscriber, tmp_path: Path) -> None:
    sound = np.concatenate(list(blocks(recording("good-empathy.wav"))), axis=1)[::-1]
    found = transcriber.transcribe(wav(tmp_path / "swapped.wav", sound, rate=RATE))
    assert any(note.startswith("agent channel 1 (auto") for note in found.notes)
    assert found.turns[0].speaker is Speaker.AGENT


def test_a_set_channel_is_obeyed(transcriber: FunASRTranscriber) -> None:
    found = transcriber.transcribe(recording("missing-identity.wav"), agent_channel="1")
    assert found.turns[0].speaker is Speaker.CUSTOMER
    assert "agent channel 1 (set)" in found.notes


def test_crosstalk_of_a_lean_codec_makes_no_second_speaker(transcriber: FunASRTranscriber) -> None:
    expected = truth("rude-agent")
    found = transcriber.transcribe(recording("variants/rude-agent.ogg"), agent_channel="0")
    assert [turn.speaker for turn in found.turns] == [turn.speaker for turn in expected.turns]
    assert any(note.startswith("crosstalk: ") for note in found.notes)


@pytest.mark.parametrize("name", CODECS)
def test_every_codec_is_understood(transcriber: FunASRTranscriber, name: str) -> None:
    found = transcriber.transcribe(RECORDINGS / name)
    assert found.call_id == name
    assert alike(text_of(found), SAID) > 0.7  # the demo recogniser never heard GSM or AMR
    assert {turn.speaker for turn in found.turns} == {Speaker.UNKNOWN}
    assert any("one channel holds both sides" in note and "CALLGRADE_ASR__SPEAKERS" in note for note in found.notes)


def test_twin_channels_are_one_channel(transcriber: FunASRTranscriber, tmp_path: Path) -> None:
    sound = np.concatenate(list(blocks(RECORDINGS / "pcm.wav")), axis=1)[0]
    found = transcriber.transcribe(wav(tmp_path / "twins.wav", np.stack([sound, sound]), rate=RATE))
    assert alike(text_of(found), SAID) > 0.9
    assert "both channels carry the same sound: treated as one channel" in found.notes
    assert len(found.turns) == 1


def test_a_set_channel_of_a_mono_recording_changes_nothing(transcriber: FunASRTranscriber) -> None:
    found = transcriber.transcribe(RECORDINGS / "pcm.wav", agent_channel="1")
    assert {turn.speaker for turn in found.turns} == {Speaker.UNKNOWN}
    assert any(note.startswith("agent channel 1 was asked for, but there is one channel") for note in found.notes)


def test_only_one_channel_with_speech_is_sent_to_people(transcriber: FunASRTranscriber, tmp_path: Path) -> None:
    sound = np.concatenate(list(blocks(RECORDINGS / "pcm.wav")), axis=1)[0]
    found = transcriber.transcribe(wav(tmp_path / "half.wav", np.stack([0 * sound, sound]), rate=RATE))
    assert {turn.speaker for turn in found.turns} == {Speaker.UNKNOWN}
    assert any("channel 0 holds no speech, channel 1 may hold both sides" in note for note in found.notes)


@pytest.mark.parametrize(
    ("sound", "seconds"),
    [
        (hush(3)[None], "3.00"),
        (tone(0.01)[None], "0.01"),
        (tone(3)[None], "3.00"),
        (np.stack([hush(2), hush(2)]), "2.00"),
        (np.random.default_rng(0).normal(0, 0.01, (2, 24_000)), "3.00"),
    ],
    ids=["silence", "10 ms", "a tone", "two silent channels", "noise"],
)
def test_sound_without_speech_is_an_empty_transcript_that_says_why(
    transcriber: FunASRTranscriber, tmp_path: Path, sound: np.ndarray, seconds: str
) -> None:
    found = transcriber.transcribe(wav(tmp_path / "nobody.wav", sound))
    assert found.turns == ()
    assert f"silence: no speech was found in {seconds} s of sound" in found.notes


def test_what_is_no_recording_is_an_error(transcriber: FunASRTranscriber, tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("坐席：您好\n", encoding="utf-8")
    for path in (tmp_path / "text.wav", RECORDINGS / "video-without-sound.mp4", tmp_path / "nowhere.wav"):
        with pytest.raises(RecordingError, match=path.name):
            transcriber.transcribe(path)


def test_progress_goes_up_to_the_measured_length(transcriber: FunASRTranscriber) -> None:
    seen: list[tuple[int, int]] = []
    transcriber.transcribe(RECORDINGS / "pcm.wav", progress=lambda done, total: seen.append((done, total)))
    assert [done for done, _ in seen] == [1024, 2048, 3072, 3200]
    assert {total for _, total in seen} == {3200}


def test_threads_wait_for_each_other_and_hear_the_same(transcriber: FunASRTranscriber) -> None:
    names = ["mulaw.wav", "opus.ogg", "aac.m4a", "mp3.mp3"]
    alone = [transcriber.transcribe(RECORDINGS / name) for name in names]
    together: dict[str, Transcript] = {}

    def work(name: str) -> None:
        together[name] = FunASRTranscriber(TINY).transcribe(RECORDINGS / name)

    threads = [threading.Thread(target=work, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together[name] for name in names] == alone


def test_a_missing_model_is_named_before_anything_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELSCOPE_CACHE", str(tmp_path))
    with pytest.raises(ModelNotInstalledError, match=r"'paraformer-zh'.*callgrade models pull"):
        FunASRTranscriber(ASRSettings()).transcribe(tmp_path / "nowhere.wav")


def test_a_device_that_is_not_there_is_an_error_and_not_the_processor() -> None:
    import torch

    if torch.cuda.is_available():
        pytest.fail("this test is about machines without CUDA; run the suite on one")
    with pytest.raises(SettingsError, match="CALLGRADE_ASR__DEVICE is 'cuda:0'"):
        FunASRTranscriber(TINY.model_copy(update={"device": "cuda:0"})).transcribe(RECORDINGS / "pcm.wav")


def test_a_name_of_odd_bytes_is_still_a_call_id(transcriber: FunASRTranscriber, tmp_path: Path) -> None:
    name = "录音 #1 %s {x}.wav"
    path = tmp_path / name
    path.write_bytes((RECORDINGS / "pcm.wav").read_bytes())
    assert transcriber.transcribe(path).call_id == name
    assert transcriber.transcribe(path.rename(tmp_path / f"{'长' * 80}.wav")).call_id == f"{'长' * 80}.wav"
