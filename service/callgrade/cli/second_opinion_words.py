"""What the second-opinion commands say, in both languages."""

_WORDS: dict[str, tuple[str, str]] = {
    "criterion": ("项目", "criterion"),
    "gate": ("状态", "state"),
    "on": ("启用", "on"),
    "insufficient_data": ("样本不足", "too few labels"),
    "below": ("不够准", "not good enough"),
    "trained": ("训练 {calls} 通（{faults} 通有此问题）", "trained on {calls} calls, {faults} with it"),
    "checked": ("检验 {calls} 通（{by}，{faults} 通有此问题）", "checked on {calls} ({by}), {faults} with it"),
    "recall": ("召回", "recall"),
    "precision": ("精确", "precision"),
    "brier": ("Brier（只报频率）", "Brier (frequency)"),
    "probability": ("有此问题的概率", "probability of the fault"),
    "reviews": ("复核过的通话", "reviewed calls"),
    "golden": ("标准通话集", "golden set"),
    "synthetic": ("虚构通话", "synthetic calls"),
    "by_models": ("标注出自模型，不代表人的判断", "labelled by models: this says nothing about people"),
    "blind": ("其中盲评标注 {n} 份", "{n} label(s) given blind"),
    "dev": ("开发集", "dev"),
    "apart": ("另留的坐席", "agents kept apart"),
    "holdout": ("验证集", "holdout"),
    "fault": ("不可用", "not usable"),
    "firm": (
        "概率到 {firm} 起提醒人看；检验中断言有此问题 {n} 次，断言没有 {m} 次",
        "calls a person from {firm} on; on the check it firmly said fault {n} times, and none {m} times",
    ),
}


def word(name: str, language: str, **values: object) -> str:
    chinese, english = _WORDS[name]
    text = chinese if language.startswith("zh") else english
    return text.format(**values) if values else text
