"""What a process that works for many clients is put together from."""

from pathlib import Path

from callgrade.db.session import Database
from callgrade.evaluations.pipeline import Blobs, Fetches, Pipeline
from callgrade.evaluations.releases import RequireModel
from callgrade.evaluations.report.sound import Outline
from callgrade.settings import Settings
from callgrade.wiring import Recordings
from callgrade.wiring.judges import ClientJudges


def require_model_for(settings: Settings) -> RequireModel:
    """For whoever makes a release. A host that grades nothing need not know of any model."""

    def require(model: str) -> None:
        from callgrade.adapters.llm import has_endpoint, require_offered

        if has_endpoint(settings.llm) or "score" in settings.works_off:
            require_offered(settings.llm, model)

    return require


def redactions() -> frozenset[str]:
    """What a release may name."""
    from callgrade.adapters.redaction import NoRedaction, RuleRedactor

    return frozenset((RuleRedactor.name, NoRedaction.name))


def make_pipeline(settings: Settings, database: Database, blobs: Blobs) -> Pipeline:
    """The work on calls, for an engine. Close it in the event loop that it worked in."""
    judges = ClientJudges(settings, database)
    return Pipeline(
        database,
        blobs,
        judges.of,
        Recordings(settings),
        settings,
        fetcher=make_fetcher(settings),
        draw=_draw,
        closing=judges.aclose,
    )


def _draw(path: Path) -> Outline | None:
    from callgrade.adapters.outline import outline

    return outline(path)


def make_fetcher(settings: Settings) -> Fetches:
    from callgrade.adapters.fetching import Fetcher, Limits

    service = settings.service
    limits = Limits(bytes=service.max_upload_mb * 1_000_000)
    return Fetcher(allow_private=service.allow_private_urls, hosts=service.audio_hosts, limits=limits).keep
