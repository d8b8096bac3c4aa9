"""From a quote to the place where it was said, or to the reason why it cannot be evidence.

The rules are those of design.md, "Grounding". A quote is looked for verbatim and folded in the turn it names; then in
the others, where only one turn of its side may hold it; then approximately, in the same order. A place that cuts a
number in two or leaves a negation behind (可以取消 out of 不可以取消) is taken only where the quote points straight at
it: the named turn says these words, but no other turn is ever found guilty of them.
"""

from typing import Literal

from callgrade.domain.calls import Transcript, Turn
from callgrade.domain.folding import bare, fold
from callgrade.domain.judgements import Evidence, WhyUnfounded
from callgrade.domain.places import SHORTEST_QUOTE, Place, Places
from callgrade.domain.quotes import Part, parts, without_label
from callgrade.domain.timing import spoken_at

Side = Literal["agent", "customer", "any"]

_PARTS_LIE_WITHIN = 3
"""Turns from one part of a quote to the next: the other side may have said something in between."""


class Grounder:
    """Grounds quotes in one transcript."""

    def __init__(self, transcript: Transcript):
        self._turns = transcript.turns
        self._places = Places(transcript.turns)

    def ground(self, quote: str, *, turn: int | None = None, side: Side = "any") -> Evidence:
        """The evidence for `quote`, said in `turn` (from 0) by `side`.

        `any` accepts every speaker; the words of an unknown speaker accuse neither side. Never raises, whatever the
        quote holds and whether or not the turn exists.
        """
        found = self._locate(quote, turn, side)
        if found == "not_found" and (words := without_label(quote)) != quote:
            found = self._locate(words, turn, side)
        return self._evidence(quote, found, turn)

    def ground_all(self, quote: str, *, turn: int | None = None, side: Side = "any") -> tuple[Evidence, ...]:
        """As `ground`, for a quote that may span turns or leave something out: one item for each of its parts.

        Parts end at line breaks, at ellipses, and at the borders of the turns that the quote runs through. There is
        at least one item. `turn` is where the first part stands; the others follow it.
        """
        found = self._locate(quote, turn, side, approximately=False)
        if isinstance(found, Place):
            return (self._evidence(quote, found, turn),)
        several = parts(quote)
        if len(several) > 1:
            return self._ground_parts(several, turn, side)
        return self._run_through(quote, turn, side) or (self.ground(quote, turn=turn, side=side),)

    def _locate(
        self, quote: str, turn: int | None, side: Side, *, approximately: bool = True, uncut: bool = False
    ) -> Place | WhyUnfounded:
        if len(bare(quote)) < SHORTEST_QUOTE:
            return self._locate_whole_turn(quote, turn, side)
        named = turn if turn is not None and self._speaks(turn, side) else None
        if named is not None and (place := self._in_named_turn(quote, named, uncut=uncut)):
            return place
        found = self._anywhere(quote, side, uncut=uncut or turn is not None)
        if isinstance(found, Place) or not approximately:
            return found
        near = self._places.approximate(quote)
        if named in near:
            return near[named]
        return self._only_one(list(near.values()), side) if found == "not_found" else found

    def _locate_whole_turn(self, quote: str, turn: int | None, side: Side) -> Place | WhyUnfounded:
        places = self._places.whole_turns(quote)
        here = [place for place in places if place.turn == turn and self._speaks(place.turn, side)]
        found = self._only_one(here or places, side)
        return "too_short" if found == "not_found" else found

    def _in_named_turn(self, quote: str, turn: int, *, uncut: bool) -> Place | None:
        places = self._places.in_turn(quote, turn)
        if len(places) == 1 and not uncut:
            return places[0]
        whole = (place for place in places if not self._places.cuts(place))
        return next(whole, None if uncut else next(iter(places), None))

    def _anywhere(self, quote: str, side: Side, *, uncut: bool) -> Place | WhyUnfounded:
        on_the_wrong_side = False
        for look in (self._places.verbatim, self._places.normalised):
            places = look(quote)
            whole = [place for place in places if not self._places.cuts(place)]
            found = self._only_one(whole if uncut or whole else places, side)
            if isinstance(found, Place) or found == "ambiguous":
                return found
            on_the_wrong_side = on_the_wrong_side or found == "wrong_side"
        return "wrong_side" if on_the_wrong_side else "not_found"

    def _only_one(self, places: list[Place], side: Side) -> Place | WhyUnfounded:
        right = [place for place in places if self._speaks(place.turn, side)]
        if len(right) == 1:
            return right[0]
        if right:
            return "ambiguous"
        return "wrong_side" if places else "not_found"

    def _speaks(self, turn: int, side: Side) -> bool:
        return 0 <= turn < len(self._turns) and (side == "any" or self._turns[turn].speaker == side)

    def _ground_parts(self, several: list[Part], turn: int | None, side: Side) -> tuple[Evidence, ...]:
        items: list[Evidence] = []
        here = turn
        for part in several:
            following = self._following(part, here, side) if items and here is not None else None
            found = following or self._locate(part.text, here, side, uncut=part.beside_ellipsis)
            # a part that stands in a turn after the named one is where it should be
            items.append(self._evidence(part.text, found, following.turn if following else here))
            here = found.turn if isinstance(found, Place) else here
        return tuple(items)

    def _following(self, part: Part, here: int, side: Side) -> Place | None:
        for turn in range(here, here + _PARTS_LIE_WITHIN):
            found = self._locate(part.text, turn, side, uncut=part.beside_ellipsis)
            if isinstance(found, Place) and found.turn == turn:
                return found
        return None

    def _run_through(self, quote: str, turn: int | None, side: Side) -> tuple[Evidence, ...]:
        """Items for a quote that runs from one turn into the next without saying so.

        The turns of the side asked for come first: a listener's 嗯 in between is no part of a sentence.
        """
        wanted = fold(quote).text
        if len(wanted) < SHORTEST_QUOTE:
            return ()
        everyone = tuple(range(len(self._turns)))
        own = tuple(i for i in everyone if self._speaks(i, side))
        for turns in dict.fromkeys((own, everyone)):
            runs = self._places.runs(wanted, turns)
            through_named = [run for run in runs if any(place.turn == turn for place in run)]
            if turn is not None and not through_named:
                runs = [run for run in runs if not any(self._places.cuts(place) for place in run)]
            if len(runs) > 1 and not through_named:
                return (self._evidence(quote, "ambiguous", turn),)
            for run in through_named or runs:
                named = turn if not through_named else None
                return tuple(self._evidence_for_piece(quote, place, named, side) for place in run)
        return ()

    def _evidence_for_piece(self, quote: str, place: Place, named: int | None, side: Side) -> Evidence:
        said = self._turns[place.turn].text[place.start : place.end]
        if not self._speaks(place.turn, side):
            return self._evidence(said, "wrong_side", named)
        return self._evidence(said, place._replace(grounding="exact" if said in quote else "normalised"), named)

    def _evidence(self, quote: str, found: Place | WhyUnfounded, named: int | None) -> Evidence:
        if not isinstance(found, Place):
            return Evidence(quote=quote, grounding="unfounded", why=found)
        corrected = named is not None and found.turn != named
        return _evidence_at(self._turns[found.turn], found, turn_corrected=corrected)


def span_evidence(transcript: Transcript, turn: int, start: int, end: int) -> Evidence:
    """Evidence for code points [start, end) of a turn, which a rule found there: exact by construction.

    Raises ValueError for a span that is empty or lies outside the turn.
    """
    if not 0 <= turn < len(transcript.turns):
        raise ValueError(f"turn {turn} of a transcript with {len(transcript.turns)} turns, counted from 0")
    said = transcript.turns[turn]
    if not 0 <= start < end <= len(said.text):
        raise ValueError(f"[{start}, {end}) is empty or lies outside turn {turn} of {len(said.text)} characters")
    return _evidence_at(said, Place(turn, start, end, "exact"), turn_corrected=False)


def _evidence_at(turn: Turn, place: Place, *, turn_corrected: bool) -> Evidence:
    start_ms, end_ms, time = spoken_at(turn, place.start, place.end) or (None, None, None)
    return Evidence(
        quote=turn.text[place.start : place.end],
        grounding=place.grounding,
        turn=place.turn,
        speaker=turn.speaker,
        start=place.start,
        end=place.end,
        start_ms=start_ms,
        end_ms=end_ms,
        time=time,
        turn_corrected=turn_corrected,
    )
