"""`demo`: the main job on the sample recordings, offline, held against the truth they were made from."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from callgrade.calls.reading import read_transcript
from callgrade.catalog import load_rubric
from callgrade.catalog.golden import SampleCall, sample_calls
from callgrade.cli.output import console, progress_bar, write_file
from callgrade.cli.render import amount_in_words, clock
from callgrade.domain.calls import Transcript
from callgrade.domain.folding import fold
from callgrade.domain.rubrics import Rubric
from callgrade.domain.scorecards import Scorecard
from callgrade.evaluations.report import render_html
from callgrade.evaluations.service import Evaluator
from callgrade.ports import AgentChannel
from callgrade.settings import Settings, load_settings
from callgrade.wiring import Recordings, open_judges

SYNTHETIC = (
    "合成数据：台词为虚构，语音由 espeak-ng 合成，识别模型只认得自己的小语法。\n"
    "Synthetic: invented lines, espeak-ng voices, and a recogniser that knows only its own small grammar."
)


class DemoCall(NamedTuple):
    sample: SampleCall
    heard: Transcript
    truth: Transcript
    card: Scorecard


def run_demo(out: Path, reference: str) -> int:
    settings = load_settings()
    settings = settings.model_copy(update={"asr": settings.asr.model_copy(update={"model": "tiny"})})
    rubric = load_rubric(reference)
    calls = asyncio.run(_evaluate(_transcribe(settings), rubric, settings))
    screen = console()
    screen.print(SYNTHETIC + "\n")
    pages = [_show(call, rubric, settings, out) for call in calls]
    errors, length = map(sum, zip(*(_errors(call) for call in calls), strict=True))
    screen.print(f"字错误率 / character error rate: {errors / length:.1%} ({errors} of {length} characters)")
    screen.print("评分表 / scorecards (open in a browser):")
    for page in pages:
        screen.print(f"  {page}", soft_wrap=True)
    return 0


def _transcribe(settings: Settings) -> list[tuple[SampleCall, Transcript, Transcript]]:
    recordings = Recordings(settings)
    samples = sample_calls()
    heard = []
    with progress_bar() as shown:
        task = shown.add_task("transcribing", total=len(samples)) if shown else None
        for sample in samples:
            channel: AgentChannel = "1" if sample.agent_channel else "0"
            transcript = recordings.transcribe(sample.recording_path(), agent_channel=channel)
            truth = read_transcript(sample.transcript_path())
            # what a call's metadata says is known without listening: direction, outcome, complaint
            heard.append((sample, transcript.model_copy(update={"facts": truth.facts}), truth))
            if shown and task is not None:
                shown.advance(task)
    return heard


async def _evaluate(
    heard: Sequence[tuple[SampleCall, Transcript, Transcript]], rubric: Rubric, settings: Settings
) -> list[DemoCall]:
    async with open_judges(settings, "auto") as judges:
        evaluator = Evaluator(rubric, judges)
        cards = await asyncio.gather(*(evaluator.evaluate(transcript) for _, transcript, _ in heard))
    return [DemoCall(*call, card) for call, card in zip(heard, cards, strict=True)]


def _show(call: DemoCall, rubric: Rubric, settings: Settings, out: Path) -> Path:
    screen = console()
    title = call.sample.title.in_language(settings.language)
    errors, length = _errors(call)
    screen.print(f"[bold]{call.sample.id}[/]  {title}")
    screen.print(f"  {amount_in_words(call.card.total)}   CER {errors / length:.1%}")
    for judgement in call.card.judgements:
        costs = judgement.points is not None and judgement.points < judgement.max_points
        violated = any(found.criterion_id == judgement.criterion_id for found in call.card.violations)
        if costs or violated:
            name = rubric.by_id[judgement.criterion_id].title.in_language(settings.language)
            quotes = "  ".join(f"{clock(item.start_ms)} “{item.quote}”" for item in judgement.evidence)
            screen.print(f"  [red]✗[/] {name}  {quotes or judgement.reason}")
    screen.print()
    page = render_html(
        call.card,
        call.heard,
        rubric,
        language=settings.language,
        recording=call.sample.recording_path(),
        synthetic=True,
    )
    return write_file(out, f"{call.sample.id}.html", page).resolve()


def _errors(call: DemoCall) -> tuple[int, int]:
    """(character errors, characters said), both sides apart and added: overlapping turns have no one order."""
    errors = length = 0
    for speaker in ("agent", "customer"):
        said = fold("".join(t.text for t in call.truth.turns if t.speaker == speaker)).text
        heard = fold("".join(t.text for t in call.heard.turns if t.speaker == speaker)).text
        errors += edit_distance(said, heard)
        length += len(said)
    return errors, length


def edit_distance(a: str, b: str) -> int:
    from rapidfuzz.distance import Levenshtein

    return int(Levenshtein.distance(a, b))
