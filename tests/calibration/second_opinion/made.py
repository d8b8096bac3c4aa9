"""Calls whose fault is known by how they are made, and scorers trained on them. Made up; nobody said any of it."""

import random
from functools import cache
from typing import Literal

from callgrade.calibration.second_opinion.material import Material, side_of
from callgrade.calibration.second_opinion.training import Trained, fitted
from callgrade.db.session import Database
from callgrade.db.tables import SecondOpinion
from callgrade.domain.calls import Transcript
from callgrade.domain.golden import GoldenCall, Label
from callgrade.domain.rubrics import Rubric
from callgrade.domain.second_opinion import Source
from tests.evaluations.made import CLIENT
from tests.reviews.autonomous import FORM

BAIT = "这个产品保证收益您放心"
TALK = (
    "您好请问有什么可以帮您",
    "我先查一下您的资料",
    "请您稍等一下",
    "费用按月收取",
    "感谢您的来电",
    "您看方便吗",
    "好的我记下了",
)
Signal = Literal["agent", "nothing"]


def words(name: str, fault: bool, rng: random.Random) -> Transcript:
    """The agent baits where there is a fault; elsewhere the customer says the very same words, or nobody."""
    mine, theirs = rng.sample(TALK, 3), rng.sample(TALK, rng.choice((0, 3)))
    if fault or rng.random() < 0.5:
        (mine if fault else theirs).append(BAIT)
    turns = [{"speaker": "agent", "text": text} for text in mine] + [{"speaker": "customer", "text": t} for t in theirs]
    return Transcript.model_validate({"call_id": name, "turns": turns})


def calls(
    split: str, number: int, *, signal: Signal = "agent", share: float = 0.4
) -> tuple[list[GoldenCall], list[Label]]:
    """Of twelve agents. With the signal `nothing` the labels have nothing to do with the words."""
    rng = random.Random(f"{split} {signal}")
    made, labels = [], []
    for at in range(number):
        fault, name = rng.random() < share, f"{split}-{at}"
        heard = fault if signal == "agent" else rng.random() < share
        told = {"agent": f"{split} agent {at % 12}", "customer": f"customer of {name}"}
        made.append(
            GoldenCall(
                id=name, synthetic=True, written_by="nobody", split=split, transcript=words(name, heard, rng), **told
            )
        )
        judged = {"bait": {"occurrences": int(fault)}, "warm": {"answer": "yes"}}
        labels.append(
            Label(call=name, rubric=FORM.reference, rater="r1", rater_kind="person", blind=True, judgements=judged)
        )
    return made, labels


def material(signal: Signal = "agent", *, train: int = 120, check: int = 90) -> Material:
    sides = [side_of(FORM, *calls(split, n, signal=signal)) for split, n in (("train", train), ("dev", check))]
    return Material(Source(kind="golden", name="made-up", digest="sha256:x", synthetic=True), "dev", *sides)


@cache
def trained(signal: Signal = "agent") -> dict[str, Trained]:
    return {one.about.criterion_id: one for one in fitted(material(signal), FORM)}


def put(database: Database, one: Trained, *, content: bytes | None = None, form: Rubric = FORM) -> str:
    """A trained scorer as it stands in the database, by its id."""
    with database.writing() as session:
        row = SecondOpinion(
            client_id=CLIENT,
            rubric_id=form.id,
            criterion_id=one.about.criterion_id,
            criterion_digest=one.about.criterion_digest,
            gate=one.about.verdict.gate,
            about=one.about.model_dump(mode="json", by_alias=True),
            content=one.content if content is None else content,
            trained_by="system",
        )
        session.add(row)
        session.flush()
        return row.id
