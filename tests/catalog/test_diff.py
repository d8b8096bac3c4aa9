"""Two rubrics compared. Totals are worked out by hand beside each case."""

import copy
import inspect
from functools import partial

import pytest

from callgrade.catalog import load_rubric
from callgrade.catalog.diff import Change, RangeChange, TotalRange, diff_rubrics, possible_totals
from callgrade.catalog.rubrics import digest, resolved_json
from callgrade.domain import programme, rubrics, scales
from callgrade.domain.frozen import Frozen
from callgrade.domain.rubrics import Rubric
from tests.catalog.everything import EVERYTHING, everything, leaves, with_one_changed
from tests.domain.forms import answer, bonus, deduct, likert, rubric, violation


def changes(before: Rubric, after: Rubric) -> list[Change]:
    return list(diff_rubrics(before, after).changes)


def told(before: Rubric, after: Rubric) -> list[tuple]:
    return [(c.kind, c.aspect, c.path, c.before, c.after) for c in changes(before, after)]


# --- nothing is overlooked ------------------------------------------------------------------------


class TestEverything:
    """`everything()` says all that a rubric can say; whatever is changed in it must be told."""

    def test_it_really_says_everything(self):
        assert _fields() - set(_said(everything())) == set()

    @pytest.mark.parametrize("made", [everything, partial(load_rubric, "monitoring-sheet-40")], ids=["all", "shipped"])
    def test_a_change_of_any_leaf_is_told_at_its_place(self, made):
        before = made()
        document = resolved_json(before)
        number = 0
        for way, after in with_one_changed(document):
            found = diff_rubrics(before, after)
            assert any(_is_told(change, way, document) for change in found.changes), way
            assert found.same_content == (digest(before) == digest(after)) == (way == ("status",)), way
            number += 1
        assert number > 0.85 * len(list(leaves(document)))

    def test_the_same_is_the_same(self):
        found = diff_rubrics(everything(), everything())
        assert found.same_content
        assert found.changes == ()
        assert found.sections == ()
        assert found.total.before == found.total.after

    @pytest.mark.parametrize("name", ["sections", "criteria", "source_notes"])
    def test_another_order_is_told(self, name):
        other = copy.deepcopy(EVERYTHING)
        other[name].reverse()
        found = changes(everything(), Rubric.model_validate(other))
        assert {change.kind for change in found} == {"moved"}
        assert all(change.path.startswith(name) for change in found)


def _fields() -> set[tuple[str, str]]:
    """(model, field) of everything that belongs to a rubric."""
    models = [
        model
        for module in (rubrics, scales, programme)
        for _, model in inspect.getmembers(module, inspect.isclass)
        if issubclass(model, Frozen) and model.__module__ == module.__name__
    ]
    return {(model.__name__, field) for model in models for field in model.model_fields}


def _said(value):
    """(model, field) of everything that is not left at its default."""
    if isinstance(value, Frozen):
        for name, field in type(value).model_fields.items():
            inner = getattr(value, name)
            if inner != field.get_default(call_default_factory=True) or (name == "status"):
                yield type(value).__name__, name
            yield from _said(inner)
    elif isinstance(value, dict | tuple):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _said(inner)


def _is_told(change: Change, way: tuple, document: dict) -> bool:
    """The change stands at the leaf, or around it (a list of words changes as a whole)."""
    ids = document
    path = ""
    for step in way:
        path += f"|{ids[step]['id']}" if isinstance(ids[step], dict) and "id" in ids[step] else f"|{step}"
        ids = ids[step]
    told = change.path.replace("[", "|").replace("]", "").replace(".", "|")
    return f"{path}|".startswith(f"|{told}|") or (way[-1] == "id" and change.kind in ("renamed", "added"))


# --- what is told of criteria and sections --------------------------------------------------------


class TestCriteria:
    FORM = rubric(answer("a", 5), answer("b", 3), answer("c", 2))

    def test_added_and_removed(self):
        after = rubric(answer("a", 5), answer("c", 2), answer("d", 1))
        found = changes(self.FORM, after)
        assert [(c.kind, c.id, c.aspect) for c in found] == [("removed", "b", "presence"), ("added", "d", "presence")]
        assert found[0].before["scale"] == {"kind": "answer", "yes": 3.0, "no": 0.0}
        assert found[1].before is None
        assert found[1].after["title"] == {"zh": "d", "en": "d"}

    def test_moved(self):
        after = rubric(answer("c", 2), answer("a", 5), answer("b", 3))
        assert told(self.FORM, after) == [("moved", "order", "criteria[c]", 3, 1)]

    def test_adding_one_in_front_moves_nothing(self):
        after = rubric(answer("new", 1), answer("a", 5), answer("b", 3), answer("c", 2))
        assert [c.kind for c in changes(self.FORM, after)] == ["added"]

    def test_moved_to_another_section(self):
        sections = [{"id": "one"}, {"id": "two"}]
        before = rubric(answer("a", 5, section="one"), answer("b", 1, section="two"), sections=sections)
        after = rubric(answer("a", 5, section="two"), answer("b", 1, section="two"), sections=sections)
        assert told(before, after) == [("changed", "order", "criteria[a].section", "one", "two")]

    def test_renamed_where_the_title_stayed(self):
        title = {"zh": "开头语", "en": "Opening"}
        before = rubric(answer("a", 5), answer("greet", 3, title=title))
        after = rubric(answer("a", 5), answer("greeting", 4, title=title))
        assert told(before, after) == [
            ("renamed", "identity", "criteria[greeting]", "greet", "greeting"),
            ("changed", "points", "criteria[greeting].scale.yes", 3.0, 4.0),
        ]

    def test_two_with_one_title_are_not_guessed_at(self):
        title = {"zh": "开头语", "en": "Opening"}
        before = rubric(answer("a", 5, title=title), answer("b", 5, title=title))
        after = rubric(answer("c", 5, title=title), answer("d", 5, title=title))
        assert sorted(c.kind for c in changes(before, after)) == ["added", "added", "removed", "removed"]

    def test_a_renamed_one_may_move_as_well(self):
        title = {"zh": "开头语", "en": "Opening"}
        before = rubric(answer("greet", 3, title=title), answer("a", 5), answer("b", 5))
        after = rubric(answer("a", 5), answer("b", 5), answer("greeting", 3, title=title))
        assert [(c.kind, c.before, c.after) for c in changes(before, after)] == [
            ("renamed", "greet", "greeting"),
            ("moved", 1, 3),
        ]

    @pytest.mark.parametrize(
        ("after", "aspect", "path"),
        [
            (answer("x", 5, title={"zh": "新", "en": "x"}), "wording", "criteria[x].title.zh"),
            (answer("x", 5, guidance={"zh": "…", "en": "new"}), "wording", "criteria[x].guidance.en"),
            (answer("x", 6), "points", "criteria[x].scale.yes"),
            (answer("x", 5, -1), "points", "criteria[x].scale.no"),
            (likert("x"), "scale", "criteria[x].scale"),
            (answer("x", 5, judge="human"), "judge", "criteria[x].judge"),
            (answer("x", 5, when={"outcome": ["closed"]}), "applicability", "criteria[x].when.outcome"),
            (answer("x", 5, not_applicable="full"), "applicability", "criteria[x].not_applicable"),
            (answer("x", 5, errors=[7]), "errors", "criteria[x].errors"),
            (answer("x", 5, critical=True), "critical", "criteria[x].critical"),
            (answer("x", 5, evidence="none"), "evidence", "criteria[x].evidence"),
        ],
    )
    def test_in_what_respect(self, after, aspect, path):
        (change,) = changes(rubric(answer("x", 5)), rubric(after))
        assert (change.aspect, change.path, change.id) == (aspect, path, "x")

    def test_rules_and_measurements(self):
        def form(phrase, limit):
            rule = {"find": {"phrases": [phrase]}, "found": {"answer": "yes"}, "missing": {"answer": "no"}}
            bands = [{"up_to": limit, "outcome": {"answer": "yes"}}, {"outcome": {"answer": "no"}}]
            return rubric(
                answer("said", 1, judge="rules", rule=rule),
                answer("quick", 1, judge="speech", speech={"fact": "first_response_ms", "bands": bands}),
            )

        assert told(form("您好", 5000), form("你好", 8000)) == [
            ("removed", "rule", "criteria[said].rule.find.phrases", "您好", None),
            ("added", "rule", "criteria[said].rule.find.phrases", None, "你好"),
            ("changed", "speech", "criteria[quick].speech.bands[0].up_to", 5000.0, 8000.0),
        ]

    def test_a_violation_has_an_effect_instead_of_points(self):
        before, after = (rubric(violation("x", effect)) for effect in ("flag", "fail_call"))
        assert told(before, after) == [("changed", "effect", "criteria[x].scale.effect", "flag", "fail_call")]


def test_words_of_a_list_are_told_one_by_one():
    before, after = (
        rubric(answer("x", 1)).model_copy(update={"phrase_lists": {"greetings": rubrics.Phrases(phrases=words)}})
        for words in (("您好", "早上好"), ("您好", "晚上好"))
    )
    found = changes(before, after)
    assert [(c.of, c.id, c.kind, c.aspect, c.before, c.after) for c in found] == [
        ("list", "greetings", "removed", "words", "早上好", None),
        ("list", "greetings", "added", "words", None, "晚上好"),
    ]


def test_the_total_the_sections_and_the_pass_line():
    def form(line, grade, section):
        total = {"pass_line": line, "grades": [{"id": "a", "at_least": grade}]}
        return rubric(answer("x", 5, section="s"), sections=[{"id": "s", **section}], total=total)

    found = told(form(3, 4, {"max": 5}), form(None, 5, {"max": 5, "floor": 0, "pass_line": 2}))
    assert found == [
        ("changed", "pass_line", "total.pass_line", 3.0, None),
        ("changed", "grades", "total.grades[a].at_least", 4.0, 5.0),
        ("changed", "limits", "sections[s].floor", None, 0.0),
        ("changed", "pass_line", "sections[s].pass_line", None, 2.0),
    ]


def test_the_programme():
    before = resolved_json(everything())
    after = copy.deepcopy(before)
    after["programme"]["appeals"]["decide_within"]["days"] = 3
    after["programme"]["sampling"].append({"in_all": 12})
    found = changes(Rubric.model_validate(before), Rubric.model_validate(after))
    assert [(c.of, c.field, c.path) for c in found] == [
        ("programme", "sampling", "programme.sampling[1]"),
        ("programme", "appeals", "programme.appeals.decide_within.days"),
    ]


# --- what it does to the totals -------------------------------------------------------------------


def ranges(form: Rubric) -> dict:
    return {id_: (reached.low, reached.high, reached.max) for id_, reached in possible_totals(form).items()}


class TestTotals:
    def test_the_worst_and_the_best_of_every_item(self):
        # 0 + 1 … 4 + 5; with the first left out it would be 9 × 1/5 = 1.8, which is no lower
        assert ranges(rubric(answer("a", 4), likert("b", not_applicable="forbidden"))) == {None: (1, 9, 9)}

    def test_a_deduction_without_a_cap_has_no_end(self):
        start = {"start": 100, "max": 100}
        assert ranges(rubric(deduct("a", 5), total=start)) == {None: (None, 100, 100)}
        assert ranges(rubric(deduct("a", 5, cap=20), total=start)) == {None: (80, 100, 100)}
        assert ranges(rubric(deduct("a", 5), total={**start, "floor": 0})) == {None: (0, 100, 100)}

    def test_sections_with_floors_add_up(self):
        # 50 at least 0, 25 at least 10 (weight 2): 0 + 20 … 50 + 50
        form = rubric(
            deduct("a", 5, section="one"),
            deduct("b", 5, section="two"),
            sections=[{"id": "one", "max": 50, "floor": 0}, {"id": "two", "max": 25, "floor": 10, "weight": 2}],
        )
        assert ranges(form) == {None: (20, 100, 100), "one": (0, 50, 50), "two": (10, 25, 25)}

    def test_a_bonus_comes_on_top(self):
        # 10 clean gives the bonus: 10 + 5; 0 does not
        assert ranges(rubric(answer("a", 10), bonus("b", 5, "a"))) == {None: (0, 15, 15)}

    def test_what_zeroes_the_call_reaches_zero(self):
        form = rubric(deduct("a", 5, cap=10), violation("b", "zero_call"), total={"start": 100, "max": 100})
        assert ranges(form) == {None: (0, 100, 100)}

    def test_a_form_that_only_counts_has_no_total(self):
        form = rubric(violation("a", "flag"), total=None)
        assert ranges(form) == {}
        assert diff_rubrics(form, form).total == RangeChange(id=None, before=None, after=None)

    def test_before_and_after(self):
        sections = [{"id": "one", "max": 10, "floor": 0}, {"id": "two", "max": 5, "floor": 0}]
        before = rubric(deduct("a", 5, section="one"), deduct("b", 1, section="two"), sections=sections)
        sections = [{"id": "one", "max": 10}, {"id": "three", "max": 7, "floor": 0}]
        after = rubric(deduct("a", 5, section="one"), deduct("b", 1, section="three"), sections=sections)
        found = diff_rubrics(before, after)
        assert found.total.before == TotalRange(low=0, high=15, max=15)
        assert found.total.after == TotalRange(low=None, high=17, max=17)
        assert [(c.id, c.before and c.before.high, c.after and c.after.high) for c in found.sections] == [
            ("one", 10, 10),
            ("three", None, 7),
            ("two", 5, None),
        ]
