"""What people read around a scorecard, in Chinese and English: the page and the terminal take their words from here.

Rubrics bring their own texts in both languages, transcripts are never translated; everything else has a key in
`TABLE`, each with its Chinese and its English, so that neither can be forgotten.
"""

import re

from callgrade.domain.judgements import AWAITING_HUMAN, EXCLUDED, NO_MODEL, Judgement
from callgrade.domain.outcomes import Answer, Count, Kinds, Level, Occurrences, Outcome, Score
from callgrade.domain.rubrics import Criterion
from callgrade.domain.scales import LevelsScale, LikertScale
from callgrade.domain.scorecards import ScoredJudgement
from callgrade.domain.speech_definitions import DEFINITIONS
from callgrade.evaluations.rubric_words import RUBRIC_TABLE

TABLE: dict[str, tuple[str, str]] = {
    # columns of a table
    "column.points": ("得分", "Points"),
    "column.max_points": ("满分", "Maximum"),
    "method": ("评判方式", "Judged by"),
    "confidence": ("置信度", "Confidence"),
    "speaker": ("说话人", "Speaker"),
    "turn": ("话轮", "Turn"),
    "time": ("时间", "Time"),
    # the page and its parts
    "product": ("通话质检", "Call quality"),
    "scorecard": ("评分卡", "Scorecard"),
    "skip": ("跳到评分项", "Skip to the criteria"),
    "on_this_page": ("本页内容", "On this page"),
    "summary": ("总评", "Summary"),
    "criteria": ("评分项", "Criteria"),
    "criteria_number": ("{number} 项", "{number} criteria"),
    "transcript": ("转写", "Transcript"),
    "turns_number": ("{number} 个话轮", "{number} turns"),
    "provenance": ("来源与版本", "Provenance"),
    "synthetic": ("合成数据", "Synthetic data"),
    "synthetic_note": (
        "录音与文字均为合成，其中的人、号码与事情都不存在。",
        "Recording and words are made up; no person, number or event in them exists.",
    ),
    "only_proposes": (
        "机器只提建议：证据不足之处不下结论，结论由人作出。",
        "The machine only proposes: where the evidence does not carry a verdict it gives none, and people decide.",
    ),
    "other_criteria": ("其他", "Other"),
    # the call
    "call": ("通话", "Call"),
    "rubric": ("评分表", "Rubric"),
    "started_at": ("时间", "Started"),
    "duration": ("时长", "Duration"),
    "agent": ("坐席", "Agent"),
    "team": ("班组", "Team"),
    "queue": ("技能组", "Queue"),
    "call_facts": ("通话事实", "Call facts"),
    "notes": ("转写说明", "Notes on the transcript"),
    # the result
    "assessed": ("已评", "Assessed"),
    "assessed_criteria": ("的评分项已有结论", "of the criteria are settled"),
    "assessed_share": ("{share} 的评分项已有结论", "{share} of the criteria are settled"),
    "total": ("总分", "Total"),
    "total_open": ("还有未定项，总分只是区间", "Something is still open: the total is an interval"),
    "no_total": ("本表只计数，不设总分", "This form counts; it has no total"),
    "pass_line": ("及格线", "Pass line"),
    "no_pass_line": ("未设及格线", "No pass line"),
    "failed_by_violation": ("有一票否决的违规", "a violation fails the call"),
    "verdict": ("结论", "Verdict"),
    "passed": ("合格", "Passed"),
    "failed": ("不合格", "Failed"),
    "open": ("待定", "Open"),
    "grade": ("等级", "Grade"),
    "critical": ("关键项", "Critical"),
    "critical_score": ("关键项得分", "Critical criteria"),
    "violations": ("违规", "Violations"),
    "violations_found": ("发现违规 {number} 项", "Violations found: {number}"),
    "flags": ("需要留意", "Needs attention"),
    "points": ("分", "points"),
    "at_most": ("至多 {high}", "at most {high}"),
    "none": ("无", "none"),
    "amount.nothing_applicable": ("没有适用的评分项", "nothing applies to this call"),
    "amount.unbounded_below": ("扣分没有下限", "deductions have no floor"),
    # a criterion
    "criterion": ("评分项", "Criterion"),
    "evidence": ("证据", "Evidence"),
    "reason": ("理由", "Reason"),
    "guidance": ("评分标准", "How it is scored"),
    "outcome": ("结果", "Outcome"),
    "confidence_of": ("置信度 {share}", "confidence {share}"),
    "met": ("达标", "Met"),
    "partly_met": ("部分达标", "Partly met"),
    "not_met": ("不达标", "Not met"),
    "not_found": ("未发现", "Not found"),
    "found": ("已发现", "Found"),
    "earned": ("获得加分", "Earned"),
    "not_earned": ("无加分", "Not earned"),
    "deduction": ("扣分项", "deduction"),
    "bonus": ("加分项", "bonus"),
    "violation": ("违规项", "violation"),
    "status.judged": ("已评", "Judged"),
    "status.not_applicable": ("不适用", "Not applicable"),
    "status.cannot_assess": ("无法评判", "Cannot assess"),
    "status.failed": ("评判失败", "Judging failed"),
    "status.awaiting_human": ("待人工", "Awaiting a person"),
    "method.rules": ("规则", "Rules"),
    "method.speech": ("语音", "Speech"),
    "method.llm": ("模型", "Model"),
    "method.human": ("人工", "Person"),
    "retryable": ("稍后重试可能成功", "trying again later may help"),
    "not_retryable": ("重试无济于事", "trying again will not help"),
    # outcomes
    "outcome.yes": ("是", "yes"),
    "outcome.no": ("否", "no"),
    "outcome.score": ("{score} / {best}", "{score} of {best}"),
    "outcome.none": ("0 处", "0 found"),
    "outcome.occurrences": ("{number} 处", "{number} found"),
    "outcome.aggravated": (
        "{number} 处，其中情节严重 {aggravated} 处",
        "{number} found, {aggravated} of them aggravated",
    ),
    "outcome.kinds": ("{number} 种", "{number} kinds"),
    "outcome.count": ("{number} 次", "{number} times"),
    "outcome.depends": ("{outcome}（是否适用待通话事实）", "{outcome} (if it applies: a fact of the call is open)"),
    # reasons that callgrade itself gives
    "reason.awaiting_human": ("待人工：这一项只能由人评判", "Awaiting a person: only people can judge this one"),
    "reason.no_model": (
        "未配置模型：这一项要由模型评判，本次没有可用的模型",
        "No model configured: this one is for a model, and there was none",
    ),
    "reason.not_judged": ("尚未评判", "Not judged yet"),
    "reason.no_judge_answered": ("没有评判者作答", "No judge answered"),
    "reason.excluded_by_facts": ("按通话事实，这一项不适用", "Excluded by the call's facts"),
    "reason.no_turns": ("转写中没有话轮", "The transcript has no turns"),
    "reason.no_agent_turn": ("没有可确认为坐席的话轮", "No turn is known to be the agent's"),
    "reason.no_customer_turn": ("没有可确认为客户的话轮", "No turn is known to be the customer's"),
    "reason.illegible": (
        "听不到字句，或所说的不是词表所用的文字（中文、拉丁字母）",
        "Nothing was said in Chinese or Latin letters, which its words are in",
    ),
    "reason.moment_did_not_come": ("通话中没有出现需要它的情形", "The moment that calls for it did not come"),
    "reason.speakers_unknown": (
        "没有找到，但有些话轮不知是谁说的",
        "Nothing found, but who spoke some turns is unknown",
    ),
    "reason.said": ("话中出现了所列词句", "Its words were said"),
    "reason.not_said": ("没有出现所列词句", "None of its words was said"),
    "reason.absent": ("没有找到", "Not found"),
    "reason.fact_undefined": ("这通电话测不出“{fact}”", "“{fact}” is undefined for this call"),
    "reason.fact": ("{fact}：{value}", "{fact}: {value}"),
    "unit.ms": ("{number} 秒", "{number} s"),
    "unit.characters/min": ("{number} 字/分", "{number} characters a minute"),
    # evidence
    "quote_play": ("从 {time} 播放", "Play from {time}"),
    "unfounded": ("证据未核实", "Not found in the call"),
    "why.not_found": ("转写中没有这句话", "these words do not stand in the transcript"),
    "why.wrong_side": ("这句话不是该方说的", "these words were spoken by the other side"),
    "why.ambiguous": (
        "多处相同，无法确定是哪一处",
        "these words stand in several places, and which is meant is unclear",
    ),
    "why.too_short": ("太短，不足为证", "too short to prove anything"),
    "grounding.exact": ("逐字相符", "verbatim"),
    "grounding.normalised": ("仅写法不同", "differs only in writing"),
    "grounding.approximate": ("近似，引文以转写原文为准", "approximate; the transcript's own words are shown"),
    "turn_corrected": ("话轮号已更正", "turn number corrected"),
    "time_estimated": ("时间为估算", "time estimated"),
    "cited_by": ("第 {number} 项的证据：{title}", "Evidence for criterion {number}: {title}"),
    # the transcript
    "speaker.agent": ("坐席", "Agent"),
    "speaker.customer": ("客户", "Customer"),
    "speaker.system": ("系统", "System"),
    "speaker.unknown": ("未知", "Unknown"),
    "silence": ("静默 {seconds} 秒", "{seconds} s of silence"),
    "no_turns": ("没有可显示的话轮。", "There are no turns to show."),
    "unsure_words": ("点状下划线：识别把握不大的字", "Dotted underline: words the recogniser was unsure of"),
    "hidden_character": ("不可见字符 {code}", "invisible character {code}"),
    "emotion": ("情绪", "Emotion"),
    "emotion.neutral": ("平静", "neutral"),
    "emotion.angry": ("生气", "angry"),
    "emotion.happy": ("高兴", "happy"),
    "emotion.sad": ("难过", "sad"),
    "emotion.fearful": ("害怕", "fearful"),
    "emotion.disgusted": ("厌恶", "disgusted"),
    "emotion.surprised": ("惊讶", "surprised"),
    "emotion.unknown": ("不明", "unclear"),
    # the player
    "player": ("播放器", "Player"),
    "recording": ("录音", "Recording"),
    "play": ("播放", "Play"),
    "pause": ("暂停", "Pause"),
    "position": ("播放位置", "Position"),
    "speed": ("倍速", "Speed"),
    "waveform": ("两方声音的波形，上有证据标记", "Waveform of the recording with the evidence marked on it"),
    "sound.too_large": (
        "录音 {size} MB，超过 {limit} MB，没有放进本页；文字不受影响。",
        "The recording has {size} MB, more than {limit} MB, and was left out; the transcript is complete.",
    ),
    "sound.missing": ("找不到录音；文字不受影响。", "The recording is not there; the transcript is complete."),
    "sound.unplayable": (
        "录音的格式浏览器放不了，没有放进本页；文字不受影响。",
        "Browsers cannot play the recording's format, so it was left out; the transcript is complete.",
    ),
    "sound.refused": ("这个浏览器放不了这段录音。", "This browser cannot play the recording."),
    # flags
    "flag.needs_review": ("需要人工复核", "Needs a person's review"),
    "flag.incomplete": ("有评分项没有结论", "Some criteria are not settled"),
    "flag.violation": ("发现违规", "A violation was found"),
    "flag.judge_failed": ("有评判没有成功", "A judge failed"),
    "flag.unfounded_evidence": ("有引文在转写中查无原话", "A quote was not found in the transcript"),
    "flag.awaiting_human": ("有评分项待人工评判", "Some criteria await a person"),
    "flag.rubric_not_meant_for_this_call": (
        "这份评分表并非为这类通话而设",
        "The rubric is not meant for this kind of call",
    ),
    "flag.speakers_uncertain": ("有些话轮不知是谁说的", "Who spoke some turns is not certain"),
    # violations
    "effect.zero_section": ("本部分记零分", "the section counts zero"),
    "effect.zero_call": ("整通记零分", "the call counts zero"),
    "effect.fail_call": ("整通判为不合格", "the call fails"),
    "effect.flag": ("只作标记", "flagged only"),
    "effect.counts_as": ("按“{title}”计一次", "counts as “{title}”"),
    "severity.level-1": ("一级", "level 1"),
    "severity.level-2": ("二级", "level 2"),
    "severity.level-3": ("三级", "level 3"),
    "severity.red-line": ("红线", "red line"),
    "severity.critical": ("致命", "critical"),
    "severity.serious": ("严重", "serious"),
    "severity.minor": ("轻微", "minor"),
    "severity.fraud": ("诈单", "fraudulent order"),
    "severity.hint": ("线索", "hint"),
    "severity.absolute": ("绝对性错误", "absolute error"),
    "severity.non-absolute": ("非绝对性错误", "non-absolute error"),
    "severity.named-error": ("命名错误", "named error"),
    # why a judge failed
    "error.rate-limited": ("模型限流", "the model limited the rate"),
    "error.model-unavailable": ("模型不可用", "the model was unavailable"),
    "error.model-timeout": ("模型超时", "the model did not answer in time"),
    "error.bad-answer": ("模型的回答不合格式", "the model's answer did not have the asked form"),
    "error.answer-cut": ("模型的回答被截断", "the model's answer was cut short"),
    "error.key-refused": ("密钥被拒", "the key was refused"),
    "error.model-not-found": ("没有这个模型", "there is no such model"),
    "error.quota-exhausted": ("额度用尽", "the quota is used up"),
    "error.context-too-long": ("通话太长，超出模型窗口", "the call does not fit the model's window"),
    "error.content-filtered": ("被供应方的内容过滤拦下", "the provider's filter stopped it"),
    "error.refused": ("模型拒绝作答", "the model refused"),
    "error.bad-request": ("请求被拒", "the request was refused"),
    "error.circuit-open": ("模型暂时不可用，稍后自动再试", "the model is down for now; asked again by itself"),
    "error.unexpected": ("内部错误", "internal error"),
    # provenance
    "made_by.release": ("发布组合", "Release"),
    "made_by.rubric": ("评分表", "Rubric"),
    "made_by.prompt": ("提示词", "Prompt"),
    "made_by.repair_prompt": ("补问提示词", "Repair prompt"),
    "made_by.lists": ("词表", "Phrase lists"),
    "made_by.model_requested": ("请求的模型", "Model requested"),
    "made_by.model_reported": ("应答的模型", "Model reported"),
    "made_by.parameters": ("参数", "Parameters"),
    "made_by.recogniser": ("语音识别", "Recogniser"),
    "made_by.redaction": ("脱敏", "Redaction"),
    "made_by.callgrade": ("callgrade 版本", "callgrade"),
    "made_by.requests": ("请求数", "Requests"),
    "made_by.repairs": ("其中补问", "of them repairs"),
    "made_by.retries": ("重试", "Retries"),
    "made_by.cache_hits": ("取自缓存", "From the cache"),
    "made_by.tokens": ("词元", "Tokens"),
    "made_by.cost": ("费用（美元）", "Cost (US dollars)"),
    "tokens.prompt": ("输入 {number}", "{number} in"),
    "tokens.cached": ("其中缓存 {number}", "{number} of them cached"),
    "tokens.completion": ("输出 {number}", "{number} out"),
    "tokens.other": ("{name} {number}", "{number} {name}"),
    **RUBRIC_TABLE,
}

_GIVEN_REASONS = {
    AWAITING_HUMAN: "reason.awaiting_human",
    NO_MODEL: "reason.no_model",
    "not judged": "reason.not_judged",
    "no judge answered": "reason.no_judge_answered",
    EXCLUDED: "reason.excluded_by_facts",
    "the transcript has no turns": "reason.no_turns",
    "no turn is known to be the agent's": "reason.no_agent_turn",
    "no turn is known to be the customer's": "reason.no_customer_turn",
    "what was said is not in a writing that its words are in": "reason.illegible",
    "the moment that calls for it did not come": "reason.moment_did_not_come",
    "nothing found, but who spoke some turns is unknown": "reason.speakers_unknown",
    "not found": "reason.absent",
    "its words were said": "reason.said",
    "none of its words was said": "reason.not_said",
}
_UNDEFINED_FACT = re.compile(r"([a-z0-9_]+) is undefined for this call")
_FACT = re.compile(r"([a-z0-9_]+) = (-?[0-9]+(?:\.[0-9]+)?(?:e[+-][0-9]+)?)")


def word(key: str, language: str, **values: object) -> str:
    """The word for `key` in `language` (`zh…`, anything else is English). Raises KeyError for an unknown key."""
    text = TABLE[key][0 if language.startswith("zh") else 1]
    return text.format(**values) if values else text


def known_word(key: str, language: str, otherwise: str) -> str:
    """The word for `key`, or `otherwise`: for sets that are open, such as flags, emotions and severities."""
    return word(key, language) if key in TABLE else otherwise


def status_key(judgement: Judgement) -> str:
    """The key of a judgement's status. What only people can judge has one of its own."""
    if judgement.status == "cannot_assess" and judgement.reason == AWAITING_HUMAN:
        return "status.awaiting_human"
    return f"status.{judgement.status}"


def outcome_in_words(judgement: Judgement, criterion: Criterion, language: str) -> str:
    """`是`, `2 处，其中情节严重 1 处`, a level's title…; the status where there is no outcome.

    What was judged and is worth nothing certain hangs on a fact of the call that is not known, and says so.
    """
    if judgement.outcome is None:
        return word(status_key(judgement), language)
    said = _outcome(judgement.outcome, criterion, language)
    depends = isinstance(judgement, ScoredJudgement) and judgement.points is None
    return word("outcome.depends", language, outcome=said) if depends else said


def choice_in_words(outcome: Outcome | None, criterion: Criterion, language: str) -> str:
    """What a person can choose or has chosen: an outcome, or None for "not applicable"."""
    return word("status.not_applicable", language) if outcome is None else _outcome(outcome, criterion, language)


def _outcome(outcome: Outcome, criterion: Criterion, language: str) -> str:
    match outcome:
        case Answer():
            return word(f"outcome.{outcome.answer}", language)
        case Level():
            return _level_title(outcome.level, criterion, language)
        case Score():
            best = criterion.scale.max if isinstance(criterion.scale, LikertScale) else criterion.scale.best
            return word("outcome.score", language, score=f"{outcome.score:f}", best=best)
        case Occurrences(occurrences=0):
            return word("outcome.none", language)
        case Occurrences(aggravated=0):
            return word("outcome.occurrences", language, number=outcome.occurrences)
        case Occurrences():
            numbers = {"number": outcome.occurrences, "aggravated": outcome.aggravated}
            return word("outcome.aggravated", language, **numbers)
        case Kinds():
            return word("outcome.kinds", language, number=outcome.kinds)
        case Count():
            return word("outcome.count", language, number=outcome.count)


def _level_title(level: str, criterion: Criterion, language: str) -> str:
    anchors = criterion.scale.levels if isinstance(criterion.scale, LevelsScale) else ()
    return next((a.title.in_language(language) for a in anchors if a.id == level), "") or level


def reason_in_words(judgement: Judgement, language: str) -> str:
    """Why: callgrade's own reasons in `language`, a judge's as it was given, a failure by its kind."""
    if judgement.error is not None:
        kind = known_word(f"error.{judgement.error.type}", language, judgement.error.type)
        again = word("retryable" if judgement.error.retryable else "not_retryable", language)
        return f"{kind}（{again}）" if language.startswith("zh") else f"{kind} ({again})"
    return _given_reason(judgement.reason, language) or judgement.reason


def _given_reason(reason: str, language: str) -> str | None:
    """A reason that callgrade's own judges gave, in `language`; None for anybody else's."""
    if reason in _GIVEN_REASONS:
        return word(_GIVEN_REASONS[reason], language)
    if (undefined := _UNDEFINED_FACT.fullmatch(reason)) is not None:
        return word("reason.fact_undefined", language, fact=_fact_title(undefined[1], language))
    if (fact := _FACT.fullmatch(reason)) is not None and fact[1] in DEFINITIONS:
        value = _measured(float(fact[2]), DEFINITIONS[fact[1]].unit, language)
        return word("reason.fact", language, fact=_fact_title(fact[1], language), value=value)
    return None


def _fact_title(name: str, language: str) -> str:
    return DEFINITIONS[name].title.in_language(language) if name in DEFINITIONS else name


def _measured(value: float, unit: str, language: str) -> str:
    """A speech fact as people say it: seconds, per cent, or a number with its unit."""
    if unit == "share":
        return f"{value:.0%}"
    number = f"{value / 1000:.1f}" if unit == "ms" else f"{value:.6g}"
    return word(f"unit.{unit}", language, number=number) if f"unit.{unit}" in TABLE else number


def flag_in_words(flag: str, language: str) -> str:
    return known_word(f"flag.{flag}", language, flag.replace("_", " "))


def effect_in_words(effect: str, criteria: dict[str, Criterion], language: str) -> str:
    """`effect` as scorecards spell it: `fail_call`, or `counts_as: <criterion id>`."""
    if effect.startswith("counts_as: "):
        other = criteria.get(effect.removeprefix("counts_as: "))
        title = other.title.in_language(language) if other else effect.removeprefix("counts_as: ")
        return word("effect.counts_as", language, title=title)
    return known_word(f"effect.{effect}", language, effect)
