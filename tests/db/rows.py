"""At least one row of every table, with what storage likes to get wrong. Made up; nobody said any of it."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from sqlmodel import Session, SQLModel

from callgrade.db.tables import (
    ApiKey,
    AuditEvent,
    AuditSeal,
    Batch,
    BatchChunk,
    BatchFault,
    Call,
    Client,
    Delivery,
    Evaluation,
    EvaluationFlag,
    IdempotentRequest,
    PromptVersion,
    RateSecond,
    Recording,
    Release,
    RetentionRule,
    RubricVersion,
    StoredScorecard,
    TranscriptVersion,
    User,
    Webhook,
    metadata,
)

AWKWARD = "您好，请问…\ttab\nline\r\nback\\slash \\N \\. \"quote\" 'x' %s {{7*7}} 🙂 \x01\u2028 "
NESTED: dict[str, Any] = {"zh": AWKWARD, "none": None, "list": [1, 2.5, "x", [], {}], "big": 2**53, "ok": True}
AT = datetime(2026, 11, 1, 9, 30, 15, 123456, tzinfo=timezone(timedelta(hours=8)))


def fill(session: Session) -> None:
    """Parents before their children; two clients, so that nothing hangs on there being one."""
    for number in (1, 2):
        _of_client(session, f"c{number}", number)
    session.add(
        RubricVersion(id="r", version="v1", status="draft", content=NESTED, digest="sha256:1", origin="shipped")
    )
    session.add(PromptVersion(id="p", version="v1", status="draft", content=AWKWARD, digest="sha256:2", origin="u"))
    session.add(RateSecond(name="llm", second=2**40, requests=3, tokens=4))


def _of_client(session: Session, client: str, number: int) -> None:
    def add(*rows: SQLModel) -> None:
        session.add_all(rows)
        session.flush()

    add(Client(id=client, name=f"客户 {number}", created_at=AT))
    add(
        User(id=f"u{number}", client_id=client, login="lee", role="reviewer", team=""),
        ApiKey(id=f"k{number}", client_id=client, name="n", secret_hash="h", scopes=["calls:read"], expires_at=AT),
        Release(id=f"rel{number}", client_id=client if number == 1 else None, rubric_id="r", rubric_version="v1",
                rubric_digest="d", prompt=None, parameters={}, created_by="u"),
        RetentionRule(id=f"ret{number}", client_id=client, recordings_days=90, reason=AWKWARD, set_by="u"),
        Webhook(id=f"w{number}", client_id=client, url="https://example.com/", secret="s", events=["a", "b"]),
        Batch(id=f"b{number}", client_id=client, rubric_id="r", rubric_version="v1", status="running"),
        IdempotentRequest(client_id=client, key="k", fingerprint="f", answer=NESTED),
        Call(id=f"call{number}", client_id=client, call_id="C-1", channel="phone", language="zh", started_at=AT,
             agent_id="8031", team="sales", facts=NESTED),
    )  # fmt: skip
    for fact in range(3):
        add(AuditEvent(client_id=client, actor="system", action="x", subject="call", facts={"n": fact}))
    add(
        AuditSeal(client_id=client, number=1, first_event=1, last_event=2**40, events=3, previous="", hash="h"),
        BatchChunk(batch_id=f"b{number}", number=1, first_line=1, lines=200, blob="b"),
        BatchFault(batch_id=f"b{number}", line=7, error={"type": "transcript"}),
        Delivery(id=f"d{number}", webhook_id=f"w{number}", client_id=client, event_id="e", event="x", payload=NESTED),
        Recording(id=f"rec{number}", call_id=f"call{number}", client_id=client, sha256="s", size=2**33,
                  media_type="audio/wav", file_name="a.wav", agent_channel="0", started_at=AT, customer="张"),
        TranscriptVersion(call_id=f"call{number}", version=1, origin="client", digest="d", content=AWKWARD),
        Evaluation(id=f"e{number}", client_id=client, call_id=f"call{number}", dedupe="x", rubric_id="r",
                   rubric_version="v1", rubric_digest="d", release_id=f"rel{number}", batch_id=f"b{number}", line=1,
                   status="proposed", called_at=AT.astimezone(UTC), total=Decimal("87.3333"), low=Decimal("-0.0001"),
                   high=Decimal("99999999.9999"), passed=True if number == 1 else None),
    )  # fmt: skip
    add(
        StoredScorecard(evaluation_id=f"e{number}", attempt=1, content=AWKWARD * 1000),
        EvaluationFlag(evaluation_id=f"e{number}", flag="needs_review", client_id=client, total=Decimal("87.3333")),
        EvaluationFlag(evaluation_id=f"e{number}", flag="other", client_id=client),
    )


def everything(session: Session) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, in the order of its key."""
    return {
        table.name: [dict(row._mapping) for row in session.execute(table.select().order_by(*table.primary_key))]
        for table in metadata.sorted_tables
    }
