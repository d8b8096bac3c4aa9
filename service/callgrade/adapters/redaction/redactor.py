"""The two redactors: by rules, and none."""

from collections.abc import Sequence

from callgrade.adapters.redaction import digits, tables
from callgrade.adapters.redaction.dictation import (
    Dictation,
    find_codes,
    find_repeats,
    find_staff,
    find_uncued_dictation,
)
from callgrade.adapters.redaction.digits import Group
from callgrade.adapters.redaction.names import find_names
from callgrade.adapters.redaction.numbers import LONG, proven, unproven
from callgrade.adapters.redaction.placeholders import Redacted, masked, replaced
from callgrade.adapters.redaction.places import find_addresses, find_mail, find_plates
from callgrade.adapters.redaction.spans import Lines, Span


class NoRedaction:
    """Everything as it is: for a model on one's own machine."""

    name = "off"

    def redact(self, texts: Sequence[str]) -> Redacted:
        return Redacted(tuple(texts))


class RuleRedactor:
    """Patterns, checksums and cues; no model, no network, no state."""

    name = "rules/1"

    def redact(self, texts: Sequence[str]) -> Redacted:
        """One text a turn, in the order of the call: a question redacts the digits in the turns that answer it.

        A text that already holds `[电话1]` keeps it, and the call's own placeholders take other numbers.
        """
        lines = Lines(texts)
        text, used = masked(lines.joined)
        spans = find_mail(text) + find_addresses(text, lines) + find_names(text, lines)
        latin = digits.LATIN.search(text) is not None
        if latin:  # plates and codes hold letters; most Chinese calls hold none
            spans += find_plates(text) + find_codes(text)
        spans += _numbers(text, lines, latin)
        return replaced(lines, _identified(lines.joined, _apart(spans)), used)


def _numbers(text: str, lines: Lines, latin: bool) -> list[Span]:
    runs: list[list[Group]] = list(digits.runs(text))
    if latin:
        runs += digits.english_runs(text)
    staff = find_staff(text)
    if not runs:
        return staff
    runs.sort(key=lambda run: run[0].start)
    found: list[Span] = []
    pieces: list[list[Group]] = []
    for run in runs:
        if sum(len(group.digits) for group in run) < LONG:  # most of them: prices, dates, counts
            pieces.append(run)
            continue
        spans, stretches = proven(text, run)
        found += spans
        for stretch in stretches:
            spans, left = unproven(text, stretch)
            found += spans
            pieces += left
    pieces = [piece for piece in pieces if not any(s.start < piece[-1].end and piece[0].start < s.end for s in staff)]
    dictation = Dictation(text, lines, pieces, found)
    dictated = dictation.spans()
    found = [dictation.named(span) for span in found] + dictated
    found += find_uncued_dictation(text, lines, found)
    return staff + found + find_repeats(text, pieces, found)


def _apart(spans: list[Span]) -> list[Span]:
    """In order, overlapping ones united: the longer names the kind, and nothing found by either is left over."""
    united: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.start, -s.end)):
        if not united or span.start >= united[-1].end:
            united.append(span)
        elif span.end > united[-1].end:
            before = united.pop()
            longer = span if span.end - span.start > before.end - before.start else before
            united.append(Span(before.start, span.end, longer.kind, ""))
    return united


def _identified(text: str, spans: list[Span]) -> list[Span]:
    """Numbers get their folded digits as `who`, and one kind wherever they stand: the most telling of all places."""
    named = [span if span.who else span._replace(who=digits.folded(text[span.start : span.end])) for span in spans]
    kinds: dict[str, str] = {}
    for span in named:
        if span.kind in tables.NUMBER_KINDS:
            known = kinds.get(span.who, span.kind)
            kinds[span.who] = min(known, span.kind, key=tables.NUMBER_KINDS.index)
    return [span._replace(kind=kinds[span.who]) if span.kind in tables.NUMBER_KINDS else span for span in named]
