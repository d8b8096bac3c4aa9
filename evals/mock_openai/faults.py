"""Which request fails, and how."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

FAULTS = ("429", "500", "malformed", "truncate", "drop")
MALFORMED = ("prose", "fence", "comma", "shape")


class Drawn(NamedTuple):
    """`fault` is None for most; `number` is there to vary it by. `earlier`: how often the same body came before."""

    fault: str | None
    number: int
    digest: bytes
    earlier: int


class Faults:
    """Draws faults by what is sent, so that a job meets the same ones however it orders its requests."""

    def __init__(self, shares: Mapping[str, float], seed: int):
        if sum(shares.values()) > 1:
            raise ValueError(f"the shares of all faults come to {sum(shares.values()):g}; at most 1 makes sense")
        self._shares, self._key = dict(shares), b"%d" % seed
        self.sends: Counter[bytes] = Counter()
        """How often each body came, by its digest."""

    def draw(self, body: bytes) -> Drawn:
        """What meets this request."""
        digest = hashlib.blake2b(body, digest_size=16, key=self._key).digest()
        earlier = self.sends[digest]
        self.sends[digest] += 1
        drawn = hashlib.blake2b(digest + earlier.to_bytes(4, "big"), digest_size=8).digest()
        number = int.from_bytes(drawn, "big")
        left = number / 2**64
        for fault, share in self._shares.items():
            if left < share:
                return Drawn(fault, number, digest, earlier)
            left -= share
        return Drawn(None, number, digest, earlier)


def is_readable(number: int) -> bool:
    """Whether `spoilt` leaves an answer that can be read with some good will."""
    return MALFORMED[number % len(MALFORMED)] == "fence"


def spoilt(text: str, number: int) -> str:
    """An answer that is not what was asked for."""
    match MALFORMED[number % len(MALFORMED)]:
        case "prose":
            return "抱歉，我无法以要求的格式回答这个问题。"
        case "fence":
            return f"好的，评分如下：\n```json\n{text}\n```\n希望对您有帮助。"
        case "comma":
            return f"{text[:-1]},}}"
        case _:
            return '{"unexpected": [1, 2, 3]}'
