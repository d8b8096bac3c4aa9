import httpx
import pytest

from callgrade.client.errors import Problem, error_of, may_be_repeated, problem_of
from callgrade.domain import errors as tree
from callgrade.domain.errors import CallgradeError


def every(class_: type[CallgradeError]) -> list[type[CallgradeError]]:
    return [class_, *(found for below in class_.__subclasses__() for found in every(below))]


CLASSES = [class_ for class_ in every(CallgradeError) if class_.__module__ == tree.__name__]


@pytest.mark.parametrize("class_", CLASSES, ids=lambda class_: class_.__name__)
def test_every_error_of_the_tree_comes_back_as_itself(class_: type[CallgradeError]) -> None:
    type_ = class_.__new__(class_).type
    content = {"type": f"urn:callgrade:problem:{type_}", "status": class_.status, "detail": "why", "request_id": "r"}
    error = error_of(httpx.Response(class_.status, json=content))
    assert type(error) is class_
    assert str(error) == "why"
    assert error.type == type_
    assert problem_of(error) == Problem.model_validate(content)
    for name in set(getattr(class_.__init__, "__annotations__", ())) - {"message", "purpose", "return"}:
        assert hasattr(error, name)


@pytest.mark.parametrize(
    ("status", "class_", "again"),
    [
        (400, tree.RequestError, False),
        (401, tree.NotAuthenticatedError, False),
        (404, tree.UnknownResourceError, False),
        (418, tree.RequestError, False),
        (429, tree.TooManyRequestsError, True),
        (500, tree.UnexpectedError, False),
        (502, tree.NotReadyError, True),
        (504, tree.NotReadyError, True),
        (507, tree.UnexpectedError, False),
    ],
)
def test_an_answer_of_nobody_we_know_goes_by_its_status(status: int, class_: type[CallgradeError], again: bool) -> None:
    for content in (b"", b"<html>", b"{}", b"[1]", b'{"type": 7}', b'{"type": "about:blank"}'):
        error = error_of(httpx.Response(status, content=content))
        assert type(error) is class_
        assert may_be_repeated(error) is again


def test_only_an_answer_has_a_problem() -> None:
    assert problem_of(tree.ConflictError("ours")) is None
