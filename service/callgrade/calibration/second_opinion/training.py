"""Training a rubric's second opinions: fit, calibrate, check, and put each before its gate."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlmodel import Session

from callgrade.access import audit
from callgrade.access.principals import Principal
from callgrade.calibration.second_opinion import repository, stored
from callgrade.calibration.second_opinion.checking import check
from callgrade.calibration.second_opinion.features import RECIPE, features, library
from callgrade.calibration.second_opinion.fitting import Line, fit
from callgrade.calibration.second_opinion.material import Material, of_golden, of_reviews
from callgrade.catalog import digest
from callgrade.db.session import Database
from callgrade.db.tables import SecondOpinion
from callgrade.db.types import now
from callgrade.domain.autonomy import criterion_digests
from callgrade.domain.errors import ConflictError
from callgrade.domain.identity import ByIdentity
from callgrade.domain.rubrics import Rubric
from callgrade.domain.second_opinion import FEWEST_TO_TRAIN, Opinion, Source, Verdict, decide

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Progress = Callable[[int, int], None]
"""(criteria done, criteria in all)"""


def no_progress(done: int, total: int) -> None:
    """For callers who do not watch."""


@dataclass(frozen=True)
class Trained:
    """`content` is empty where there was nothing to train."""

    about: Opinion
    content: bytes = b""


def train(
    database: Database,
    principal: Principal,
    rubric: Rubric,
    *,
    set_id: str | None = None,
    progress: Progress = no_progress,
) -> tuple[Opinion, ...]:
    """Every criterion that anybody labelled, by a golden set or (without one) by the client's reviewed calls. What
    stood before ends. Only what its gate lets on is asked from now on; the others say why not.

    Raises NotReadyError without the library, ConflictError where no label says anything, UnknownResourceError.
    """
    principal.reach("calibrations:write")
    library()
    with database.reading() as session:
        if set_id is not None:
            material = of_golden(session, principal, set_id, rubric)
        else:
            material = of_reviews(session, principal, rubric)
    made = fitted(material, rubric, progress)
    if not made:
        raise ConflictError(f"nobody has labelled a call of {rubric.id} yet: there is nothing to train a scorer on")
    with database.writing() as session:
        _keep(session, principal, rubric, made)
    return tuple(one.about for one in made)


def fitted(material: Material, rubric: Rubric, progress: Progress = no_progress) -> list[Trained]:
    """In the order of the form; criteria that only people judge, and those that nobody labelled, are left out."""
    at = now()
    train_, check_ = features(material.train.transcripts), features(material.check.transcripts)
    wanted = [one.id for one in rubric.criteria if one.judge != "human" and material.train.faults.get(one.id)]
    made = []
    for number, id_ in enumerate(wanted):
        progress(number, len(wanted))
        made.append(_one(material, rubric, id_, at, train_, check_))
    progress(len(wanted), len(wanted))
    return made


def _one(
    material: Material, rubric: Rubric, id_: str, at: datetime, train_: "csr_matrix", check_: "csr_matrix"
) -> Trained:
    places, fault = material.train.of(id_)
    faults = sum(fault)
    line = None
    if min(faults, len(fault) - faults) >= FEWEST_TO_TRAIN:
        line = fit(train_[places], fault, [material.train.group[at] for at in places])
    checked = None
    if isinstance(line, Line):
        where, true = material.check.of(id_)
        agents = [material.check.agents[at] for at in where]
        checked = check(material.split, line.probabilities(check_[where]), true, agents)
    source = material.source.model_copy(
        update={
            "calls": len(fault),
            "faults": faults,
            "agents": len({material.train.agents[at] for at in places}),
        }
    )
    verdict = decide(faults, len(fault) - faults, checked)
    about = _about(rubric, id_, at, source, verdict).model_copy(update={"check": checked})
    return Trained(*stored.write(about, line)) if isinstance(line, Line) else Trained(about)


def _about(rubric: Rubric, id_: str, at: datetime, source: Source, verdict: Verdict) -> Opinion:
    return Opinion(
        rubric=rubric.reference,
        rubric_digest=digest(rubric),
        criterion_id=id_,
        criterion_digest=criterion_digests(ByIdentity(rubric))[id_],
        recipe=RECIPE,
        library=f"scikit-learn {library().__version__}",
        trained_at=at,
        source=source,
        verdict=verdict,
    )


def _keep(session: Session, principal: Principal, rubric: Rubric, made: list[Trained]) -> None:
    at = now()
    repository.end(session, principal.client_id, rubric.id, None, at)
    for one in made:
        row = SecondOpinion(
            client_id=principal.client_id,
            rubric_id=rubric.id,
            criterion_id=one.about.criterion_id,
            criterion_digest=one.about.criterion_digest,
            gate=one.about.verdict.gate,
            about=one.about.model_dump(mode="json", by_alias=True),
            content=one.content,
            trained_by=principal.actor,
            created_at=at,
        )
        session.add(row)
        session.flush()
        facts = {"gate": one.about.verdict.gate, "calls": one.about.source.calls, "faults": one.about.source.faults}
        audit.record(session, principal, "second_opinion.trained", row.id, facts)


def retire(database: Database, principal: Principal, rubric_id: str, criterion_id: str | None = None) -> list[str]:
    """From now on nobody asks it; says which ended. Raises ConflictError where none stands."""
    principal.reach("calibrations:write")
    with database.writing() as session:
        which = None if criterion_id is None else [criterion_id]
        ended = repository.end(session, principal.client_id, rubric_id, which, now())
        if not ended:
            raise ConflictError(f"no second opinion stands for {criterion_id or rubric_id}")
        for id_ in ended:
            audit.record(session, principal, "second_opinion.retired", id_)
    return ended
