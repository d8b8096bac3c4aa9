"""What a scorecard without verdicts means: to wait for the model, or to give up with a reason."""

import logging
from collections.abc import Mapping
from typing import Any, Protocol

from callgrade.domain.errors import CallgradeError, UnexpectedError
from callgrade.domain.judgements import JudgeFailure
from callgrade.domain.scorecards import Scorecard

WAITING_HELPS = frozenset(
    {"model-unavailable", "rate-limited", "circuit-open", "quota-exhausted", "key-refused", "model-not-found"}
)
"""Failures of the model or of its account, not of the call: with the next answer, or when somebody has mended the
account, the same request succeeds."""
MESSAGE_CHARACTERS = 2_000
log = logging.getLogger(__name__)


class NoVerdictError(CallgradeError):
    """The model was asked and judged nothing; `failure` says why."""

    def __init__(self, failure: JudgeFailure):
        self.failure = failure
        super().__init__(failure.message)


class DuplicateError(CallgradeError):
    """A line of a batch whose call was evaluated before: by another line, batch or request."""

    status = 409

    def __init__(self, evaluation_id: str):
        self.evaluation_id = evaluation_id
        super().__init__("this call was evaluated before by the same rubric; see the evaluation named here")


class Outage(Protocol):
    """Whether the model is there, as the calls of this process find it."""

    @property
    def answers(self) -> int:
        """How many requests have been answered so far: it grows as long as the model works for anybody."""
        ...

    async def over(self) -> None:
        """Returns when the model may be asked again: when it answers, or when it is the caller's turn to try it."""
        ...


class NoOutage:
    """For judges that ask no model."""

    answers = 0

    async def over(self) -> None:
        return


def told(error: CallgradeError) -> dict[str, Any]:
    """An error as it is stored and shown. Its message holds nothing that was said: see domain.errors."""
    shown: Mapping[str, Any]
    if isinstance(error, NoVerdictError):
        shown = error.failure.model_dump()
    else:
        shown = {"type": error.type, "message": str(error), "retryable": error.retryable}
    more = {"evaluation_id": error.evaluation_id} if isinstance(error, DuplicateError) else {}
    return {**shown, "message": shown["message"][:MESSAGE_CHARACTERS], **more}


def named(error: Exception) -> CallgradeError:
    """A bug's own text may hold what was said, so only its kind is told."""
    if isinstance(error, CallgradeError):
        return error
    log.error("unexpected failure (%s)", type(error).__name__)
    log.debug("unexpected failure", exc_info=True)
    return UnexpectedError(f"internal error ({type(error).__name__})")


def model_failures(card: Scorecard) -> tuple[JudgeFailure, ...]:
    """Why criteria got no verdict from the model, one for each that failed."""
    return tuple(j.error for j in card.judgements if j.method == "llm" and j.error is not None)


def nothing_judged(card: Scorecard) -> bool:
    """Whether the model failed for every criterion that it was to judge."""
    return all(j.status == "failed" for j in card.judgements if j.method == "llm")
