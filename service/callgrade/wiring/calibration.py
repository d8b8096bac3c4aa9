"""The judges of a calibration run: as a release would ask for them, each sample on its own."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Literal

from sqlmodel import Session

from callgrade.access.principals import Principal
from callgrade.adapters.rules import RuleJudge
from callgrade.adapters.speech import SpeechJudge
from callgrade.calibration import golden
from callgrade.calibration.gating import Host
from callgrade.calibration.running import Asked, OpenJudges, SplitAsked
from callgrade.calibration.working import CalibrationWork
from callgrade.db.session import Database
from callgrade.domain.errors import NotFoundError, UnknownResourceError
from callgrade.domain.rubrics import Rubric
from callgrade.evaluations import registry
from callgrade.evaluations.asking import Asking, PromptNamed
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


def asked_of(
    session: Session,
    principal: Principal,
    settings: Settings,
    rubric: str,
    set_id: str,
    *,
    split: SplitAsked = "dev",
    samples: int = 1,
    prompt: str | None = None,
    judge: Literal["auto", "rules"] = "auto",
) -> tuple[Rubric, Asked]:
    """What a run is to be of, by references (`id`, `id@vN`), with the model of this host where one is to be asked.

    Raises UnknownResourceError for a rubric, set or prompt that there is not.
    """
    try:
        form, _ = registry.rubric(session, rubric)
        row = registry.prompt_version(session, prompt) if prompt else None
    except NotFoundError as error:
        raise UnknownResourceError(str(error)) from None
    asks = judge == "auto" and settings.llm.model and form.judged_by("llm")
    named = PromptNamed(id=row.id, version=row.version, digest=row.digest) if row and asks else None
    set_id = golden.find(session, principal, set_id).id
    model = settings.llm.model if asks else None
    return form, Asked(set_id=set_id, split=split, samples=samples, prompt=named, model=model)
