"""What an audit event may hold: nothing that was said, no name and no number one could dial.

Audit events are chained and outlive the call they are about. So whatever goes in must never have to come out again, and
that is a matter of form: an id, a digest, a version, a number, a moment, or one short word. A sentence has blanks,
Chinese has no letters a to z, a phone number has more digits than a word or a number may have here. What the form
cannot tell is a name in small letters from a word: words come from enumerations in the code, never from what was sent.
What is refused is named by its place, never by its content, because refusals end up in logs.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

Atom = str | int | bool | Decimal | date | datetime | None
Fact = Atom | Sequence[Atom]
Kept = str | int | bool | list[str | int | bool | None] | None

ID = re.compile(r"[0-9a-f]{32}|(sha256:)?[0-9a-f]{64}")
WORD = re.compile(r"(?=.{1,40}\Z)(?!(?:[^0-9]*[0-9]){4})[a-z][a-z0-9]*(?:[._:-][a-z0-9]+)*")
"""Lower-case words joined by signs, at most 40 characters, at most three digits."""
VERSION = re.compile(r"(?!(?:[^0-9]*[0-9]){7})[a-z0-9]+(-[a-z0-9]+)*@v[0-9]+")
"""A rubric's or prompt's id and version, at most six digits."""
SUBJECT = re.compile(r"(?:[a-z_-]{1,40}:)?(?P<id>.+)")
MOST = 10**10
"""Numbers stay below: a mobile number has eleven digits where callgrade is used first."""
LONGEST = 100


def check_action(action: str) -> str:
    """`call.erased`: what was done, as a word. Raises ValueError."""
    if not WORD.fullmatch(action):
        raise ValueError("an audit event's action must be one lower-case word of at most 40 characters")
    return action


def check_subject(subject: str) -> str:
    """What it was done to: an id, or a version, with its kind in front where that helps: `call:<id>`."""
    match = SUBJECT.fullmatch(subject)
    if match is None or not (ID.fullmatch(match["id"]) or VERSION.fullmatch(match["id"])):
        raise ValueError("an audit event's subject must be the server's id of something, a digest or a version")
    return subject


def check_facts(facts: Mapping[str, Fact]) -> dict[str, Kept]:
    """The facts as they are stored. Raises ValueError that names the fact, TypeError where its type is none of these.

    Floats are refused: a database may write 1e22 another way than it was given, and then the chain would not verify.
    """
    kept: dict[str, Kept] = {}
    for name, fact in facts.items():
        if not WORD.fullmatch(name):
            raise ValueError("an audit event's facts are named by one lower-case word each")
        kept[name] = _several(name, fact) if isinstance(fact, list | tuple) else _one(name, fact)
    return kept


def _several(name: str, facts: Sequence[Atom]) -> list[str | int | bool | None]:
    if len(facts) > LONGEST:
        raise ValueError(f"audit fact {name!r}: at most {LONGEST} in one list; count them, or keep a digest of them")
    return [_one(name, fact) for fact in facts]


def _one(name: str, fact: object) -> str | int | bool | None:
    if fact is None or isinstance(fact, bool):
        return fact
    if isinstance(fact, int | Decimal):
        return _number(name, fact)
    if isinstance(fact, datetime):
        if fact.tzinfo is None:
            raise ValueError(f"audit fact {name!r}: a moment needs its zone")
        return fact.astimezone(UTC).isoformat(timespec="seconds")
    if isinstance(fact, date):
        return fact.isoformat()
    if isinstance(fact, str):
        text = str(fact)  # a StrEnum's own text
        if ID.fullmatch(text) or WORD.fullmatch(text) or VERSION.fullmatch(text):
            return text
        raise ValueError(f"audit fact {name!r}: a text must be an id, a digest, a version or one short lower-case word")
    raise TypeError(f"audit fact {name!r}: must be an id, digest, version, word, whole number, Decimal or moment")


def _number(name: str, fact: int | Decimal) -> str | int:
    if not Decimal(fact).is_finite() or abs(Decimal(fact)) >= MOST:
        raise ValueError(f"audit fact {name!r}: a number must lie below {MOST:,}")
    if isinstance(fact, int):
        return int(fact)
    exponent = fact.normalize().as_tuple().exponent
    if isinstance(exponent, int) and exponent < -4:  # a word only for what is not finite
        raise ValueError(f"audit fact {name!r}: at most four places behind the point")
    return f"{fact:f}"
