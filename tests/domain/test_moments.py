from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from callgrade.domain.moments import Moment

MOMENTS = TypeAdapter[Any](Moment)


@pytest.mark.parametrize("text", ["2026-11-01T09:30:00+08:00", "2026-11-01T01:30:00Z"])
def test_a_moment_is_written_with_its_offset(text: str) -> None:
    read = MOMENTS.validate_python(text)
    assert read == datetime(2026, 11, 1, 1, 30, tzinfo=UTC)
    assert read.utcoffset() == timedelta(hours=8 if "+" in text else 0)


@pytest.mark.parametrize("value", [0, 1793498400, 0.5, True, "0", "0.5", "1793498400", "-1", "", "2026-11-01T09:30:00"])
def test_a_number_is_no_moment(value: Any) -> None:
    with pytest.raises(ValidationError):
        MOMENTS.validate_python(value)
