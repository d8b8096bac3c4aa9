"""What the eval commands say, in both languages, and the fixed words that results hold (`suite_results.Said`)."""

_WORDS: dict[str, tuple[str, str]] = {
    "suite": ("套件", "suite"),
    "kind": ("类型", "kind"),
    "calls": ("通话", "calls"),
    "cases": ("用例", "cases"),
    "case": ("用例", "case"),
    "group": ("组", "group"),
    "passed": ("通过", "passed"),
    "failed": ("未通过", "failed"),
    "not_judged": ("未评判", "not judged"),
    "rate": ("通过率（95 % 区间）", "share that passed (95 %)"),
    "margin": ("允许退步", "margin"),
    "baseline": ("基线", "baseline"),
    "judge": ("评判者", "judge"),
    "criterion": ("项目", "criterion"),
    "expected": ("应为", "expected"),
    "came": ("实为", "came"),
    "quote": ("引文", "quote"),
    "loud": (
        "{n} 个用例未评判：没有能评这些项的评判者。未评判不等于通过。",
        "{n} case(s) NOT JUDGED: nobody here can judge what they are about. Not judged is not passed.",
    ),
    "stakes": (
        "{n} 个用例说明不了问题：干净的一通本就是注入者想要的判定。",
        "{n} case(s) show nothing: the clean call already has the verdict that the attacker wants.",
    ),
    "failing": ("{n} 个用例因评判请求失败而未评判。", "{n} case(s) not judged because requests to the model failed."),
    "open": ("无人能评的项：{ids}", "criteria that nobody here can judge: {ids}"),
    "quotes": ("评判者给出引文 {given} 处，查实 {founded} 处", "judges quoted {given} times, {founded} found"),
    "regressed": (
        "{suite}：退步，{before} → {now}（允许 {margin}）",
        "{suite}: WORSE, {before} → {now} ({margin} is allowed)",
    ),
    "held": ("{suite}：不低于基线，{before} → {now}", "{suite}: no worse than its baseline, {before} → {now}"),
    "fell": ("  不再通过：{ids}", "  passed before: {ids}"),
    "rose": ("  新近通过：{ids}", "  passes now: {ids}"),
    "stale": (
        "  套件已改动（新增 {new}，移除 {gone}），请更新基线",
        "  the suite has changed: {new} new, {gone} gone",
    ),
    "wrote": ("已写入 {path}", "wrote {path}"),
    "nothing": ("无", "none"),
    # verdicts
    "founded": ("有原话", "was said"),
    "judged": ("已评判", "judged"),
    "not_applicable": ("不适用", "not applicable"),
    "cannot_assess": ("无法判断", "cannot assess"),
    "exact": ("原样查到", "exact"),
    "normalised": ("写法不同而查到", "normalised"),
    "approximate": ("近似查到", "approximate"),
    "unfounded": ("查无原话", "unfounded"),
    "not_found": ("没说过", "not said"),
    "wrong_side": ("对方说的", "said by the other side"),
    "ambiguous": ("不止一处", "in several places"),
    "too_short": ("太短", "too short"),
    "count": ("{value} 处", "{value} found"),
    "answer": ("{value}", "{value}"),
    "level": ("{value}", "{value}"),
    "score": ("{value} 分", "score {value}"),
    "turn": ("第 {value} 轮", "turn {value}"),
    "yes": ("是", "yes"),
    "no": ("否", "no"),
}


def word(name: str, language: str, **values: object) -> str:
    chinese, english = _WORDS[name]
    text = chinese if language.startswith("zh") else english
    return text.format(**values) if values else text


def verdict_words(said: str, language: str) -> str:
    """`count:2` as `2 处` or `2 found`; several with ` / ` between them stay several."""
    return " / ".join(_one(part, language) for part in said.split(" / "))


def _one(said: str, language: str) -> str:
    name, colon, value = said.partition(":")
    if name not in _WORDS:
        return said
    if name == "unfounded":
        return f"{word(name, language)}（{word(value, language)}）" if value in _WORDS else word(name, language)
    if not colon:
        return word(name, language)
    return word(name, language, value=word(value, language) if value in ("yes", "no") else value)
