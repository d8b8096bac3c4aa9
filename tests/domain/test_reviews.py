"""Decisions over a proposal. The form and the proposal are made up."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callgrade.domain.errors import JudgementError
from callgrade.domain.judgements import Evidence, Judgement, cannot_assess
from callgrade.domain.options import counts, options
from callgrade.domain.outcomes import Answer, Level, Occurrences
from callgrade.domain.reviews import (
    Decision,
    check_override,
    rescored,
    standing,
    undecided,
    why_not_approved,
    why_not_in_bulk,
)
from callgrade.domain.rubrics import Rubric
from callgrade.domain.scorecards import Provenance, score

AT = datetime(2026, 11, 22, tzinfo=UTC)
SAID = Evidence(quote="您好", grounding="exact", turn=0, speaker="agent", start=0, end=2)
NOT_SAID = Evidence(quote="保证收益", grounding="unfounded", why="not_found")


def criterion(id_: str, scale: dict, **more: object) -> dict:
    return {"id": id_, "title": {"zh": id_}, "judge": "llm", "scale": scale, **more}


RUBRIC = Rubric.model_validate(
    {
        "schema": "callgrade.rubric/1",
        "id": "made-up",
        "version": "v1",
        "title": {"zh": "样例"},
        "total": {"max": 20},
        "criteria": [
            criterion("greeting", {"kind": "answer", "yes": 5, "no": 0}),
            criterion(
                "clarity",
                {"kind": "levels", "levels": [{"id": "good", "points": 15}, {"id": "poor", "points": 5}]},
                not_applicable="forbidden",
                critical=True,
            ),
            criterion("promise", {"kind": "violation", "severity": "grave", "effect": "fail_call"}),
            criterion("warmth", {"kind": "deduct", "points": 2, "free": 1, "cap": 6}),
        ],
    }
)


def judged(id_: str, outcome: object, *evidence: Evidence, confidence: float | None = 0.95) -> Judgement:
    return Judgement(
        criterion_id=id_, status="judged", outcome=outcome, method="llm", confidence=confidence, evidence=evidence
    )


PROPOSED = {
    j.criterion_id: j
    for j in (
        judged("greeting", Answer(answer="yes"), SAID),
        judged("clarity", Level(level="good")),
        judged("promise", Occurrences(occurrences=1), NOT_SAID),
        cannot_assess("warmth", "llm", "too short"),
    )
}
PROPOSAL = score(RUBRIC, PROPOSED, {}, call_id="C-1", digest="sha256:x").model_copy(
    update={"provenance": Provenance(model_reported="a-model")}
)
BY_ID = {judgement.criterion_id: judgement for judgement in PROPOSAL.judgements}


def row(id_: str, kind: str, version: int = 1, **more: object) -> Decision:
    return Decision.model_validate(
        {"criterion_id": id_, "version": version, "kind": kind, "by": "user:u1", "at": AT, **more}
    )


def test_an_undo_brings_back_what_stood_before():
    log = [
        row("greeting", "approve", 1),
        row("greeting", "override", 2, outcome={"answer": "no"}, reason="没有报工号"),
        row("greeting", "undo", 3),
    ]
    assert standing(log[:2])["greeting"].kind == "override"
    assert standing(log)["greeting"].kind == "approve"
    assert standing([*log, row("greeting", "undo", 4)]) == {}
    assert standing([*log, row("greeting", "undo", 4), row("greeting", "undo", 5)]) == {}


@given(st.lists(st.sampled_from(["approve", "cannot_judge", "undo"]), max_size=20), st.randoms())
def test_what_stands_depends_on_the_rows_alone_and_not_on_their_order(kinds, random):
    log = [row("greeting", kind, n, reason="听不清") for n, kind in enumerate(kinds, 1)]
    expected: list[str] = []
    for kind in kinds:
        if kind == "undo":
            expected = expected[:-1]
        else:
            expected.append(kind)
    random.shuffle(log)
    assert [d.kind for d in standing(log).values()] == expected[-1:]


def test_only_what_was_shown_and_said_can_be_approved():
    assert why_not_approved(BY_ID["greeting"]) is None
    assert why_not_approved(BY_ID["greeting"], blind=True) == "hidden"
    assert why_not_approved(BY_ID["promise"]) == "unfounded_evidence"
    assert why_not_approved(BY_ID["warmth"]) == "nothing_proposed"


def test_a_red_line_is_never_approved_with_others():
    founded = PROPOSED | {"promise": judged("promise", Occurrences(occurrences=1), SAID)}
    poor = founded | {"clarity": judged("clarity", Level(level="poor"))}
    cards = {j.criterion_id: j for j in score(RUBRIC, poor, {}).judgements}
    asked = {id_: why_not_in_bulk(cards[id_], RUBRIC.by_id[id_], at_least=0.9) for id_ in cards}
    assert asked == {"greeting": None, "clarity": "red_line", "promise": "red_line", "warmth": "nothing_proposed"}


@pytest.mark.parametrize(("confidence", "why"), [(None, "no_confidence"), (0.89, "low_confidence"), (0.9, None)])
def test_only_what_is_sure_enough_is_approved_with_others(confidence, why):
    card = score(RUBRIC, {"greeting": judged("greeting", Answer(answer="yes"), confidence=confidence)}, {})
    assert why_not_in_bulk(card.judgements[0], RUBRIC.criteria[0], at_least=0.9) == why


def test_an_override_changes_the_total_by_the_same_arithmetic():
    log = standing(
        [
            row("greeting", "override", outcome={"answer": "no"}, reason="没有问候"),
            row("clarity", "approve"),
            row("promise", "override", outcome={"occurrences": 0}, reason="没有承诺"),
            row("warmth", "override", outcome={"occurrences": 3}, reason="三次"),
        ]
    )
    card = rescored(RUBRIC, PROPOSAL, log, {})
    # 0 + 15 + two charged occurrences of 2 points
    assert card.total is not None
    assert card.total.value == 11.0
    assert card.violations == ()
    assert {j.criterion_id: j.method for j in card.judgements} == {
        "greeting": "human",
        "clarity": "llm",
        "promise": "human",
        "warmth": "human",
    }
    assert card.provenance.model_reported == "a-model"
    assert undecided(PROPOSAL, log) == ()


def test_a_blind_review_knows_nothing_of_the_proposal():
    card = rescored(RUBRIC, PROPOSAL, {}, {}, blind=True)
    assert {j.status for j in card.judgements} == {"cannot_assess"}
    assert card.provenance == Provenance()
    assert not any(j.evidence or j.reason for j in card.judgements)
    assert card.flags == score(RUBRIC, {}, {}).flags


def test_what_is_left_open_is_named_in_the_order_of_the_form():
    assert undecided(PROPOSAL, {"clarity": row("clarity", "approve")}) == ("greeting", "promise", "warmth")


def test_what_cannot_be_judged_stays_unknown():
    log = {"clarity": row("clarity", "cannot_judge", reason="录音中断")}
    card = rescored(RUBRIC, PROPOSAL, log, {})
    assert card.total is not None
    assert card.total.value is None
    assert next(j.reason for j in card.judgements if j.criterion_id == "clarity") == "录音中断"


def test_a_scale_refuses_what_it_does_not_take():
    check_override(RUBRIC.by_id["greeting"], None)
    with pytest.raises(JudgementError, match="clarity"):
        check_override(RUBRIC.by_id["clarity"], None)
    with pytest.raises(JudgementError, match="greeting"):
        check_override(RUBRIC.by_id["greeting"], Level(level="good"))


def test_a_reason_is_asked_for_and_an_outcome_is_an_overrides_alone():
    with pytest.raises(ValueError, match="say why"):
        row("greeting", "cannot_judge", reason="  ")
    with pytest.raises(ValueError, match="only an override"):
        row("greeting", "approve", outcome={"answer": "no"})


def test_options_stand_best_first_and_fit_the_digits():
    shown = {c.id: options(c) for c in RUBRIC.criteria}
    assert shown["greeting"] == (Answer(answer="yes"), Answer(answer="no"), None)
    assert shown["clarity"] == (Level(level="good"), Level(level="poor"))
    assert shown["promise"] == (Occurrences(occurrences=0), Occurrences(occurrences=1), None)
    # one free, three charged until nothing is left
    assert shown["warmth"] == (*(Occurrences(occurrences=n) for n in range(5)), None)
    assert [c.id for c in RUBRIC.criteria if counts(c)] == ["promise", "warmth"]


def test_every_option_of_every_shipped_rubric_can_be_chosen():
    from callgrade.catalog import list_rubrics, load_rubric

    seen = 0
    for listed in list_rubrics():
        for each in load_rubric(listed.reference).criteria:
            chosen = options(each)
            assert 2 <= len(chosen) <= 9
            assert len(set(chosen)) == len(chosen)
            for outcome in chosen:
                check_override(each, outcome)
            seen += 1
    assert seen > 150
