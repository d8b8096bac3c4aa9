"""How long and how much memory intervals on 100,000 ratings take: `python -m evals.bench.statistics`.

Each layout runs in a process of its own, so that its peak of memory is its own. 20 criteria, 5,000 ratings each with
half points, 2,000 draws, for alpha, weighted kappa (two raters), AC2 and percentage agreement each.
"""

import argparse
import json
import resource
import subprocess
import sys
import time

from evals.bench.__main__ import machine
from evals.bench.figures import Figure, Table
from evals.mock_openai.process import ROOT

CRITERIA, EACH, DRAWS, ROUNDS = 20, 5000, 2000, 3
LAYOUTS = {
    "two raters, items drawn": (2, False),
    "five raters, items drawn": (5, False),
    "two, agents drawn": (2, True),
}


def measure(name: str) -> Table:
    import numpy as np

    from callgrade.stats.agreement import gwet_ac2, krippendorff_alpha, percent_agreement, weighted_kappa
    from callgrade.stats.ratings import Ratings, steps

    raters, by_agent = LAYOUTS[name]
    rng, scale = np.random.default_rng(1), np.array(steps(1, 5, 0.5))
    items = EACH // raters
    agents = [str(i) for i in rng.integers(0, 60, items)]
    sets = []
    for _ in range(CRITERIA):
        truth = rng.integers(0, len(scale), items)
        said = np.clip(truth[:, None] + rng.integers(-1, 2, (items, raters)), 0, len(scale) - 1)
        by_rater = {str(r): scale[said[:, r]] for r in range(raters)}
        sets.append(Ratings.from_columns(by_rater, categories=scale, kind="ordinal", agents=agents))
    statistics = [krippendorff_alpha, gwet_ac2, percent_agreement, *([weighted_kappa] if raters == 2 else [])]
    walls, began_cpu = [], time.process_time()
    for _ in range(ROUNDS):
        began = time.perf_counter()
        found = [s(ratings, interval=True, by_agent=by_agent, draws=DRAWS) for ratings in sets for s in statistics]
        walls.append(time.perf_counter() - began)
    cpu = (time.process_time() - began_cpu) / ROUNDS
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Table(
        f"100,000 ratings, 20 criteria, {name}: {len(statistics)} statistics, 2,000 draws",
        (
            Figure("wall, best of three", min(walls), "s", at_most=5),
            Figure("wall, worst", max(walls), "s"),
            Figure("CPU a round", cpu, "s"),
            Figure("peak of memory, all in", peak, "MB", at_most=1024, must=True),
            Figure("without an interval", sum(one.interval is None for one in found), at_most=0, must=True),
        ),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=list(LAYOUTS), help="this layout, as JSON")
    only = parser.parse_args().only
    if only:
        print(json.dumps(measure(only).as_json()))
        return 0
    print(machine(), flush=True)
    tables = []
    for name in LAYOUTS:
        command = [sys.executable, "-m", "evals.bench.statistics", "--only", name]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True)
        tables.append(Table.from_json(json.loads(done.stdout)))
        print("", tables[-1].text(), sep="\n", flush=True)
    return 1 if any(table.broken for table in tables) else 0


if __name__ == "__main__":
    sys.exit(main())
