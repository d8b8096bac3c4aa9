"""States, the keys that they hold for, and what a proposal needs to go through."""

import pytest

from callgrade.domain.autonomy import (
    CALL_LEVEL,
    Evidence,
    at_most,
    decide,
    goes_through,
    is_miss,
    keys_of,
    passing,
    why_never,
)
from callgrade.domain.frozen import LocalText
from callgrade.domain.judgements import EXCLUDED, Judgement, cannot_assess
from callgrade.domain.judgements import Evidence as Quote
from callgrade.domain.reviews import Decision
from callgrade.domain.rubrics import Phrases
from callgrade.domain.scorecards import Provenance, score
from tests.domain.forms import answer, rubric, violation

RULE = {"find": {"lists": ["rude"]}}
FORM = rubric(
    answer("warm", 6),
    answer("polite", 4, judge="rules", rule=RULE),
    answer("kind", 4, judge="human"),
    violation("bait", "fail_call"),
).model_copy(update={"phrase_lists": {"rude": Phrases(phrases=("滚",)), "other": Phrases(phrases=("好",))}})
BY = Provenance(prompt={"digest": "sha256:p"}, model_reported="m-1", recogniser="r-1")
QUOTE = Quote(quote="随时取消", grounding="exact", turn=0, speaker="agent", start=0, end=4)


def shown(form=FORM, **outcomes):
    told = {
        id_: Judgement(criterion_id=id_, status="judged", outcome=outcome, method="llm", evidence=(QUOTE,))
        for id_, outcome in outcomes.items()
    }
    return {one.criterion_id: one for one in score(form, told, {}).judgements}


def of(reviewed, misses=0, **more):
    told = {"source": "production", "level": 0.05, "confidence": 0.95, "reviewed": reviewed, "misses": misses, **more}
    return Evidence.model_validate(told)


def test_a_key_names_what_was_measured():
    keys = keys_of(FORM, BY)
    assert keys["warm"].model_dump(exclude={"criterion_digest"}) == {
        "criterion_id": "warm",
        "prompt_digest": "sha256:p",
        "model_reported": "m-1",
        "recogniser": "r-1",
    }
    assert (keys["polite"].prompt_digest, keys["polite"].model_reported, keys["polite"].recogniser) == ("", "", "r-1")
    assert keys[CALL_LEVEL].model_reported == "m-1"
    both = BY.model_copy(update={"model_reported": ("m-2", "m-1")})
    assert keys_of(FORM, both)["warm"].model_reported == "m-1,m-2"


def test_what_did_not_change_keeps_its_key():
    warm = FORM.by_id["warm"].model_copy(update={"guidance": LocalText(zh="别的")})
    changed = FORM.model_copy(update={"version": "v2", "criteria": (warm, *FORM.criteria[1:])})
    before, after = keys_of(FORM, BY), keys_of(changed, BY)
    assert before["warm"] != after["warm"]
    assert {id_ for id_ in before if before[id_] == after[id_]} == {"polite", "kind", "bait", CALL_LEVEL}


def test_the_words_of_a_list_are_part_of_the_rule_that_names_it():
    lists = {**FORM.phrase_lists, "rude": Phrases(phrases=("滚", "烦"))}
    before, after = keys_of(FORM, BY), keys_of(FORM.model_copy(update={"phrase_lists": lists}), BY)
    assert [id_ for id_ in before if before[id_] != after[id_]] == ["polite"]
    lists = {**FORM.phrase_lists, "other": Phrases(phrases=("坏",))}
    assert keys_of(FORM.model_copy(update={"phrase_lists": lists}), BY) == before


def test_a_change_of_one_violation_is_one_of_all_together():
    bait = FORM.by_id["bait"].model_copy(update={"title": LocalText(zh="别的")})
    changed = FORM.model_copy(update={"criteria": (*FORM.criteria[:3], bait)})
    before, after = keys_of(FORM, BY), keys_of(changed, BY)
    assert {id_ for id_ in before if before[id_] != after[id_]} == {"bait", CALL_LEVEL}


def test_people_and_models_without_a_name_never_go_by_themselves():
    keys = keys_of(FORM, BY)
    assert why_never(FORM.by_id["warm"], keys["warm"]) is None
    assert why_never(FORM.by_id["polite"], keys["polite"]) is None
    assert why_never(FORM.by_id["kind"], keys["kind"]) is not None
    nameless = keys_of(FORM, Provenance(prompt={"digest": "sha256:p"}))
    assert why_never(FORM.by_id["warm"], nameless["warm"]) is not None


def test_what_goes_through_is_judged_founded_and_no_red_line():
    assert goes_through(FORM.by_id["warm"], shown(warm={"answer": "no"})["warm"])
    assert goes_through(FORM.by_id["bait"], shown(bait={"occurrences": 0})["bait"])
    assert not goes_through(FORM.by_id["bait"], shown(bait={"occurrences": 1})["bait"])
    assert not goes_through(FORM.by_id["warm"], shown()["warm"])
    made_up = Quote(quote="x", grounding="unfounded", why="not_found")
    unfounded = shown(warm={"answer": "yes"})["warm"].model_copy(update={"evidence": (QUOTE, made_up)})
    assert not goes_through(FORM.by_id["warm"], unfounded)


def test_a_threshold_lets_through_only_what_is_known_to_be_sure():
    one = shown(warm={"answer": "yes"})["warm"]
    assert not goes_through(FORM.by_id["warm"], one, threshold=0.9)
    assert goes_through(FORM.by_id["warm"], one.model_copy(update={"confidence": 0.9}), threshold=0.9)


@pytest.mark.parametrize(
    ("kind", "outcome", "missed"),
    [
        ("approve", None, False),
        ("override", {"answer": "yes"}, False),
        ("override", {"answer": "no"}, True),
        ("override", None, True),
        ("cannot_judge", None, None),
    ],
)
def test_a_miss_is_what_a_person_says_otherwise(kind, outcome, missed):
    told = {"criterion_id": "warm", "version": 1, "kind": kind, "outcome": outcome, "reason": "r", "by": "user:1"}
    decision = Decision.model_validate({**told, "at": "2026-11-22T09:00:00Z"})
    assert is_miss(FORM.by_id["warm"], shown(warm={"answer": "yes"})["warm"], decision) is missed


def test_of_a_fault_does_not_apply_is_as_good_as_none():
    told = {"criterion_id": "bait", "version": 1, "kind": "override", "reason": "r", "by": "user:1"}
    absent = Decision.model_validate({**told, "outcome": None, "at": "2026-11-22T09:00:00Z"})
    found = Decision.model_validate({**told, "outcome": {"occurrences": 1}, "at": "2026-11-22T09:00:00Z"})
    one = shown(bait={"occurrences": 0})["bait"]
    assert is_miss(FORM.by_id["bait"], one, absent) is False
    assert is_miss(FORM.by_id["bait"], one, found) is True


def test_a_whole_call_passes_only_with_all_its_criteria():
    told = tuple(shown(warm={"answer": "yes"}, polite={"answer": "yes"}, bait={"occurrences": 0}).values())
    everything = frozenset(FORM.by_id)
    assert passing(FORM, told, everything, call_level=False).passes
    assert passing(FORM, told, everything - {"kind"}, call_level=True).stopped_by == "kind"
    assert passing(FORM, told, everything - {"bait"}, call_level=False).stopped_by == "bait"
    assert passing(FORM, told, everything - {"bait"}, call_level=True).passes
    assert not passing(FORM, told, frozenset(), call_level=False).passes


def test_what_the_facts_exclude_stops_nothing_but_proves_nothing_either():
    excluded = tuple(one.model_copy(update={"reason": EXCLUDED}) for one in shown().values())
    assert not passing(FORM, excluded, frozenset(), call_level=True).passes


def test_the_state_follows_from_the_bound_alone():
    assert decide(of(0, needed=59)).state == "human_only"
    assert decide(of(59, bound=0.0495)).state == "automatic"
    assert decide(of(59, bound=0.0495)).needed == 0
    assert decide(of(58, bound=0.0503, needed=1)).state == "assisted"
    assert decide(of(10, bound=0.26, needed=49)).state == "human_only"
    assert decide(of(0, bound=0.0)).state == "human_only", "a bound on nothing is none"
    never = LocalText(zh="不", en="no")
    assert decide(of(500, bound=0.006), never=never).reason == never
    assert at_most(decide(of(59, bound=0.0495)), "assisted") == "assisted"
    assert at_most(decide(of(10, bound=0.26, needed=49)), "automatic") == "human_only"


def test_the_first_line_says_why_and_what_to_do_in_both_languages():
    verdict = decide(of(58, 1, bound=0.0791, needed=35))
    assert verdict.reason.en == "1 missed of 58 reviewed: at most 8 % > 5 %, with 95 % confidence."
    assert verdict.reason.zh == "复核 58 通，漏判 1：漏判率上限 8 % > 5 %（置信 95 %）"
    assert "35" in verdict.action.zh
    assert "35" in verdict.action.en
    assert "Improve" in decide(of(58, 9, bound=0.3, needed=None)).action.en
    twice = decide(of(59, bound=0.0602, needed=14, confidence=0.975, look=1, looks=2))
    assert "97.5 % confidence (1/2)" in twice.reason.en


def test_an_abstention_does_not_go_through():
    one = shown()["warm"]
    assert one.status == cannot_assess("warm", "llm", "").status
    assert not goes_through(FORM.by_id["warm"], one)
