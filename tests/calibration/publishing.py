"""A form that rules alone judge, and a set of a client's own with two people's labels on it. Made up."""

from contextlib import asynccontextmanager

from callgrade.access.principals import Principal
from callgrade.adapters.rules import RuleJudge
from callgrade.adapters.speech import SpeechJudge
from callgrade.calibration import golden
from callgrade.calibration.gating import Host
from callgrade.catalog.lint import check
from callgrade.catalog.yaml_source import parse_yaml
from callgrade.db.session import Database
from callgrade.domain.calls import Transcript
from callgrade.domain.golden import GoldenCall, Label
from callgrade.domain.rubrics import Rubric
from callgrade.evaluations import registry
from tests.calibration.made import own_set

TEXT = """\
schema: callgrade.rubric/1
id: promises
version: v1
status: published
title: {zh: 承诺, en: Promises}
criteria:
  - id: promise
    title: {zh: 不实承诺, en: False promise}
    judge: rules
    scale: {kind: violation, severity: critical, effect: flag}
    rule: {find: {phrases: [包赚, 稳赚]}, count: matches}
"""
SIDES = ("dev", "holdout")


def form(text: str = TEXT) -> Rubric:
    found = check(parse_yaml(text, "promises"))
    assert found.rubric is not None, found.faults
    return found.rubric


def edited(*phrases: str) -> Rubric:
    return form(TEXT.replace("包赚, 稳赚", ", ".join(phrases)).replace("published", "draft"))


def published(database: Database, version: Rubric | None = None) -> Rubric:
    version = version or form()
    with database.writing() as session:
        registry.add(session, version, registry.SHIPPED)
    return version


def filled(database: Database, lead: Principal, each: int = 160, kind: str = "person") -> str:
    """`each` calls on dev and on holdout; half promise something, now and then in words that nobody thought of. Each
    of two raters errs now and then."""
    calls, labels = [], []
    for split in SIDES:
        for at in range(each):
            name, bad = f"{split}-{at:03}", at % 2
            said = ("包赚不赔" if at % 4 == 1 else "稳赚不赔") if bad else "收益不确定"
            said = "绝不亏本" if at % 40 == 21 else said
            turns = [{"speaker": "agent", "text": said}, {"speaker": "customer", "text": "好"}]
            people = {"agent": f"{split}-agent-{at % 40}", "customer": f"{split}-customer-{at}"}
            words = Transcript.model_validate({"call_id": name, "turns": turns})
            calls.append(
                GoldenCall(id=name, synthetic=True, written_by="nobody", split=split, transcript=words, **people)
            )
            for rater, wrong in (("r1", at % 15 == 4), ("r2", at % 15 == 9)):
                labels.append(label(name, rater, bad != wrong, kind))
            labels.append(label(name, "r3", bool(bad), kind, kind="adjudicated", blind=False))
    set_id = own_set(database, lead)
    with database.writing() as session:
        golden.take_in(session, lead, set_id, calls, labels)
    return set_id


def label(call: str, rater: str, bad: bool, rater_kind: str = "person", **more) -> Label:
    told = {"kind": "rating", "blind": True, **more}
    judgements = {"promise": {"occurrences": int(bad)}}
    return Label(call=call, rubric="promises@v1", rater=rater, rater_kind=rater_kind, judgements=judgements, **told)


def rules(sample: int):
    @asynccontextmanager
    async def open_():
        yield [RuleJudge(), SpeechJudge()]

    return open_()


HOST = Host(lambda asking: rules, None, 4)
