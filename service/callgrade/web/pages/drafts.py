"""A rubric's draft: its text, what is wrong with it as one types, and what it would make of a call."""

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

from fastapi import APIRouter, Request, Response

from callgrade.access.principals import Principal
from callgrade.adapters.rules import RuleJudge
from callgrade.adapters.speech import SpeechJudge
from callgrade.catalog.diff import diff_rubrics
from callgrade.domain.calls import Transcript
from callgrade.domain.frozen import LocalText
from callgrade.domain.rubrics import Rubric
from callgrade.domain.scorecards import Scorecard
from callgrade.evaluations import registry
from callgrade.evaluations.report.cards import Card, make_card
from callgrade.evaluations.service import Evaluator
from callgrade.reviews.drafts import LONGEST, Drafts, StaleDraftError, Written, checked
from callgrade.settings import Language
from callgrade.web.dependencies import Desk, Desked
from callgrade.web.pages.drafting import Body, Expected, Named, Then, Version, Writer, look
from callgrade.web.pages.rubrics import version_of, words_for
from callgrade.web.preferences import language_of, words_of
from callgrade.web.rubric_views import KINDS, groups_of
from callgrade.web.shell import by_htmx, fragment, page, redirect

BY_ITSELF = ("rules", "speech")
"""What judges without asking a model."""

router = APIRouter()


class Compared(NamedTuple):
    """One criterion before and after, as it was judged; None where that version has it not, or asks a model for it."""

    id: str
    title: LocalText
    before: Card | None
    after: Card | None

    @property
    def same(self) -> bool:
        told = [(card.verdict, card.outcome, card.points) if card else None for card in (self.before, self.after)]
        return told[0] == told[1]


@router.get("/rubrics/{rubric_id}/edit")
def edit(
    request: Request,
    visitor: Writer,
    desk: Desked,
    rubric_id: str,
    version: Version = None,
) -> Response:
    """The open draft; where there is none, a version as the beginning of one."""
    return _editor(request, visitor, desk, look(_drafts(desk), visitor, rubric_id, version))


@router.post("/rubrics/{rubric_id}/edit")
def save(
    request: Request,
    visitor: Writer,
    desk: Desked,
    rubric_id: str,
    text: Body,
    based_on: Named,
    expected: Expected,
    then: Then = "",
) -> Response:
    """Saved as it is, faults and all; `then` leads on to the back-test of one without errors. A stale one comes back
    beside what was saved meanwhile."""
    try:
        _drafts(desk).save(visitor, rubric_id, based_on, text, expected)
    except StaleDraftError as error:
        mine = Written(rubric_id=rubric_id, based_on=based_on, text=text, version=error.version, written_at=None)
        return _editor(request, visitor, desk, mine, status=409, theirs=error.text)
    if then == "back-test" and checked(rubric_id, text).rubric is not None:
        return redirect(request, f"/rubrics/{rubric_id}/back-test")
    return redirect(request, f"/rubrics/{rubric_id}/edit", told=words_of(request).gettext("The draft is saved."))


@router.post("/rubrics/{rubric_id}/edit/lint")
def lint(request: Request, visitor: Writer, desk: Desked, rubric_id: str, text: Body = "") -> Response:
    """What is wrong with what was typed so far. Saves nothing."""
    return fragment(request, "rubrics/_faults.html", visitor, faults=checked(rubric_id, text).faults)


@router.post("/rubrics/{rubric_id}/edit/preview")
def preview(
    request: Request,
    visitor: Writer,
    desk: Desked,
    rubric_id: str,
    text: Body,
    based_on: Named,
    expected: Expected = 0,
    call: Named = "",
) -> Response:
    """What differs from the version it is based on, and what rules and speech facts make of a call by either. No model
    is asked, and nothing is saved."""
    language = language_of(request)
    found = checked(rubric_id, text)
    with desk.database.reading() as session:
        base = registry.parsed(version_of(session, rubric_id, based_on))
        words = words_for(session, visitor, call.strip()) if call.strip() else None
    shown: dict[str, Any] = {"faults": found.faults, "call": call, "base": base, "groups": None, "compared": None}
    if found.rubric is not None:
        shown["groups"] = groups_of(diff_rubrics(base, found.rubric), base, found.rubric, language)
        shown["kinds"] = KINDS
        if words is not None:
            shown["compared"] = compare(base, found.rubric, words, language)
    if by_htmx(request):
        return fragment(request, "rubrics/_preview.html", visitor, readable=found.rubric is not None, **shown)
    mine = Written(rubric_id=rubric_id, based_on=based_on, text=text, version=expected, written_at=None)
    return _editor(request, visitor, desk, mine, readable=found.rubric is not None, **shown)


@router.post("/rubrics/{rubric_id}/edit/close")
def close(request: Request, visitor: Writer, desk: Desked, rubric_id: str, expected: Expected) -> Response:
    """Nobody goes on with the draft."""
    try:
        _drafts(desk).close(visitor, rubric_id, expected)
    except StaleDraftError as error:
        found = look(_drafts(desk), visitor, rubric_id)
        return _editor(request, visitor, desk, found, status=409, theirs=error.text)
    return redirect(request, f"/rubrics/{rubric_id}", told=words_of(request).gettext("The draft is closed."))


def compare(base: Rubric, draft: Rubric, words: Transcript, language: Language) -> list[Compared]:
    """Criteria that are judged without a model in either version, in the draft's order, those that went at the end."""
    before, after = (_judged(rubric, words) for rubric in (base, draft))
    ids = dict.fromkeys(criterion.id for rubric in (draft, base) for criterion in rubric.criteria)
    found = []
    for id_ in ids:
        cards = [_card(rubric, card, id_, words, language) for rubric, card in ((base, before), (draft, after))]
        if any(cards):
            title = (draft if id_ in draft.by_id else base).by_id[id_].title
            found.append(Compared(id_, title, *cards))
    return found


def _judged(rubric: Rubric, words: Transcript) -> Scorecard:
    return asyncio.run(Evaluator(rubric, [RuleJudge(), SpeechJudge()]).evaluate(words))


def _card(rubric: Rubric, card: Scorecard, id_: str, words: Transcript, language: Language) -> Card | None:
    criterion = rubric.by_id.get(id_)
    if criterion is None or criterion.judge not in BY_ITSELF:
        return None
    judgement = next(one for one in card.judgements if one.criterion_id == id_)
    return make_card(1, criterion, judgement, rubric, words, language)


def _drafts(desk: Desk) -> Drafts:
    return Drafts(desk.database, clock=desk.clock)


def _editor(
    request: Request, visitor: Principal, desk: Desk, draft: Written, *, status: int = 200, **more: Any
) -> Response:
    faults: Sequence[Any] = more.pop("faults", None) or checked(draft.rubric_id, draft.text).faults
    context = {"theirs": None, "call": "", "base": None, "groups": None, "compared": None, "readable": None, **more}
    return page(
        request, "rubrics/edit.html", visitor, status=status, draft=draft, faults=faults, longest=LONGEST, **context
    )
