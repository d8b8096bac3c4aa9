"""Calls with recordings, proposals of every look, and reviews of them. The calls are the synthetic samples; what the
machine is said to have proposed is made up here."""

from typing import Any

from callgrade.access.principals import system
from callgrade.adapters.blobs import FsspecBlobs
from callgrade.calls import service as calls
from callgrade.calls.metadata import RecordingMetadata
from callgrade.calls.reading import read_transcript
from callgrade.catalog import load_rubric
from callgrade.catalog.golden import SampleCall, sample_calls
from callgrade.db.tables import Evaluation
from callgrade.domain.calls import Speaker, Transcript
from callgrade.domain.grounding import span_evidence
from callgrade.domain.judgements import Evidence, Judgement
from callgrade.domain.options import options
from callgrade.domain.rubrics import Criterion, Rubric
from callgrade.domain.scorecards import Provenance, Scorecard, score
from callgrade.evaluations import registry
from callgrade.evaluations import repository as evaluations
from callgrade.evaluations.service import known_facts
from callgrade.reviews import repository as reviews
from callgrade.reviews.tables import REVIEW
from tests.api.made import OTHER_RUBRIC
from tests.reviews.made import DUE
from tests.web.made import AGENT, TEAM, Rooms

REASON = "机器给出的理由"
MADE_UP = "我们保证收益翻倍"


def call(
    rooms: Rooms, sample: str = "mis-selling", call_id: str | None = None, rubric: str = OTHER_RUBRIC, **more: Any
):
    """A call that has been heard and judged: (evaluation, transcript). Keywords go to the proposal."""
    found = next(one for one in sample_calls() if one.id == sample)
    words = read_transcript(found.transcript_path()).model_copy(update={"call_id": call_id or sample})
    words = Transcript.model_validate({**words.model_dump(), "agent": {"id": AGENT, "team": TEAM}})
    with rooms.desk.database.writing() as session:
        us = system(registry_client(session))
        row = calls.submit_recording(
            session, us, _metadata(words, found), _stored(rooms, found), blobs=rooms.desk.blobs
        )
        calls.add_transcript(session, row, words, "recogniser")
        made, _ = evaluations.create_evaluation(session, us, row, registry.rubric_version(session, rubric))
        evaluations.begin(session, made.id, "judging")
        form = load_rubric(rubric)
        assert evaluations.store_scorecard(session, made.id, 1, proposal(form, words, made.rubric_digest, **more))
        return evaluations.find(session, us.client_id, made.id), words


def registry_client(session: Any) -> str:
    from callgrade.access.keys import ensure_client

    return ensure_client(session).id


def review(rooms: Rooms, evaluation: Evaluation, **more: Any) -> str:
    fields = {"slot": 0, "due_at": DUE, "why": "low_confidence", **more}
    with rooms.desk.database.writing() as session:
        row = evaluations.find(session, evaluation.client_id, evaluation.id)
        assert reviews.create(session, row, **fields)
        wanted = reviews.select(REVIEW.c.id).where(REVIEW.c.evaluation_id == row.id, REVIEW.c.slot == fields["slot"])
        return str(session.execute(wanted).scalar_one())


def proposal(form: Rubric, words: Transcript, digest: str, *, all_right: bool = False) -> Scorecard:
    """The best of everything, but for one fault, one quote that was not said, one doubt and one abstention; with
    `all_right` nothing but the best."""
    judgements = {}
    for number, criterion in enumerate(form.criteria):
        look = "good" if all_right else {3: "fault", 5: "unfounded", 7: "doubt", 9: "open"}.get(number, "good")
        judgements[criterion.id] = _judgement(criterion, words, number, look)
    card = score(form, judgements, known_facts(words), call_id=words.call_id, digest=digest)
    return card.model_copy(update={"provenance": Provenance(model_reported="made-up-model", prompt="judge@v1")})


def _judgement(criterion: Criterion, words: Transcript, number: int, look: str) -> Judgement:
    method = "llm" if criterion.judge == "human" else criterion.judge
    if look == "open":
        return Judgement(criterion_id=criterion.id, status="cannot_assess", method=method, reason=f"{REASON}：听不清")
    offered = [outcome for outcome in options(criterion) if outcome is not None]
    evidence: tuple[Evidence, ...] = (_quote(words, number),)
    if look == "unfounded":
        evidence = (Evidence(quote=MADE_UP, grounding="unfounded", why="not_found"),)
    return Judgement(
        criterion_id=criterion.id,
        status="judged",
        outcome=offered[-1] if look in ("fault", "unfounded") else offered[0],
        method=method,
        reason=f"{REASON}：{criterion.title.zh}",
        confidence=0.55 if look == "doubt" else 0.96,
        evidence=evidence,
    )


def _quote(words: Transcript, number: int) -> Evidence:
    own = [n for n, turn in enumerate(words.turns) if turn.speaker == Speaker.AGENT]
    turn = own[number % len(own)]
    return span_evidence(words, turn, 0, min(12, len(words.turns[turn].text)))


def _metadata(words: Transcript, sample: SampleCall) -> RecordingMetadata:
    told = {name: getattr(words, name) for name in ("call_id", "channel", "language", "started_at", "agent", "facts")}
    channel = "1" if sample.agent_channel else "0"
    return RecordingMetadata(**told, agent_channel=channel, file_name="call.wav", media_type="audio/wav")


def _stored(rooms: Rooms, sample: SampleCall) -> Any:
    blobs = rooms.desk.blobs
    assert isinstance(blobs, FsspecBlobs)
    with sample.recording_path().open("rb") as sound:
        return blobs.put(sound)
