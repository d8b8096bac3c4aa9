"""The demo recogniser and the small models, loaded once for all tests of a worker."""

from pathlib import Path

import pytest

from callgrade.adapters.funasr import FunASRTranscriber
from callgrade.settings import ASRSettings
from tests.adapters.funasr import small_models

TINY = ASRSettings(model="tiny", threads=1)


@pytest.fixture(scope="session")
def transcriber() -> FunASRTranscriber:
    return FunASRTranscriber(TINY)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    return {
        "detector": small_models.write_detector(folder / "detector"),
        "paraformer": small_models.write_paraformer(folder / "paraformer"),
        "pieces": small_models.write_paraformer(folder / "pieces", tokens=small_models.PIECES),
        "deaf": small_models.write_paraformer(folder / "deaf", deaf=True),
        "seaco": small_models.write_seaco(folder / "seaco"),
        "punctuation": small_models.write_punctuation(folder / "punctuation"),
        "speakers": small_models.write_speakers(folder / "speakers"),
    }
