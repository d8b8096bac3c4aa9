"""What the golden commands say, in both languages."""

_WORDS: dict[str, tuple[str, str]] = {
    "set": ("通话集", "set"),
    "calls": ("通话", "calls"),
    "labels": ("标注", "labels"),
    "raters": ("标注人", "raters"),
    "synthetic": ("虚构", "synthetic"),
    "real": ("真实", "real"),
    "own": ("自有", "one's own"),
    "criterion": ("项目", "criterion"),
    "over": ("越线", "over the line"),
    "under": ("未越线", "under it"),
    "written_by": ("出处", "from"),
    "meant": ("作者意图（不是标注）", "what its author had in mind (no label)"),
    "person": ("人工", "person"),
    "model": ("模型", "model"),
    "blind": ("盲评", "blind"),
    "seen": ("非盲评", "not blind"),
    "rating": ("评分", "rating"),
    "adjudicated": ("裁定", "adjudicated"),
    "rest": ("其余各项", "everything else"),
    "train": ("训练", "train"),
    "dev": ("开发", "dev"),
    "holdout": ("验证", "holdout"),
    "hidden": ("验证集只有数目，内容不展示", "of the holdout there are numbers alone; it is not for looking at"),
}


def word(name: str, language: str) -> str:
    chinese, english = _WORDS[name]
    return chinese if language.startswith("zh") else english
