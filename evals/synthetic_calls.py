"""Made-up calls in any number: the same seed and number give the same call, two numbers two different calls.

The sentences stand in `synthetic_calls.yaml`. Names, numbers and addresses are drawn at random; their checksums hold,
so that redaction has as much to do as with real ones.
"""

import json
import random
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from callgrade.domain.calls import Transcript

TOKENS = 1_000
"""About this long, by the rule of thumb below. `bench` prints what a tokenizer says."""
TOKENS_PER_CHARACTER = 0.675
MS_PER_CHARACTER = 210
FILLERS = ("", "", "", "嗯，", "那个，", "哦，", "就是，")
SPEAKERS = {"坐席": "agent", "客户": "customer"}

Exchange = list[str]
"""Turns as `坐席：…` and `客户：…`."""


def make_call(number: int, *, seed: int = 1, tokens: int = TOKENS) -> dict[str, Any]:
    """Call `number` as a transcript document (contracts.md, "Transcript, in")."""
    draw = random.Random(f"{seed}/{number}")
    values = _values(draw)
    turns: list[dict[str, Any]] = []
    clock = 300
    for turn in _said(draw, tokens):
        label, _, sentence = turn.partition("：")
        text = sentence.format_map(values)
        if label == "客户":
            text = draw.choice(FILLERS) + text
        end = clock + MS_PER_CHARACTER * len(text)
        turns.append({"speaker": SPEAKERS[label], "start_ms": clock, "end_ms": end, "text": text})
        clock = end + draw.randrange(150, 900)
    return {
        "schema": "callgrade.transcript/1",
        "call_id": f"synthetic-{seed}-{number:06d}",
        "channel": "phone",
        "language": "zh",
        "agent": {"id": values["staff"], "team": "synthetic"},
        "turns": turns,
        "facts": {"direction": "inbound", "synthetic": True},
    }


def make_transcript(number: int, *, seed: int = 1, tokens: int = TOKENS) -> Transcript:
    return Transcript.model_validate(make_call(number, seed=seed, tokens=tokens))


def write_calls(numbers: Iterable[int], folder: Path, *, seed: int = 1, tokens: int = TOKENS) -> list[Path]:
    """One JSON file a call, as an export would hold them."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number in numbers:
        call = make_call(number, seed=seed, tokens=tokens)
        path = folder / f"{call['call_id']}.json"
        path.write_text(json.dumps(call, ensure_ascii=False), "utf-8")
        paths.append(path)
    return paths


def _said(draw: random.Random, tokens: int) -> Exchange:
    """All turns from the greeting to the farewell, about `tokens` in all."""
    scenes = _scenes()
    opening = [*draw.choice(scenes["opening"]), *draw.choice(scenes["identity"])]
    closing = draw.choice(scenes["closing"])
    middle: Exchange = []
    left = tokens / TOKENS_PER_CHARACTER - _length(opening) - _length(closing)
    while left > 0:
        for exchange in draw.sample(scenes["middle"], len(scenes["middle"])):
            if left <= 0:
                break
            middle += exchange
            left -= _length(exchange)
    return [*opening, *middle, *closing]


def _length(exchange: Exchange) -> int:
    return sum(map(len, exchange))


@lru_cache(maxsize=1)
def _scenes() -> dict[str, list[Exchange]]:
    from ruamel.yaml import YAML

    scenes: dict[str, list[Exchange]] = YAML(typ="safe").load(Path(__file__).with_suffix(".yaml"))
    return scenes


def _values(draw: random.Random) -> dict[str, str]:
    surname = draw.choice("王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗")
    phone = f"1{draw.choice('3589')}{draw.randrange(10**9):09d}"
    identity = _identity(draw)
    card = _card(draw)
    return {
        "name": surname,
        "owner": surname + draw.choice(("先生", "女士", "建国", "秀英", "志强", "晓梅", "海燕", "文博")),
        "phone": phone,
        "spoken_phone": _spoken(phone),
        "spoken_tail": _spoken(identity[-4:-1]) + ("X" if identity[-1] == "X" else _spoken(identity[-1])),
        "identity": identity,
        "card": card,
        "tail": card[-4:],
        "address": _address(draw),
        "mail": f"{draw.choice(('wang', 'li', 'sunny', 'tel', 'hello'))}{draw.randrange(10**5)}@example.com",
        "plate": f"{draw.choice('京沪粤川浙')}{draw.choice('ABCDE')}{draw.randrange(10**5):05d}",
        "order": f"{draw.randrange(10**10):010d}",
        "staff": f"{draw.randrange(1000, 9999)}",
        "amount": str(draw.choice((39, 59, 68, 79, 99, 128, 159, 199, 238))),
        "small": str(draw.choice((5, 8, 9, 10, 15, 19, 20, 25, 29))),
        "month": str(draw.randrange(1, 13)),
        "day": str(draw.randrange(1, 29)),
        "gigabytes": str(draw.choice((5, 10, 20, 30, 50, 100))),
    }


def _spoken(digits: str) -> str:
    return digits.translate(str.maketrans("0123456789", "零幺二三四五六七八九"))


def _address(draw: random.Random) -> str:
    place = draw.choice(("杭州市西湖区文三路", "成都市武侯区科华北路", "上海市浦东新区张杨路", "广州市天河区体育西路"))
    return f"{place}{draw.randrange(1, 900)}号{draw.randrange(1, 30)}栋{draw.randrange(101, 2909)}室"


def _identity(draw: random.Random) -> str:
    """Eighteen characters with the check digit of GB 11643 (ISO 7064, MOD 11-2)."""
    area = draw.choice(("110101", "310104", "330106", "440106", "510107"))
    born = f"{draw.randrange(1955, 2005)}{draw.randrange(1, 13):02d}{draw.randrange(1, 29):02d}"
    body = f"{area}{born}{draw.randrange(1000):03d}"
    weighted = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(body))
    return body + "10X98765432"[weighted % 11]


def _card(draw: random.Random) -> str:
    """Nineteen digits with a Luhn check digit (ISO/IEC 7812-1)."""
    body = f"62{draw.randrange(10**16):016d}"
    doubled = [int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body))]
    return body + str(-sum(sum(divmod(number, 10)) for number in doubled) % 10)
