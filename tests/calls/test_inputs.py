import pytest

from callgrade.calls.inputs import expand, is_recording
from callgrade.domain.errors import NotFoundError


def test_folders_are_walked_and_each_file_comes_once(tmp_path):
    for name in ("b.json", "a.wav", "notes.md", "deep/c.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    found = list(expand([tmp_path / "b.json", tmp_path, tmp_path / "a.wav"]))
    assert [path.name for path in found] == ["b.json", "a.wav", "c.txt"]


def test_what_is_missing_or_empty_is_named(tmp_path):
    with pytest.raises(NotFoundError, match=r"nothing\.wav"):
        list(expand([tmp_path / "nothing.wav"]))
    with pytest.raises(NotFoundError, match="no recordings or transcripts"):
        list(expand([tmp_path]))


def test_a_file_of_unknown_name_is_known_by_its_bytes(tmp_path):
    (tmp_path / "call.dat").write_bytes(b"RIFF\0\0\0\0WAVE")
    (tmp_path / "call.log").write_text("坐席：您好")
    assert is_recording(tmp_path / "call.dat")
    assert not is_recording(tmp_path / "call.log")
