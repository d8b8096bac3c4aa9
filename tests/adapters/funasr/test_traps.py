"""FunASR's traps, as the design lists them: shown on the real AutoModel, and avoided on the same sound.

Where FunASR one day behaves better, the first half of a test fails and the care taken for it may go. The models are of
FunASR's own classes (see `small_models`).
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from callgrade.adapters.audio import RATE, blocks
from callgrade.adapters.funasr import FunASRTranscriber
from callgrade.adapters.funasr.engine import Engine, engine_for
from callgrade.adapters.funasr.segments import LONGEST_MS, Channel, Segment, to_ms
from callgrade.catalog.resources import resource_folder
from callgrade.domain.calls import Speaker, Transcript
from callgrade.domain.errors import ModelNotInstalledError, TranscriptionError
from callgrade.settings import ASRSettings
from tests.adapters.funasr.conftest import TINY
from tests.adapters.sounds import RECORDINGS, wav

MODEL = resource_folder("golden_set") / "recogniser" / "model"
CALLS = resource_folder("golden_set") / "recordings"
PLAIN = {"disable_update": True, "disable_pbar": True, "log_level": "ERROR", "ncpu": 1, "device": "cpu"}
SAID = "您好我是星河金融客服"


def sound_of(path: Path) -> np.ndarray:
    return np.concatenate(list(blocks(path)), axis=1)


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    return sound_of(RECORDINGS / "pcm.wav")[0]


@pytest.fixture(scope="module")
def funasr() -> Any:
    """FunASR used as its manual says: it cuts by itself."""
    engine_for(TINY)  # loads FunASR quietly
    from funasr import AutoModel

    return AutoModel(model=str(MODEL), vad_model="silero-vad", **PLAIN)


@pytest.fixture(scope="module")
def bare() -> Any:
    engine_for(TINY)
    from funasr import AutoModel

    return AutoModel(model=str(MODEL), **PLAIN)


def segment(sound: np.ndarray) -> Segment:
    return Segment(0, 0, len(sound), 0, sound)


def text_of(transcript: Transcript) -> str:
    return "".join(turn.text for turn in transcript.turns)


def test_8_khz_with_a_detector_is_resampled_twice(funasr: Any, transcriber: FunASRTranscriber, tmp_path: Path) -> None:
    import av

    with av.open(str(RECORDINGS / "pcm.wav")) as container:
        narrow = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)]) / np.float32(32768)
    assert SAID not in funasr.generate(input=narrow.astype(np.float32), fs=8000)[0]["text"]
    assert text_of(transcriber.transcribe(RECORDINGS / "pcm.wav")) == SAID


def test_recognition_gets_16_khz_one_channel_and_no_rate(monkeypatch: pytest.MonkeyPatch, speech: np.ndarray) -> None:
    engine = engine_for(TINY)
    seen: list[dict[str, Any]] = []
    generate = engine._recogniser.generate
    monkeypatch.setattr(engine._recogniser, "generate", lambda **given: seen.append(given) or generate(**given))
    FunASRTranscriber(TINY).transcribe(RECORDINGS / "mulaw.wav")
    assert seen
    for given in seen:
        assert set(given) == {"input", "key", "output_timestamp", "use_itn"}
        assert given["input"].dtype == np.float32
        assert given["input"].ndim == 1
    assert engine._recogniser.vad_model is None
    assert sum(len(given["input"]) for given in seen) / RATE < len(speech) / RATE + 0.3


def test_a_stereo_file_is_mixed_down(funasr: Any, transcriber: FunASRTranscriber, tmp_path: Path) -> None:
    sound = sound_of(CALLS / "rude-agent.wav")[:, : 9 * RATE]
    path = wav(tmp_path / "both.wav", sound, rate=RATE)
    assert len(funasr.generate(input=str(path))) == 1  # one text, nobody's
    found = transcriber.transcribe(path, agent_channel="0")
    assert [turn.speaker for turn in found.turns][:2] == [Speaker.AGENT, Speaker.CUSTOMER]


def test_an_array_of_two_columns_is_an_error(bare: Any, funasr: Any, speech: np.ndarray) -> None:
    both = np.stack([speech, speech], axis=1)
    with pytest.raises((ZeroDivisionError, ValueError)):
        funasr.generate(input=both)
    with pytest.raises((ZeroDivisionError, ValueError)):
        bare.generate(input=both)


def test_10_ms_are_an_error(bare: Any, transcriber: FunASRTranscriber, tmp_path: Path, speech: np.ndarray) -> None:
    blip = speech[8000:8160]
    with pytest.raises(ValueError, match=r"."):
        bare.generate(input=blip, output_timestamp=True)
    found = transcriber.transcribe(wav(tmp_path / "blip.wav", blip[None], rate=RATE))
    assert (found.turns, found.notes[-1]) == ((), "silence: no speech was found in 0.01 s of sound")


def test_amr_is_not_understood_by_funasr(bare: Any, transcriber: FunASRTranscriber) -> None:
    content = (RECORDINGS / "amr.amr").read_bytes()
    with pytest.raises(Exception, match=r"."):  # as a file it needs a program, as bytes it is taken for PCM
        assert SAID in bare.generate(input=content)[0]["text"]
    assert len(text_of(transcriber.transcribe(RECORDINGS / "amr.amr"))) >= 6


def test_both_time_flags_give_no_sentences_and_no_tags(funasr: Any, transcriber: FunASRTranscriber) -> None:
    (answer,) = funasr.generate(
        input=str(RECORDINGS / "pcm.wav"), output_timestamp=True, return_time_stamps=True, sentence_timestamp=True
    )
    assert answer["sentence_info"] == []
    (turn,) = transcriber.transcribe(RECORDINGS / "pcm.wav").turns
    assert turn.emotion == "neutral"
    assert len(turn.tokens) == len(turn.text)


def test_a_segment_without_words_is_answered_by_nobody(models: dict[str, Path], tmp_path: Path) -> None:
    settings = ASRSettings(model=str(models["deaf"]), threads=1)
    engine = Engine(settings)
    speech = sound_of(RECORDINGS / "pcm.wav")[0]
    answers = engine._recogniser.generate(input=speech, key="mine", output_timestamp=True)
    assert [item.get("key") for item in answers] == [None]
    assert engine.recognise(segment(speech)).text == ""
    found = FunASRTranscriber(settings).transcribe(RECORDINGS / "pcm.wav")
    assert found.turns == ()
    assert found.notes[-1] == "1 stretch(es) of sound were taken for speech and held no words"


def test_noise_that_gets_only_tags_is_no_turn(speech: np.ndarray) -> None:
    assert engine_for(TINY).recognise(segment(speech[:800])).text == ""


def test_long_sound_never_reaches_a_recogniser_whole() -> None:
    speech = sound_of(CALLS / "polite-sale.wav").sum(axis=0)
    channel = Channel(0)
    channel.add(speech)
    pieces = list(channel.segments([(0, len(speech))], None))
    assert len(speech) / RATE > 40
    assert all(to_ms(len(piece.samples)) <= LONGEST_MS + 200 for piece in pieces)


def test_a_local_directory_asks_no_hub_and_torchaudio_is_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    import funasr.download.download_model_from_hub as hub

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("FunASR asked the hub")

    monkeypatch.setattr(hub, "get_or_download_model_dir", refuse)
    assert importlib.util.find_spec("torchaudio") is None
    assert Engine(TINY).description.startswith("tiny: the demo recogniser")


def test_funasr_is_loaded_without_update_check_bar_or_chatter(monkeypatch: pytest.MonkeyPatch) -> None:
    import funasr

    given: dict[str, Any] = {}
    real = funasr.AutoModel
    monkeypatch.setattr(funasr, "AutoModel", lambda **options: given.update(options) or real(**options))
    Engine(TINY)
    assert (given["disable_update"], given["disable_pbar"], given["log_level"]) == (True, True, "ERROR")
    assert (given["ncpu"], given["device"], Path(given["model"])) == (1, "cpu", MODEL)


def test_an_alias_is_never_left_to_funasr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a network it would try for 22 s and then say that the model is "not registered"."""
    import funasr

    def refuse(**options: Any) -> None:
        raise AssertionError(f"FunASR was asked to load {options['model']}")

    monkeypatch.setattr(funasr, "AutoModel", refuse)
    monkeypatch.setenv("MODELSCOPE_CACHE", str(tmp_path))
    with pytest.raises(ModelNotInstalledError, match=r"is not on this machine \(looked in .*callgrade models pull"):
        FunASRTranscriber(ASRSettings(model="paraformer-zh")).transcribe(RECORDINGS / "pcm.wav")


def test_fewer_than_20_pieces_are_one_voice(models: dict[str, Path]) -> None:
    settings = TINY.model_copy(update={"speakers": str(models["speakers"])})
    engine = Engine(settings)
    two = np.concatenate([np.tile([1.0, 0.0], (10, 1)), np.tile([0.0, 1.0], (9, 1))]).astype(np.float32)
    assert set(engine.cluster(two)) == {0}
    found = FunASRTranscriber(settings).transcribe(RECORDINGS / "pcm.wav")
    assert {turn.speaker for turn in found.turns} == {Speaker.UNKNOWN}
    assert "too little speech to tell voices apart" in found.notes[-1]


def test_enough_pieces_tell_two_voices_apart(models: dict[str, Path]) -> None:
    settings = TINY.model_copy(update={"speakers": str(models["speakers"])})
    engine = Engine(settings)
    chance = np.random.default_rng(0)
    voices = np.repeat(np.eye(16, dtype=np.float32)[:2], 30, axis=0)
    labels = engine.cluster(voices + chance.normal(0, 0.02, voices.shape).astype(np.float32))
    assert len(set(labels[:30])) == len(set(labels[30:])) == 1
    assert labels[0] != labels[-1]
    assert labels == engine.cluster(voices + np.random.default_rng(0).normal(0, 0.02, voices.shape).astype(np.float32))


def test_a_mono_call_goes_through_the_speaker_model(models: dict[str, Path], tmp_path: Path) -> None:
    settings = TINY.model_copy(update={"speakers": str(models["speakers"])})
    path = wav(tmp_path / "mono.wav", sound_of(CALLS / "polite-sale.wav").sum(axis=0)[None], rate=RATE)
    found = FunASRTranscriber(settings).transcribe(path)
    assert len(found.turns) > 5
    assert "speakers" in (found.recogniser or "")
    # the model is random: whether it hears two voices says nothing, but what it makes of them must be told
    assert any("voice" in note or "speakers are unknown" in note for note in found.notes)


@pytest.mark.parametrize("name", ["paraformer", "seaco"])
def test_paraformers_words_get_times_and_posteriors(models: dict[str, Path], speech: np.ndarray, name: str) -> None:
    engine = Engine(ASRSettings(model=str(models[name]), threads=1))
    answer = engine._recogniser.generate(input=speech, key="0-0", output_timestamp=True)[0]
    heard = engine.recognise(segment(speech))
    assert "ok" in heard.text
    assert len(heard.tokens) == len(answer["timestamp"]) == len(answer["text"].split())
    assert [heard.text[t.start : t.end] for t in heard.tokens] == answer["text"].split()
    assert all(t.confidence is not None and 1 / 11 <= t.confidence <= 1 for t in heard.tokens)
    assert (heard.emotion, heard.language) == (None, None)


def test_joined_pieces_have_no_posterior_of_their_own(models: dict[str, Path], speech: np.ndarray) -> None:
    heard = Engine(ASRSettings(model=str(models["pieces"]), threads=1)).recognise(segment(speech))
    assert heard.tokens
    assert {token.confidence for token in heard.tokens} == {None}


def test_punctuation_is_set_and_tokens_keep_their_words(models: dict[str, Path], speech: np.ndarray) -> None:
    settings = ASRSettings(model=str(models["paraformer"]), punctuation=str(models["punctuation"]), threads=1)
    plain = Engine(settings.model_copy(update={"punctuation": None})).recognise(segment(speech))
    marked = Engine(settings).recognise(segment(speech))
    assert marked.text != plain.text
    assert marked.text[-1] in "。."
    words = [[heard.text[t.start : t.end].casefold() for t in heard.tokens] for heard in (plain, marked)]
    assert words[0] == words[1]
    assert [t[2:] for t in plain.tokens] == [t[2:] for t in marked.tokens]


def test_a_text_that_names_a_file_is_punctuated_and_not_read(
    models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from callgrade.adapters.funasr.utterances import Heard

    (tmp_path / "您好").write_text("秘密", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    settings = ASRSettings(model=str(models["paraformer"]), punctuation=str(models["punctuation"]), threads=1)
    marked = Engine(settings)._punctuate(Heard("您好"), segment(np.zeros(10, np.float32)))
    assert marked.text == "您，好。"


def test_fsmn_finds_the_same_speech_as_silero(models: dict[str, Path], tmp_path: Path) -> None:
    sound = sound_of(CALLS / "coercion.wav")
    path = wav(tmp_path / "call.wav", sound, rate=RATE)
    other = TINY.model_copy(update={"vad": str(models["detector"])})
    silero = FunASRTranscriber(TINY).transcribe(path, agent_channel="0")
    fsmn = FunASRTranscriber(other).transcribe(path, agent_channel="0")
    assert [turn.speaker for turn in fsmn.turns] == [turn.speaker for turn in silero.turns]
    for one, two in zip(fsmn.turns, silero.turns, strict=True):
        assert abs((one.start_ms or 0) - (two.start_ms or 0)) < 400  # fsmn looks back 200 ms on purpose
        assert abs((one.end_ms or 0) - (two.end_ms or 0)) < 400
    assert "voice detector detector" in (fsmn.recogniser or "")
    assert str(models["detector"]) not in (fsmn.recogniser or "")  # a path is nobody's business


def test_a_model_that_fails_is_named_with_the_place_and_not_the_words(
    monkeypatch: pytest.MonkeyPatch, speech: np.ndarray
) -> None:
    engine = Engine(TINY)

    def fail(**given: Any) -> None:
        raise RuntimeError("客户的身份证号")

    monkeypatch.setattr(engine._recogniser, "generate", fail)
    with pytest.raises(TranscriptionError) as caught:
        engine.recognise(Segment(1, 32_000, 48_000, 30_000, speech))
    assert str(caught.value) == "the recogniser 'tiny' failed at 2.00 s on channel 1: RuntimeError"


def test_a_model_that_cannot_be_loaded_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("model: NoSuchModel\n", encoding="utf-8")
    (tmp_path / "model.pt").write_bytes(b"")
    with pytest.raises(TranscriptionError, match=f"the model in {tmp_path} cannot be loaded"):
        Engine(ASRSettings(model=str(tmp_path)))
