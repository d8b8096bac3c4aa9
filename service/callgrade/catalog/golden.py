"""The golden set that ships: calls that were made up, what was planted in them, and what raters said of them.

`manifest.yaml` names the recorded calls, the folders of texts and labels, and on which split each agent stands. A fault
anywhere keeps the whole set from loading: a judge must never be held against half of it.
"""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from callgrade.catalog.faults import Fault
from callgrade.catalog.golden_labels import Placed, read_labels, rules_broken
from callgrade.catalog.golden_texts import Read, read_texts
from callgrade.catalog.placing import placed
from callgrade.catalog.resources import resource_folder
from callgrade.catalog.shape import parsed, shape_problems
from callgrade.catalog.yaml_source import read_yaml
from callgrade.domain.calls import Speaker, Transcript
from callgrade.domain.errors import GoldenSetError
from callgrade.domain.frozen import Frozen, LocalText
from callgrade.domain.golden import SPLITS, GoldenCall, GoldenSet, Split
from callgrade.domain.splits import Pair, astride, draw, groups

SHIPPED = "shipped"
"""The id of the set that comes with callgrade."""


class Planted(Frozen):
    """Words that were put into a call on purpose, and when they are heard (milliseconds)."""

    what: str
    kind: str
    turn: int
    quote: str
    speaker: Speaker
    start: int
    end: int
    start_ms: int
    end_ms: int
    note: str = ""


class SampleCall(Frozen):
    """One sample call. `recording` and `transcript` are paths inside the golden set's folder."""

    id: str
    title: LocalText
    recording: str
    agent_channel: Annotated[int, Field(ge=0, le=1)]
    transcript: str
    synthetic: bool
    variants: tuple[str, ...] = ()
    planted: tuple[Planted, ...] = ()
    seconds: float
    characters: int
    script: str = ""
    written_by: str = ""

    def recording_path(self) -> Path:
        return resource_folder("golden_set") / self.recording

    def transcript_path(self) -> Path:
        return resource_folder("golden_set") / self.transcript


class Splits(Frozen):
    """Agents by the side that their calls stand on. They are drawn once (`domain.splits.draw`) and written down, so
    that no later call moves an earlier one."""

    seed: str
    train: tuple[str, ...] = ()
    dev: tuple[str, ...] = ()
    holdout: tuple[str, ...] = ()

    def side(self, agent: str) -> Split | None:
        """None for an agent who is not placed yet."""
        return next((split for split in SPLITS if agent in getattr(self, split)), None)


class Manifest(Frozen):
    schema_: Literal["callgrade.golden-set/1"] = Field(alias="schema")
    synthetic: Literal[True]
    title: LocalText = LocalText()
    calls: tuple[SampleCall, ...]
    """Recorded ones; they belong to `train`: everybody has seen them."""
    texts: str = ""
    """A folder of callgrade.golden-texts/1."""
    labels: str = ""
    """A folder of callgrade.label/1 by line."""
    splits: Splits = Splits(seed="")


def sample_calls() -> tuple[SampleCall, ...]:
    """The recorded calls of the golden set's manifest, in its order."""
    return _manifest(resource_folder("golden_set")).calls


def load(folder: Path | None = None) -> GoldenSet:
    """The shipped set, or the one in a folder, with its labels. Raises GoldenSetError that names every fault with file
    and line."""
    return _shipped() if folder is None else _load(folder)


def placed_labels(folder: Path | None = None) -> list[Placed]:
    """The labels with the lines that they stand in, of a set that loads."""
    folder = folder or resource_folder("golden_set")
    return _labels(folder, _manifest(folder))[0]


def digest(golden: GoldenSet) -> str:
    """`sha256:` and the SHA-256 of everything in the set: words, splits, labels and who gave them."""
    content = golden.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()


def drawn(folder: Path | None = None) -> Splits:
    """The manifest's splits, with every agent who is not placed yet drawn beside them. Nobody who is placed moves.

    Raises GoldenSetError for files with faults, or groups that stand on two sides already.
    """
    folder = folder or resource_folder("golden_set")
    manifest = _manifest(folder)
    read, faults = _texts(folder, manifest)
    _refuse(folder, faults)
    splits = manifest.splits
    calls = [call for one in read if one.texts for call in one.texts.calls]
    pairs: list[Pair] = [(call.agent, call.customer) for call in calls]
    strata = [[f"{about.criterion} {about.side}" for about in call.about] for call in calls]
    sides = _settled(pairs, splits)
    free = [place for place, side in enumerate(sides) if side is None]
    taken = {split: sides.count(split) for split in SPLITS}
    fresh = draw([pairs[place] for place in free], splits.seed, taken, [strata[place] for place in free])
    named: dict[Split, set[str]] = {split: set(getattr(splits, split)) for split in SPLITS}
    settled = {place: side for place, side in enumerate(sides) if side is not None}
    for place, side in {**settled, **dict(zip(free, fresh, strict=True))}.items():
        named[side].add(str(pairs[place][0]))
    return Splits(seed=splits.seed, **{split: tuple(sorted(agents)) for split, agents in named.items()})


def _settled(pairs: list[Pair], splits: Splits) -> list[Split | None]:
    """Where each call stands by those of its group that are placed."""
    sides: list[Split | None] = [None] * len(pairs)
    for group in groups(pairs):
        there = {side for place in group if (side := splits.side(str(pairs[place][0])))}
        if len(there) > 1:
            who = ", ".join(sorted({str(pairs[place][0]) for place in group}))
            raise GoldenSetError("splits", (f"{who} share customers and stand on {' and '.join(sorted(there))}",))
        for place in group:
            sides[place] = next(iter(there), None)
    return sides


@cache
def _shipped() -> GoldenSet:
    return _load(resource_folder("golden_set"))


def _load(folder: Path) -> GoldenSet:
    manifest = _manifest(folder)
    read, faults = _texts(folder, manifest)
    calls, misplaced = _calls(folder, manifest, read)
    labels, unread = _labels(folder, manifest)
    # labels of calls that could not be read would all seem to be of unknown ones
    known = {call.id: call for call in calls}
    faults += misplaced + unread + ([] if faults or misplaced else rules_broken(labels, known))
    _refuse(folder, faults)
    return GoldenSet(
        id=SHIPPED,
        title=manifest.title.zh or manifest.title.en or SHIPPED,
        synthetic=True,
        calls=tuple(calls),
        labels=tuple(one.label for one in labels),
    )


def _manifest(folder: Path) -> Manifest:
    file = read_yaml(folder / "manifest.yaml")
    faults = list(file.faults)
    if file.root is not None:
        faults += placed(shape_problems(file.data, Manifest), file)
    manifest = None if faults else parsed(file.data, Manifest)
    if manifest is not None:
        agents = [agent for split in SPLITS for agent in getattr(manifest.splits, split)]
        twice = sorted({agent for agent in agents if agents.count(agent) > 1})
        line, _ = file.place(("splits",))
        faults += [Fault(file=file.source, line=line, message=f"agent {agent} is placed twice") for agent in twice]
    _refuse(folder, faults)
    assert manifest is not None
    return manifest


def _texts(folder: Path, manifest: Manifest) -> tuple[list[Read], list[Fault]]:
    read = [read_texts(path) for path in sorted((folder / manifest.texts).glob("*.yaml"))] if manifest.texts else []
    return read, [fault for one in read for fault in one.faults]


def _labels(folder: Path, manifest: Manifest) -> tuple[list[Placed], list[Fault]]:
    paths = sorted((folder / manifest.labels).glob("*.jsonl")) if manifest.labels else []
    found = [read_labels(path) for path in paths]
    return [label for labels, _ in found for label in labels], [fault for _, faults in found for fault in faults]


def _calls(folder: Path, manifest: Manifest, read: list[Read]) -> tuple[list[GoldenCall], list[Fault]]:
    calls, faults = _recorded(folder, manifest)
    where = {call.id: "manifest.yaml" for call in calls}
    for one in read:
        for number, text in enumerate(one.texts.calls if one.texts else ()):
            at = ("calls", number)
            side = manifest.splits.side(text.agent)
            if side is None:
                told = f"agent {text.agent} stands on no split"
                faults.append(one.fault((*at, "agent"), told, "`callgrade golden split` draws one for manifest.yaml"))
            if text.id in where:
                faults.append(one.fault((*at, "id"), f"the id {text.id} stands twice (first in {where[text.id]})"))
            where[text.id] = one.file.source
            if side is not None and one.texts:
                calls.append(text.golden(one.texts.written_by, side))
    for who in astride([(call.agent, call.customer) for call in calls], [call.split for call in calls]):
        faults.append(Fault(file=str(folder / "manifest.yaml"), message=f"{who} stands on two splits"))
    return calls, faults


def _recorded(folder: Path, manifest: Manifest) -> tuple[list[GoldenCall], list[Fault]]:
    calls, faults = [], []
    for sample in manifest.calls:
        path = folder / sample.transcript
        try:
            transcript = Transcript.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            faults.append(Fault(file=str(path), message="is no callgrade.transcript/1"))
            continue
        calls.append(
            GoldenCall(
                id=sample.id,
                synthetic=sample.synthetic,
                written_by=sample.written_by,
                split="train",
                agent=transcript.agent.id if transcript.agent else None,
                customer=transcript.customer.id if transcript.customer else None,
                transcript=transcript,
            )
        )
    return calls, faults


def _refuse(folder: Path, faults: list[Fault]) -> None:
    if faults:
        raise GoldenSetError(str(folder), tuple(str(fault) for fault in faults))
