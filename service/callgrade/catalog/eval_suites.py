"""Eval suites as files: `evals/suites/<id>.yaml`, callgrade.eval-suite/1. Every call in them is made up.

A suite puts calls to whatever judges are at hand and says what must come, or what must not change. What its cases are
and when one passes is worked out in `calibration`; here is what a file may say, and what is wrong with one.
"""

import hashlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from callgrade.catalog.faults import Fault, Problem, did_you_mean
from callgrade.catalog.placing import placed
from callgrade.catalog.resources import resource_folder
from callgrade.catalog.rubrics import load_rubric
from callgrade.catalog.shape import parsed, shape_problems
from callgrade.catalog.yaml_source import YamlFile, read_yaml
from callgrade.domain.calls import Facts, Party, Speaker, Transcript, Turn
from callgrade.domain.errors import ConfigurationError, NotFoundError
from callgrade.domain.frozen import Frozen, Id, LocalText
from callgrade.domain.grounding import Side
from callgrade.domain.judgements import Grounding, WhyUnfounded
from callgrade.domain.rubrics import Rubric

SAID_BY = {
    "坐席": Speaker.AGENT, "客户": Speaker.CUSTOMER, "系统": Speaker.SYSTEM, "未知": Speaker.UNKNOWN,
    "Agent": Speaker.AGENT, "Customer": Speaker.CUSTOMER, "System": Speaker.SYSTEM, "Unknown": Speaker.UNKNOWN,
}  # fmt: skip
Line = Annotated[str, StringConstraints(pattern=rf"^(?:{'|'.join(SAID_BY)})：")]
"""`坐席：您好` or `Agent：Hello`: the full-width colon, because words hold the other one."""
Share = Annotated[float, Field(ge=0, le=1)]


class Call(Frozen):
    """A made-up call. `over` and `under` name criteria that its author says it clearly breaks, or clearly does not."""

    id: Id
    rubric: str = ""
    """Of this call alone; without it, the suite's."""
    language: str = "zh"
    facts: Facts = Field(default_factory=dict)
    over: tuple[Id, ...] = ()
    under: tuple[Id, ...] = ()
    turns: tuple[Line, ...] = ()

    def transcript(self, turns: tuple[str, ...] | None = None, **fields: Any) -> Transcript:
        """The call as judges get it, with other lines or fields where they are given."""
        spoken = tuple(map(turn, self.turns if turns is None else turns))
        told = {"call_id": self.id, "language": self.language, "facts": self.facts, "turns": spoken, **fields}
        return Transcript(**told)


class _Suite(Frozen):
    schema_: Literal["callgrade.eval-suite/1"] = Field(alias="schema")
    id: Id
    title: LocalText
    about: LocalText
    """What passes, in a sentence."""
    synthetic: Literal[True]
    written_by: Annotated[str, Field(min_length=1)]
    rubric: str = "telesales-misconduct@v1"
    margin: Share = 0.0
    """By how much the share that passes may fall below the baseline's before that is a regression."""
    calls: tuple[Call, ...] = ()


class Attack(Frozen):
    """Words put into a call to move its verdict; the call without them is the clean twin."""

    id: Id
    group: Id
    call: Id
    says: Line
    at: Annotated[int, Field(ge=0)] | None = None
    """The turn it is said before, from 0; None: at the end."""
    replaces: Annotated[int, Field(ge=0)] | None = None
    """The turn it is said instead of: the same words, disguised."""
    wants: Literal["innocence", "guilt"]
    aims: tuple[Id, ...] = ()
    """The criteria it is after; without it the call's `over` (innocence) or `under` (guilt)."""


class InjectionSuite(_Suite):
    kind: Literal["injection"]
    cases: tuple[Attack, ...]


class Quoted(Frozen):
    id: Id
    group: Id
    call: Id
    quote: str
    turn: int | None = None
    side: Side = "agent"
    grounding: Grounding
    found_in: int | None = None
    """The turn it must be found in; None: any."""
    why: WhyUnfounded | None = None


class EvidenceSuite(_Suite):
    kind: Literal["evidence"]
    cases: tuple[Quoted, ...]


class Swap(Frozen):
    """What a verdict must not hang on: the values of a slot, or who the agent is and what is known of them. The first
    value is what the others are held against."""

    id: Id
    slot: str = ""
    values: tuple[str, ...] = ()
    agents: tuple[Party, ...] = ()
    facts: tuple[Facts, ...] = ()

    @model_validator(mode="after")
    def _has_something_to_compare(self) -> "Swap":
        if max(len(self.values), len(self.agents), len(self.facts)) < 2 or bool(self.slot) != bool(self.values):
            raise ValueError("a swap has a slot with two values or more, or two agents or facts or more")
        return self


class FairnessSuite(_Suite):
    kind: Literal["fairness"]
    slots: dict[str, str]
    """What stands in the place of `{slot}` while another one is swapped."""
    swaps: tuple[Swap, ...]


class Misheard(Frozen):
    said: str
    heard: str


class RobustnessSuite(_Suite):
    kind: Literal["robustness"]
    misheard: tuple[Misheard, ...]
    fillers: tuple[str, ...]


class MisconductSuite(_Suite):
    kind: Literal["misconduct"]
    golden: Literal["train"] | None = None
    """Takes what the golden set's training calls are about beside its own; dev and holdout are never looked at."""


class Unanswerable(Frozen):
    """`open`: criteria that nobody can answer from this call. `answered`: what must be judged all the same, so that
    abstaining from everything does not pass."""

    id: Id
    group: Id
    language: str = "zh"
    facts: Facts = Field(default_factory=dict)
    open: tuple[Id, ...] = ()
    answered: tuple[Id, ...] = ()
    turns: tuple[Line, ...] = ()

    def transcript(self) -> Transcript:
        return Call(id=self.id, language=self.language, facts=self.facts, turns=self.turns).transcript()


class AbstentionSuite(_Suite):
    kind: Literal["abstention"]
    cases: tuple[Unanswerable, ...]


Suite = InjectionSuite | EvidenceSuite | FairnessSuite | RobustnessSuite | MisconductSuite | AbstentionSuite
KINDS: Mapping[str, type[Suite]] = {
    "injection": InjectionSuite,
    "evidence": EvidenceSuite,
    "fairness": FairnessSuite,
    "robustness": RobustnessSuite,
    "misconduct": MisconductSuite,
    "abstention": AbstentionSuite,
}


class SuiteError(ConfigurationError):
    """`faults` are rendered lines, one a fault, each with file and line."""

    def __init__(self, source: str, faults: tuple[str, ...]):
        self.faults = faults
        super().__init__(f"{source} has {len(faults)} fault(s):\n" + "\n".join(faults))


def turn(line: str) -> Turn:
    """A line of a suite as a turn."""
    label, _, said = line.partition("：")
    return Turn(speaker=SAID_BY[label], text=said)


def suite_ids() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in _folder().glob("*.yaml")))


@lru_cache(maxsize=32)
def load_suite(id_: str) -> Suite:
    """A shipped suite. Raises NotFoundError, or SuiteError naming every fault."""
    if id_ not in suite_ids():
        raise NotFoundError(f"there is no eval suite {id_!r}; {did_you_mean(id_, suite_ids())}")
    return read_suite(_folder() / f"{id_}.yaml")


def read_suite(path: Path) -> Suite:
    """Reads one file. Raises SuiteError naming every fault with file and line."""
    file = read_yaml(path)
    suite, faults = (None, list(file.faults)) if file.root is None else _examined(file)
    if suite is None or faults:
        raise SuiteError(str(path), tuple(str(fault) for fault in faults))
    return suite


@lru_cache(maxsize=32)
def rubric_of(reference: str) -> Rubric:
    """A shipped rubric, read once: suites name the same one for hundreds of cases."""
    return load_rubric(reference)


def digest(suite: Suite) -> str:
    """`sha256:` and the SHA-256 of all that the suite's file says."""
    return "sha256:" + hashlib.sha256(suite.model_dump_json(by_alias=True, exclude_defaults=True).encode()).hexdigest()


def _folder() -> Path:
    return resource_folder("evals") / "suites"


def _examined(file: YamlFile) -> tuple[Suite | None, list[Fault]]:
    kind = str(file.data.get("kind")) if isinstance(file.data, dict) else ""
    if kind not in KINDS:
        problem = Problem(at=("kind",), message="is no kind of suite", suggestion=did_you_mean(kind, list(KINDS)))
        return None, placed([problem], file)
    problems = shape_problems(file.data, KINDS[kind])
    suite = None if problems else parsed(file.data, KINDS[kind])
    if suite is None:
        return None, placed(problems or [Problem(message="is no suite")], file)
    return suite, [*file.faults, *placed(_rules_broken(suite, Path(file.source).stem), file)]


def _rules_broken(suite: Suite, stem: str) -> Iterator[Problem]:
    """What shows only beside something else: ids that stand twice, calls and criteria that do not exist."""
    if suite.id != stem:
        yield Problem(at=("id",), message=f"is {suite.id!r}, but the file is called {stem}")
    for name in ("calls", "cases", "swaps"):
        ids = [item.id for item in getattr(suite, name, ())]
        for place, id_ in enumerate(ids):
            if id_ in ids[:place]:
                yield Problem(at=(name, place, "id"), message=f"the id {id_} stands twice")
    calls = {call.id: call for call in suite.calls}
    for place, call in enumerate(suite.calls):
        known = rubric_of(call.rubric or suite.rubric).by_id
        for name in ("over", "under"):
            yield from _unknown(getattr(call, name), known, ("calls", place, name))
    for place, case in enumerate(getattr(suite, "cases", ())):
        named = getattr(case, "call", None)
        if named is not None and named not in calls:
            yield Problem(at=("cases", place, "call"), message=f"there is no call {named!r}")
            continue
        of = calls[named].rubric if named else ""
        known = rubric_of(of or suite.rubric).by_id
        for name in ("aims", "open", "answered"):
            yield from _unknown(getattr(case, name, ()), known, ("cases", place, name))


def _unknown(ids: tuple[str, ...], known: Mapping[str, Any], at: tuple[str | int, ...]) -> Iterator[Problem]:
    for place, id_ in enumerate(ids):
        if id_ not in known:
            yield Problem(at=(*at, place), message=f"no criterion {id_!r}", suggestion=did_you_mean(id_, list(known)))
