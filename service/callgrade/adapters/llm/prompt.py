"""The words a model is sent: the compact rubric, and the call as fenced data.

Agent, team, customer, call id and past scores never come here: the functions below are not given them.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from callgrade.adapters.llm.shapes import scale_text
from callgrade.domain.calls import Speaker
from callgrade.domain.rubrics import Criterion

FENCE_OPEN, FENCE_CLOSE = "<call>", "</call>"

_SPEAKERS = {
    "zh": {Speaker.AGENT: "坐席", Speaker.CUSTOMER: "客户", Speaker.SYSTEM: "系统", Speaker.UNKNOWN: "未知"},
    "en": {Speaker.AGENT: "Agent", Speaker.CUSTOMER: "Customer", Speaker.SYSTEM: "System", Speaker.UNKNOWN: "Unknown"},
}
_MARKS = {
    "zh": {"customer": "引客户", "any": "引任一方", "optional": "可不引"},
    "en": {"customer": "quote the customer", "any": "quote either side", "optional": "quote optional"},
}
_COLON = {"zh": "：", "en": ": "}

# anything that breaks a line would let a turn forge the next one; the rest of the controls some endpoints refuse
_ONE_LINE = dict.fromkeys((*range(32), *range(127, 160), 8232, 8233), " ")
_FENCE_LOOKALIKE = re.compile(r"[<＜﹤〈《‹⟨]\s*([/／⁄∕]?)\s*(c\s*a\s*l\s*l)", re.I)
_SPECIAL_TOKEN = re.compile(r"<\|(?=[^|<>\s]{1,60}\|>)")


def render_rubric(title: str, criteria: Sequence[Criterion], language: str) -> str:
    """The rubric as a model reads it: one line an item, scales that several items share stated once.

    No line begins with a number: numbered lines are turns.
    """
    scales = Counter(scale_text(criterion, language) for criterion in criteria)
    names = {text: f"S{number}" for number, text in enumerate((t for t, n in scales.items() if n > 1), 1)}
    lines = [f"# {_flat(title)}"] if title else []
    lines += [f"{name}{_COLON[language]}{text}" for text, name in names.items()]
    lines += [_item(criterion, names, language) for criterion in criteria]
    return "\n".join(lines)


def render_turns(turns: Iterable[tuple[int, Speaker, str]], language: str, *, fold_special: bool = False) -> str:
    """`[3] 坐席：……` a turn, numbers from 0 and kept over parts. The whole is fenced by the caller.

    A text cannot leave its line, and nothing in it can be read as the fence. Everything else reaches the prompt as
    it was said, except that `fold_special` also breaks up special tokens such as `<|im_end|>`: llama.cpp's server
    would read them as such.
    """
    speakers = _SPEAKERS[language]
    colon = _COLON[language]
    body = "\n".join([f"[{number}] {speakers[speaker]}{colon}{_line(text)}" for number, speaker, text in turns])
    body = _FENCE_LOOKALIKE.sub(r"(\1\2", body)
    if fold_special:
        body = _SPECIAL_TOKEN.sub("<¦", body)
    # half a surrogate pair cannot be sent; it stands for a character that was lost before us
    return body if body.isascii() else body.encode("utf-8", "replace").decode()


def fenced(body: str) -> str:
    return f"{FENCE_OPEN}\n{body}\n{FENCE_CLOSE}"


def _line(text: str) -> str:
    # translate is slow, and hardly any text needs it
    return text if text.isprintable() else text.translate(_ONE_LINE)


def _item(criterion: Criterion, names: dict[str, str], language: str) -> str:
    marks = _MARKS[language]
    notes = [marks[criterion.side]] if criterion.side != "agent" and criterion.evidence != "none" else []
    if criterion.evidence == "optional":
        notes.append(marks["optional"])
    note = f" ({', '.join(notes)})" if notes else ""
    title = _flat(criterion.title.in_language(language))
    guidance = _flat(criterion.guidance.in_language(language))
    scale = scale_text(criterion, language)
    told = f"{title}{note}{_COLON[language]}{guidance}" if guidance else f"{title}{note}"
    return f"- {criterion.id} {told} [{names.get(scale, scale)}]"


def _flat(text: str) -> str:
    return " ".join(text.split())
