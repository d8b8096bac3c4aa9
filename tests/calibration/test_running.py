"""Runs in a database: each item once, taken up where they stopped, the holdout on record, two runs call by call."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from callgrade.calibration import golden, run_repository
from callgrade.calibration.comparing import compare_runs
from callgrade.calibration.run_reports import made_again, report_of
from callgrade.calibration.running import Asked, begin, carry_out
from callgrade.domain.errors import (
    ConflictError,
    InputError,
    KeyRefusedError,
    SettingsError,
    UnknownResourceError,
)
from callgrade.domain.judgements import JudgeFailure, Judgement
from callgrade.ports import Usage, Verdicts
from tests.calibration.made import a_call, a_label, own_set
from tests.db.rows import everything
from tests.reviews.made import FORM, person, registered

CALLS = [*(a_call(f"g-{at}") for at in range(4)), a_call("t-1", "train"), a_call("h-1", "holdout")]
YES, NO = {"answer": "yes"}, {"answer": "no"}


class Says:
    """Finds everybody warm but those it is told of; may be away for some calls."""

    def __init__(self, cold=(), failing=None):
        self.cold, self.failing = set(cold), failing or {}
        self.asked, self.samples, self.seen = [], [], []

    async def judge(self, transcript, rubric):
        self.asked.append(transcript.call_id)
        self.seen.append(transcript)
        fields = {"outcome": NO if transcript.call_id in self.cold else YES, "status": "judged"}
        if failure := self.failing.get(transcript.call_id):
            fields = {"status": "failed", "error": failure}
        made = Judgement.model_validate({"criterion_id": "warm", "method": "llm", **fields})
        told = {"model_reported": "made-up-1", "prompt": {"id": "judge", "version": "v1", "digest": "sha256:p"}}
        usage = Usage(requests=1, prompt_tokens=100, completion_tokens=10, cost="0.01")
        return Verdicts(judgements=(made,), usage=usage, provenance=told)

    def __call__(self, sample):
        @asynccontextmanager
        async def opened():
            self.samples.append(sample)
            yield [self]

        return opened()


@pytest.fixture
def lead(database):
    return person(database, "lead", "qa_lead", leads=("sales",))


@pytest.fixture
def set_id(database, lead):
    registered(database)
    id_ = own_set(database, lead)
    labels = [a_label(call.id, judgements={"warm": YES}) for call in CALLS]
    with database.writing() as session:
        golden.take_in(session, lead, id_, CALLS, labels)
    return id_


@pytest.fixture
def go(database, lead, set_id):
    def run(judges, why=None, **asked):
        with database.writing() as session:
            begun = begin(session, lead, FORM, Asked(set_id=set_id, model="made-up", **asked))
        told = []
        work = carry_out(
            database, lead, begun.run_id, FORM, judges, in_flight=2, why=why, progress=lambda *at: told.append(at)
        )
        done = asyncio.run(work)
        return begun.run_id, done, told

    return run


def row(database, lead, run_id):
    with database.reading() as session:
        return run_repository.find(session, lead, run_id)


def test_a_run_judges_each_call_and_keeps_its_report(database, lead, go):
    judge = Says(cold=["g-1"])
    run_id, done, told = go(judge)
    assert sorted(judge.asked) == ["g-0", "g-1", "g-2", "g-3"]
    assert told[0] == (0, 4)
    assert told[-1] == (4, 4)
    warm = done.report.by_id["warm"]
    assert (warm.compared, warm.model.percent.value) == (4, 0.75)
    assert done.report.spent.cost == pytest.approx(0.04)
    stored = row(database, lead, run_id)
    assert (stored.status, stored.items, stored.model_reported) == ("done", 4, "made-up-1")
    assert (stored.prompt_id, stored.prompt_digest) == ("judge", "sha256:p")
    with database.reading() as session:
        assert report_of(session, lead, run_id[:12]) == done.report
        facts = everything(session)["calibration_item"]
    assert {fact["usage"]["requests"] for fact in facts} == {1}


def test_samples_are_judged_apart_and_both_open_splits_can_be_taken_together(go):
    judge = Says()
    _, done, _ = go(judge, samples=3, split="train+dev")
    assert judge.samples == [0, 1, 2]
    assert judge.asked.count("t-1") == judge.asked.count("g-0") == 3
    assert "h-1" not in judge.asked
    assert done.report.by_id["warm"].repeatability.percent.value == 1


def test_what_the_model_was_away_for_is_judged_the_next_time(database, lead, go):
    away = JudgeFailure(type="model-unavailable", message="no answer", retryable=True)
    cut_off = JudgeFailure(type="circuit-open", message="nobody asks any more", retryable=False)
    first, done, _ = go(Says(failing={"g-2": away, "g-3": cut_off}))
    assert (done.unreached, done.report.items) == (2, 2)
    assert done.why in ("no answer", "nobody asks any more")
    assert row(database, lead, first).status == "failed"
    judge = Says()
    second, done, told = go(judge)
    assert second == first
    assert sorted(judge.asked) == ["g-2", "g-3"]
    assert (told[0], done.report.items, row(database, lead, first).status) == ((2, 4), 4, "done")
    # a failure that stays is an outcome
    broken = JudgeFailure(type="bad-answer", message="no JSON", retryable=False)
    third, done, _ = go(Says(failing={"g-2": broken}))
    assert third != first
    assert (done.unreached, done.report.by_id["warm"].failed) == (0, 1)


def test_a_refused_key_stops_the_run_at_once_and_keeps_nothing_of_it(database, lead, go):
    refused = JudgeFailure(type=KeyRefusedError("").type, message="the key was refused", retryable=False)
    with pytest.raises(SettingsError, match="the key was refused"):
        go(Says(failing=dict.fromkeys((call.id for call in CALLS), refused)))
    with database.reading() as session:
        (stored,) = run_repository.runs(session, lead)
        assert (stored.status, stored.error["message"]) == ("failed", "the key was refused")
        assert not run_repository.items(session, stored.id)


def test_the_holdout_is_read_with_a_reason_on_record_and_never_listed(database, lead, go):
    with pytest.raises(InputError, match="say which"):
        go(Says(), split="holdout")
    run_id, done, _ = go(Says(cold=["h-1"]), split="holdout", why="release 3")
    assert (done.report.calls, done.report.disagreements, done.wear.readings) == (1, (), 1)
    with database.reading() as session:
        (reading,) = everything(session)["holdout_reading"]
        assert (reading["run_id"], reading["why"]) == (run_id, "release 3")
        with pytest.raises(ConflictError, match="holdout"):
            made_again(session, lead, run_id, FORM)
        with pytest.raises(ConflictError, match="holdout"):
            compare_runs(session, lead, run_id, run_id, FORM, FORM)


def test_new_labels_count_when_the_report_is_made_again(database, lead, set_id, go):
    run_id, _, _ = go(Says())
    more = [a_label("g-0", "chief", judgements={"warm": NO}, kind="adjudicated", blind=False)]
    with database.writing() as session:
        golden.take_in(session, lead, set_id, [], more)
    with database.reading() as session:
        assert made_again(session, lead, run_id, FORM).by_id["warm"].model.percent.value == 0.75
        assert report_of(session, lead, run_id).by_id["warm"].model.percent.value == 1


def test_two_runs_are_compared_call_by_call(database, lead, go):
    first, _, _ = go(Says(cold=["g-0", "g-1"]))
    second, _, _ = go(Says(cold=["g-1", "g-3"]))
    with database.reading() as session:
        found = compare_runs(session, lead, first, second, FORM, FORM)
    (warm,) = [one for one in found.criteria if one.criterion_id == "warm"]
    assert (warm.gained, warm.lost, warm.flips, warm.p, warm.change) == (1, 1, 2, 1.0, "same")
    assert [(flip.call, flip.now_right) for flip in found.flips] == [("g-3", False), ("g-0", True)]
    assert found.spent_a.requests == 4
    elsewhere, _, _ = go(Says(), split="train")
    with database.reading() as session, pytest.raises(ConflictError, match="different calls"):
        compare_runs(session, lead, first, elsewhere, FORM, FORM)


def test_a_run_is_nobody_elses_and_is_not_done_twice(database, lead, go):
    run_id, _, _ = go(Says())
    stranger = lead.model_copy(update={"client_id": "other"})
    with database.reading() as session:
        for unknown in ((stranger, run_id), (lead, ""), (lead, "nothing")):
            with pytest.raises(UnknownResourceError):
                run_repository.find(session, *unknown)
    with pytest.raises(ConflictError, match="done"):
        asyncio.run(carry_out(database, lead, run_id, FORM, Says(), in_flight=1))
    other = FORM.model_copy(update={"source_notes": ("changed",)})
    with pytest.raises(ConflictError, match="another state"):
        asyncio.run(carry_out(database, lead, run_id, other, Says(), in_flight=1))
