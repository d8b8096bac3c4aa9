"""What is right, and who says so."""

from callgrade.calibration.compared import compare
from callgrade.domain.judgements import EXCLUDED
from tests.calibration.judged import FORM, NO_FAULT, card, judgement, label
from tests.calibration.made import a_call

YES, NO = {"answer": "yes"}, {"answer": "no"}


def one(criterion, labels, **given):
    """What comes of a single call."""
    found = compare(FORM, [a_call()], {("g-1", 0): card("g-1", **given)}, labels)
    return found.by_criterion[criterion][0]


def test_what_a_third_rater_decided_is_right():
    labels = [label("g-1", "a", warm=YES), label("g-1", "b", warm=YES)]
    chief = label("g-1", "c", warm=NO, kind="adjudicated", blind=False)
    item = one("warm", [*labels, chief], warm=YES)
    assert (item.truth.rating, item.source, item.contested) == (0, "adjudicated", False)
    assert set(item.raters) == {"a", "b"}


def test_without_one_those_must_agree_who_rated():
    assert one("warm", [label("g-1", "a", warm=YES)], warm=YES).source == "single"
    both = [label("g-1", "a", warm=YES), label("g-1", "b", warm=YES)]
    assert one("warm", both, warm=YES).source == "unanimous"
    apart = one("warm", [both[0], label("g-1", "b", warm=NO)], warm=YES)
    assert (apart.truth, apart.source, apart.contested, apart.rated) == (None, None, True, False)


def test_an_adjudicator_decides_what_was_disputed_and_the_rest_stays_unanimous():
    labels = [label("g-1", "a", warm=YES, bait=NO_FAULT), label("g-1", "b", warm=NO, bait=NO_FAULT)]
    labels.append(label("g-1", "c", warm=NO, kind="adjudicated", blind=False))
    found = compare(FORM, [a_call()], {("g-1", 0): card("g-1", warm=YES, bait=NO_FAULT)}, labels)
    assert [found.by_criterion[id_][0].source for id_ in ("warm", "bait")] == ["adjudicated", "unanimous"]


def test_who_saw_a_proposal_tells_what_is_right_and_nothing_of_how_raters_agree():
    item = one("warm", [label("g-1", "a", warm=YES, blind=False)], warm=YES)
    assert item.source == "single"
    assert not item.raters


def test_what_does_not_apply_is_no_fault():
    absent = {"status": "not_applicable"}
    item = one("bait", [label("g-1", bait=absent)], bait={"occurrences": 1})
    assert (item.truth.rating, item.truth.fault, item.proposed.rating, item.rated) == (0, False, 1, True)
    item = one("warm", [label("g-1", warm=absent)], warm=YES)
    assert (item.truth.rating, item.rated) == (None, False)
    item = one("bait", [label("g-1", bait=NO_FAULT)], bait=judgement("bait", "not_applicable", reason=EXCLUDED))
    assert (item.proposed.rating, item.rated) == (None, False)


def test_labels_by_another_version_count_where_they_fit_and_give_way():
    old = label("g-1", "a", rubric="test@v9", warm=YES, bait=NO_FAULT)
    found = compare(FORM, [a_call()], {("g-1", 0): card("g-1", warm=YES)}, [old, label("g-1", "a", warm=NO)])
    assert found.by_criterion["warm"][0].truth.rating == 0
    assert found.by_criterion["bait"][0].source == "single"
    assert found.other_versions == 1
    odd = [label("g-1", rubric="test@v9", warm={"score": 4}), label("g-1", rubric="other@v1", slips=NO_FAULT)]
    found = compare(FORM, [a_call()], {("g-1", 0): card("g-1", warm=YES)}, odd)
    assert all(items[0].truth is None for items in found.by_criterion.values())


def test_of_two_labels_by_one_rater_the_later_counts():
    assert one("warm", [label("g-1", warm=YES), label("g-1", warm=NO)], warm=YES).truth.rating == 0


def test_calls_that_were_not_judged_are_left_out():
    found = compare(FORM, [a_call("g-1"), a_call("g-2")], {("g-2", 0): card("g-2", warm=YES)}, [label("g-1", warm=YES)])
    assert [item.call for item in found.by_criterion["warm"]] == ["g-2"]
