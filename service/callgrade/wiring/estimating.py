"""What a calibration run will ask of a model, before it is begun."""

from collections.abc import Sequence
from decimal import Decimal

from sqlmodel import Session

from callgrade.access.principals import Principal
from callgrade.calibration import golden, run_repository
from callgrade.calibration.golden_figures import of_set
from callgrade.calibration.run_reports import splits_of
from callgrade.calibration.running import Asked
from callgrade.domain.calls import Transcript
from callgrade.domain.errors import CallgradeError
from callgrade.domain.frozen import Frozen
from callgrade.domain.rubrics import Rubric
from callgrade.settings import Settings
from callgrade.wiring import make_redactor

LOOKED_AT = 4
"""Calls whose request is written out to see how long it is."""


class Estimate(Frozen):
    """`items`: judgements of calls that there will be. Tokens and `cost` (US dollars by the set prices) are of all of
    them, before what the cache holds; None where nothing is known. `answers`: whether the answers are among them, which
    is known from `run`, an earlier one of the same rubric and model."""

    calls: int
    items: int
    asks: bool
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost: Decimal | None = None
    run: str | None = None

    @property
    def answers(self) -> bool:
        return self.completion_tokens is not None


def estimate(session: Session, principal: Principal, settings: Settings, rubric: Rubric, asked: Asked) -> Estimate:
    """Nothing is sent. Of the holdout its size is told, and its calls are taken to be as long as the others.

    Raises UnknownResourceError.
    """
    sizes = of_set(session, principal, asked.set_id).figures.calls
    calls = sum(sizes.get(split, 0) for split in splits_of(asked.split))
    begun = Estimate(calls=calls, items=calls * asked.samples, asks=bool(asked.model and rubric.judged_by("llm")))
    if not begun.asks:
        return begun
    earlier = run_repository.newest_paid(session, principal, rubric.id, asked.model)
    if earlier is not None:
        share = begun.items / earlier.items
        prompt, completion = (
            int(earlier.usage.get(name, 0) * share) for name in ("prompt_tokens", "completion_tokens")
        )
        told = {"prompt_tokens": prompt, "completion_tokens": completion, "run": earlier.id}
        return begun.model_copy(update={**told, "cost": _price(settings, prompt, completion)})
    found = [one.call.transcript for one in golden.calls(session, principal, asked.set_id)]
    each = _prompt_tokens(settings, rubric, found[:: max(1, len(found) // LOOKED_AT)][:LOOKED_AT])
    if not each:
        return begun
    prompt = sum(each) * begun.items // len(each)
    return begun.model_copy(update={"prompt_tokens": prompt, "cost": _price(settings, prompt, 0)})


def _prompt_tokens(settings: Settings, rubric: Rubric, transcripts: Sequence[Transcript]) -> list[int]:
    from callgrade.adapters.llm import default_wording, render_requests

    redactor, wording = make_redactor(settings), default_wording(settings.llm, settings.language)
    found = []
    for transcript in transcripts:
        try:
            requests = render_requests(rubric, transcript, redactor, settings.llm, wording)
        except CallgradeError:
            continue
        found.append(sum(one.tokens.prompt + one.tokens.output_schema for one in requests))
    return found


def _price(settings: Settings, prompt: int, completion: int) -> Decimal | None:
    from callgrade.adapters.llm.wire import Tokens, price

    return price(settings.llm, Tokens(prompt=prompt, completion=completion))
