"""Criteria of a golden call as a form asks for them, all at once, and what comes back."""

from collections.abc import Iterable
from typing import Annotated, NamedTuple

from fastapi import Depends, Request
from pydantic import JsonValue
from starlette.datastructures import FormData

from callgrade.calibration.compared import Said
from callgrade.domain.errors import JudgementError
from callgrade.domain.options import counts
from callgrade.domain.rubrics import Criterion
from callgrade.evaluations.words import choice_in_words, word
from callgrade.web.outcome_forms import outcome_in
from callgrade.web.review_cards import Choice, choices_of

UNASSESSED = "cannot_assess"
LONGEST = 2_000
__all__ = ["Asked", "FormData", "Sent", "asked", "field", "given", "in_words"]


async def sent(request: Request) -> FormData:
    """A form with fields for each criterion."""
    return await request.form(max_fields=2_000)


Sent = Annotated[FormData, Depends(sent)]


class Asked(NamedTuple):
    """A criterion with what was said of it, in words, in the order of the labels. `open`: it is asked for, with what
    can be said and what stood in the form."""

    criterion: Criterion
    said: tuple[str, ...]
    open: bool
    choices: tuple[Choice, ...]
    counts: bool
    chosen: str = ""
    typed: str = ""


def asked(
    criterion: Criterion, language: str, data: FormData | None, *, said: Iterable[Said | None] = (), open_: bool = True
) -> Asked:
    return Asked(
        criterion=criterion,
        said=tuple(in_words(one, criterion, language) for one in said),
        open=open_,
        choices=choices_of(criterion, language) if open_ else (),
        counts=counts(criterion),
        chosen="" if data is None else field(data, f"choice-{criterion.id}"),
        typed="" if data is None else field(data, f"number-{criterion.id}"),
    )


def in_words(said: Said | None, criterion: Criterion, language: str) -> str:
    """Empty where nothing was said."""
    if said is None:
        return ""
    if said.judgement.outcome is None and said.status != "not_applicable":
        return word(f"status.{said.status}", language)
    return choice_in_words(said.judgement.outcome, criterion, language)


def given(criterion: Criterion, data: FormData, note: str) -> dict[str, JsonValue]:
    """As contracts.md has judgements. Raises JudgementError for no choice, or one that is none."""
    choice = field(data, f"choice-{criterion.id}")
    if choice == UNASSESSED:
        if not note:
            raise JudgementError(criterion.id, "say why it cannot be judged")
        return {"status": "cannot_assess", "reason": note}
    outcome = outcome_in(criterion, choice, field(data, f"number-{criterion.id}"))
    return {"status": "not_applicable"} if outcome is None else outcome.model_dump(mode="json")


def field(data: FormData, name: str) -> str:
    found = data.get(name)
    return found[:LONGEST] if isinstance(found, str) else ""
