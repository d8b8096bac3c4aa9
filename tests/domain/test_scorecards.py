"""`score()` on cases worked out by hand. The working stands beside each number."""

import pytest

from callgrade.domain.errors import JudgementError
from callgrade.domain.scorecards import Scorecard, score
from tests.domain.forms import answer, bonus, deduct, judged, likert, rubric, violation


def total(card: Scorecard) -> tuple[float | None, float | None, float | None, float]:
    assert card.total is not None
    return card.total.value, card.total.low, card.total.high, card.total.max


BUSINESS = {"id": "business", "max": 50, "floor": 0}
ATTITUDE = {"id": "attitude", "max": 25, "floor": 0}


class TestSectionsOfDeductions:
    """Like outbound-sales-qa: each section holds its points until they are lost, never below zero."""

    form = rubric(
        deduct("fees", 10, section="business"),
        deduct("wrong", 15, section="business"),
        deduct("rude", 5, section="attitude", cap=20),
        sections=[BUSINESS, ATTITUDE],
        total={"max": 75, "floor": 0},
    )

    def test_a_clean_call_keeps_everything(self):
        card = score(self.form, judged(fees={"occurrences": 0}, wrong={"occurrences": 0}, rude={"occurrences": 0}), {})
        assert total(card) == (75, 75, 75, 75)

    def test_deductions_come_off_their_own_section(self):
        # business 50 − 2·10 − 15 = 15; attitude 25 − 5 = 20
        card = score(self.form, judged(fees={"occurrences": 2}, wrong={"occurrences": 1}, rude={"occurrences": 1}), {})
        assert [s.value for s in card.sections] == [15, 20]
        assert total(card)[0] == 35

    def test_a_section_stops_at_its_floor_and_a_cap_limits_the_loss(self):
        # business 50 − 6·10 → floor 0; attitude 25 − min(9·5, 20) = 5
        card = score(self.form, judged(fees={"occurrences": 6}, wrong={"occurrences": 0}, rude={"occurrences": 9}), {})
        assert [s.value for s in card.sections] == [0, 5]
        assert total(card)[0] == 5

    def test_what_is_unknown_widens_the_interval_to_the_floor(self):
        # fees known: business ≤ 50 − 10 = 40, ≥ 0; attitude between 25 − 20 = 5 and 25
        card = score(self.form, judged(fees={"occurrences": 1}), {})
        assert total(card) == (None, 5, 65, 75)
        assert (card.assessed.value, card.assessed.max) == (40, 50)
        assert card.assessed.share == pytest.approx(1 / 3)

    def test_points_stand_beside_each_judgement(self):
        card = score(self.form, judged(fees={"occurrences": 1}), {})
        assert (card.judgements[0].points, card.judgements[0].max_points) == (-10, 0)
        assert (card.judgements[1].points, card.judgements[1].status) == (None, "cannot_assess")


class TestStartAtAHundred:
    form = rubric(
        deduct("tone", 10),
        deduct("hang-up", 6, aggravated=2),
        total={"start": 100, "max": 100, "pass_line": 80, "grades": [
            {"id": "good", "at_least": 90}, {"id": "fair", "at_least": 80}, {"id": "poor", "at_least": 0}]},
    )  # fmt: skip

    def test_aggravated_occurrences_cost_double(self):
        # 100 − 10 − (1·6 + 1·6·2) = 72
        card = score(self.form, judged(tone={"occurrences": 1}, hang_up={"occurrences": 2, "aggravated": 1}), {})
        assert (total(card)[0], card.passed, card.grade) == (72, False, "poor")

    def test_exactly_the_line_passes(self):
        card = score(self.form, judged(tone={"occurrences": 2}, hang_up={"occurrences": 0}), {})
        assert (total(card)[0], card.passed, card.grade) == (80, True, "fair")

    def test_without_a_floor_nothing_bounds_an_unknown_deduction(self):
        card = score(self.form, judged(tone={"occurrences": 0}), {})
        assert total(card) == (None, None, 100, 100)
        assert card.total is not None
        assert card.total.reason == "unbounded_below"
        assert (card.passed, card.grade) == (None, None)

    def test_free_occurrences_forgive_the_plain_ones_first(self):
        form = rubric(deduct("umm", 2, free=1, aggravated=3), total={"start": 10, "max": 10})
        # 3 found, 1 aggravated: plain 2 − 1 free = 1·2, aggravated 1·2·3 → 10 − 8
        assert total(score(form, judged(umm={"occurrences": 3, "aggravated": 1}), {}))[0] == 2


class TestNotApplicable:
    form = rubric(likert("a", 0, 10), likert("b"), likert("c"), total={"max": 20, "floor": 0})

    def test_leaving_out_rescales_the_rest(self):
        # 6 of 10 and 3 of 5 → 9/15 of 20 = 12
        card = score(self.form, judged(a={"score": 6}, b={"score": 3}, c="not_applicable"), {})
        assert total(card)[0] == 12

    def test_the_ends_are_not_the_worst_items(self):
        # design.md: a is 0 of 10. b and c judged at 1 of 5 give 2/20, left out they give 0/10 = 0; best 10/20
        assert total(score(self.form, judged(a={"score": 0}), {})) == (None, 0, 10, 20)

    def test_full_marks_where_the_rubric_says_so(self):
        form = rubric(answer("a", 4), answer("b", 6, not_applicable="full"))
        assert total(score(form, judged(a={"answer": "no"}, b="not_applicable"), {}))[0] == 6

    def test_forbidden_is_an_error_that_names_the_criterion(self):
        form = rubric(answer("a", 4, not_applicable="forbidden"))
        with pytest.raises(JudgementError, match="'a'"):
            score(form, judged(a="not_applicable"), {})

    def test_a_section_where_nothing_applies_is_left_out(self):
        form = rubric(
            answer("a", 50, section="x"), answer("b", 30, section="y"), answer("c", 20, section="y"),
            sections=[{"id": "x"}, {"id": "y"}],
        )  # fmt: skip
        # y: 30 of 50 → 60 % of 100
        card = score(form, judged(a="not_applicable", b={"answer": "yes"}, c={"answer": "no"}), {})
        assert total(card)[0] == 60
        assert (card.sections[0].value, card.sections[0].reason) == (None, "nothing_applicable")

    def test_nothing_at_all_has_no_total(self):
        card = score(self.form, judged(a="not_applicable", b="not_applicable", c="not_applicable"), {})
        assert total(card) == (None, None, None, 20)

    def test_rescaling_is_exact_at_the_line(self):
        # 2/3 of 30 is 20, not 19.99…
        form = rubric(likert("a", 0, 3), likert("b", 0, 27), total={"max": 30, "pass_line": 20})
        card = score(form, judged(a={"score": 2}, b="not_applicable"), {})
        assert (total(card)[0], card.passed) == (20, True)


class TestApplicability:
    form = rubric(answer("a", 5), answer("b", 5, when={"outcome": ["closed"]}))

    def test_a_fact_that_excludes_leaves_the_item_out(self):
        card = score(self.form, judged(a={"answer": "yes"}, b={"answer": "no"}), {"outcome": "open"})
        assert total(card)[0] == 10
        assert card.judgements[1].status == "not_applicable"

    def test_a_fact_that_includes_counts_it(self):
        assert total(score(self.form, judged(a={"answer": "yes"}, b={"answer": "no"}), {"outcome": "closed"}))[0] == 5

    def test_an_unknown_fact_makes_the_item_unknown(self):
        # b may be no (5/10), yes or out (10)
        assert total(score(self.form, judged(a={"answer": "yes"}, b={"answer": "yes"}), {}))[:3] == (None, 5, 10)

    def test_true_is_not_one(self):
        form = rubric(answer("a", 5), answer("b", 5, when={"complaint": [True]}))
        assert score(form, {}, {"complaint": 1}).judgements[1].status == "not_applicable"


class TestViolations:
    def form(self, effect):
        return rubric(
            answer("a", 60, section="x"), violation("lie", effect, section="x"), answer("b", 40, section="y"),
            sections=[{"id": "x", "floor": 0}, {"id": "y", "floor": 0}], total={"pass_line": 30},
        )  # fmt: skip

    good = {"a": {"answer": "yes"}, "b": {"answer": "yes"}}

    @pytest.mark.parametrize(
        ("effect", "value", "passed"),
        [("flag", 100, True), ("zero_section", 40, True), ("zero_call", 0, False), ("fail_call", 100, False)],
    )
    def test_effects(self, effect, value, passed):
        card = score(self.form(effect), judged(**self.good, lie={"occurrences": 1}), {})
        assert (total(card)[0], card.passed) == (value, passed)
        assert [v.criterion_id for v in card.violations] == ["lie"]
        assert "violation" in card.flags

    @pytest.mark.parametrize(
        ("effect", "low", "passed"), [("flag", 100, True), ("zero_section", 40, True), ("zero_call", 0, None)]
    )
    def test_a_possible_violation_lowers_the_low_end(self, effect, low, passed):
        card = score(self.form(effect), judged(**self.good), {})
        assert total(card)[1:3] == (low, 100)
        assert card.passed is passed

    def test_a_possible_failure_leaves_passing_open(self):
        assert score(self.form("fail_call"), judged(**self.good), {}).passed is None

    def test_one_violation_counts_as_another(self):
        form = rubric(
            violation("unmended", {"counts_as": "level-one"}), violation("level-one", "fail_call"), answer("a", 1)
        )
        card = score(form, judged(unmended={"occurrences": 2}, level_one={"occurrences": 0}, a={"answer": "yes"}), {})
        assert card.passed is False
        assert [v.criterion_id for v in card.violations] == ["unmended", "level-one"]

    def test_occurrences_add_to_a_deduction(self):
        form = rubric(violation("slip", {"counts_as": "faults"}), deduct("faults", 3), total={"start": 20, "max": 20})
        # 1 own + 2 others = 3 · 3
        assert total(score(form, judged(slip={"occurrences": 2}, faults={"occurrences": 1}), {}))[0] == 11


class TestBonus:
    form = rubric(
        deduct("attitude", 20, cap=20, section="a"), bonus("warm", 10, "attitude", section="b"),
        sections=[{"id": "a", "max": 20, "floor": 0}, {"id": "b", "max": 10}], total={"max": 30, "floor": 0},
    )  # fmt: skip

    def test_needs_a_clean_sheet(self):
        assert total(score(self.form, judged(attitude={"occurrences": 0}, warm={"answer": "yes"}), {}))[0] == 30
        assert total(score(self.form, judged(attitude={"occurrences": 1}, warm={"answer": "yes"}), {}))[0] == 0

    def test_is_open_while_cleanness_is(self):
        card = score(self.form, judged(warm={"answer": "yes"}), {})
        assert total(card) == (None, 0, 30, 30)
        assert card.assessed.share == 0

    def test_losing_it_can_cost_more_than_the_item(self):
        # b known 8 of 10; a unknown 1..5. At 5 of 5: 13 of 15 + 10; at 1: 9 + 0; left out: 8/10·15 = 12 + 10
        form = rubric(likert("a"), likert("b", 0, 10), bonus("warm", 10, "a"), total={"max": 25})
        card = score(form, judged(b={"score": 8}, warm={"answer": "yes"}), {})
        assert total(card)[1:3] == (9, 23)


class TestPapers:
    form = rubric(
        answer("a", 100, 70, section="x"), answer("b", 100, 90, section="y"),
        sections=[{"id": "x", "pass_line": 80}, {"id": "y", "pass_line": 80}],
    )  # fmt: skip

    def test_each_paper_has_its_own_line(self):
        card = score(self.form, judged(a={"answer": "no"}, b={"answer": "no"}), {})
        assert [s.passed for s in card.sections] == [False, True]
        assert (total(card)[0], card.passed) == (160, False)

    def test_open_while_one_paper_is(self):
        card = score(self.form, judged(b={"answer": "no"}), {})
        assert ([s.passed for s in card.sections], card.passed) == ([None, True], None)


class TestWeightsAndNesting:
    def test_weights_scale_sections_and_children_flow_into_parents(self):
        form = rubric(
            answer("a", 100, section="volume"), answer("b", 60, section="quality"), answer("c", 40, section="calls"),
            sections=[
                {"id": "volume", "weight": 0.3}, {"id": "quality", "weight": 0.7}, {"id": "calls", "parent": "quality"},
            ],
        )  # fmt: skip
        # 0.3·100 + 0.7·(0 + 40) = 58
        card = score(form, judged(a={"answer": "yes"}, b={"answer": "no"}, c={"answer": "yes"}), {})
        assert total(card) == (58, 58, 58, 100)
        assert [s.value for s in card.sections] == [100, 40, 40]


class TestOtherScales:
    def test_tiers_by_kinds_with_a_cap(self):
        steps = [{"up_to": 1, "points": 0}, {"up_to": 2, "points": -1}, {"up_to": 3, "points": -2}]
        form = rubric(
            {"id": "bad", "scale": {"kind": "tiers", "by": "kinds", "steps": steps, "cap": -5}},
            total={"start": 15, "max": 15},
        )
        expected = {0: 15, 1: 15, 2: 14, 3: 13, 4: 10, 9: 10}
        assert {n: total(score(form, judged(bad={"kinds": n}), {}))[0] for n in expected} == expected

    def test_levels_by_name(self):
        levels = [{"id": "full", "points": 15}, {"id": "some", "points": 8}, {"id": "none", "points": 0}]
        form = rubric({"id": "speech", "scale": {"kind": "levels", "levels": levels}})
        assert total(score(form, judged(speech={"level": "some"}), {})) == (8, 8, 8, 15)
        with pytest.raises(JudgementError, match="'best'.*full, some, none"):
            score(form, judged(speech={"level": "best"}), {})

    def test_likert_takes_whole_numbers_in_range(self):
        form = rubric(likert("q"))
        for value in (0, 6, 2.5):
            with pytest.raises(JudgementError, match="from 1 to 5"):
                score(form, judged(q={"score": value}), {})

    def test_a_taxonomy_has_no_total(self):
        form = rubric(deduct("slip", 0), total=None)
        assert score(form, judged(slip={"occurrences": 3}), {}).total is None


def test_the_critical_score_strikes_out_the_rest():
    form = rubric(
        answer("a", 50, critical=True, section="x"), answer("b", 50, section="x"), sections=[{"id": "x", "max": 100}]
    )
    card = score(form, judged(a={"answer": "yes"}, b={"answer": "no"}), {})
    assert card.critical is not None
    assert (card.critical.value, card.critical.max, total(card)[0]) == (50, 50, 50)
    assert score(rubric(answer("a", 1)), {}, {}).critical is None


def test_an_unknown_criterion_is_named():
    with pytest.raises(JudgementError, match="'ghost'"):
        score(rubric(answer("a", 1)), judged(ghost={"answer": "yes"}), {})


def test_a_wrong_kind_of_outcome_says_which_is_wanted():
    with pytest.raises(JudgementError, match="takes {'answer': …}, not {'occurrences': …}"):
        score(rubric(answer("a", 1)), judged(a={"occurrences": 1}), {})


class TestDoublingByAFact:
    form = rubric(
        deduct("hang-up", 6, aggravated=2, aggravated_when={"complaint": [True]}), total={"start": 100, "max": 100}
    )

    @pytest.mark.parametrize(
        ("facts", "value", "low", "high"),
        [
            ({"complaint": True}, 76, 76, 76),  # 100 − 2·6·2
            ({"complaint": False}, 82, 82, 82),  # 100 − 6 − 6·2: one of the two is serious by itself
            ({}, None, 76, 82),
        ],
    )
    def test_every_occurrence_is_aggravated(self, facts, value, low, high):
        card = score(self.form, judged(hang_up={"occurrences": 2, "aggravated": 1}), facts)
        assert total(card) == (value, low, high, 100)

    def test_without_an_occurrence_nothing_is_doubled(self):
        assert total(score(self.form, judged(hang_up={"occurrences": 0}), {})) == (100, 100, 100, 100)

    def test_doubling_needs_to_say_by_how_much(self):
        with pytest.raises(ValueError, match="aggravated"):
            rubric(deduct("x", 6, aggravated_when={"complaint": [True]}))


class TestThreeTimesOrMore:
    form = rubric(violation("unsolved", "fail_call", at_least=3, errors=[28]))

    @pytest.mark.parametrize(("times", "passed", "counts"), [(2, True, []), (3, False, [1]), (7, False, [1])])
    def test_several_make_one(self, times, passed, counts):
        card = score(self.form, judged(unsolved={"occurrences": times}), {})
        assert (card.passed, [v.count for v in card.violations]) == (passed, counts)
        assert [(e.number, e.count) for e in card.errors] == [(28, 1) for _ in counts]

    def test_it_cannot_also_tell_aggravated_ones_apart(self):
        with pytest.raises(ValueError, match="at_least"):
            rubric(violation("x", "flag", at_least=2, aggravated={"severity": "level-1", "effect": "flag"}))


class TestAViolationThatBecomesAnother:
    """Level 2, not mended within the month, counts as level 1."""

    form = rubric(
        violation("beneficiary", "flag", aggravated={"severity": "level-0", "effect": "fail_call"}),
        violation("transfer", "flag", aggravated={"severity": "level-0", "effect": {"counts_as": "beneficiary"}}),
    )

    def test_each_kind_is_counted_apart(self):
        card = score(
            self.form,
            judged(beneficiary={"occurrences": 3, "aggravated": 1}, transfer={"occurrences": 2, "aggravated": 2}),
            {},
        )
        found = [(v.criterion_id, v.severity, v.effect, v.count) for v in card.violations]
        # two of transfer count as beneficiary: 3 − 1 + 2 plain ones
        assert found == [
            ("beneficiary", "level-1", "flag", 4),
            ("beneficiary", "level-0", "fail_call", 1),
            ("transfer", "level-0", "counts_as: beneficiary", 2),
        ]
        assert card.passed is False

    def test_a_plain_one_fails_nothing(self):
        card = score(self.form, judged(beneficiary={"occurrences": 2}, transfer={"occurrences": 0}), {})
        assert (card.passed, [v.count for v in card.violations]) == (True, [2])

    def test_an_unknown_one_may_be_of_the_worse_kind(self):
        card = score(self.form, judged(transfer={"occurrences": 0}), {})
        assert (card.passed, card.violations) == (None, ())

    def test_a_circle_is_found_through_the_worse_kind(self):
        worse = {"severity": "level-0", "effect": {"counts_as": "a"}}
        with pytest.raises(ValueError, match="counts as itself"):
            rubric(violation("a", "flag", aggravated=worse))


class TestMeans:
    """Likert dimensions, and the mean of all items as the sections' mean by their number of items."""

    form = rubric(
        *(likert(f"voice-{n}", section="voice") for n in (1, 2, 3)),
        *(likert(f"team-{n}", section="team") for n in (1, 2)),
        sections=[
            {"id": "voice", "combine": "mean", "weight": 3, "max": 5},
            {"id": "team", "combine": "mean", "weight": 2, "max": 5},
        ],
        total={"combine": "mean", "max": 5},
    )

    def judged(self, *scores):
        names = ("voice_1", "voice_2", "voice_3", "team_1", "team_2")
        return judged(**dict(zip(names, scores, strict=False)))

    def test_of_sections_and_of_all(self):
        # (5+4+3)/3 = 4; (2+1)/2 = 1.5; all: 15/5 = 3
        card = score(self.form, self.judged({"score": 5}, {"score": 4}, {"score": 3}, {"score": 2}, {"score": 1}), {})
        assert [s.value for s in card.sections] == [4, 1.5]
        assert total(card) == (3, 3, 3, 5)

    def test_what_does_not_apply_is_left_out_of_its_mean(self):
        # (5+3)/2 = 4 of the first; (3·4 + 2·1.5) / 5 = 3: a section keeps its weight
        card = score(
            self.form, self.judged({"score": 5}, "not_applicable", {"score": 3}, {"score": 2}, {"score": 1}), {}
        )
        assert [s.value for s in card.sections] == [4, 1.5]
        assert total(card)[0] == 3

    def test_what_is_unknown_opens_the_mean(self):
        # forbid n.a. to keep the ends plain: between (5+1)/2 and (5+5)/2
        form = rubric(
            likert("a", section="s", not_applicable="forbidden"),
            likert("b", section="s", not_applicable="forbidden"),
            sections=[{"id": "s", "combine": "mean"}],
        )
        assert total(score(form, judged(a={"score": 5}), {})) == (None, 3, 5, 5)

    def test_a_part_of_the_form_is_a_mean_of_that_part(self):
        card = score(self.form, self.judged({"score": 4}), {})
        assert (card.assessed.value, card.assessed.max) == (4, 5)


class TestAResultWithoutPoints:
    form = rubric(violation("abuse", "fail_call"), violation("slip", "flag"), total=None)

    @pytest.mark.parametrize(
        ("abuse", "slip", "passed"), [(0, 3, True), (1, 0, False), (None, 0, None), (0, None, True)]
    )
    def test_passed_when_nothing_failed_it(self, abuse, slip, passed):
        made = {name: {"occurrences": n} for name, n in (("abuse", abuse), ("slip", slip)) if n is not None}
        card = score(self.form, judged(**made), {})
        assert (card.total, card.passed) == (None, passed)

    def test_a_form_that_can_fail_nobody_passes_nobody(self):
        form = rubric(violation("slip", "flag"), total=None)
        assert score(form, judged(slip={"occurrences": 0}), {}).passed is None


class TestNamedErrors:
    form = rubric(
        deduct("slow", 5, errors=[8], free=1),
        answer("greeting", 2, errors=[14]),
        answer("thanks", 1, errors=[14, 15]),
        likert("help", errors=[48]),
        violation("leak", "flag", errors=[47]),
    )

    def test_faults_count_under_their_names(self):
        made = judged(
            slow={"occurrences": 3}, greeting={"answer": "no"}, thanks={"answer": "no"},
            help={"score": 5}, leak={"occurrences": 1},
        )  # fmt: skip
        card = score(self.form, made, {})
        assert [(e.number, e.count, e.criteria) for e in card.errors] == [
            (8, 3, ("slow",)), (14, 2, ("greeting", "thanks")), (15, 1, ("thanks",)), (47, 1, ("leak",)),
        ]  # fmt: skip

    @pytest.mark.parametrize(("given", "times"), [(5, 0), (4, 0), (2, 0), (1, 1)])
    def test_a_grade_is_at_fault_only_at_its_worst(self, given, times):
        card = score(self.form, judged(help={"score": given}), {})
        assert [(e.number, e.count) for e in card.errors] == [(48, 1)] * times

    def test_what_is_not_judged_counts_nowhere(self):
        assert score(self.form, judged(greeting="not_applicable", help="cannot_assess"), {}).errors == ()
