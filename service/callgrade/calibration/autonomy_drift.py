"""Taking autonomy back by itself: where what people found since then no longer proves the bound, or the judge drifts.

What was reviewed since the grant (audits, samples) is held against it again and again. The misses of the grant and
those since then together must still prove the level; a CUSUM watches how far people and the judge are apart on the
whole scale.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlmodel import Session

from callgrade.access import audit
from callgrade.access.principals import system
from callgrade.calibration import autonomy_evidence as evidence
from callgrade.calibration import autonomy_repository as repository
from callgrade.calibration.thresholds import sure_of
from callgrade.db.session import Database
from callgrade.db.tables import Autonomy
from callgrade.db.types import now
from callgrade.domain.autonomy import CALL_LEVEL, Evidence
from callgrade.domain.frozen import LocalText
from callgrade.reviews.autonomy import evidence_of, key_of
from callgrade.reviews.autonomy_alerts import tell_ended
from callgrade.stats import risk
from callgrade.stats.drift import cusum, tuned

SHIFT = 0.05
"""Of the scale's width, which a shift of 0.2 on a scale from 1 to 5 is."""
_LOG = logging.getLogger(__name__)


def look_for_drift(database: Database, *, clock: Callable[[], datetime] = now) -> int:
    """Ends what does not stand any more, and says how many. Meant to be called now and then by any host; each state is
    ended once. One that cannot be looked at is told in the log, and keeps no other from it."""
    with database.reading() as session:
        ids = [row.id for row in repository.letting_go(session)]
    ended = 0
    for id_ in ids:
        try:
            with database.writing() as session:
                row = session.get(Autonomy, id_)
                why = None if row is None or row.ended_at is not None else why_over(session, row)
                if row is None or why is None or not repository.end(session, id_, clock(), why.model_dump_json()):
                    continue
                audit.record(session, system(row.client_id), "autonomy.ended", id_, {"state": row.state})
                tell_ended(session, row, why, clock())
                ended += 1
        except Exception as error:
            # the text of an unforeseen one may hold anything
            _LOG.warning("drift was not looked for", extra={"autonomy": id_, "error": type(error).__name__})
    return ended


def why_over(session: Session, row: Autonomy) -> LocalText | None:
    """Why a state does not stand any more; None where it does."""
    key = key_of(row)
    checked = repository.checked(session, row.client_id, row.rubric_id, after=row.since)
    found = list(evidence.items(key, evidence.read(session, checked), sure_of(row)))
    granted = evidence_of(row)
    if row.state == "automatic" and granted is not None and (why := _bound_lost(granted, found)) is not None:
        return why
    return None if key.criterion_id == CALL_LEVEL else _drifts(row.evidence.get("drift") or {}, found)


def _bound_lost(granted: Evidence, found: list[evidence.Item]) -> LocalText | None:
    """With what was found since then, the evidence of the grant together."""
    counted = [item for item in found if item.missed is not None]
    missed = sum(bool(item.missed) for item in counted)
    if not missed:
        return None
    more, n = risk.weighted([float(bool(item.missed)) for item in counted], [item.probability for item in counted])
    before = granted.effective if granted.effective is not None else float(granted.reviewed)
    share = granted.misses / granted.reviewed if granted.reviewed else 0.0
    bound = risk.upper_bound(before * share + more, before + n, level=granted.confidence)
    if bound <= granted.level:
        return None
    return LocalText(
        zh=f"授予后复核 {len(counted)} 通，漏判 {missed}：上限 {bound:.1%} 超过 {granted.level:.0%}",
        en=f"{missed} missed of {len(counted)} reviewed since then: at most {bound:.1%}, above {granted.level:.0%}.",
    )


def _drifts(watched: dict[str, Any], found: list[evidence.Item]) -> LocalText | None:
    apart = [item.apart for item in found if item.apart is not None]
    if not apart:
        return None
    spread = max(evidence.SMALLEST_SPREAD, float(watched.get("spread", 0)))
    plan = tuned(spread, reference=float(watched.get("reference", 0)), shift=SHIFT)
    seen = cusum(apart, plan)
    if seen.alarm is None:
        return None
    number = seen.alarm + 1
    way = ("偏低", "lower") if seen.direction == "up" else ("偏高", "higher")
    return LocalText(
        zh=f"漂移：到第 {number} 通复核时，机评持续比人工{way[0]}",
        en=f"Drift: by the {number}th reviewed call the judge rates {way[1]} than people do.",
    )
