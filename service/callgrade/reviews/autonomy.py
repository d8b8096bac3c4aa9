"""Which criteria of one scorecard go by themselves. The state is looked up by what made the scorecard: another model,
prompt, criterion or recogniser finds none, and then people decide."""

from collections.abc import Iterable, Mapping

from pydantic import ValidationError
from sqlmodel import Session

from callgrade.db.tables import Autonomy
from callgrade.domain.autonomy import (
    CALL_LEVEL,
    STATES,
    Evidence,
    Key,
    Passing,
    State,
    goes_through,
    keys_of,
    passing,
    why_never,
)
from callgrade.domain.frozen import Frozen, LocalText
from callgrade.domain.judgements import EXCLUDED
from callgrade.domain.rubrics import Rubric
from callgrade.domain.scorecards import Scorecard
from callgrade.evaluations.registry import rubric_of_digest
from callgrade.reviews import autonomy_repository as repository
from callgrade.reviews.confidence import Confidence, with_confidence

LOOKED_BACK = 50
"""Proposals by which it is known what makes scorecards now."""
CHANGED = {
    "criterion_digest": ("评分项", "criterion"),
    "prompt_digest": ("提示词", "prompt"),
    "model_reported": ("模型", "model"),
    "recogniser": ("识别引擎", "recogniser"),
}
NOBODY = LocalText(zh="尚未授予自主权", en="Nothing was granted.")
UNPROVEN = LocalText(zh="没有可信的证据", en="There is no evidence that proves it.")


class Standing(Frozen):
    """The state of one criterion, and why. `id` of the row that says so; None where there is none."""

    id: str | None = None
    state: State = "human_only"
    threshold: float | None = None
    reason: LocalText = NOBODY
    confidence: Confidence | None = None


class Pass(Frozen):
    """What autonomy makes of one scorecard. `automatic`: criterion → why it goes through. `rests_on` are rows."""

    automatic: dict[str, LocalText]
    passing: Passing
    rests_on: tuple[str, ...] = ()


def key_of(row: Autonomy) -> Key:
    return Key(**{name: getattr(row, name) for name in Key.model_fields})


def text_of(stored: str | None) -> LocalText:
    """A reason as it is stored: in both languages, or as somebody typed it."""
    try:
        return LocalText.model_validate_json(stored or "")
    except ValidationError:
        return LocalText(zh=stored or "", en=stored or "")


def evidence_of(row: Autonomy) -> Evidence | None:
    """None where there is none that can be read."""
    try:
        return Evidence.model_validate(row.evidence.get("figures"))
    except ValidationError:
        return None


def confidence_of(row: Autonomy) -> Confidence | None:
    """The calibrated one, if it has any."""
    try:
        return Confidence.model_validate(row.evidence["confidence"])
    except (KeyError, ValidationError):
        return None


def sure(rubric: Rubric, card: Scorecard, stand: Mapping[str, Standing]) -> Scorecard:
    """The proposal with calibrated confidences in the place of what the judge says of itself, where there are any.
    `stand` is what `states` found for it."""
    known = {id_: one.confidence for id_, one in stand.items() if one.confidence is not None}
    return with_confidence(card, known, rubric)


def states(session: Session, client_id: str, rubric: Rubric, card: Scorecard) -> dict[str, Standing]:
    """The state of each criterion, and of the call's violations together, for exactly what made this scorecard.

    An automatic one whose evidence does not prove its bound, or which nothing could prove, is `human_only`.
    """
    rows = {key_of(row): row for row in repository.standing(session, client_id, rubric.id)}
    found: dict[str, Standing] = {}
    if not rows:
        return found
    for id_, key in keys_of(rubric, card.provenance).items():
        row = rows.get(key)
        if row is None:
            continue
        evidence, criterion = evidence_of(row), rubric.by_id.get(id_)
        never = why_never(criterion, key) if criterion else None
        if never or (row.state == "automatic" and not (evidence and evidence.proves)):
            found[id_] = Standing(id=row.id, reason=never or UNPROVEN)
            continue
        state = next((one for one in STATES if one == row.state), STATES[0])
        found[id_] = Standing(
            id=row.id,
            state=state,
            threshold=row.threshold,
            reason=text_of(row.reason),
            confidence=None if state == "human_only" else confidence_of(row),
        )
    return found


def automatic(rubric: Rubric, card: Scorecard, stand: Mapping[str, Standing]) -> dict[str, LocalText]:
    """Criterion → why it goes through by itself, of a scorecard that `sure` has seen to."""
    found = {}
    for proposed in card.judgements if stand else ():
        one = stand.get(proposed.criterion_id)
        if one is None or one.state != "automatic" or proposed.reason == EXCLUDED:
            continue
        if goes_through(rubric.by_id[proposed.criterion_id], proposed, threshold=one.threshold):
            found[proposed.criterion_id] = one.reason
    return found


def pass_of(session: Session, client_id: str, rubric: Rubric, card: Scorecard) -> Pass:
    """What of this scorecard goes through by itself, and whether all of it does."""
    stand = states(session, client_id, rubric, card)
    alone = automatic(rubric, sure(rubric, card, stand), stand)
    together = stand.get(CALL_LEVEL)
    call_level = together is not None and together.state == "automatic"
    rests_on = [stand[id_].id for id_ in alone] + [together.id if together is not None and call_level else None]
    return Pass(
        automatic=alone,
        passing=passing(rubric, card.judgements, frozenset(alone), call_level=call_level),
        rests_on=tuple(id_ for id_ in rests_on if id_ is not None),
    )


def keys_in_use(session: Session, client_id: str, rubric_id: str) -> dict[Key, Rubric]:
    """What made the client's newest scorecards of a rubric, the newest first, each with the form it stands in."""
    found: dict[Key, Rubric] = {}
    for digest, content in repository.newest_proposals(session, client_id, rubric_id, LOOKED_BACK):
        rubric = rubric_of_digest(session, digest)
        for key in keys_of(rubric, Scorecard.model_validate_json(content).provenance).values():
            found.setdefault(key, rubric)
    return found


def why_idle(key: Key, keys: Iterable[Key]) -> LocalText:
    """Of a state that finds nothing to stand for among `keys`, the newest first: which changes it was."""
    now = next((one for one in keys if one.criterion_id == key.criterion_id), None)
    changed = [words for name, words in CHANGED.items() if now is None or getattr(now, name) != getattr(key, name)]
    what = [", ".join(words[place] for words in changed) for place in (0, 1)]
    return LocalText(
        zh=f"已换{what[0].replace(', ', '、')}，不再适用", en=f"Applies to nothing now: another {what[1]}."
    )
