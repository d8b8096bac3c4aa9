"""Training a rubric's second opinions: fit, calibrate, check, and put each before its gate."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlmodel import Session

from callgrade.access import audit
from callgrade.access.principals import Principal
from callgrade.calibration.second_opinion import repository, stored
from callgrade.calibration.second_opinion.checking import HALF, check
from callgrade.calibration.second_opinion.features import RECIPE, features, library
from callgrade.calibration.second_opinion.fitting import Line, fit
from callgrade.calibration.second_opinion.material import Material, of_golden, of_reviews
from callgrade.catalog import digest
from callgrade.db.session import Database
from callgrade.db.tables import SecondOpinion
from callgrade.db.types import now
from callgrade.domain.autonomy import criterion_digests
from callgrade.domain.errors import ConflictError, InputError
from callgrade.domain.identity import ByIdentity
from callgrade.domain.rubrics import Rubric
from callgrade.domain.second_opinion import FEWEST_TO_TRAIN, FIRM, Check, Opinion, decide

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
    firm: float = FIRM,
    progress: Progress = no_progress,
) -> tuple[Opinion, ...]:
    """Every criterion that anybody labelled, by a golden set or (without one) by the client's reviewed calls. What
    stood before ends. Only what its gate lets on is asked from now on, and calls a person from the probability `firm`
    on; the others say why not.

    Raises InputError for a `firm` that is no firmer than a guess, NotReadyError without the library, ConflictError
    where no label says anything, UnknownResourceError.
    """
    principal.reach("calibrations:write")
    if not HALF < firm <= 1:
        raise InputError("firm: a probability above 0.5, at most 1")
    library()
    with database.reading() as session:
        if set_id is not None:
            material = of_golden(session, principal, set_id, rubric)
        else:
            material = of_reviews(session, principal, rubric)
    made = fitted(material, rubric, firm=firm, progress=progress)
    if not made:
        raise ConflictError(f"nobody has labelled a call of {rubric.id} yet: there is nothing to train a scorer on")
    with database.writing() as session:
        _keep(session, principal, rubric, made)
    return tuple(one.about for one in made)


def fitted(
    material: Material, rubric: Rubric, *, firm: float = FIRM, progress: Progress = no_progress
) -> list[Trained]:
    """In the order of the form; criteria that only people judge, and those that nobody labelled, are left out."""
    words = features(material.train.transcripts), features(material.check.transcripts)
    work = _Training(material, rubric, firm, now(), *words)
    wanted = [one.id for one in rubric.criteria if one.judge != "human" and material.train.faults.get(one.id)]
    made = []
    for number, id_ in enumerate(wanted):
        progress(number, len(wanted))
        made.append(work.of(id_))
    progress(len(wanted), len(wanted))
    return made


@dataclass(frozen=True)
class _Training:
    """One round over a rubric; the words are made numbers once."""

    material: Material
    rubric: Rubric
    firm: float
    at: datetime
    train: "csr_matrix"
    check: "csr_matrix"

    def of(self, id_: str) -> Trained:
        side = self.material.train
        places, fault = side.of(id_)
        faults, line = sum(fault), None
        if min(faults, len(fault) - faults) >= FEWEST_TO_TRAIN:
            line = fit(self.train[places], fault, [side.group[at] for at in places])
        checked = self._checked(id_, line) if isinstance(line, Line) else None
        about = Opinion(
            rubric=self.rubric.reference,
            rubric_digest=digest(self.rubric),
            criterion_id=id_,
            criterion_digest=criterion_digests(ByIdentity(self.rubric))[id_],
            recipe=RECIPE,
            library=f"scikit-learn {library().__version__}",
            trained_at=self.at,
            source=self.material.source.model_copy(
                update={"calls": len(fault), "faults": faults, "agents": len({side.agents[at] for at in places})}
            ),
            firm=self.firm,
            check=checked,
            verdict=decide(faults, len(fault) - faults, checked),
        )
        return Trained(*stored.write(about, line)) if isinstance(line, Line) else Trained(about)

    def _checked(self, id_: str, line: Line) -> Check:
        side = self.material.check
        places, fault = side.of(id_)
        agents = [side.agents[at] for at in places]
        return check(self.material.split, line.probabilities(self.check[places]), fault, agents, firm=self.firm)


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
