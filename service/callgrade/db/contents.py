"""What a backup holds."""

from callgrade.domain.frozen import Frozen


class Contents(Frozen):
    """`rows` counts the rows of each table; `revision` is the schema's."""

    revision: str
    rows: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.rows.values())
