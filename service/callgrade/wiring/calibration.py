"""The judges of a calibration run: as a release would ask for them, each sample on its own."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Literal

from callgrade.adapters.rules import RuleJudge
from callgrade.adapters.speech import SpeechJudge
from callgrade.calibration.gating import Host
from callgrade.calibration.running import OpenJudges
from callgrade.calibration.working import CalibrationWork
from callgrade.db.session import Database
from callgrade.evaluations.asking import Asking
from callgrade.ports import Judge
from callgrade.settings import LLMSettings, Settings
from callgrade.wiring import calls_in_flight
from callgrade.wiring.judges import ClientJudges


def calibration_judges(
    settings: Settings,
    database: Database | None,
    client_id: str,
    asking: Asking,
    mode: Literal["auto", "rules"] = "auto",
) -> OpenJudges:
    """`rules`: no model, whatever is set up. The first sample may take answers that are cached; the others have a salt
    of their own, or they would all be the same answer. Opening raises SettingsError for what this host is not set up
    for."""

    @asynccontextmanager
    async def open_(sample: int) -> AsyncIterator[Sequence[Judge]]:
        if mode == "rules":
            yield [RuleJudge(), SpeechJudge()]
            return
        judges = ClientJudges(settings.model_copy(update={"llm": _again(settings.llm, sample)}), database)
        try:
            yield (await judges.of(client_id, asking)).judges
        finally:
            await judges.aclose()

    return open_


def calibration_work(settings: Settings, database: Database) -> CalibrationWork:
    """Runs, for an engine."""

    def judges(client_id: str, asking: Asking, mode: Literal["auto", "rules"]) -> OpenJudges:
        return calibration_judges(settings, database, client_id, asking, mode)

    return CalibrationWork(database, judges, model=settings.llm.model, in_flight=calls_in_flight(settings))


def host_of(settings: Settings, database: Database, client_id: str, mode: Literal["auto", "rules"] = "auto") -> Host:
    """What judges drafts here, in a client's name."""
    return Host(
        judges=lambda asking: calibration_judges(settings, database, client_id, asking, mode),
        model=None if mode == "rules" else settings.llm.model,
        in_flight=calls_in_flight(settings),
    )


def _again(llm: LLMSettings, sample: int) -> LLMSettings:
    if sample == 0:
        return llm
    seed = None if llm.seed is None else llm.seed + sample
    return llm.model_copy(update={"run_salt": f"{llm.run_salt}\0sample {sample}", "seed": seed})
