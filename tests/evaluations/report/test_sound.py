"""Recordings as `data:` addresses and outlines. Files are made by hand, byte by byte."""

import base64
import struct
from array import array
from pathlib import Path

import pytest

from callgrade.evaluations.report.sound import _TABLES, BUCKETS, LIMIT_BYTES, LeftOut, Sound, read_sound
from tests.evaluations.report.pages import tone_wav

PCM, A_LAW, MU_LAW, GSM = 1, 6, 7, 0x31


def wav(tag: int, channels: int, bits: int, data: bytes, *, rate: int = 8000, before: bytes = b"") -> bytes:
    form = struct.pack("<HHIIHH", tag, channels, rate, rate * channels * bits // 8, channels * bits // 8, bits)
    chunks = b"fmt " + struct.pack("<I", len(form)) + form + before + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def sound_of(folder: Path, content: bytes) -> Sound:
    path = folder / "a.wav"
    path.write_bytes(content)
    sound = read_sound(path)
    assert isinstance(sound, Sound)
    return sound


class TestAddress:
    def test_the_bytes_go_in_as_they_are(self, tmp_path):
        content = wav(MU_LAW, 2, 8, bytes([0xFF] * 1600))
        kind, _, data = sound_of(tmp_path, content).src.partition(";base64,")
        assert kind == "data:audio/wav"
        assert base64.b64decode(data) == content

    @pytest.mark.parametrize(
        ("start", "kind"),
        [
            (b"OggS\x00", "audio/ogg"),
            (b"fLaC\x00", "audio/flac"),
            (b"ID3\x04", "audio/mpeg"),
            (b"\xff\xfb\x90\x00", "audio/mpeg"),
            (b"\xff\xf1\x50\x80", "audio/aac"),
            (b"\x00\x00\x00\x20ftypM4A ", "audio/mp4"),
            (b"\x1a\x45\xdf\xa3", "audio/webm"),
        ],
    )
    def test_what_browsers_play_is_known_by_its_first_bytes_and_not_by_its_name(self, tmp_path, start, kind):
        sound = sound_of(tmp_path, start + bytes(100))
        assert sound.src.startswith(f"data:{kind};base64,")
        assert (sound.duration_ms, sound.channels) == (None, ())


class TestLeftOut:
    @pytest.mark.parametrize("content", [b"", b"#!AMR\n\x3c", b"<script>", b"RIFF\x00\x00\x00\x00WAVE", b"MZ\x90"])
    def test_what_browsers_do_not_play(self, tmp_path, content):
        (tmp_path / "a.wav").write_bytes(content)
        assert read_sound(tmp_path / "a.wav") == LeftOut("unplayable")

    def test_a_wav_in_a_telephone_codec_that_browsers_lack(self, tmp_path):
        (tmp_path / "a.wav").write_bytes(wav(GSM, 1, 8, bytes(650)))
        assert read_sound(tmp_path / "a.wav") == LeftOut("unplayable")

    def test_a_file_that_is_gone_and_a_folder(self, tmp_path):
        assert read_sound(tmp_path / "gone.wav") == read_sound(tmp_path) == LeftOut("missing")

    def test_a_large_one_is_not_even_read(self, tmp_path):
        with (tmp_path / "a.wav").open("wb") as file:
            file.truncate(LIMIT_BYTES + 2_340_000)
        assert read_sound(tmp_path / "a.wav") == LeftOut("too_large", "12.3", "10")


class TestOutline:
    def test_length_and_channels(self, tmp_path):
        sound = read_sound(tone_wav(tmp_path / "hum.wav", 3.5))
        assert isinstance(sound, Sound)
        assert sound.duration_ms == 3500
        assert [len(channel) for channel in sound.channels] == [BUCKETS, BUCKETS]

    def test_each_channel_shows_when_it_sounds(self, tmp_path):
        sound = read_sound(tone_wav(tmp_path / "hum.wav", 4.0))
        assert isinstance(sound, Sound)
        left, right = sound.channels
        second = BUCKETS // 4
        assert max(left[:second]) == 1.0
        assert max(left[second + 1 : 2 * second - 1]) == 0.0
        assert max(right[second:]) == 1.0
        assert max(right[: second - 1]) == 0.0

    def test_the_same_sound_has_the_same_outline_in_every_coding(self, tmp_path):
        # one loud second in the middle of three, at half of full scale
        quiet, loud = 8000, 8000
        pcm16 = array("h", [0] * quiet + [16000, -16000] * (loud // 2) + [0] * quiet).tobytes()
        outlines = [
            sound_of(tmp_path, content).channels
            for content in (
                wav(PCM, 1, 16, pcm16),
                wav(MU_LAW, 1, 8, bytes([0xFF] * quiet + [0x8F, 0x0F] * (loud // 2) + [0xFF] * quiet)),
                wav(A_LAW, 1, 8, bytes([0xD5] * quiet + [0xBA, 0x3A] * (loud // 2) + [0xD5] * quiet)),
                wav(PCM, 1, 8, bytes([128] * quiet + [191, 65] * (loud // 2) + [128] * quiet)),
            )
        ]
        third = BUCKETS // 3
        for (outline,) in outlines:
            assert max(outline[: third - 1]) == 0.0
            assert min(outline[third + 1 : 2 * third - 1]) > 0.98
            assert max(outline[2 * third + 1 :]) == 0.0

    def test_g711_tables(self):
        # ITU-T G.711: the loudest codes are ±32124 (µ-law) and ±32256 (A-law), shown in 128ths
        assert (_TABLES[MU_LAW][0x80], _TABLES[MU_LAW][0x00], _TABLES[MU_LAW][0xFF]) == (32124 >> 7, 32124 >> 7, 0)
        assert (_TABLES[A_LAW][0xAA], _TABLES[A_LAW][0x2A], _TABLES[A_LAW][0xD5]) == (32256 >> 7, 32256 >> 7, 0)

    def test_silence_stays_flat_and_is_not_blown_up(self, tmp_path):
        (outline,) = sound_of(tmp_path, wav(PCM, 1, 16, array("h", [3, -3] * 4000).tobytes())).channels
        assert max(outline) < 0.01

    def test_other_chunks_are_passed_over_and_a_cut_file_is_taken_as_far_as_it_goes(self, tmp_path):
        junk = b"LIST" + struct.pack("<I", 5) + b"INFO!" + b"\x00"
        content = wav(MU_LAW, 1, 8, bytes([0x8F] * 8000), before=junk)
        assert sound_of(tmp_path, content).duration_ms == 1000
        assert sound_of(tmp_path, content[:-4000]).duration_ms == 500

    def test_the_shortest_file_has_an_outline(self, tmp_path):
        sound = sound_of(tmp_path, wav(MU_LAW, 2, 8, b"\x8f\xff"))
        assert sound.duration_ms == 0
        assert max(sound.channels[0]) == 1.0

    def test_extensible_wav_is_read_by_its_true_format(self, tmp_path):
        form = struct.pack("<HHIIHH", 0xFFFE, 1, 8000, 16000, 2, 16) + struct.pack("<HHI", 22, 16, 4)
        form += struct.pack("<H", PCM) + bytes.fromhex("000000001000800000aa00389b71")
        data = array("h", [9000, -9000] * 400).tobytes()
        body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(data)) + data
        assert max(sound_of(tmp_path, b"RIFF" + struct.pack("<I", len(body)) + body).channels[0]) == 1.0
