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
from callgrade.domain.calls import Transcript, Turn
from callgrade.domain.folding import fold
from callgrade.domain.judgements import Evidence
from callgrade.domain.rubrics import Rubric
from callgrade.domain.scorecards import Scorecard, ScoredJudgement
from callgrade.evaluations.report import render_html
from callgrade.evaluations.service import Evaluator
from callgrade.evaluations.words import reason_in_words, word
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
    calls = asyncio.run(evaluate_samples(hear_samples(settings), rubric, settings))
    screen = console()
    screen.print(SYNTHETIC + "\n")
    pages = [_show(call, rubric, settings, out) for call in calls]
    errors, length = map(sum, zip(*(character_errors(call) for call in calls), strict=True))
    screen.print(f"字错误率 / character error rate: {errors / length:.1%} ({errors} of {length} characters)")
    checks = [check_planted(call) for call in calls]
    planted, found = sum(check.planted for check in checks), sum(check.found for check in checks)
    latest = max(check.latest_ms for check in checks)
    screen.print(f"埋设的违规 / planted misconduct: {found} of {planted} lines found by rules alone")
    screen.print(f"引语起点与脚本相差至多 / quotes start within {latest} ms of the script that made the sound")
    screen.print("评分表 / scorecards (open in a browser):")
    for page in pages:
        screen.print(f"  {page}", soft_wrap=True)
    return 0


def hear_samples(settings: Settings) -> list[tuple[SampleCall, Transcript, Transcript]]:
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


async def evaluate_samples(
    heard: Sequence[tuple[SampleCall, Transcript, Transcript]], rubric: Rubric, settings: Settings
) -> list[DemoCall]:
    async with open_judges(settings, "auto") as judges:
        evaluator = Evaluator(rubric, judges)
        cards = await asyncio.gather(*(evaluator.evaluate(transcript) for _, transcript, _ in heard))
    return [DemoCall(*call, card) for call, card in zip(heard, cards, strict=True)]


def _show(call: DemoCall, rubric: Rubric, settings: Settings, out: Path) -> Path:
    screen, language = console(), settings.language
    errors, length = character_errors(call)
    total = "" if call.card.total is None else f"{amount_in_words(call.card.total)}   "
    screen.print(f"[bold]{call.sample.id}[/]  {call.sample.title.in_language(language)}")
    screen.print(f"  {total}[dim]CER {errors / length:.1%}[/]")
    faults = [judgement for judgement in call.card.judgements if _is_fault(judgement, call.card)]
    for judgement in faults:
        name = rubric.by_id[judgement.criterion_id].title.in_language(language)
        screen.print(f"  [red]✗[/] {name}")
        for item in judgement.evidence:
            screen.print(f"      {clock(item.start_ms):>6} “{item.quote}”")
        if not judgement.evidence:
            screen.print(f"      [dim]{reason_in_words(judgement, language)}[/]")
    if not faults:
        screen.print(f"  [green]✓[/] {word('none', language)}")
    screen.print()
    recording = call.sample.recording_path()
    page = render_html(call.card, call.heard, rubric, language=language, recording=recording, synthetic=True)
    return write_file(out, f"{call.sample.id}.html", page).resolve()


def _is_fault(judgement: ScoredJudgement, card: Scorecard) -> bool:
    if any(found.criterion_id == judgement.criterion_id for found in card.violations):
        return True
    return judgement.points is not None and judgement.points < judgement.max_points


class Check(NamedTuple):
    """How the planted misconduct fared: how much of it there is, how much a rule found, and by how many milliseconds
    the heard quotes are off from the script that made the sound."""

    planted: int
    found: int
    latest_ms: int


def check_planted(call: DemoCall) -> Check:
    """A planted line counts as found when some fault's quote lies in the time it is spoken."""
    quotes = [e for j in call.card.judgements if _is_fault(j, call.card) for e in j.evidence if e.start_ms is not None]
    planted = [p for p in call.sample.planted if p.kind == "misconduct"]
    found, off = 0, [0]
    for line in planted:
        turn = call.truth.turns[line.turn]
        inside = [q for q in quotes if q.speaker == line.speaker and _overlap(q, turn)]
        found += bool(inside)
        off += [abs((q.start_ms or 0) - line.start_ms) for q in inside if fold(q.quote).text == fold(line.quote).text]
    return Check(len(planted), found, max(off))


def _overlap(quote: Evidence, turn: Turn) -> bool:
    if quote.start_ms is None or quote.end_ms is None or turn.start_ms is None or turn.end_ms is None:
        return False
    return quote.start_ms < turn.end_ms + 300 and turn.start_ms - 300 < quote.end_ms


def character_errors(call: DemoCall) -> tuple[int, int]:
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
