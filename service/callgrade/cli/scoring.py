"""What `score` does with many inputs: evaluate them at once, deliver each result when it is done."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import JsonValue

from callgrade.calls.inputs import is_recording
from callgrade.cli.output import emit, file_name, progress_bar, report_failure, tell, to_json, write_file
from callgrade.domain.errors import ConfigurationError, KeyRefusedError, ModelNotFoundError, SettingsError
from callgrade.domain.rubrics import Rubric
from callgrade.domain.scorecards import Scorecard
from callgrade.evaluations.many import Scored, evaluate_many, seldom_collecting
from callgrade.evaluations.service import Evaluator
from callgrade.ports import AgentChannel
from callgrade.settings import Language, Settings
from callgrade.wiring import JudgeMode, calls_in_flight, make_loader, open_judges

WRONG_FOR_ALL = (KeyRefusedError("").type, ModelNotFoundError("").type)
"""Failures that the next call would meet as well: the set-up is wrong, not the call."""


class Delivery:
    """Prints or writes each result, and keeps the few sums that the closing line needs."""

    def __init__(self, rubric: Rubric, language: Language, *, as_json: bool, alone: bool, out: Path | None):
        self._rubric, self._language = rubric, language
        self._as_json, self._alone, self._out = as_json, alone, out
        self.done = self.failed = self.unjudged = self.requests = self.repairs = 0
        self.tokens: dict[str, int] = {}
        self._misconfigured = False

    @property
    def status(self) -> int:
        """The exit status: 0 all done, 1 some inputs failed, 2 some failed because of the set-up."""
        if self._misconfigured:
            return 2
        return 1 if self.failed or self.unjudged else 0

    def deliver(self, result: Scored) -> None:
        if result.error is not None:
            self.failed += 1
            self._misconfigured |= isinstance(result.error, ConfigurationError)
            report_failure(result.call_id, result.source, result.error, as_json=self._as_json, alone=self._alone)
            return
        self.done += 1
        card = result.scorecard
        assert card is not None
        self._name_failed_judges(card)
        self.requests += card.provenance.requests
        self.repairs += card.provenance.repairs
        for kind, number in card.provenance.tokens.items():
            self.tokens[kind] = self.tokens.get(kind, 0) + number
        if self._as_json:
            emit(to_json(card, pretty=self._alone))
        elif self._out is None or self._alone:
            from callgrade.cli.render import show_scorecard

            show_scorecard(card, self._rubric, self._language)
        if self._out is not None:
            self._write(result)

    def _name_failed_judges(self, card: Scorecard) -> None:
        """Say on standard error why a model left criteria open. Raises SettingsError for what would fail every call."""
        errors = {j.error.message: j.error for j in card.judgements if j.error is not None}
        for error in errors.values():
            if error.type in WRONG_FOR_ALL:
                raise SettingsError(error.message)
            tell(f"error: {card.call_id}: {error.message}")
        self.unjudged += bool(errors)

    def _write(self, result: Scored) -> None:
        from callgrade.evaluations.report import render_html

        assert self._out is not None
        assert result.scorecard is not None
        assert result.transcript is not None
        name = file_name(result.call_id)
        write_file(self._out, f"{name}.json", to_json(result.scorecard, pretty=True))
        page = render_html(
            result.scorecard,
            result.transcript,
            self._rubric,
            language=self._language,
            recording=result.source if is_recording(result.source) else None,
        )
        path = write_file(self._out, f"{name}.html", page)
        if not self._as_json:
            tell(f"wrote {path}")

    def close(self) -> None:
        """One line about the whole run, when there was more than one input or a model was asked."""
        if self._alone and not self.requests:
            return
        line = f"{self.done} scored, {self.failed} failed"
        if self.unjudged:
            line += f", {self.unjudged} of {self.done} with criteria that a model failed to judge"
        if self.requests:
            prompt, cached = self.tokens.get("prompt", 0), self.tokens.get("cached", 0)
            share = f" ({cached / prompt:.0%} cached)" if prompt else ""
            line += (
                f"; {self.requests} requests, {self.repairs} of them repairs; "
                f"{prompt} prompt tokens{share}, {self.tokens.get('completion', 0)} completion tokens"
            )
        tell(line)


async def score_all(
    paths: Sequence[Path],
    rubric: Rubric,
    settings: Settings,
    mode: JudgeMode,
    agent_channel: AgentChannel | None,
    delivery: Delivery,
    facts: Mapping[str, JsonValue] | None = None,
) -> int:
    """Score every path. Returns the exit status: 2 when an input failed for the set-up's sake, such as recordings
    without a recogniser; what does not need it is scored all the same."""
    load = make_loader(settings, agent_channel=agent_channel, facts=facts)
    async with open_judges(settings, mode) as judges:
        evaluator = Evaluator(rubric, judges)
        with progress_bar() as shown, seldom_collecting():
            task = shown.add_task("scoring", total=len(paths)) if shown and len(paths) > 1 else None
            results = evaluate_many(paths, load, evaluator.evaluate, in_flight=calls_in_flight(settings))
            async for result in results:
                delivery.deliver(result)
                if shown and task is not None:
                    shown.advance(task)
    delivery.close()
    return delivery.status
