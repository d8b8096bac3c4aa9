"""How somebody speaks, as far as words show it: polite words, fillers, questions asked again, asking to hold.

The words are a small list for a fact that holds for every call. What a house wants to hear or not to hear belongs into
its rubrics, as phrases.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from callgrade.domain.folding import bare, fold

SAME_QUESTION = 0.85
"""Normalised Levenshtein similarity from which two questions are the same one."""
_SHORTEST_QUESTION = 4

_LETTER = "A-Za-zＡ-Ｚａ-ｚÀ-ɏͰ-ӿ"
_WORD = re.compile(rf"[{_LETTER}]+(?:['’-][{_LETTER}]+)*")
_POLITE = re.compile(
    "(?<![申邀])请(?![假求])|您|谢谢|感谢|抱歉|对不起|不好意思|劳驾|(?<![很真太好多嫌])麻烦"
    "|please|thank|sorry|excuseme|apologi[sz]e"
)
_HOLD = re.compile(
    "稍等|稍候|等(?:我|1下|1会|1等|片刻|候)|(?:别|不要|请勿)挂|我.{0,4}(?:看|查|核|问|确认).{0,3}1下|holdon|pleasehold|onemoment|justamoment|bearwithme"
)
_LISTENING = re.compile(
    "(?:[嗯啊哦噢喔呃诶欸哎唉对好是行的]|没错|可以|知道了?|明白了?|了解|ok(?:ay)?|yes|yeah|uhhuh|uh|huh|mm+|hmm*|right|sure)+"
)
_SENTENCE_END = re.compile(r"(?<=[。！!？?；;\n])")
_ASKS = re.compile(
    "[？?]|[吗么呢][，,。]?$|什[么麼]|哪|多少|几[点个号位月]|怎[么麼]|为何|谁|是不是|有没有|能不能|要不要|可不可以|请问|贵姓"
)
_OPENER = re.compile("(?:您好|你好|那么?|好的?|请问|麻烦问1下|想问1下)+")
_ANYTHING_ELSE = re.compile("还有(?:什么|没有|其他|其它|别的|问题|需要|疑问|哪)")

_HAN = r"\u4e00-\u9fff"
_FILLERS: dict[str, tuple[str, re.Pattern[str]]] = {
    # name: (a character without which it cannot be there, what it looks like)
    "嗯": ("嗯", re.compile("嗯")),
    "呃": ("呃额額", re.compile(rf"呃|(?<![{_HAN}])[额額](?![{_HAN}])")),
    "啊": ("啊", re.compile(rf"(?<![{_HAN}])啊+(?![{_HAN}])")),
    "哦": ("哦噢喔", re.compile(rf"(?<![{_HAN}])[哦噢喔]+(?![{_HAN}])")),
    "那个": ("那", re.compile(rf"(?:那[个個][，,、…\s]*){{2}}|(?<![{_HAN}])那[个個](?=[，,、…])")),
    "这个": ("这這", re.compile(rf"(?:[这這][个個][，,、…\s]*){{2}}|(?<![{_HAN}])[这這][个個](?=[，,、…])")),
    "就是说": ("说說", re.compile("(?<!也)就是[说說]")),
    "然后": ("然", re.compile(r"然[后後](?=[，,、…])|(?:然[后後][，,、…\s]*){2}")),
    "怎么说呢": ("说說", re.compile("怎[么麼][说說]呢")),
    "对对对": ("对對", re.compile(r"(?:[对對][，,、\s]*){3}")),
    "um": ("uUeEhH", re.compile(r"(?<![A-Za-z])(?:um+|uh+|erm?|hmm+)(?![A-Za-z])", re.IGNORECASE)),
    "you know": ("yY", re.compile(r"(?<![A-Za-z])you know(?=,)", re.IGNORECASE)),
}


def spoken_units(text: str) -> int:
    """How much is said: hanzi, digits and signs count one each, words of alphabets one each; fillers count."""
    words = _WORD.findall(text)
    return len(bare(text)) - sum(len(bare(word)) for word in words) + len(words)


def is_polite(text: str) -> bool:
    return _POLITE.search(fold(text).text) is not None


def asks_to_hold(text: str) -> bool:
    """请稍等, or the announcement that something is looked up: 我查一下."""
    return _HOLD.search(fold(text).text) is not None


def only_listens(text: str) -> bool:
    """嗯, 好的, yeah: a listener's noise, which takes the floor from nobody. Also a turn without words."""
    words = bare(text)
    return not words or (len(words) <= 8 and _LISTENING.fullmatch(words) is not None)


def filler_kinds(texts: Iterable[str]) -> int:
    """How many different fillers occur.

    那个 and 这个 are fillers when they are said twice in a row, or begin a clause and a pause follows; 啊 and 哦 when
    they stand alone (好啊 is a tone, not a filler).
    """
    joined = "\n".join(texts)
    return sum(
        any(c in joined for c in needed) and pattern.search(joined) is not None for needed, pattern in _FILLERS.values()
    )


def repeated_questions(texts: Iterable[str]) -> int:
    """How many questions ask again what an earlier one asked, in the same digits and nearly the same words.

    A question is a sentence with a question mark, a question word or a final 吗 or 呢, of at least four characters
    besides a greeting and 请问. Asking whether there is anything else (还有什么) is a formula and not counted.
    """
    earlier: defaultdict[str, list[str]] = defaultdict(list)
    repeated = 0
    for question in _questions(texts):
        alike = earlier["".join(c for c in question if c.isdigit())]
        if _is_among(question, alike):
            repeated += 1
        else:
            alike.append(question)
    return repeated


def _questions(texts: Iterable[str]) -> Iterable[str]:
    for text in texts:
        for sentence in _SENTENCE_END.split(text):
            if _ASKS.search(sentence):
                folded = fold(sentence).text
                opener = _OPENER.match(folded)
                question = folded[opener.end() :] if opener else folded
                if len(question) >= _SHORTEST_QUESTION and not _ANYTHING_ELSE.search(question):
                    yield question


def _is_among(question: str, earlier: Sequence[str]) -> bool:
    if not earlier:
        return False
    if question in earlier:
        return True
    from rapidfuzz import process  # compiled; only calls with two questions need it
    from rapidfuzz.distance import Levenshtein

    near = process.extractOne(question, earlier, scorer=Levenshtein.normalized_similarity, score_cutoff=SAME_QUESTION)
    return near is not None
