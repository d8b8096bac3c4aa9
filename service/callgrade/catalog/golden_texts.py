"""Made-up calls as their authors write them: `golden_set/texts/*.yaml`, one labelled line a turn."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, Field, TypeAdapter

from callgrade.catalog.faults import Fault, Path_, Problem
from callgrade.catalog.placing import placed
from callgrade.catalog.shape import parsed, shape_problems
from callgrade.catalog.yaml_source import YamlFile, read_yaml
from callgrade.domain.calls import CallId, Facts, Party, Speaker, Transcript, Turn
from callgrade.domain.frozen import Frozen
from callgrade.domain.golden import About, GoldenCall, Split
from callgrade.domain.moments import Moment

SPOKEN_BY = {"坐席": Speaker.AGENT, "客户": Speaker.CUSTOMER, "系统": Speaker.SYSTEM}
_Text = Annotated[str, Field(min_length=1)]
_MOMENT: TypeAdapter[datetime] = TypeAdapter(Moment)


def _moment(written: str) -> str:
    _MOMENT.validate_python(written)
    return written


_Written = Annotated[str, AfterValidator(_moment)]
"""A moment that stays a word: files are read as strictly as JSON, which has no moments."""


class TextCall(Frozen):
    """One call of a file. Nobody is told which of the labels `about` expects."""

    id: CallId
    agent: _Text
    customer: _Text
    facts: Facts = Field(default_factory=dict)
    started_at: _Written | None = None
    about: tuple[About, ...] = ()
    turns: Annotated[tuple[_Text, ...], Field(min_length=2)]

    def golden(self, written_by: str, split: Split) -> GoldenCall:
        """`split` is where its agent stands. The turns were checked."""
        transcript = Transcript(
            call_id=self.id,
            started_at=None if self.started_at is None else _MOMENT.validate_python(self.started_at),
            agent=Party(id=self.agent),
            customer=Party(id=self.customer),
            turns=tuple(turn for turn in map(_turn, self.turns) if turn is not None),
            facts=self.facts,
        )
        return GoldenCall(
            id=self.id,
            synthetic=True,
            written_by=written_by,
            split=split,
            agent=self.agent,
            customer=self.customer,
            about=self.about,
            transcript=transcript,
        )


class TextFile(Frozen):
    schema_: Literal["callgrade.golden-texts/1"] = Field(alias="schema")
    written_by: _Text
    calls: tuple[TextCall, ...] = ()


class Read(NamedTuple):
    """A file and what it says; `texts` is None where it has faults."""

    file: YamlFile
    texts: TextFile | None
    faults: tuple[Fault, ...]

    def fault(self, at: Path_, message: str, suggestion: str = "") -> Fault:
        """One that shows only beside other files, at its place in this one."""
        return placed([Problem(at=at, message=message, suggestion=suggestion)], self.file)[0]


def read_texts(path: Path) -> Read:
    """The calls of a file and everything that is wrong with it. Never raises for what is in it."""
    file = read_yaml(path)
    if file.root is None:
        return Read(file, None, file.faults)
    problems = shape_problems(file.data, TextFile)
    texts = parsed(file.data, TextFile) if isinstance(file.data, dict) else None
    if texts is not None:
        problems += _turn_problems(texts)
    faults = (*file.faults, *placed(problems, file))
    return Read(file, None if faults else texts, faults)


def _turn_problems(texts: TextFile) -> list[Problem]:
    labels = " or ".join(f"{label}：" for label in SPOKEN_BY)
    return [
        Problem(
            at=("calls", number, "turns", place), message="no turn: nobody says it", suggestion=f"begin with {labels}"
        )
        for number, call in enumerate(texts.calls)
        for place, line in enumerate(call.turns)
        if _turn(line) is None
    ]


def _turn(line: str) -> Turn | None:
    label, colon, said = line.partition("：")
    speaker = SPOKEN_BY.get(label)
    return Turn(speaker=speaker, text=said.strip()) if speaker and colon and said.strip() else None
