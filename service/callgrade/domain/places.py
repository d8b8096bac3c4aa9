"""Every place in a transcript where some words stand: verbatim, folded, or nearly.

Which of them may serve as evidence is decided in `grounding`. Everything is worked out once, when it is first needed:
most quotes are verbatim and need no index at all.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from typing import Literal, NamedTuple

from callgrade.domain.alignment import allowed_edits, says_the_same, stretches
from callgrade.domain.calls import Turn
from callgrade.domain.folding import Folded, bare, fold
from callgrade.domain.guards import Guard, cuts, guards

SHORTEST_QUOTE = 4
"""Characters besides punctuation. A shorter quote must be a whole turn."""
_MOST_IN_A_TURN = 16


class Place(NamedTuple):
    """Code points [start, end) of a turn's original text."""

    turn: int
    start: int
    end: int
    grounding: Literal["exact", "normalised", "approximate"]


class Joined:
    """Texts put end to end, and the way back."""

    def __init__(self, texts: Sequence[str], between: str):
        self.text = between.join(texts)
        self._starts = [0, *accumulate(len(text) + len(between) for text in texts)]

    def at(self, offset: int) -> tuple[int, int]:
        """(which text, offset in it)."""
        i = bisect_right(self._starts, offset) - 1
        return i, offset - self._starts[i]

    def start_of(self, i: int) -> int:
        return self._starts[i]


class Places:
    """Looks for words in turns."""

    def __init__(self, turns: tuple[Turn, ...]):
        self._turns = turns
        self._guards: dict[int, tuple[Guard, ...]] = {}
        self._end_to_end: dict[tuple[int, ...], Joined] = {}

    def in_turn(self, quote: str, turn: int) -> list[Place]:
        """Every place of the quote in one turn: the verbatim ones, or else the folded ones."""
        return list(self._verbatim(quote, turn)) or list(self._normalised(quote, turn))

    def verbatim(self, quote: str) -> list[Place]:
        """The best place of every turn that holds the quote as it is written, or but for white space around it."""
        wanted = quote.strip()
        holding = (i for i, turn in enumerate(self._turns) if wanted in turn.text)
        return [self._best(self._verbatim(quote, i)) for i in holding]

    def normalised(self, quote: str) -> list[Place]:
        """The best place of every turn that holds the folded quote."""
        wanted = fold(quote).text
        if len(wanted) < SHORTEST_QUOTE:
            return []
        found, lines = [], self._lines
        start = lines.text.find(wanted)
        while start >= 0:
            i, _ = lines.at(start)
            found.append(self._best(self._normalised(quote, i)))
            start = lines.text.find(wanted, lines.start_of(i + 1))
        return found

    def approximate(self, quote: str) -> dict[int, Place]:
        """The nearest place of every turn that says the same as the quote but for slips."""
        wanted = fold(quote)
        allowed = allowed_edits(len(wanted.text))
        if not allowed or len(wanted.text) - allowed > self._longest:
            return {}
        quoted = guards(wanted)
        best: dict[int, tuple[int, Place]] = {}
        for stretch in stretches(wanted.text, self._lines.text):
            i, start = self._lines.at(stretch.start)
            here = stretch._replace(start=start, end=start + stretch.end - stretch.start)
            if i in best and best[i][0] <= here.distance:
                continue
            if says_the_same(wanted, quoted, self.folded[i], self._guards_of(i), here):
                place = Place(i, *self.folded[i].span(here.start, here.end), "approximate")
                best[i] = here.distance, place
        return {i: place for i, (_, place) in best.items()}

    def whole_turns(self, quote: str) -> list[Place]:
        """Turns that say nothing but the quote."""
        return [self._whole(quote, i) for i in self._by_words.get(_words(quote), ())] if bare(quote) else []

    def runs(self, wanted: str, turns: tuple[int, ...]) -> list[list[Place]]:
        """Where folded text runs through two or more of these turns as if they were one: a place in each of them.

        At the ends, fewer than four characters that are not the whole turn are left out.
        """
        if turns not in self._end_to_end:
            self._end_to_end[turns] = Joined([self.folded[i].text for i in turns], "")
        joined = self._end_to_end[turns]
        found = (self._run(joined, turns, start, start + len(wanted)) for start in occurrences(joined.text, wanted))
        return [run for run in found if run]

    def _run(self, joined: Joined, turns: Sequence[int], start: int, end: int) -> list[Place]:
        (first, first_start), (last, last_start) = joined.at(start), joined.at(end - 1)
        places = []
        for i in range(first, last + 1) if first < last else ():
            folded = self.folded[turns[i]]
            span = first_start if i == first else 0, last_start + 1 if i == last else len(folded.text)
            whole = span == (0, len(folded.text))
            if folded.text and (whole or span[1] - span[0] >= SHORTEST_QUOTE):
                places.append(Place(turns[i], *folded.span(*span), "normalised"))
        return places

    def cuts(self, place: Place) -> bool:
        """Does the place cut a number or a word in two, or leave behind the negation in front of it?"""
        folded = self.folded[place.turn]
        return cuts(folded, self._guards_of(place.turn), folded.index(place.start), folded.index(place.end))

    @cached_property
    def folded(self) -> list[Folded]:
        return [fold(turn.text) for turn in self._turns]

    @cached_property
    def _lines(self) -> Joined:
        return Joined([folded.text for folded in self.folded], "\n")  # no folded text holds white space

    @cached_property
    def _longest(self) -> int:
        return max((len(folded.text) for folded in self.folded), default=0)

    @cached_property
    def _by_words(self) -> dict[str, list[int]]:
        turns = defaultdict(list)
        for i, turn in enumerate(self._turns):
            turns[_words(turn.text)].append(i)
        return turns

    def _guards_of(self, turn: int) -> tuple[Guard, ...]:
        if turn not in self._guards:
            self._guards[turn] = guards(self.folded[turn])
        return self._guards[turn]

    def _best(self, places: Iterable[Place]) -> Place:
        candidates = list(places)
        if len(candidates) == 1:
            return candidates[0]
        return next((place for place in candidates if not self.cuts(place)), candidates[0])

    def _verbatim(self, quote: str, turn: int) -> Iterator[Place]:
        text = self._turns[turn].text
        wanted = quote if quote in text else quote.strip()
        for start in occurrences(text, wanted):
            yield Place(turn, start, start + len(wanted), "exact")

    def _normalised(self, quote: str, turn: int) -> Iterator[Place]:
        wanted = fold(quote).text
        if len(wanted) >= SHORTEST_QUOTE:
            folded = self.folded[turn]
            for start in occurrences(folded.text, wanted):
                yield Place(turn, *folded.span(start, start + len(wanted)), "normalised")

    def _whole(self, quote: str, turn: int) -> Place:
        text, wanted = self._turns[turn].text, quote.strip()
        start = text.find(wanted)
        if start >= 0:
            return Place(turn, start, start + len(wanted), "exact")
        folded = self.folded[turn]
        if folded.text:
            return Place(turn, *folded.span(0, len(folded.text)), "normalised")
        return Place(turn, 0, len(text), "normalised")  # nothing but fillers


def occurrences(text: str, wanted: str) -> Iterator[int]:
    """Where `wanted` begins in `text`; the first sixteen, overlapping ones included."""
    start = text.find(wanted)
    for _ in range(_MOST_IN_A_TURN):
        if start < 0:
            return
        yield start
        start = text.find(wanted, start + 1)


def _words(text: str) -> str:
    return fold(text).text or bare(text)
