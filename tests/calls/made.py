"""Clients, principals and calls for tests. Made up; nobody said any of it."""

from datetime import UTC, datetime
from typing import Any

from sqlmodel import Session

from callgrade.access.principals import Principal, system
from callgrade.calls.metadata import RecordingMetadata
from callgrade.db.session import Database
from callgrade.db.tables import Client
from callgrade.db.types import new_id
from callgrade.domain.calls import Transcript

SECRET = "我的卡号被盗刷了三千块"
"""What the customer says, to be looked for everywhere after an erasure."""
STARTED = datetime(2026, 11, 1, 1, 30, tzinfo=UTC)


def make_client(session: Session, name: str = "银行") -> Principal:
    client = Client(id=new_id(), name=name)
    session.add(client)
    session.flush()
    return system(client.id)


def client_in(database: Database, name: str = "银行") -> Principal:
    with database.writing() as session:
        return make_client(session, name)


def transcript(call_id: str = "C-1", **changes: Any) -> Transcript:
    told: dict[str, Any] = {
        "schema": "callgrade.transcript/1",
        "call_id": call_id,
        "started_at": "2026-11-01T09:30:00+08:00",
        "agent": {"id": "8031", "team": "sales-2"},
        "customer": {"id": "客户甲"},
        "queue": "outbound-5g",
        "turns": [
            {"speaker": "agent", "text": "您好，请问有什么可以帮您？", "start_ms": 0, "end_ms": 2100},
            {"speaker": "customer", "text": SECRET, "start_ms": 2300, "end_ms": 4000},
        ],
        "facts": {"direction": "outbound", "outcome": "closed"},
    }
    return Transcript.model_validate(told | changes)


def recording(call_id: str = "C-1", **changes: Any) -> RecordingMetadata:
    told: dict[str, Any] = {
        "call_id": call_id,
        "started_at": "2026-11-01T09:30:00+08:00",
        "ended_at": "2026-11-01T09:31:00+08:00",
        "agent": {"id": "8031", "team": "sales-2"},
        "customer": {"id": "客户甲"},
        "file_name": "客户甲.wav",
        "media_type": "audio/wav",
    }
    return RecordingMetadata.model_validate(told | changes)
