"""Which calls a second opinion learns from, and by which it is checked: never one of a holdout, and never anybody on
both sides.

Of a golden set it learns from train and is checked by dev. Of reviewed calls a third of the people is drawn to be
checked by; who stands in the holdout of any set of the client's is left out altogether.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from callgrade.access.principals import Principal
from callgrade.calibration import golden, golden_repository
from callgrade.calibration.compared import labelled
from callgrade.calibration.from_reviews import label_of
from callgrade.calibration.second_opinion import repository
from callgrade.calls.service import parse_stored
from callgrade.domain.autonomy import criterion_digests
from callgrade.domain.calls import Transcript
from callgrade.domain.errors import CallgradeError, UnknownResourceError
from callgrade.domain.golden import GoldenCall, Label, Split
from callgrade.domain.identity import ByIdentity
from callgrade.domain.rubrics import Rubric
from callgrade.domain.second_opinion import Source
from callgrade.domain.splits import Pair, draw, groups
from callgrade.evaluations import registry
from callgrade.reviews import repository as reviews
from callgrade.reviews.publishing import begins_from

AT_ONCE = 200


@dataclass(frozen=True)
class Side:
    """Calls, their people as groups, and by criterion which of them has the fault; left out where nobody says, or
    raters differ and nobody adjudicated."""

    transcripts: Sequence[Transcript]
    agents: Sequence[str]
    group: Sequence[int]
    faults: Mapping[str, Mapping[int, bool]]
    """Criterion → place of the call → whether it has the fault."""

    def of(self, criterion_id: str) -> tuple[list[int], list[bool]]:
        found = self.faults.get(criterion_id, {})
        return list(found), list(found.values())


@dataclass(frozen=True)
class Material:
    """`train` and `check` share nobody. `source` says where it comes from, without the figures of a criterion."""

    source: Source
    split: str
    train: Side
    check: Side


def of_golden(session: Session, principal: Principal, set_id: str, rubric: Rubric) -> Material:
    """Train and dev of a set. Raises UnknownResourceError."""
    row = golden.find(session, principal, set_id)
    sides: list[tuple[Split]] = [("train",), ("dev",)]
    train, dev = ([one.call for one in golden.calls(session, principal, row.id, side)] for side in sides)
    labels = _of_these_criteria(session, rubric, golden.labels(session, principal, row.id, rubric.id))
    source = Source(kind="golden", name=row.name, digest="", synthetic=any(one.synthetic for one in train))
    return _material(source, "dev", rubric, train, dev, labels)


def of_reviews(session: Session, principal: Principal, rubric: Rubric) -> Material:
    """What the client's people decided of published calls, by reviews that were submitted."""
    found: dict[str, GoldenCall] = {}
    labels: list[Label] = []
    kept = repository.in_a_holdout(session, principal.client_id)
    ids = repository.published(session, principal.client_id, rubric.id)
    for start in range(0, len(ids), AT_ONCE):
        for review in golden_repository.submitted(session, principal, ids[start : start + AT_ONCE]):
            try:
                subject = reviews.subject(session, review)
            except UnknownResourceError:  # erased
                continue
            transcript = parse_stored(subject.transcript)
            pair: Pair = (subject.call.agent_id, transcript.customer.id if transcript.customer else None)
            if kept.has(subject.call.id, pair):
                continue
            name = subject.call.call_id
            found.setdefault(
                name,
                GoldenCall(
                    id=name, synthetic=False, written_by="reviewed call", split="train", agent=pair[0],
                    customer=pair[1], transcript=transcript,
                ),
            )  # fmt: skip
            begun = begins_from(session, review)
            proposal = begun[1] if begun else reviews.proposal(subject)
            of_version = golden_repository.rubric_of(session, review.evaluation_id)
            labels.append(label_of(name, of_version, review, proposal, reviews.decisions(session, review.id)))
    calls = [found[name] for name in sorted(found)]
    sides = draw([(call.agent, call.customer) for call in calls], f"second opinion on {rubric.id}")
    train = [call for call, side in zip(calls, sides, strict=True) if side != "dev"]
    check = [call for call, side in zip(calls, sides, strict=True) if side == "dev"]
    source = Source(kind="reviews", name=rubric.id, digest="")
    return _material(source, "apart", rubric, train, check, _of_these_criteria(session, rubric, labels))


def _material(
    source: Source,
    split: str,
    rubric: Rubric,
    train: Sequence[GoldenCall],
    check: Sequence[GoldenCall],
    labels: Sequence[Label],
) -> Material:
    names = {call.id for call in train}
    given = [label for label in labels if label.call in names]
    at = sorted(label.at for label in given if label.at is not None)
    sides = (side_of(rubric, train, labels), side_of(rubric, check, labels))
    whole = source.model_copy(
        update={
            "digest": _digest(zip((train, check), sides, strict=True)),
            "by_models": any(label.rater_kind == "model" for label in given),
            "blind": sum(label.blind for label in given),
            "first": at[0] if at else None,
            "last": at[-1] if at else None,
        }
    )
    return Material(whole, split, *sides)


def side_of(rubric: Rubric, calls: Sequence[GoldenCall], labels: Iterable[Label]) -> Side:
    """What is right of these calls: as in calibration runs, what was adjudicated, or what all say."""
    place = {call.id: at for at, call in enumerate(calls)}
    compared = labelled(rubric, calls, [label for label in labels if label.call in place])
    faults = {
        id_: {
            place[one.call]: one.truth.fault for one in found if one.truth is not None and one.truth.fault is not None
        }
        for id_, found in compared.by_criterion.items()
    }
    group = [0] * len(calls)
    for number, members in enumerate(groups([(call.agent, call.customer) for call in calls])):
        for member in members:
            group[member] = number
    agents = [call.agent or f"\0{call.id}" for call in calls]
    return Side([call.transcript for call in calls], agents, group, faults)


def _of_these_criteria(session: Session, rubric: Rubric, labels: Iterable[Label]) -> list[Label]:
    """Labels by other versions of the rubric speak of those criteria alone that have not changed since."""
    now = criterion_digests(ByIdentity(rubric))
    same: dict[str, Collection[str]] = {rubric.reference: rubric.by_id}
    kept = []
    for label in labels:
        if label.rubric not in same:
            same[label.rubric] = _unchanged(session, label.rubric, now)
        alike = same[label.rubric]
        if label.rubric == rubric.reference:
            kept.append(label)
            continue
        said = {id_: given for id_ in alike if (given := label.said_of(id_)) is not None}
        kept.append(label.model_copy(update={"judgements": said, "rest": None}))
    return kept


def _unchanged(session: Session, reference: str, now: Mapping[str, str]) -> Collection[str]:
    try:
        then = criterion_digests(ByIdentity(registry.rubric(session, reference)[0]))
    except CallgradeError:  # a version that is not in the registry: nobody knows what it asked
        return ()
    return [id_ for id_, digest in then.items() if now.get(id_) == digest]


def _digest(sides: Iterable[tuple[Sequence[GoldenCall], Side]]) -> str:
    """Of the words and what is right of them, by call."""
    told = hashlib.sha256()
    for calls, side in sides:
        for at, call in enumerate(calls):
            faults = {id_: found[at] for id_, found in sorted(side.faults.items()) if at in found}
            words = [(turn.speaker, turn.text) for turn in call.transcript.turns]
            told.update(json.dumps([call.id, words, faults], ensure_ascii=False).encode() + b"\n")
        told.update(b"\0")
    return f"sha256:{told.hexdigest()}"
