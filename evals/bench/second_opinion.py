"""How many labels a second opinion takes, and how long it works: `python -m evals.bench.second_opinion`.

Synthetic calls of about 1,000 tokens (`evals/synthetic_calls.py`). In one of ten the agent says one of eight faulty
sentences, in another one of ten the customer says it instead; one label of twenty is wrong. So what can be learnt is
known, and easier than what people mean by a fault: this shows how the machinery grows, and nothing about real calls.
"""

import argparse
import random
import time

from evals.bench.__main__ import machine
from evals.bench.figures import Figure, Table
from evals.synthetic_calls import make_call

from callgrade.calibration.second_opinion import stored
from callgrade.calibration.second_opinion.features import features
from callgrade.calibration.second_opinion.material import Material, side_of
from callgrade.calibration.second_opinion.training import Trained, fitted
from callgrade.catalog import load_rubric
from callgrade.domain.calls import Transcript
from callgrade.domain.golden import GoldenCall, Label, Split
from callgrade.domain.second_opinion import Source

SIZES = (200, 1000, 3700)
CHECKED = 400
RUBRIC, CRITERION = "telesales-misconduct@v1", "false-promise"
FAULTS = (
    "这个产品保证收益，{n}个点以上您放心。",
    "我给您打包票，到期肯定能拿到这么多。",
    "您不用担心，绝对不会亏本的，{n}年来从来没亏过。",
    "这个利息是写死的，只会高不会低。",
    "我以人格担保，下个月一定给您退{n}百块。",
    "不满意随时全额退，一分钱都不扣，我答应您。",
    "收益稳稳的，跟存银行一样安全，没有任何风险。",
    "您现在办，我保证您年底能翻一番。",
)


def made(split: Split, number: int) -> tuple[list[GoldenCall], list[Label]]:
    calls, labels = [], []
    for at in range(number):
        draw = random.Random(f"{split}/{at}")
        call, kind = make_call(at, seed=1 if split == "train" else 2), draw.random()
        if kind < 0.2:
            said = {
                "speaker": "agent" if kind < 0.1 else "customer",
                "text": draw.choice(FAULTS).format(n=draw.randrange(2, 10)),
            }
            call["turns"].insert(draw.randrange(2, len(call["turns"])), said)
        fault = (kind < 0.1) != (draw.random() < 0.05)
        name = call["call_id"]
        calls.append(
            GoldenCall(
                id=name, synthetic=True, written_by="evals.synthetic_calls", split=split,
                agent=f"{split} {at % 40}", customer=name, transcript=Transcript.model_validate(call),
            )
        )  # fmt: skip
        judged = {CRITERION: {"occurrences": int(fault)}}
        labels.append(Label(call=name, rubric=RUBRIC, rater="made", rater_kind="model", blind=True, judgements=judged))
    return calls, labels


def measure(size: int) -> Table:
    rubric = load_rubric(RUBRIC)
    train, check = (side_of(rubric, *made(split, n)) for split, n in (("train", size), ("dev", CHECKED)))
    source = Source(kind="golden", name="bench", digest="", synthetic=True)
    began = time.perf_counter()
    [one] = fitted(Material(source, "dev", train, check), rubric)
    took = time.perf_counter() - began
    return Table(
        f"{size} labelled calls, {CHECKED} to check by: {one.about.verdict.gate}",
        _figures(one, took, check.transcripts),
    )


def _figures(one: Trained, took: float, calls: list[Transcript]) -> tuple[Figure, ...]:
    figures = [
        Figure("calls with the fault, wrong labels included", one.about.source.faults),
        Figure("training", took, "s"),
    ]
    found = one.about.check
    if found is None:
        return tuple(figures)
    _, line = stored.read(one.content)
    began = time.perf_counter()
    for call in calls[:100]:
        line.probabilities(features([call]))
    asking = (time.perf_counter() - began) * 10
    return (
        *figures,
        Figure("kappa", _shown(found.kappa.value)),
        Figure("kappa, lower end", _shown(found.kappa.low)),
        Figure("Brier", _shown(found.brier)),
        Figure("Brier of naming the frequency", _shown(found.base)),
        Figure("ECE", _shown(found.ece)),
        Figure("firm that there is a fault", found.firm_fault.said),
        Figure("of these right", _shown(found.firm_fault.right.value)),
        Figure("file", len(one.content) / 1000, "kB"),
        Figure("asking about a call", asking, "ms"),
    )


def _shown(value: float | None) -> float | str:
    return "–" if value is None else round(value, 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    print(machine())
    for size in parser.parse_args().sizes:
        print("", measure(size).text(), sep="\n", flush=True)


if __name__ == "__main__":
    main()
