"""Turns a rubric and a call's lines into questions: the part of judging that sends nothing."""

from collections.abc import Sequence
from typing import NamedTuple

from callgrade.adapters.llm.call import Line
from callgrade.adapters.llm.prompt import fenced, render_turns
from callgrade.adapters.llm.questions import Question, Questionnaire, Questions
from callgrade.adapters.llm.splitting import MARGIN, share, split
from callgrade.adapters.llm.tokens import estimate
from callgrade.catalog.prompts import Prompt
from callgrade.domain.rubrics import Criterion, Rubric
from callgrade.settings import LLMSettings

MOST_CRITERIA = 40
"""Criteria in one request. Beyond it answers grow long enough to be cut off."""


class Wording(NamedTuple):
    """The prompts in use and the language of their blocks."""

    judge: Prompt
    repair: Prompt
    language: str
    fold_special: bool = False
    """See `render_turns`: on for models that callgrade itself serves."""


class Composer:
    def __init__(self, settings: LLMSettings, wording: Wording):
        self._settings, self._language, self._fold_special = settings, wording.language, wording.fold_special
        self.questionnaire = Questionnaire(wording.judge, wording.language)
        self._user = wording.judge.template("user", wording.language)
        self._part = wording.judge.template("part", wording.language)

    def groups(self, rubric: Rubric) -> list[Questions]:
        """The rubric's LLM criteria, at most 40 a request."""
        criteria = rubric.judged_by("llm")
        if len(criteria) <= MOST_CRITERIA:
            return [self.questionnaire.about(rubric)]
        return [self.questionnaire.about(rubric, group) for group in _grouped(criteria)]

    def compose(self, questions: Questions, lines: Sequence[Line]) -> list[Question]:
        """One question, or one for each part of a call that does not fit. Raises ContextTooLongError."""
        window = share(self._settings, questions.tokens)
        parts = split(lines, window.transcript)
        return [
            self._question(questions, part, f"{number}/{len(parts)}" if len(parts) > 1 else None)
            for number, part in enumerate(parts, 1)
        ]

    def _question(self, questions: Questions, lines: Sequence[Line], part: str | None) -> Question:
        turns = fenced(render_turns(lines, self._language, fold_special=self._fold_special))
        user = self._user.render({"transcript": turns})
        if part:
            user = f"{self._part.render({'part': part})}\n{user}"
        taken = int((questions.tokens + estimate(user)) * MARGIN)
        room = max(self._settings.context_tokens - taken, self._settings.context_tokens // 4)
        return Question(questions, user, answer_tokens=min(self._settings.max_tokens, room))


def _grouped(criteria: Sequence[Criterion]) -> list[Sequence[Criterion]]:
    """Groups of nearly equal size: a last request for one criterion would pay for the whole call again."""
    number = -(-len(criteria) // MOST_CRITERIA)
    size = -(-len(criteria) // number)
    return [criteria[start : start + size] for start in range(0, len(criteria), size)]
