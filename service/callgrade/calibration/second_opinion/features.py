"""Words as numbers: which runs of one to four characters each side of a call says.

They are hashed, so that a trained file holds no words of anybody's; digits are all the same digit, so that no number is
learnt. Agent and customer have places of their own: 我要取消 is not the same from either.
"""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from callgrade.domain.calls import Speaker, Transcript
from callgrade.domain.errors import NotReadyError

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

RECIPE = "char-1-4/binary/hash-16/by-side/log-ratio/1"
"""Changes with anything that would give other numbers for the same words, `fitting` included."""
SIDES: tuple[Speaker, ...] = (Speaker.AGENT, Speaker.CUSTOMER)
PLACES = 2**16
"""Of each side."""
WIDTH = PLACES * len(SIDES)
_DIGIT = re.compile(r"[0-9０-９]")


def library() -> Any:
    """scikit-learn, imported when something is trained or asked: it takes more than a second.

    Raises NotReadyError where it is not installed.
    """
    try:
        import sklearn
    except ImportError:
        raise NotReadyError("the second opinion needs scikit-learn: pip install 'callgrade[second-opinion]'") from None
    return sklearn


def features(transcripts: Iterable[Transcript]) -> "csr_matrix":
    """(calls, WIDTH): 1 where a side says such a run, else 0. Raises NotReadyError."""
    library()
    from scipy.sparse import csr_matrix, hstack
    from sklearn.feature_extraction.text import HashingVectorizer

    shingles = HashingVectorizer(
        analyzer="char", ngram_range=(1, 4), n_features=PLACES, alternate_sign=False, binary=True, norm=None
    )
    calls: Sequence[Transcript] = list(transcripts)
    if not calls:
        return csr_matrix((0, WIDTH))
    parts = [shingles.transform([said_by(side, call) for call in calls]) for side in SIDES]
    return hstack(parts).tocsr()


def said_by(side: Speaker, call: Transcript) -> str:
    """A turn a line, so that no run of characters spans two of them unnoticed."""
    return _DIGIT.sub("0", "\n".join(turn.text for turn in call.turns if turn.speaker == side))
