"""The judges of a calibration run: each sample asks anew, and none is asked where rules alone are wanted."""

import asyncio
from pathlib import Path
from typing import Any

from callgrade.evaluations.asking import Asking, Terms
from callgrade.settings import Settings
from callgrade.wiring.calibration import calibration_judges
from tests.adapters.llm.exchange import rubric, transcript
from tests.adapters.llm.test_transport import server
from tests.wiring.test_judges import Model


def asked(folder: Path, samples: tuple[int, ...], mode: Any = "auto", **llm: Any) -> list[dict[str, Any]]:
    """What the model was asked, one request a sample unless a cache answered."""
    serving = Model()

    async def all_of_them() -> None:
        async with server(serving.answer) as url:
            told = {"model": "judge-7b", "base_url": url, "api_key": "k", "attempts": 1, **llm}
            settings = Settings.model_validate({"data_dir": folder, "llm": told})
            asking = Asking(Terms(model="judge-9b"))
            open_ = calibration_judges(settings, None, "bank", asking, mode)
            for sample in samples:
                async with open_(sample) as judges:
                    for judge in judges:
                        await judge.judge(transcript(), rubric())

    asyncio.run(all_of_them())
    return serving.bodies


def test_each_sample_asks_anew_and_the_same_sample_does_not(tmp_path: Path) -> None:
    bodies = asked(tmp_path, (0, 0, 1, 2, 1), seed=7)
    assert [body["seed"] for body in bodies] == [7, 8, 9]
    assert {body["model"] for body in bodies} == {"judge-9b"}


def test_rules_ask_nobody(tmp_path: Path) -> None:
    assert asked(tmp_path, (0, 1), "rules") == []
