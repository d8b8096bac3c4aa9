"""What a statistic comes to: a value, or none and the reason."""

from dataclasses import dataclass, replace
from enum import StrEnum


class Why(StrEnum):
    """Why there is no value (or no interval). The text itself is the English; `words` gives either language."""

    NO_ITEMS = "no items"
    NO_PAIRS = "no item was rated by two raters"
    CONSTANT = "all raters constant and equal: undefined, agreement 100 %"
    NO_CHANCE = "no disagreement could be expected by chance: undefined"
    NOT_TWO = "needs exactly two raters"
    TOO_FEW_RATERS = "too few raters"
    NO_SCALE = "needs a scale of categories"
    NO_NUMBERS = "needs categories that are numbers"
    TOO_MANY_VALUES = "more than 200 different values: name a scale, or take the kind interval"
    NO_VARIANCE = "every rating is the same: undefined"
    INCOMPLETE = "fewer than two items were rated by all raters"
    TOO_FEW = "too few items for an interval"
    TOO_FEW_GROUPS = "fewer than ten agents: they are too few to be drawn"
    SHAKY = "in more than one draw of twenty it is undefined: too few items, or too few of one category"
    NO_SPREAD = "every draw comes out the same: an interval would have no width"
    NOT_CONNECTED = "the raters share too few items to be compared with each other"
    NEVER_SAID = "never said: precision is undefined"
    NEVER_TRUE = "does not occur: recall is undefined"
    NO_POWER = "sensitivity and specificity sum to 1 or less: the share cannot be corrected"
    TOO_FEW_LABELLED = "rare, and fewer than 100 labelled calls: the human-only interval is shown"
    TOO_FEW_CHANGED = "people changed too few of the proposals: the human-only interval is shown"
    NOT_RANDOM = "a labelled call had no chance of being drawn: its probability must lie above 0 and up to 1"
    ONE_CLASS = "every case has the same outcome: nothing to fit"

    def words(self, language: str) -> str:
        return _CHINESE[self] if language.startswith("zh") else self.value


_CHINESE = {
    Why.NO_ITEMS: "没有样本",
    Why.NO_PAIRS: "没有任何样本由两名评分人评过",
    Why.CONSTANT: "所有评分人始终给出同一结果：无定义，一致率 100 %",
    Why.NO_CHANCE: "按机遇不可能出现分歧：无定义",
    Why.NOT_TWO: "须恰好有两名评分人",
    Why.TOO_FEW_RATERS: "评分人太少",
    Why.NO_SCALE: "须给出量表的各个取值",
    Why.NO_NUMBERS: "量表的取值须为数字",
    Why.TOO_MANY_VALUES: "不同取值超过 200 个：请给出量表，或按定距处理",
    Why.NO_VARIANCE: "所有评分都相同：无定义",
    Why.INCOMPLETE: "由全部评分人评过的样本不足两个",
    Why.TOO_FEW: "样本太少，无法给出区间",
    Why.TOO_FEW_GROUPS: "坐席不足十名，无法按坐席抽样",
    Why.SHAKY: "二十次抽样中有一次以上无定义：样本太少，或某一类太少",
    Why.NO_SPREAD: "每次抽样结果都相同：区间没有宽度",
    Why.NOT_CONNECTED: "评分人之间共同评过的样本太少，无法比较",
    Why.NEVER_SAID: "从未给出此类：精确率无定义",
    Why.NEVER_TRUE: "没有此类样本：召回率无定义",
    Why.NO_POWER: "灵敏度与特异度之和不大于 1：无法校正比例",
    Why.TOO_FEW_LABELLED: "属于罕见项且人工标注不足 100 通：只给出人工样本的区间",
    Why.TOO_FEW_CHANGED: "人工改动过的评分太少：只给出人工样本的区间",
    Why.NOT_RANDOM: "有标注样本不可能被抽中：抽样概率须大于 0 且不超过 1",
    Why.ONE_CLASS: "所有样本结果相同：无从拟合",
}


@dataclass(frozen=True, slots=True)
class Interval:
    low: float
    high: float
    level: float = 0.95
    method: str = ""

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Statistic:
    """`why` is set where `value` is None, or where the value stands and its interval could not be given."""

    value: float | None
    why: Why | None = None
    n: int = 0
    """Items that it stands on."""
    interval: Interval | None = None

    def with_interval(self, interval: Interval | None, why: Why | None = None) -> "Statistic":
        return replace(self, interval=interval, why=why or self.why)


def undefined(why: Why, n: int = 0) -> Statistic:
    return Statistic(None, why, n)


class WrongRatings(ValueError):  # noqa: N818  # it names what is wrong
    """Input that cannot be what was meant: a repeated rating, a value off the scale, lengths that differ."""
