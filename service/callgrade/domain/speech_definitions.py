"""What each speech fact means, in words for pages, reports and the rubric linter."""

from typing import Literal

from callgrade.domain.frozen import Frozen, LocalText

Unit = Literal["share", "ms", "characters/min", "count"]


class Definition(Frozen):
    """What a fact means. `share` is 0..1."""

    title: LocalText
    unit: Unit
    meaning: LocalText


def _define(unit: Unit, zh: str, en: str, meaning_zh: str, meaning_en: str) -> Definition:
    return Definition(title=LocalText(zh=zh, en=en), unit=unit, meaning=LocalText(zh=meaning_zh, en=meaning_en))


DEFINITIONS: dict[str, Definition] = {
    "talk_ratio_agent": _define(
        "share",
        "客服说话占比",
        "Agent's share of the talking",
        "客服说话时长 ÷（客服说话时长 + 客户说话时长）。同一方自身重叠的部分只算一次。",
        "Agent speech ÷ (agent speech + customer speech). What a side says over itself counts once.",
    ),
    "agent_chars_per_minute": _define(
        "characters/min",
        "客服语速",
        "Agent's pace",
        "客服每说话一分钟的字数：汉字、数字每个算一，外文词每个算一，语气词也算，标点不算；停顿不计入时长。",
        "Agent's characters a minute of agent speech: hanzi and digits count one each, words of other scripts one, "
        "fillers included, punctuation not. Pauses between turns are no speech.",
    ),
    "customer_chars_per_minute": _define(
        "characters/min",
        "客户语速",
        "Customer's pace",
        "同客服语速，计客户。",
        "As the agent's pace, for the customer.",
    ),
    "leading_silence_ms": _define(
        "ms",
        "开头静默",
        "Leading silence",
        "从录音开始到第一句话。不计入其他静默。",
        "From the start of the recording to the first word. No part of the other silences.",
    ),
    "silence_ms_total": _define(
        "ms",
        "静默总时长",
        "Silence in all",
        "第一句与最后一句之间，谁都不说话的时间之和（包括保持等待）。",
        "Time between the first and the last word in which nobody speaks, holds included.",
    ),
    "longest_silence_ms": _define(
        "ms",
        "最长静默",
        "Longest silence",
        "谁都不说话的最长一段；没有间隔时为 0。",
        "The longest stretch in which nobody speaks; 0 where there is none.",
    ),
    "silence_count_over_3s": _define(
        "count",
        "超过 3 秒的静默",
        "Silences over 3 s",
        "长于 3 秒的静默段数。",
        "How many silences are longer than 3 seconds.",
    ),
    "overlap_ms": _define(
        "ms",
        "同时说话",
        "Talking at once",
        "客服与客户同时说话的时间。",
        "Time in which agent and customer both speak.",
    ),
    "agent_interruptions": _define(
        "count",
        "客服打断客户",
        "Interruptions by the agent",
        "客户已说了至少 0.2 秒，客服开口，而客户还要说 0.5 秒以上。“嗯”“好的”一类附和不算。",
        "The agent begins when the customer has spoken for at least 0.2 s and goes on for more than 0.5 s. "
        "A listener's 嗯 or 好的 is none.",
    ),
    "customer_interruptions": _define(
        "count",
        "客户打断客服",
        "Interruptions by the customer",
        "同上，客户打断客服。",
        "The same, the other way round.",
    ),
    "first_response_ms": _define(
        "ms",
        "首次响应",
        "First response",
        "从客户第一句话说完，到客服下一句开口；抢在说完之前为 0。",
        "From the end of the customer's first turn to the agent's next one; 0 where the agent did not wait.",
    ),
    "hold_count": _define(
        "count",
        "保持次数",
        "Holds",
        "通话数据 hold_ms 的条数；没有该数据时，为客服说“请稍等”“我查一下”之类后、再开口前，静默超过 10 秒的次数。",
        "Entries of the call's fact hold_ms; without it, how often the agent asks to hold (请稍等, 我查一下) and a "
        "silence of more than 10 s follows before the agent speaks again.",
    ),
    "longest_hold_ms": _define(
        "ms", "最长保持", "Longest hold", "最长一次保持；没有保持时为 0。", "The longest hold; 0 where there was none."
    ),
    "turns": _define("count", "总话轮数", "Turns", "所有话轮，包括系统播报。", "All turns, announcements included."),
    "agent_turns": _define("count", "客服话轮数", "Agent turns", "客服的话轮。", "Turns of the agent."),
    "customer_turns": _define("count", "客户话轮数", "Customer turns", "客户的话轮。", "Turns of the customer."),
    "repeated_questions": _define(
        "count",
        "客服重复提问",
        "Questions asked again",
        "客服再次问出已问过的问题（相似度不低于 0.85，数字相同）；“还有什么可以帮您”之类不算。",
        "Questions of the agent that ask an earlier one again (similarity 0.85 or more, same digits); "
        "还有什么可以帮您 and the like are not counted.",
    ),
    "politeness_rate": _define(
        "share",
        "礼貌用语率",
        "Politeness rate",
        "含“请、您、谢谢、感谢、抱歉、对不起、麻烦”之一的客服话轮 ÷ 客服话轮（申请、邀请、请假等不算）。",
        "Agent turns with 请, 您, 谢谢, 感谢, 抱歉, 对不起, 麻烦, please, thank you or sorry ÷ agent turns.",
    ),
    "filler_kinds": _define(
        "count",
        "口头禅种类",
        "Kinds of fillers",
        "客服用了几种口头禅：嗯、呃、啊、哦、那个、这个、就是说、然后、怎么说呢、对对对、um、you know；"
        "“那个、这个”须重复或停顿，“啊、哦”须单独出现。",
        "How many different fillers the agent uses: 嗯 呃 啊 哦 那个 这个 就是说 然后 怎么说呢 对对对 um, you know; "
        "那个 and 这个 doubled or before a pause, 啊 and 哦 alone.",
    ),
    "agent_emotion_angry_turns": _define(
        "count",
        "客服愤怒话轮",
        "Angry agent turns",
        "识别器标为愤怒的客服话轮；没有情绪标注时无值。",
        "Agent turns that the recogniser marked angry; undefined where it marked no emotions.",
    ),
}
