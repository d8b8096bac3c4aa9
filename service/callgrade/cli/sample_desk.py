"""`serve --demo`: the synthetic sample calls on the desk, graded, with somebody of every role to look at them.

The words of a sample are those that its recording was made from: nothing has to be recognised, so this needs no extra.
"""

import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from sqlmodel import Session

from callgrade.access import people
from callgrade.access.keys import ensure_client
from callgrade.access.passwords import one_time_password
from callgrade.access.people import Told
from callgrade.access.principals import Principal, system
from callgrade.calls import service as calls
from callgrade.calls.metadata import RecordingMetadata
from callgrade.calls.reading import read_transcript
from callgrade.catalog.golden import SampleCall, sample_calls
from callgrade.db.tables import Evaluation
from callgrade.domain.calls import Transcript
from callgrade.domain.plans import Always, Plan
from callgrade.domain.programme import Sampling
from callgrade.evaluations import registry, repository
from callgrade.reviews import sampling_repository
from callgrade.reviews.sampling import Sampler

if TYPE_CHECKING:
    from callgrade.api.dependencies import Services

RUBRIC = "telesales-misconduct"
PATIENCE_S = 60
TEAMS = ("sales-1", "sales-2", "sales-3", "service-1", "service-2")
PEOPLE = (
    ("admin", Told(role="admin", name="管理员 Admin")),
    ("lead", Told(role="qa_lead", name="质检组长 Lead", leads=TEAMS)),
    ("reviewer", Told(role="reviewer", name="质检员 Reviewer")),
    ("second", Told(role="reviewer", name="第二质检员 Second")),
    ("agent", Told(role="agent", name="坐席 Agent", agent_id="7419", team="sales-2")),
)
ALL = Plan(
    quotas=(Sampling.model_validate({"title": {"zh": "全部样例", "en": "All samples"}, "share": "1"}),),
    always=Always(below_confidence=0.6),
    double=0.25,
    due_days=7,
)
log = logging.getLogger(__name__)


class Visitor(NamedTuple):
    """Somebody who can sign in to the sample desk."""

    login: str
    role: str
    password: str


def make_people(services: "Services") -> list[Visitor]:
    """Somebody of every role, all with one password made for this folder; nobody where there are people already."""
    password = one_time_password()
    with services.database.writing() as session:
        boss = system(ensure_client(session).id)
        if people.list_people(session, boss):
            return []
        for login, told in PEOPLE:
            people.create_user(session, boss, login, told, people.chosen_password(password))
    return [Visitor(login, told.role, password) for login, told in PEOPLE]


def fill(services: "Services") -> None:
    """Hands the samples in, waits until they are graded, and draws all of them for review. Meant for a thread."""
    with services.database.writing() as session:
        boss = system(ensure_client(session).id)
        made = [_hand_in(session, services, boss, sample) for sample in sample_calls()]
    for row in made:
        services.queue.enqueue_evaluation(row.id, queue="score", priority=row.priority, attempt=row.attempt)
    _wait(services, boss, [row.id for row in made])
    sampler = Sampler(services.database, zone=ZoneInfo(services.settings.timezone))
    with services.database.reading() as session:
        if sampling_repository.plans(session, boss.client_id):
            return
    plan = sampler.make(boss, "样例 Samples", RUBRIC, ALL)
    began = min(row.called_at for row in made)
    sampler.draw(boss, plan.id, moment=began)


def _hand_in(session: Session, services: "Services", boss: Principal, sample: SampleCall) -> Evaluation:
    words = read_transcript(sample.transcript_path())
    with sample.recording_path().open("rb") as sound:
        blob = services.blobs.put(sound)
    call = calls.submit_recording(session, boss, _metadata(words, sample), blob, blobs=services.blobs)
    if not calls.transcript_versions(session, call):
        calls.add_transcript(session, call, words, "recogniser")
    row, _ = repository.create_evaluation(session, boss, call, registry.rubric_version(session, RUBRIC))
    return row


def _metadata(words: Transcript, sample: SampleCall) -> RecordingMetadata:
    told = {name: getattr(words, name) for name in ("call_id", "channel", "language", "started_at", "agent", "facts")}
    channel = "1" if sample.agent_channel else "0"
    return RecordingMetadata(**told, agent_channel=channel, file_name=sample.recording, media_type="audio/wav")


def _wait(services: "Services", boss: Principal, ids: Sequence[str]) -> None:
    give_up = time.monotonic() + PATIENCE_S
    while any(
        status not in ("proposed", "failed", "in_review", "published") for status in _statuses(services, boss, ids)
    ):
        if services.stopping.wait(0.2) or time.monotonic() > give_up:
            log.warning("the samples are not graded yet; they are drawn for review when the service starts again")
            return


def _statuses(services: "Services", boss: Principal, ids: Sequence[str]) -> list[str]:
    with services.database.reading() as session:
        return [repository.find(session, boss.client_id, id_).status for id_ in ids]
