"""A transcript from a file: JSON in the shape of the contracts, or text with a label before each turn."""

import json
import re
from pathlib import Path

from pydantic import ValidationError

from callgrade.calls.texts import require_whole_json
from callgrade.domain.calls import Speaker, Transcript, Turn
from callgrade.domain.errors import TranscriptError

LARGEST_BYTES = 50_000_000
LABELS = {
    "坐席": Speaker.AGENT,
    "座席": Speaker.AGENT,
    "客服": Speaker.AGENT,
    "agent": Speaker.AGENT,
    "客户": Speaker.CUSTOMER,
    "用户": Speaker.CUSTOMER,
    "customer": Speaker.CUSTOMER,
    "系统": Speaker.SYSTEM,
    "system": Speaker.SYSTEM,
    "未知": Speaker.UNKNOWN,
    "unknown": Speaker.UNKNOWN,
}
_LABELLED = re.compile(r"\s*(?P<label>[^\s:：]{1,12})\s*[:：]\s*(?P<text>.*?)\s*")


def read_transcript(path: Path) -> Transcript:
    """The transcript in a file. Raises TranscriptError with the file and, where there is one, the line."""
    source = str(path)
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise TranscriptError(f"is larger than {LARGEST_BYTES // 1_000_000} MB", source=source)
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise TranscriptError(f"cannot be read: {error.strerror}", source=source) from None
    except UnicodeDecodeError:
        raise TranscriptError("is not UTF-8 text; save it as UTF-8 and try again", source=source) from None
    if text.lstrip()[:1] in ("{", "["):
        return parse_json(text, source=source)
    return parse_labelled(text, call_id=path.stem[:200], source=source)


def parse_sent(text: bytes, *, source: str) -> Transcript:
    """A transcript as a client sends it. Every fault is named with its path, and characters that cannot be stored are
    one."""
    require_whole_json(text, source=source)
    try:
        return Transcript.model_validate_json(text)
    except ValueError:
        pass
    # once more, for what a person can mend by
    try:
        told = text.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise TranscriptError("is not UTF-8", source=source) from None
    if not told.strip():
        raise TranscriptError("is empty", source=source)
    return parse_json(told, source=source)


def parse_json(text: str, *, source: str) -> Transcript:
    """A transcript in the contracts' JSON. Every fault is named with its path."""
    try:
        document = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise TranscriptError("is neither JSON nor labelled text", source=source, line=line) from None
    if not isinstance(document, dict):
        raise TranscriptError("holds a JSON list; a transcript is one object a file", source=source)
    try:
        return Transcript.model_validate(document)
    except ValidationError as error:
        raise TranscriptError(_explain(error), source=source, line=_line_of(text, error)) from None


def parse_labelled(text: str, *, call_id: str, source: str) -> Transcript:
    """One turn a line, `坐席：` `客服：` `agent:` / `客户：` `customer:` in front. Blank lines are passed over."""
    turns = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            turns.append(_turn(line, number, source))
    if not turns:
        raise TranscriptError("is empty", source=source)
    return Transcript(call_id=call_id, channel="unknown", turns=tuple(turns))


def _turn(line: str, number: int, source: str) -> Turn:
    labelled = _LABELLED.fullmatch(line)
    speaker = LABELS.get(labelled["label"].lower()) if labelled else None
    if labelled is None or speaker is None:
        known = " ".join(f"{label}：" for label in LABELS)
        raise TranscriptError(f"no turn: a line begins with one of {known}", source=source, line=number)
    return Turn(speaker=speaker, text=labelled["text"])


def _explain(error: ValidationError) -> str:
    # neither the values nor pydantic's links: the values are what people said
    faults = [f"{_path(fault['loc'])}: {fault['msg']}" for fault in error.errors(include_url=False)[:5]]
    more = error.error_count() - len(faults)
    return "is not a transcript: " + "; ".join(faults) + (f"; and {more} more" if more > 0 else "")


def _path(location: tuple[int | str, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".") or "document"


def _line_of(text: str, error: ValidationError) -> int | None:
    """The line of the first fault inside `turns`, found by counting its objects; None elsewhere."""
    location = error.errors()[0]["loc"]
    if len(location) < 2 or location[0] != "turns" or not isinstance(location[1], int):
        return None
    start = text.find('"turns"')
    decoder = json.JSONDecoder()
    place = text.find("[", start) + 1
    for _ in range(location[1] + 1):
        place = next((i for i in range(place, len(text)) if text[i] not in " \t\r\n,"), len(text))
        begin = place
        try:
            _, place = decoder.raw_decode(text, place)
        except json.JSONDecodeError:
            return None
    return text.count("\n", 0, begin) + 1
