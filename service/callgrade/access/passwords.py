"""Passwords: how they are kept, and which are taken.

Argon2id over 32 MiB in two passes on one lane: some 50 ms of one core of a server of 2026, and beyond the least that
OWASP's cheat sheet asks for (19 MiB, two passes). A hash knows what it was made with; one made otherwise is made anew
when its owner next signs in. What is looked for is typed by people, so it is folded first (NFKC): full-width and
half-width letters, which an input method mixes up, are one password.
"""

import os
import secrets
import unicodedata
from collections.abc import Iterable
from functools import cache
from threading import BoundedSemaphore
from typing import Literal

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from callgrade.domain.errors import InputError

PASSES, MEMORY_KIB, LANES = 2, 32 * 1024, 1
SHORTEST, LONGEST = 10, 200
FEWEST_DIFFERENT = 5

Fault = Literal["short", "long", "few", "common", "same"]
_SAID: dict[Fault, str] = {
    "short": f"a password has at least {SHORTEST} characters; three or four words in a row are easy to keep",
    "long": f"a password has at most {LONGEST} characters",
    "few": f"a password has at least {FEWEST_DIFFERENT} different characters",
    "common": "this password is among those that are tried first: take words that do not belong together",
    "same": "choose a password that you have not had",
}

_HASHER = PasswordHash([Argon2Hasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)])
_AT_ONCE = BoundedSemaphore(max(2, os.cpu_count() or 2))
"""More at once would only take each other's cores, and 32 MiB each."""

_ROWS = ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "abcdefghijklmnopqrstuvwxyz", "1qaz2wsx3edc4rfv5tgb6yhn")
_COMMON = (
    "password", "passw0rd", "p@ssw0rd", "p@ssword", "letmein", "welcome", "iloveyou", "administrator", "admin", "root",
    "changeme", "default", "secret", "master", "dragon", "monkey", "football", "baseball", "sunshine", "princess",
    "superman", "trustno1", "qwerty", "abc123", "woaini", "woaiwojia", "mima", "zhangwei", "wangwei", "beijing",
    "shanghai", "zhongguo", "xiaoming", "callgrade", "call", "grade", "1314520", "5201314", "147258369", "123456",
    "111111", "000000", "888888", "666666", "asdf", "zxcv", "1qaz2wsx", "q1w2e3r4",
)  # fmt: skip
"""What lists of stolen passwords begin with; alone, doubled or with digits around them they are still these."""


class BadPasswordError(InputError):
    """Says what is wrong with a new password, and never repeats it."""

    def __init__(self, why: Fault):
        self.why = why
        super().__init__(_SAID[why])


def hash_password(password: str) -> str:
    """Takes some 50 ms, by design."""
    with _AT_ONCE:
        return _HASHER.hash(_folded(password))


def check_password(password: str, kept: str | None) -> tuple[bool, str | None]:
    """Whether it is the one that was kept, and its hash made anew where that is due. With nothing kept it takes as
    long, so that the time does not tell whether there is somebody of a name, and is never right."""
    if len(password) > LONGEST:
        password = ""  # nobody has one like it, and hashing a megabyte helps only who wants us busy
    with _AT_ONCE:
        right, anew = _HASHER.verify_and_update(_folded(password), kept or _nobodys())
    return (right, anew) if kept else (False, None)


def require_good_password(password: str, *, about: Iterable[str | None] = ()) -> None:
    """Length counts, not kinds of signs. `about` is what others know of its owner: login, name.

    Raises BadPasswordError.
    """
    folded = _folded(password).casefold()
    if len(folded) < SHORTEST:
        raise BadPasswordError("short")
    if len(password) > LONGEST:
        raise BadPasswordError("long")
    if len(set(folded)) < FEWEST_DIFFERENT:
        raise BadPasswordError("few")
    rest = folded
    for known in sorted((*_COMMON, *_words(about)), key=len, reverse=True):
        rest = rest.replace(known, " ")
    if _weight(rest) < SHORTEST // 2:
        raise BadPasswordError("common")


def one_time_password() -> str:
    """80 bits that can be read out: nothing in it looks like something else."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4))


@cache
def _nobodys() -> str:
    return _HASHER.hash(secrets.token_hex(16))


def _folded(password: str) -> str:
    # half of a surrogate pair is no text, and is nobody's password
    return unicodedata.normalize("NFKC", password).encode("utf-8", "replace").decode()


def _words(about: Iterable[str | None]) -> set[str]:
    known = {part for text in about if text for part in (text, *text.replace("@", " ").replace(".", " ").split())}
    return {part.casefold() for part in known if len(part) >= 3}


def _weight(rest: str) -> int:
    """How many characters are left that do not just follow upon the one before, on the keyboard or the alphabet."""
    counted = 0
    for place, sign in enumerate(rest):
        if sign.isspace():
            continue
        before = rest[place - 1] if place else ""
        follows = before == sign or any(before + sign in row or sign + before in row for row in _ROWS)
        counted += not (follows and before)
    return counted
