"""Which voice of a call is the agent, told by what each says.

Agents greet by script, name a work number and serve (您, 为您); customers want, ask and complain of 你们. Each line of
`AGENT_LINES` and `CUSTOMER_LINES` counts once a voice with its weight. The confidence is the logistic function of half
the lead over the other voice: a rule of thumb that orders cases, not a measured probability. It is told to people, and
under `SURE` nobody is named at all.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SURE = 0.9
"""Least confidence at which the agent is named: a lead of 4.4 points, about two script lines."""
_FORGIVING = 6
"""Lines of so many characters are also found with one wrong character: recognisers mishear."""
_BEGINNING, _END = 2_000, 1_000
"""Characters of a voice that are looked at: scripts are spoken at the ends of a call."""


def _lines(by_weight: Mapping[float, str]) -> Mapping[str, float]:
    return {line: weight for weight, lines in by_weight.items() for line in lines.split("|")}


AGENT_LINES = _lines(
    {
        3: "很高兴为您服务|有什么可以帮您|有什么可以帮到您|有什么能帮您|还有其他可以帮您|感谢您的来电|感谢您的接听"
        "|祝您生活愉快|服务进行评价|先生本人吗|女士本人吗"
        "|how can i help|how may i help|thank you for calling|anything else i can help",
        2.5: "工号|请问您贵姓|给您带来不便",
        2: "为您服务|请您稍等|请您提供|还有其他问题吗|核实一下您|核对一下您|核实身份|我马上为您|给您推荐"
        "|may i have your|for quality",
        1.5: "请提供|满意度|这里是|我帮您|给您办理|为您办理|为您查询|打扰您|非常抱歉|我理解您"
        "|let me check|have a great day",
        1: "祝您|客服|稍等|我们公司|您的|my name is",
    }
)
CUSTOMER_LINES = _lines(
    {
        2.5: "我要投诉|找你们经理|找你们领导|是我本人|我是本人|speak to a manager",
        2: "我要退款|我想查|我想咨询|我想取消|我的话费|我不要|我不想|我说了不要"
        "|i am calling about|i was charged|cancel my|not interested",
        1.5: "我要求|我想问|我想办|我的套餐|我的订单|我的账户|不需要|你说吧|怎么扣|为什么扣|i want to|my bill",
        1: "我的手机|你们|多少钱|太差了|i would like to|my account",
        0.5: "我想|我的|谢谢你",
    }
)


@dataclass(frozen=True)
class Guess:
    """The likelier agent (index into the voices) and how sure that is, 0.5 (a coin) to 1."""

    agent: int
    confidence: float

    @property
    def sure(self) -> bool:
        return self.confidence >= SURE


def guess_agent(voices: Sequence[str]) -> Guess:
    """`voices`: everything that each of at least two voices said. The surest agent among them."""
    leads = [_score(text) for text in voices]
    agent = max(range(len(leads)), key=leads.__getitem__)
    runner_up = max(lead for i, lead in enumerate(leads) if i != agent)
    return Guess(agent, 1 / (1 + math.exp((runner_up - leads[agent]) / 2)))


def _score(text: str) -> float:
    if len(text) > _BEGINNING + _END:
        text = f"{text[:_BEGINNING]} {text[-_END:]}"
    said = " ".join(re.sub(r"[^\w\s]", " ", text.casefold()).split())
    joined = re.sub(r"(?<=[^\x00-\x7f]) (?=[^\x00-\x7f])", "", said)
    return _found(joined, AGENT_LINES) - _found(joined, CUSTOMER_LINES)


def _found(text: str, lines: Mapping[str, float]) -> float:
    return sum(weight for line, weight in lines.items() if line in text or _nearly(line, text))


def _nearly(line: str, text: str) -> bool:
    if len(line) < _FORGIVING or line.isascii():
        return False
    starts = range(len(text) - len(line) + 1)
    return any(sum(a != b for a, b in zip(line, text[at:], strict=False)) <= 1 for at in starts)
