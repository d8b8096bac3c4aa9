"""Erasing a call: nothing that was said in it stays, only that there was one, when it went and why.

What goes: all transcript versions; the recording, unless another call refers to the same sound, or the URL that it was
to be fetched from; quotes, reasons and error texts in scorecards, published ones too, and evaluations (points stay:
they are figures, and statistics count them); what reviewers, agents and deciders wrote about it, and the outline of its
sound; the call's lines in batches; what was sent or is still to be sent to webhooks; answers kept for repeated
requests; what models said; golden calls made from it, with the quotes and notes of their labels. The call's row stays
as a tombstone, and its evaluations stay without words, flagged `erased`.

Order: first what lies outside the database and does no harm when the rest fails (answers of models, lines of batches),
then everything else in one transaction, whose last act is the recording. So an erasure that fails can simply be asked
for again, and one that succeeds has left nothing. Answers of models lie on every host that asks them: the other hosts
`catch_up`.
"""

import hashlib
import io
import json
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError
from sqlmodel import Session

from callgrade.access import audit
from callgrade.access.principals import Principal
from callgrade.calls import erasure_repository as gone
from callgrade.calls import golden_erasure_repository as golden
from callgrade.calls import repository
from callgrade.calls import review_erasure_repository as desk
from callgrade.calls.service import find, hold
from callgrade.db.scrubbing import overwrite_what_is_deleted, scrub
from callgrade.db.session import Database
from callgrade.db.tables import Call, Evaluation
from callgrade.db.types import now
from callgrade.domain.errors import InputError, UnknownResourceError
from callgrade.domain.frozen import Frozen
from callgrade.domain.judgements import JudgeFailure
from callgrade.domain.scorecards import Scorecard, ScoredJudgement
from callgrade.ports import AnswerMemory, BlobStore

LONGEST_REASON = 500
_NUMBER = re.compile(r"(?:\d[ -]?){11}")
"""As long as a mobile number; a date with a time of day has a colon in it."""
NEVER_SAID = "erased with its call"


class Erased(Frozen):
    """What went. `cancelled` are (evaluation, attempt) that were still at work: tell the queue."""

    id: str
    at: datetime
    transcripts: int = 0
    recordings: int = 0
    scorecards: int = 0
    deliveries: int = 0
    answers: int = 0
    chunks: int = 0
    cancelled: tuple[tuple[str, int], ...] = ()
    scrubbed: bool = True
    """False: the database's log could not be cut yet, because somebody was reading; `scrub` again later."""


def erase(
    database: Database,
    blobs: BlobStore,
    principal: Principal,
    id_: str,
    reason: str,
    *,
    memories: Sequence[AnswerMemory] = (),
) -> Erased:
    """Raises UnknownResourceError, GoneError where it was erased before, InputError for a reason that is none,
    NotReadyError where a part cannot be reached: then nothing has gone but model answers and lines of batches, and it
    is to be asked for again.
    """
    reason = check_reason(reason)
    with database.reading() as session:
        call = find(session, principal.client_id, id_)
    for memory in memories:
        memory.forget(call.client_id, [call.call_id])
    chunks = _blank_lines(database, blobs, call)
    with database.writing() as session:
        call = hold(session, principal.client_id, id_)
        went = {"chunks": chunks, **erase_rows(session, [call], reason), **_erase_sent(session, call)}
        cancelled = went.pop("cancelled")
        went["recordings"] = drop_recordings(session, blobs, [call.id])
        erased = Erased(id=call.id, at=_moment(call), cancelled=cancelled, **went)
        facts = {**went, "cancelled": len(cancelled), "reason": reason_digest(reason)}
        audit.record(session, principal, "call.erased", call.id, facts, at=erased.at)
    return erased.model_copy(update={"scrubbed": scrub(database)})


def erase_rows(session: Session, calls: Sequence[Call], reason: str) -> dict[str, Any]:
    """The part in the database, but for what was sent about the calls. The calls are held.

    Gives what went, by the names that Erased has for it.
    """
    overwrite_what_is_deleted(session)
    moment, ids = now(), [call.id for call in calls]
    # first, so that a worker's scorecard is either stored and found below, or refused
    cancelled = gone.cancel(session, ids, moment)
    evaluations = gone.evaluations(session, ids)
    for evaluation in evaluations:
        if evaluation.error is not None:
            kind = str(evaluation.error.get("type", "unexpected"))
            evaluation.error = {"type": kind, "message": NEVER_SAID, "retryable": False}
            session.add(evaluation)
    for call in calls:
        call.erased_at, call.erased_because, call.facts = moment, reason, {}
        session.add(call)
    repository.drop_awaited(session, ids)
    return {
        "cancelled": tuple(cancelled),
        "transcripts": gone.drop_transcripts(session, ids) + blank_golden(session, ids, moment),
        "scorecards": strip_scorecards(session, evaluations),
    }


def _erase_sent(session: Session, call: Call) -> dict[str, int]:
    """What was sent or is to be sent about a call, and what its client was answered within the last day."""
    texts = _names_of(call, [evaluation.id for evaluation in gone.evaluations(session, [call.id])])
    return {
        "deliveries": gone.blank_deliveries(session, call.id),
        "answers": gone.drop_answers(session, call.client_id, texts),
    }


def _moment(call: Call) -> datetime:
    assert call.erased_at is not None
    return call.erased_at


def check_reason(reason: str) -> str:
    """A reason stands on the tombstone and in answers: it is there, short, and names no number one could dial."""
    reason = " ".join(reason.split())
    if not reason or len(reason) > LONGEST_REASON or not reason.isprintable():
        raise InputError(f"reason: say in at most {LONGEST_REASON} characters why, and on whose written word")
    if _NUMBER.search(reason):
        raise InputError("reason: holds a long number; name the case, not a person or a telephone")
    return reason


def reason_digest(reason: str) -> str:
    """For the audit: shows a reason that was changed later, and holds no words."""
    return f"sha256:{hashlib.sha256(reason.encode()).hexdigest()}"


def drop_recordings(session: Session, blobs: BlobStore, call_ids: Sequence[str]) -> int:
    """Deletes the rows, and each blob that nobody else refers to. Comes last: a blob does not come back when the
    session fails."""
    rows = gone.recordings(session, call_ids)
    for row in rows:
        session.delete(row)
    desk.drop_outlines(session, call_ids)
    session.flush()
    for sha256 in sorted({row.sha256 for row in rows if row.sha256}):  # in order: two erasures never wait crosswise
        drop_blob(session, blobs, sha256)
    return len(rows)


def drop_blob(session: Session, blobs: BlobStore, sha256: str) -> bool:
    """Deletes a blob that no row of any client refers to, and says whether it did.

    Nobody can come to refer to it meanwhile: whoever wants to (service.claim_blob) waits for this session to end, and
    then misses it.
    """
    repository.hold_blob(session, sha256)
    if repository.is_referred_to(session, sha256):
        return False
    blobs.delete(sha256)
    return True


def blank_golden(session: Session, call_ids: Sequence[str], at: datetime) -> int:
    """Takes the words of golden calls that were made from these, and of what was said and judged of them. Says how many
    golden calls lost theirs; outcomes and points stay."""
    return erase_golden(session, golden.of_calls(session, call_ids), at)


def erase_golden(session: Session, golden_ids: Sequence[str], at: datetime) -> int:
    """The same of golden calls by their own ids."""
    strip_golden(session, golden_ids)
    return golden.blank_calls(session, golden_ids, at)


def strip_golden(session: Session, golden_ids: Sequence[str]) -> None:
    """The words of labels, and of what judges made of golden calls."""
    for item in golden.items(session, golden_ids):
        golden.set_scorecard(session, item, None if item.scorecard is None else without_words(item.scorecard))
    golden.blank_labels(session, golden_ids)


def strip_scorecards(session: Session, evaluations: Sequence[Evaluation]) -> int:
    """Leaves the points and takes the words: the machine's, and those of the people who looked at it."""
    ids = [evaluation.id for evaluation in evaluations]
    # whoever is writing about one is waited for, and whoever comes after finds it gone
    gone.hold_evaluations(session, ids)
    rows = gone.scorecards(session, ids)
    for row in rows:
        gone.set_scorecard(session, row, without_words(row.content))
    for stood in desk.published(session, ids):
        desk.set_published(session, stood, without_words(stood.content))
    desk.blank_reviews(session, ids, NEVER_SAID)
    desk.blank_appeals(session, ids, NEVER_SAID, now())
    strip_golden(session, golden.of_evaluations(session, ids))
    for evaluation in evaluations:
        gone.flag_wordless(session, evaluation)
    session.flush()
    return len(rows)


def without_words(content: str) -> str | None:
    """A stored scorecard without quotes, reasons and error texts; None for one that cannot be read."""
    try:
        card = Scorecard.model_validate_json(content)
    except ValidationError:
        return None
    judgements = tuple(_without_words(judgement) for judgement in card.judgements)
    flags = tuple(dict.fromkeys((*card.flags, gone.WORDLESS)))
    return card.model_copy(update={"judgements": judgements, "flags": flags}).model_dump_json(by_alias=True)


def _without_words(judgement: ScoredJudgement) -> ScoredJudgement:
    # named one by one: what is added to a judgement later stays out unless somebody lets it in
    error = judgement.error and JudgeFailure(type=judgement.error.type, message=NEVER_SAID, retryable=False)
    return ScoredJudgement(
        criterion_id=judgement.criterion_id,
        status=judgement.status,
        outcome=judgement.outcome,
        method=judgement.method,
        confidence=judgement.confidence,
        error=error,
        points=judgement.points,
        max_points=judgement.max_points,
    )


def _names_of(call: Call, evaluation_ids: Iterable[str]) -> list[str]:
    """How a JSON document that is about a call is known. PostgreSQL writes a blank after a colon, SQLite none."""
    own = json.dumps(call.call_id, ensure_ascii=False)
    return [call.id, *evaluation_ids, f'"call_id":{own}', f'"call_id": {own}']


# lines of batches


def _blank_lines(database: Database, blobs: BlobStore, call: Call) -> int:
    """Empties the call's lines in what is kept of batches; line numbers stay. Says how many chunks were changed."""
    with database.reading() as session:
        places = gone.chunks_that_may_hold(session, call.client_id, call)
    return sum(_blank_in(database, blobs, batch_id, number, call.call_id) for batch_id, number in places)


def _blank_in(database: Database, blobs: BlobStore, batch_id: str, number: int, call_id: str) -> bool:
    with database.writing() as session:
        chunk = gone.held_chunk(session, batch_id, number)
        if chunk is None or not chunk.blob:
            return False
        before = chunk.blob
        emptied = _emptied(blobs, before, call_id)
        if emptied is None:
            return False
        # held before it is there: see service.claim_blob
        repository.hold_blob(session, hashlib.sha256(emptied).hexdigest())
        chunk.blob = blobs.put(io.BytesIO(emptied)).sha256
        session.add(chunk)
    # only now: a chunk must never point at what is not there
    with database.writing() as session:
        drop_blob(session, blobs, before)
    return True


def _emptied(blobs: BlobStore, sha256: str, call_id: str) -> bytes | None:
    """The chunk with the call's lines empty; None where there are none."""
    try:
        with blobs.open(sha256) as stream:
            lines = stream.read().split(b"\n")
    except UnknownResourceError:
        return None
    likely = {json.dumps(call_id, ensure_ascii=ascii_)[1:-1].encode() for ascii_ in (True, False)}
    likely |= {name.replace(b"/", b"\\/") for name in likely}
    kept = [b"" if any(name in line for name in likely) and _is_of(line, call_id) else line for line in lines]
    return None if kept == lines else b"\n".join(kept)


def _is_of(line: bytes, call_id: str) -> bool:
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and document.get("call_id") == call_id


# other hosts, and what nobody refers to

AT_ONCE = 500
OVERLAP = timedelta(hours=1)
"""Clocks differ, and an erasure's moment comes before its commit."""


def catch_up(database: Database, memory: AnswerMemory, since: datetime) -> datetime:
    """Forgets, on this host, the calls that were erased anywhere since then; the answer is what to come back with.

    A worker host calls it at start, with the moment of its last time (or of its setting up), and every minute.
    """
    begun, after = now(), ""
    while True:
        with database.reading() as session:
            calls = gone.erased_since(session, since, after, AT_ONCE)
        for client_id in {call.client_id for call in calls}:
            memory.forget(client_id, [call.call_id for call in calls if call.client_id == client_id])
        if len(calls) < AT_ONCE:
            return begun - OVERLAP
        after = calls[-1].id
