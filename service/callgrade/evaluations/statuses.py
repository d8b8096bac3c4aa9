"""Through what an evaluation passes, and in which order it may.

queued ──▶ transcribing ──▶ judging ◀──▶ parked        the machine's part: OPEN
                               │
                               ▼
              in_review ◀── proposed ──▶ published     the people's part
                  ▲──────────────────────────┘
failed, cancelled: from anywhere in the machine's part; a retry brings them back to queued
"""

from collections.abc import Mapping
from typing import Literal

Status = Literal[
    "queued", "transcribing", "judging", "parked", "proposed", "in_review", "published", "failed", "cancelled"
]
OPEN: tuple[Status, ...] = ("queued", "transcribing", "judging", "parked")
"""The machine still has something to do, or is doing it."""
RETRYABLE: tuple[Status, ...] = ("failed", "cancelled")

NEXT: Mapping[Status, frozenset[Status]] = {
    "queued": frozenset({"transcribing", "judging", "parked", "proposed", "failed", "cancelled"}),
    # back to queued: the recording is transcribed and waits for its judge
    "transcribing": frozenset({"queued", "judging", "failed", "cancelled"}),
    "judging": frozenset({"proposed", "parked", "failed", "cancelled"}),
    "parked": frozenset({"judging", "proposed", "failed", "cancelled"}),
    "proposed": frozenset({"in_review", "published"}),
    "in_review": frozenset({"proposed", "published"}),
    "published": frozenset({"in_review"}),
    "failed": frozenset({"queued"}),
    "cancelled": frozenset({"queued"}),
}


def before(status: Status) -> tuple[Status, ...]:
    """The statuses from which `status` may be reached. Itself is among them while the machine is at work: a step that
    is run again after a crash finds what it had already written."""
    own: tuple[Status, ...] = (status,) if status in OPEN else ()
    return (*(first for first, following in NEXT.items() if status in following), *own)
