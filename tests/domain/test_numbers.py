from typing import Annotated, Any

import pytest
from pydantic import TypeAdapter, ValidationError

from callgrade.domain.numbers import as_number

COUNTS = TypeAdapter[int](Annotated[int, as_number])


@pytest.mark.parametrize(("text", "count"), [("3", 3), ("3.0", 3), ("0", 0), ("-2", -2)])
def test_a_count_is_a_whole_number(text: str, count: int) -> None:
    assert COUNTS.validate_json(text) == count


@pytest.mark.parametrize("value", ['"3"', "true", "false", "3.5", "null", "[3]"])
def test_what_only_passes_for_one_is_none(value: Any) -> None:
    with pytest.raises(ValidationError):
        COUNTS.validate_json(value)
