import pytest

from callgrade.domain.errors import InputError, JudgementError
from callgrade.evaluations.by_hand import read_judgements
from tests.domain.forms import answer, deduct, rubric

FORM = rubric(answer("a", 1), deduct("b", 2))


def read(judgements, **more):
    return read_judgements({"judgements": judgements, **more}, FORM)


def test_every_shape_of_the_contract():
    made, facts = read({"a": {"answer": "yes"}, "b": {"occurrences": 2, "aggravated": 1}}, facts={"complaint": True})
    assert made["b"].outcome.aggravated == 1
    assert facts == {"complaint": True}
    made, _ = read({"a": {"status": "not_applicable"}, "b": {"status": "cannot_assess", "reason": "无录音"}})
    assert (made["a"].status, made["b"].reason) == ("not_applicable", "无录音")


@pytest.mark.parametrize(
    "given",
    [{"answer": "maybe"}, {"occurrences": -1}, {"occurrences": 1, "aggravated": 2}, {"occurrences": 1.5}, "yes", 4, {},
     None, {"answer": "yes", "more": 1}, {"status": "judged"}, {"status": "not_applicable", "score": 1}],
)  # fmt: skip
def test_a_wrong_judgement_names_its_criterion(given):
    with pytest.raises(JudgementError, match="'a'"):
        read({"a": given})


def test_an_unknown_id_and_a_wrong_rubric_are_named():
    with pytest.raises(JudgementError, match="'ghost'"):
        read({"ghost": {"answer": "yes"}})
    with pytest.raises(InputError, match="for other@v1, not for test@v1"):
        read({}, rubric="other@v1")


@pytest.mark.parametrize("document", [None, [], {}, {"judgements": []}, {"judgements": {}, "extra": 1}])
def test_a_wrong_document_is_an_error(document):
    with pytest.raises(InputError):
        read_judgements(document, FORM)
