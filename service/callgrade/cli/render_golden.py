"""Golden sets as a person reads them in a terminal."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Self

from rich.markup import escape
from rich.table import Table

from callgrade.calibration.golden_repository import SetRow
from callgrade.catalog import golden
from callgrade.catalog.golden import Splits
from callgrade.cli.golden_words import word
from callgrade.cli.output import console, emit
from callgrade.cli.render import show_transcript
from callgrade.domain.frozen import Frozen
from callgrade.domain.golden import SPLITS, GoldenCall, GoldenSet, Label
from callgrade.evaluations.words import word as field_word


class Overview(Frozen):
    """A set in a line. `raters` is how many labels each gave, None where it was not looked up."""

    name: str
    title: str
    synthetic: bool
    digest: str | None
    calls: dict[str, int]
    labels: int
    raters: dict[str, int] | None = None

    @classmethod
    def of_row(cls, row: SetRow) -> Self:
        return cls(
            name=row.set.name,
            title=row.set.title,
            synthetic=row.set.synthetic,
            digest=row.set.digest,
            calls=row.calls,
            labels=row.labels,
        )


def of_files() -> Overview:
    """The shipped set."""
    found = golden.load()
    return Overview(
        name=found.id,
        title=found.title,
        synthetic=True,
        digest=golden.digest(found),
        calls=dict(Counter(call.split for call in found.calls)),
        labels=len(found.labels),
        raters=dict(Counter(label.rater for label in found.labels)),
    )


def open_part(found: GoldenSet) -> tuple[list[GoldenCall], list[Label]]:
    """Without the holdout."""
    calls = [call for call in found.calls if call.split != "holdout"]
    names = {call.id for call in calls}
    return calls, [label for label in found.labels if label.call in names]


def show_sets(found: Iterable[Overview], language: str) -> None:
    heads = [word(name, language) for name in ("set", "calls", *SPLITS, "labels", "raters")]
    table = Table(*heads, box=None, pad_edge=False)
    for one in found:
        kind = word("synthetic" if one.synthetic else "own", language)
        raters = ", ".join(f"{escape(rater)} {number}" for rater, number in (one.raters or {}).items())
        counts = [str(one.calls.get(split, 0)) for split in SPLITS]
        total = str(sum(one.calls.values()))
        table.add_row(f"[bold]{escape(one.name)}[/] ({kind})", total, *counts, str(one.labels), raters)
    console().print(table)


def about(found: GoldenSet) -> dict[str, Any]:
    """How many calls were meant to stand on which side of each criterion's line, by split."""
    count: dict[str, dict[str, dict[str, int]]] = {}
    for call in found.calls:
        for one in call.about:
            side = count.setdefault(one.criterion, {"over": {}, "under": {}})[one.side]
            side[call.split] = side.get(call.split, 0) + 1
    return {"set": found.id, "calls": len(found.calls), "about": dict(sorted(count.items()))}


def show_about(found: GoldenSet, language: str) -> None:
    heads = [word("criterion", language)]
    heads += [f"{word(side, language)}: {word(split, language)}" for side in ("over", "under") for split in SPLITS]
    table = Table(*heads, box=None, pad_edge=False)
    for criterion, sides in about(found)["about"].items():
        table.add_row(criterion, *(str(sides[side].get(split, 0)) for side in ("over", "under") for split in SPLITS))
    out = console()
    out.print(f"{escape(found.title)}: {len(found.calls)} {word('calls', language)}; {word('meant', language)}")
    out.print(table)
    out.print(f"[dim]{word('hidden', language)}[/]")


def show_call(call: GoldenCall, labels: Iterable[Label], language: str) -> None:
    out = console()
    kind = word("synthetic" if call.synthetic else "real", language)
    out.print(f"{kind} · {word(call.split, language)} · {word('written_by', language)}: {escape(call.written_by)}")
    show_transcript(call.transcript)
    if call.about:
        out.print(f"[dim]{word('meant', language)}[/]")
    for one in call.about:
        out.print(f"  {one.criterion}: {word(one.side, language)}. {escape(one.why)}")
    for label in labels:
        _show_label(label, language)


def _show_label(label: Label, language: str) -> None:
    out = console()
    seen = word("blind" if label.blind else "seen", language)
    kind = f"{word(label.rater_kind, language)}, {word(label.kind, language)}, {seen}"
    when = "" if label.at is None else f", {label.at:%Y-%m-%d}"
    out.print(f"[bold]{escape(label.rater)}[/] ({kind}{when}) {label.rubric}")
    rest = {} if label.rest is None else {word("rest", language): label.rest}
    for criterion, given in {**label.judgements, **rest}.items():
        quotes = " ".join(f"“{escape(quote)}”" for quote in label.quotes.get(criterion, ()))
        out.print(f"  {criterion}: {escape(_outcome(given))} {quotes}".rstrip())
    if label.note:
        out.print(f"  {field_word('notes', language)}: {escape(label.note)}")


def _outcome(given: dict[str, Any]) -> str:
    plain = ("status", "answer", "level")
    return ", ".join(str(value) if name in plain else f"{name} {value}" for name, value in given.items())


def show_splits(found: Splits) -> None:
    """As it stands in manifest.yaml."""
    emit(f"splits:\n  seed: {found.seed}")
    for split in SPLITS:
        emit(f"  {split}: [{', '.join(getattr(found, split))}]")
