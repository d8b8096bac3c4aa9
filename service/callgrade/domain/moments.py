"""Moments as they are written: RFC 3339 with offset (contracts.md), and nothing else that could pass for one."""

from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator


def _written(moment: object) -> object:
    # the library takes 0 for 1970, and "0.5" for half a second after
    if isinstance(moment, int | float) or (isinstance(moment, str) and "-" not in moment[1:10]):
        raise ValueError("write a moment as 2026-11-01T09:30:00+08:00")
    return moment


Moment = Annotated[AwareDatetime, BeforeValidator(_written)]
