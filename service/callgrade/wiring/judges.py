"""The judges of a process that works for many clients: opened for whom they judge, and as a release asks for them."""

from collections.abc import Hashable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from callgrade.adapters.cache import DiskCache
from callgrade.adapters.limits.breaker import LASTING, Breaker
from callgrade.adapters.rules import RuleJudge
from callgrade.adapters.speech import SpeechJudge
from callgrade.db.session import Database
from callgrade.domain.errors import ModelNotFoundError, SettingsError
from callgrade.evaluations.asking import Asking, Bench
from callgrade.evaluations.failures import WAITING_HELPS
from callgrade.ports import Judge, Redactor
from callgrade.settings import LLMSettings, Settings
from callgrade.wiring import ANSWERS, make_redactor

if TYPE_CHECKING:
    from callgrade.adapters.limits import Leases, ModelGate, Window
    from callgrade.adapters.llm import Endpoint, UnderWay

BENCHES = 256
"""Judges that are kept open: they hold texts that are made once for a rubric."""
PRICES = ("price_prompt", "price_cached", "price_completion")


class ClientJudges:
    """The judges of each client, for a process that works for many: one endpoint and one answer cache for all, a gate
    for each model, and answers that no other client's calls can be given.

    Opened by the first call, in the event loop that the calls are judged in; close it there.
    """

    def __init__(self, settings: Settings, database: Database | None = None):
        """`database` carries the limits a minute that all hosts share."""
        self._settings, self._database = settings, database
        self._benches: dict[Hashable, Bench] = {}
        self._gates: dict[str, tuple[ModelGate, Breaker]] = {}
        self._endpoint: Endpoint | None = None
        self._cache: DiskCache | None = None
        self._limits: tuple[Window, Leases | None] | None = None
        self._under_way: UnderWay | None = None

    @cached_property
    def _redactor(self) -> Redactor:
        return make_redactor(self._settings)

    async def of(self, client_id: str, asking: Asking) -> Bench:
        """Raises SettingsError for a model without a key, and for what this host is not set up for."""
        terms, prompt = asking
        key = (client_id, prompt.digest if prompt else None, terms.model, terms.parameters, terms.redaction)
        if key not in self._benches:
            while len(self._benches) >= BENCHES:
                del self._benches[next(iter(self._benches))]
            self._benches[key] = self._open(client_id, asking)
        return self._benches[key]

    async def aclose(self) -> None:
        self._benches.clear()
        self._gates.clear()
        if self._endpoint is not None:
            await self._endpoint.aclose()
        if self._cache is not None:
            self._cache.close()
        self._endpoint = self._cache = self._limits = self._under_way = None

    def _open(self, client_id: str, asking: Asking) -> Bench:
        terms = asking.terms
        if terms.redaction not in (None, self._redactor.name):
            raise SettingsError(
                f"the release asks for the redaction {terms.redaction}, and this host's is {self._redactor.name}: set "
                "CALLGRADE_REDACTION__ENABLED, or make a release that names it"
            )
        counting: list[Judge] = [RuleJudge(), SpeechJudge()]
        llm = self._asked_for(asking)
        if llm is None:
            return Bench(counting)
        return self._with_model(counting, client_id, llm, asking)

    def _asked_for(self, asking: Asking) -> LLMSettings | None:
        """The host's settings, but for what the release asks; None where there is no model to be asked."""
        from callgrade.adapters.llm import require_reachable

        llm, terms = self._settings.llm, asking.terms
        given = terms.parameters.given()
        if terms.model not in (None, llm.model):
            require_reachable(llm, terms.model)
            # what another model costs is not known here
            given |= {"model": terms.model, **dict.fromkeys(PRICES)}
        elif llm.model is None:
            if given or asking.prompt:
                raise SettingsError(
                    "the release says how a model is to be asked, and neither names one nor is one set up here: set "
                    "CALLGRADE_LLM__MODEL"
                )
            return None
        return llm.model_copy(update=given)

    def _with_model(self, counting: Sequence[Judge], client_id: str, llm: LLMSettings, asking: Asking) -> Bench:
        from callgrade.adapters.llm import UnderWay, default_wording, open_endpoint, open_judge
        from callgrade.adapters.llm.traced import TracedEndpoint

        own = self._settings.llm
        self._endpoint = self._endpoint or TracedEndpoint(open_endpoint(own))
        self._under_way = self._under_way or UnderWay()
        if own.cache and self._cache is None:
            self._cache = DiskCache(self._settings.data_dir / ANSWERS)
        gate, breaker = self._gate_to(llm.model or "")
        judge = open_judge(
            llm,
            redactor=self._redactor,
            wording=default_wording(llm, self._settings.language, asking.prompt),
            cache=self._cache,
            client=client_id,
            endpoint=self._endpoint,
            gate=gate,
            under_way=self._under_way,
        )
        helps = WAITING_HELPS if self._is_own(llm.model) else WAITING_HELPS - {ModelNotFoundError("").type}
        return Bench([*counting, judge], breaker, helps)

    def _gate_to(self, model: str) -> "tuple[ModelGate, Breaker]":
        """Models share what the endpoint allows, and each has a breaker of its own: one that a release names and nobody
        serves must not keep the others waiting."""
        from callgrade.adapters.limits import ModelGate

        if model not in self._gates:
            while len(self._gates) >= BENCHES:
                del self._gates[next(iter(self._gates))]
            breaker = Breaker(lasting=LASTING if self._is_own(model) else _MENDABLE)
            self._limits = self._limits or self._open_limits()
            window, leases = self._limits
            self._gates[model] = ModelGate(window, breaker, leases), breaker
        return self._gates[model]

    def _is_own(self, model: str | None) -> bool:
        """That the host's own model is not served, somebody will mend; that a release's is not, nobody can."""
        return model == self._settings.llm.model

    def _open_limits(self) -> "tuple[Window, Leases | None]":
        from callgrade.adapters.limits import Leases, Window

        llm = self._settings.llm
        leases = None
        if self._database is not None and (llm.requests_per_minute or llm.tokens_per_minute):
            leases = Leases(self._database, "llm", requests=llm.requests_per_minute, tokens=llm.tokens_per_minute)
        return Window(llm.concurrency), leases


_MENDABLE = tuple(error for error in LASTING if error is not ModelNotFoundError)
