"""Looking at what stands: can each file be trusted, is it still of this criterion, how does it do on a holdout, and
what does it say of a call?"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from callgrade.access.principals import Principal
from callgrade.calibration.holdout import HoldoutWear, read_holdout
from callgrade.calibration.second_opinion import repository, stored
from callgrade.calibration.second_opinion.checking import check
from callgrade.calibration.second_opinion.features import features
from callgrade.calibration.second_opinion.fitting import Line
from callgrade.calibration.second_opinion.material import Side, side_of
from callgrade.calibration.second_opinion.stored import UntrustworthyError
from callgrade.db.session import Database
from callgrade.db.tables import SecondOpinion
from callgrade.domain.calls import Transcript
from callgrade.domain.rubrics import Rubric
from callgrade.domain.second_opinion import Check, Opinion

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


class Standing(NamedTuple):
    """One that stands, on or off. `fault`: why its file is not asked, None for no reason; `line` None without a file
    that could be."""

    id: str
    about: Opinion
    line: Line | None = None
    fault: str | None = None


class Held(NamedTuple):
    """How those with a file do on the holdout, by criterion, and how worn that is now."""

    checks: dict[str, Check]
    wear: HoldoutWear


def standing(database: Database, principal: Principal, rubric_id: str | None = None) -> list[Standing]:
    """Without their files read."""
    principal.reach("calibrations:read")
    with database.reading() as session:
        rows = repository.standing(session, principal.client_id, rubric_id)
        return [Standing(row.id, Opinion.model_validate(row.about)) for row in rows]


def opened(database: Database, principal: Principal, rubric: Rubric) -> list[Standing]:
    """Each that stands for a rubric, its file read and held against the criterion as it is now."""
    principal.reach("calibrations:read")
    with database.reading() as session:
        return [_opened(row, rubric) for row in repository.standing(session, principal.client_id, rubric.id)]


def on_holdout(
    database: Database, principal: Principal, rubric: Rubric, found: Sequence[Standing], set_id: str, why: str
) -> Held:
    """No scorer was trained on it, and reading it is on record. Raises HoldoutRetiredError, InputError."""
    read = read_holdout(database, principal, set_id, rubric.reference, why)
    side = side_of(rubric, [one.call for one in read.calls], read.labels)
    words = features(side.transcripts)
    checks = {one.about.criterion_id: _held(one.line, one.about, side, words) for one in found if one.line is not None}
    return Held(checks, read.wear)


def said_of(found: Sequence[Standing], call: Transcript) -> dict[str, float]:
    """Criterion → the probability of its fault in this call, of those that have a file, on or off."""
    words = features([call])
    return {one.about.criterion_id: float(one.line.probabilities(words)[0]) for one in found if one.line is not None}


def _opened(row: SecondOpinion, rubric: Rubric) -> Standing:
    about = Opinion.model_validate(row.about)
    if not row.content:
        return Standing(row.id, about)
    try:
        told, line = stored.read(row.content)
        if told != about:
            raise UntrustworthyError("the second opinion's file is another than the one that was put here")
        stored.check_for(told, rubric)
    except UntrustworthyError as error:
        return Standing(row.id, about, fault=str(error))
    return Standing(row.id, about, line)


def _held(line: Line, about: Opinion, side: Side, words: "csr_matrix") -> Check:
    where, true = side.of(about.criterion_id)
    agents = [side.agents[at] for at in where]
    return check("holdout", line.probabilities(words[where]), true, agents, firm=about.firm)
