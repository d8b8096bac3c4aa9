"""What a person puts right in a transcript: the words of one turn, or who is who. Gives the next transcript."""

from callgrade.domain.calls import Speaker, Transcript
from callgrade.domain.errors import InputError

LONGEST_TURN = 4_000
_OTHER = {Speaker.AGENT: Speaker.CUSTOMER, Speaker.CUSTOMER: Speaker.AGENT}


def with_turn(transcript: Transcript, number: int, text: str) -> Transcript:
    """Turn `number` (from 0) says `text`. It keeps its times; its tokens go, whose places and confidences were of other
    words. Raises InputError for a turn that there is not, for no words, for too many, and where nothing changes."""
    said = text.strip()
    if not 0 <= number < len(transcript.turns):
        raise InputError(f"the call has no turn {number}")
    if not said:
        raise InputError("a turn needs words")
    if len(said) > LONGEST_TURN:
        raise InputError(f"a turn has at most {LONGEST_TURN} characters here")
    turn = transcript.turns[number]
    if said == turn.text:
        raise InputError("nothing was changed")
    changed = turn.model_copy(update={"text": said, "tokens": ()})
    turns = (*transcript.turns[:number], changed, *transcript.turns[number + 1 :])
    return transcript.model_copy(update={"turns": turns})


def with_speakers_swapped(transcript: Transcript) -> Transcript:
    """What the agent said was the customer's, and the other way round. Raises InputError where neither speaks."""
    turns = tuple(
        turn.model_copy(update={"speaker": _OTHER.get(turn.speaker, turn.speaker)}) for turn in transcript.turns
    )
    if turns == transcript.turns:
        raise InputError("nobody of the two speaks in this call")
    return transcript.model_copy(update={"turns": turns})
