"""What a process that works for many clients is put together from."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from callgrade.adapters.cache import DiskCache
from callgrade.adapters.limits.breaker import Breaker
from callgrade.adapters.rules import RuleJudge
from callgrade.adapters.speech import SpeechJudge
from callgrade.db.session import Database
from callgrade.evaluations.pipeline import Blobs, Fetches, Pipeline
from callgrade.ports import Judge
from callgrade.settings import Settings
from callgrade.wiring import ANSWERS, Recordings, make_redactor

if TYPE_CHECKING:
    from callgrade.adapters.limits import ModelGate
    from callgrade.adapters.llm import Endpoint, UnderWay

CLIENTS = 256
"""Clients whose judges are kept open: they hold texts that are made once for a rubric."""


class ClientJudges:
    """The judges of each client, for a process that works for many: one endpoint, one answer cache and one gate for
    all, and answers that no other client's calls can be given.

    Opened by the first call, in the event loop that the calls are judged in; close it there.
    """

    def __init__(self, settings: Settings, database: Database | None = None):
        """`database` carries the limits a minute that all hosts share."""
        self._settings, self._database = settings, database
        self.breaker = Breaker()
        self._judges: dict[str, Sequence[Judge]] = {}
        self._endpoint: Endpoint | None = None
        self._cache: DiskCache | None = None
        self._gate: ModelGate | None = None
        self._under_way: UnderWay | None = None

    async def of(self, client_id: str) -> Sequence[Judge]:
        """Raises SettingsError for a model without a key."""
        if client_id not in self._judges:
            while len(self._judges) >= CLIENTS:
                del self._judges[next(iter(self._judges))]
            self._judges[client_id] = self._open(client_id)
        return self._judges[client_id]

    async def aclose(self) -> None:
        self._judges.clear()
        if self._endpoint is not None:
            await self._endpoint.aclose()
        if self._cache is not None:
            self._cache.close()
        self._endpoint = self._cache = self._gate = self._under_way = None

    def _open(self, client_id: str) -> Sequence[Judge]:
        counting: list[Judge] = [RuleJudge(), SpeechJudge()]
        llm = self._settings.llm
        if llm.model is None:
            return counting
        from callgrade.adapters.llm import UnderWay, open_endpoint, open_judge
        from callgrade.adapters.llm.traced import TracedEndpoint

        self._endpoint = self._endpoint or TracedEndpoint(open_endpoint(llm))
        self._gate = self._gate or self._open_gate()
        self._under_way = self._under_way or UnderWay()
        if llm.cache and self._cache is None:
            self._cache = DiskCache(self._settings.data_dir / ANSWERS)
        judge = open_judge(
            llm,
            redactor=make_redactor(self._settings),
            language=self._settings.language,
            cache=self._cache,
            client=client_id,
            endpoint=self._endpoint,
            gate=self._gate,
            under_way=self._under_way,
        )
        return [*counting, judge]

    def _open_gate(self) -> "ModelGate":
        from callgrade.adapters.limits import Leases, ModelGate, Window

        llm = self._settings.llm
        leases = None
        if self._database is not None and (llm.requests_per_minute or llm.tokens_per_minute):
            leases = Leases(self._database, "llm", requests=llm.requests_per_minute, tokens=llm.tokens_per_minute)
        return ModelGate(Window(llm.concurrency), self.breaker, leases)


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
        outage=judges.breaker,
        closing=judges.aclose,
    )


def make_fetcher(settings: Settings) -> Fetches:
    from callgrade.adapters.fetching import Fetcher, Limits

    service = settings.service
    limits = Limits(bytes=service.max_upload_mb * 1_000_000)
    return Fetcher(allow_private=service.allow_private_urls, hosts=service.audio_hosts, limits=limits).keep
