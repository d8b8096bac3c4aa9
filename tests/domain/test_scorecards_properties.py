"""`score()` against brute force: every way the unknown items may turn out, on small rubrics."""

from itertools import product

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from callgrade.domain.judgements import Judgement
from callgrade.domain.rubrics import Criterion, Rubric
from callgrade.domain.scorecards import score
from tests.domain.forms import answer, bonus, deduct, likert, rubric, violation

COUNTS = 4  # caps below are reached within this many occurrences
slow = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])


def criteria(id_: str, sections: list[str], others: list[str]) -> st.SearchStrategy:
    place = st.sampled_from(sections)
    policy = st.sampled_from(["rescale", "full", "forbidden"])
    when = st.sampled_from([{}, {}, {f"fact-{id_}": [True]}])
    more = st.fixed_dictionaries({"section": place, "not_applicable": policy, "when": when})
    effects = st.sampled_from(["zero_section", "zero_call", "fail_call", "flag"])
    made = [
        st.builds(lambda y, n, m: answer(id_, y, n, **m), st.integers(1, 9), st.integers(-3, 9), more),
        st.builds(lambda low, m: likert(id_, low, low + 2, **m), st.integers(0, 3), more),
        st.builds(lambda p, f, m: deduct(id_, p, free=f, cap=2 * p, aggravated=2, **m),
                  st.integers(0, 5), st.integers(0, 2), more),
        st.builds(lambda p, m: deduct(id_, p, cap=2 * p, aggravated=2, aggravated_when={f"serious-{id_}": [True]}, **m),
                  st.integers(1, 5), more),
        st.builds(lambda e, m: violation(id_, e, **m), effects, more),
        st.builds(lambda e, n, m: violation(id_, e, at_least=n, **m), effects, st.integers(2, 3), more),
        st.builds(lambda e, g, m: violation(id_, e, aggravated={"severity": "level-0", "effect": g}, **m),
                  effects, effects, more),
    ]  # fmt: skip
    if others:
        required = st.lists(st.sampled_from(others), min_size=0, max_size=2, unique=True)
        made.append(st.builds(lambda p, r, m: bonus(id_, p, *r, **m), st.integers(1, 9), required, more))
    return st.one_of(made)


@st.composite
def forms(draw: st.DrawFn) -> Rubric:
    combine = st.sampled_from(["sum", "sum", "mean"])
    sections = [
        {"id": "one", "floor": draw(st.sampled_from([None, 0])), "combine": draw(combine)},
        {"id": "two", "weight": 2, "combine": draw(combine)},
    ]
    if draw(st.booleans()):
        sections[1]["parent"] = "one"
    items, ids = [], []
    for index in range(draw(st.integers(1, 4))):
        id_ = f"c{index}"
        items.append(draw(criteria(id_, ["one", "two"], ids)))
        ids.append(id_)
    total = {"floor": draw(st.sampled_from([None, 0])), "combine": draw(combine)}
    total["start"] = draw(st.sampled_from([0, 0, 10])) if total["combine"] == "sum" else 0
    return rubric(*items, sections=sections, total=total)


def outcomes(criterion: Criterion) -> list[dict | str]:
    scale = criterion.scale
    if scale.kind in ("answer", "bonus"):
        made: list[dict | str] = [{"answer": "yes"}, {"answer": "no"}]
    elif scale.kind == "likert":
        made = [{"score": value} for value in range(scale.min, scale.max + 1)]
    else:
        made = [{"occurrences": n} for n in range(COUNTS + 1)]
        if scale.kind == "violation" and scale.aggravated is not None:
            made += [{"occurrences": n, "aggravated": n} for n in (1, 2)] + [{"occurrences": 2, "aggravated": 1}]
    return made if criterion.not_applicable == "forbidden" else [*made, "not_applicable"]


def judgement(criterion: Criterion, outcome: dict | str) -> Judgement:
    fields = {"status": outcome} if isinstance(outcome, str) else {"status": "judged", "outcome": outcome}
    return Judgement.model_validate({"criterion_id": criterion.id, "method": "human", **fields})


def fact_names(form: Rubric) -> list[str]:
    return sorted({name for c in form.criteria for name in (*c.when, *getattr(c.scale, "aggravated_when", ()))})


def completions(form: Rubric, known: dict[str, Judgement]):
    """Every way to judge what `known` leaves out, with every value of the facts that are unknown."""
    open_items = [c for c in form.criteria if c.id not in known]
    names = fact_names(form)
    for values in product([True, False], repeat=len(names)):
        facts = dict(zip(names, values, strict=True))
        for chosen in product(*(outcomes(c) for c in open_items)):
            made = {c.id: judgement(c, o) for c, o in zip(open_items, chosen, strict=True)}
            yield {**known, **made}, facts


@slow
@given(st.data())
def test_the_interval_is_what_brute_force_finds(data: st.DataObject):
    form = data.draw(forms())
    known = {}
    for criterion in form.criteria:
        # an item whose fact is unknown counts as unknown, judged or not: leave it out here as well
        if not criterion.when and data.draw(st.booleans(), label=f"{criterion.id} known"):
            known[criterion.id] = judgement(criterion, data.draw(st.sampled_from(outcomes(criterion))))
    assume(len(form.criteria) - len(known) <= 3)
    card = score(form, known, {})
    finals = [score(form, made, facts) for made, facts in completions(form, known)]
    values = [final.total.value for final in finals if final.total.reason is None]
    if not values:
        assert card.total.reason == "nothing_applicable"
        return
    assert (card.total.low, card.total.high) == pytest.approx((min(values), max(values)))
    if card.total.value is not None:
        assert {round(value, 9) for value in values} == {round(card.total.value, 9)}
    if card.passed is not None:
        assert {final.passed for final in finals} == {card.passed}
    for index, section in enumerate(card.sections):
        ends = [final.sections[index].value for final in finals if final.sections[index].reason is None]
        if ends:
            assert (section.low, section.high) == pytest.approx((min(ends), max(ends)))


@slow
@given(st.data())
def test_settled_forms_lie_within_their_bounds_and_do_not_depend_on_order(data: st.DataObject):
    form = data.draw(forms())
    facts = dict.fromkeys(fact_names(form), True)
    made = {c.id: judgement(c, data.draw(st.sampled_from(outcomes(c)))) for c in form.criteria}
    card = score(form, made, facts)
    assert card.total.low == card.total.value == card.total.high
    if card.total.value is not None:
        assert card.total.value <= card.total.max
        assert form.total.floor is None or card.total.value >= form.total.floor
    shuffled = dict(data.draw(st.permutations(sorted(made.items()))))
    assert score(form, shuffled, facts) == card


@slow
@given(st.data())
def test_a_further_occurrence_never_raises_a_score(data: st.DataObject):
    form = data.draw(forms())
    counted = [c for c in form.criteria if c.scale.kind in ("deduct", "violation")]
    assume(counted)
    chosen = data.draw(st.sampled_from(counted))
    facts = dict.fromkeys(fact_names(form), True)
    made = {c.id: judgement(c, data.draw(st.sampled_from(outcomes(c)))) for c in form.criteria if c is not chosen}
    found = data.draw(st.integers(0, COUNTS))
    serious = data.draw(st.integers(0, found))
    before = score(form, {**made, chosen.id: judgement(chosen, {"occurrences": found, "aggravated": serious})}, facts)
    more = {"occurrences": found + 1, "aggravated": serious + data.draw(st.integers(0, 1))}
    after = score(form, {**made, chosen.id: judgement(chosen, more)}, facts)
    if before.total.value is not None:
        assert after.total.value <= before.total.value + 1e-9
    assert not (after.passed and not before.passed and before.passed is not None)
