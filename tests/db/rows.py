"""At least one row of every table, with what storage likes to get wrong. Made up; nobody said any of it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from sqlmodel import Session, SQLModel

from callgrade.db.tables import (
    Acknowledgement,
    Agent,
    Alert,
    AlertRule,
    ApiKey,
    Appeal,
    AuditEvent,
    AuditSeal,
    Autonomy,
    AwaitedRecording,
    Batch,
    BatchChunk,
    BatchFault,
    BegunSignIn,
    BlindLook,
    CalibrationItem,
    CalibrationRun,
    Call,
    Client,
    Delivery,
    Draft,
    Evaluation,
    EvaluationFlag,
    Finding,
    Gate,
    GoldenCall,
    GoldenLabel,
    GoldenSet,
    HoldoutReading,
    IdempotentRequest,
    LedTeam,
    Outline,
    PromptVersion,
    PublishedScorecard,
    RateSecond,
    Recording,
    Release,
    RetentionRule,
    Review,
    ReviewDecision,
    ReviewDraft,
    RubricVersion,
    SampledCall,
    SamplingPlan,
    SamplingRun,
    SecondLook,
    SecondOpinion,
    SignIn,
    SignInFailures,
    StoredScorecard,
    TranscriptVersion,
    UnreadDecision,
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
    session.add(SignInFailures(subject="s", number=3, blocked_until=AT))
    session.add(BegunSignIn(state_hash="h", browser_hash="b", nonce="n", verifier="v", next_path=AWKWARD, ends_at=AT))


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
        Delivery(id=f"d{number}", webhook_id=f"w{number}", client_id=client, call_id=f"call{number}", event_id="e",
                 event="x", payload=NESTED),
        Recording(id=f"rec{number}", call_id=f"call{number}", client_id=client, sha256="s", size=2**33,
                  media_type="audio/wav", file_name="a.wav", agent_channel="0", started_at=AT, customer="张"),
        AwaitedRecording(id=f"aw{number}", call_id=f"call{number}", client_id=client, url="https://example.com/a?sig=x",
                         file_name="a.wav", agent_channel="auto", ended_at=AT, customer="张"),
        TranscriptVersion(call_id=f"call{number}", version=1, origin="client", digest="d", content=AWKWARD),
        Evaluation(id=f"e{number}", client_id=client, call_id=f"call{number}", dedupe="x", rubric_id="r",
                   rubric_version="v1", rubric_digest="d", release_id=f"rel{number}", batch_id=f"b{number}", line=1,
                   status="proposed", called_at=AT.astimezone(UTC), total=Decimal("87.3333"), low=Decimal("-0.0001"),
                   high=Decimal("99999999.9999"), passed=True if number == 1 else None,
                   proposed=Decimal("87.3333"), proposed_passed=False, yields_to="e0"),
    )  # fmt: skip
    add(
        StoredScorecard(evaluation_id=f"e{number}", attempt=1, content=AWKWARD * 1000),
        EvaluationFlag(evaluation_id=f"e{number}", flag="needs_review", client_id=client, total=Decimal("87.3333")),
        EvaluationFlag(evaluation_id=f"e{number}", flag="other", client_id=client),
    )
    _of_desk(add, client, number)
    _of_calibration(add, client, number)


def _of_desk(add: Callable[..., None], client: str, number: int) -> None:
    evaluation, user = f"e{number}", f"u{number}"
    add(
        LedTeam(user_id=user, team="sales"),
        SignIn(token_hash=f"h{number}", user_id=user, ends_at=AT, browser="Chromium"),
        Agent(client_id=client, agent_id="8031", name=AWKWARD, team="sales"),
        SamplingPlan(id=f"p{number}", client_id=client, name="n", rubric_id="r", spec=NESTED, created_by=user),
        Draft(id=f"dr{number}", client_id=client, kind="rubric", subject="r", text=AWKWARD, written_by=user),
        Outline(call_id=f"call{number}", content={"duration_ms": 1000, "channels": [[0.5, 1.0]]}),
        AlertRule(id=f"ar{number}", client_id=client, name="n", kind="red_line", email=["a@b"], created_by=user),
        Finding(evaluation_id=evaluation, kind="error", name="41", client_id=client, number=2, called_at=AT),
    )
    add(
        SamplingRun(id=f"run{number}", client_id=client, plan_id=f"p{number}", since=AT, until=AT, seed="s",
                    population=10, drawn=1, drawn_by=user),
        Alert(id=f"al{number}", client_id=client, rule_id=f"ar{number}", subject="e", data=NESTED, team="sales",
              evaluation_id=evaluation, email=["a@b"], next_at=AT),
    )  # fmt: skip
    add(
        SampledCall(id=f"s{number}", client_id=client, run_id=f"run{number}", call_id=f"call{number}",
                    evaluation_id=evaluation, stratum="8031", why="sample", probability=1 / 3),
    )  # fmt: skip
    add(
        Review(id=f"rv{number}", client_id=client, evaluation_id=evaluation, attempt=1, why="sample", due_at=AT,
               rubric_id="r", called_at=AT, reviewer_id=user, total=Decimal("-0.0001"), sampled_id=f"s{number}"),
    )  # fmt: skip
    add(
        ReviewDecision(review_id=f"rv{number}", criterion_id="c", version=1, kind="override",
                       outcome={"occurrences": 2, "aggravated": 1}, reason=AWKWARD, evidence=[NESTED],
                       decided_by=user),
        ReviewDraft(review_id=f"rv{number}", criterion_id="c", user_id=user, content=NESTED),
        PublishedScorecard(evaluation_id=evaluation, revision=1, content=AWKWARD, review_id=f"rv{number}",
                           published_by=f"user:{user}"),
        Acknowledgement(evaluation_id=evaluation, revision=1, user_id=user),
        Appeal(id=f"ap{number}", client_id=client, evaluation_id=evaluation, revision=1, criterion_id="c",
               filed_by=user, file_by=AT, reason=AWKWARD, at_ms=41200, wanted={"outcome": None},
               given={"outcome": {"answer": "no"}}),
        UnreadDecision(evaluation_id=evaluation, attempt=1, client_id=client, rubric_id="r", outcome="audited",
                       stopped_by="c", probability=1 / 3, states=["a1"], at=AT),
    )  # fmt: skip


def _of_calibration(add: Callable[..., None], client: str, number: int) -> None:
    add(
        GoldenSet(id=f"gs{number}", client_id=client if number == 1 else None, name="n", title=AWKWARD, digest="d",
                  created_by="u"),
    )  # fmt: skip
    add(
        GoldenCall(id=f"gc{number}", set_id=f"gs{number}", client_id=client, name="1", call_id=f"call{number}",
                   evaluation_id=f"e{number}", split="dev", synthetic=False, written_by=AWKWARD, about=[NESTED],
                   content=AWKWARD, added_by="u"),
        CalibrationRun(id=f"cr{number}", client_id=client, set_id=f"gs{number}", split="dev", rubric_id="r",
                       rubric_version="v1", rubric_digest="d", begun_at=AT, cost=1 / 3, report=NESTED, created_by="u"),
    )  # fmt: skip
    add(
        GoldenLabel(golden_call_id=f"gc{number}", client_id=client, digest="d", rubric_id="r", rubric_version="v1",
                    rater="甲", rater_kind="person", blind=True, at=AT, judgements=NESTED, rest={"answer": "no"},
                    quotes={"c": [AWKWARD]}, note=AWKWARD, review_id=f"rv{number}"),
        HoldoutReading(client_id=client, set_id=f"gs{number}", rubric_id="r", rubric_version="v1", by="u", at=AT,
                       why=AWKWARD, run_id=f"cr{number}"),
        CalibrationItem(run_id=f"cr{number}", golden_call_id=f"gc{number}", sample=0, scorecard=AWKWARD, usage=NESTED),
        BlindLook(run_id=f"cr{number}", user_id=f"u{number}", client_id=client, golden_call_ids=[f"gc{number}"],
                  grades=NESTED, committed_at=AT),
        Gate(kind="rubric", subject="r", version="v1", digest="d", run_id=f"cr{number}", outcome="overridden", by="u",
             reason=AWKWARD, details=NESTED, at=AT),
    )  # fmt: skip
    for ended in (None, AT):
        add(
            SecondOpinion(client_id=client, rubric_id="r", criterion_id="c", criterion_digest="d", gate="on",
                          about=NESTED, content=bytes(range(256)), trained_by="u", created_at=AT, ended_at=ended),
        )  # fmt: skip
    add(SecondLook(evaluation_id=f"e{number}", attempt=1, client_id=client, opinions=["o"], differs=[NESTED], at=AT))
    for ended in (None, AT, AT):  # one stands; any number may have ended
        add(
            Autonomy(client_id=client, rubric_id="r", criterion_id="c", criterion_digest="d", state="automatic",
                     threshold=0.9, reason=AWKWARD, evidence=NESTED, run_id=f"cr{number}", set_by="u", since=AT,
                     ended_at=ended),
        )  # fmt: skip


def everything(session: Session) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, in the order of its key."""
    return {
        table.name: [dict(row._mapping) for row in session.execute(table.select().order_by(*table.primary_key))]
        for table in metadata.sorted_tables
    }
