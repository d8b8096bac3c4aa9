"""The sentences that callgrade itself adds to a model's reasons."""

_SENTENCES = {
    "zh": {
        "tie": "{n} 次作答的结论相持不下。",
        "contradiction": "（作答自相矛盾：情节严重的次数多于总次数。）",
        "unfounded": "（模型的引文在通话中查无原话，不能据此评判。）",
        "unrepaired": "（模型的引文在通话中查无原话，再问未果：{error}。）",
        "reduced": "（模型计 {claimed}，有原话为证的 {founded}，按后者计。）",
        "silent": "通话没有文字，无从评判。",
        "parts": "（通话过长，分 {n} 段评判。）",
    },
    "en": {
        "tie": "{n} answers came to no majority.",
        "contradiction": "(The answer contradicts itself: more grave occurrences than occurrences.)",
        "unfounded": "(The words the model quoted do not stand in the call; they cannot carry a verdict.)",
        "unrepaired": "(The words the model quoted do not stand in the call, and asking again failed: {error}.)",
        "reduced": "(The model counted {claimed}, words were found for {founded}, which is what counts.)",
        "silent": "The call has no words to judge.",
        "parts": "(The call is long and was judged in {n} parts.)",
    },
}


def said(name: str, language: str, **facts: object) -> str:
    return _SENTENCES[language][name].format(**facts)
