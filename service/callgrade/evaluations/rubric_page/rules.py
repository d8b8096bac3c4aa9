"""What rules look for and what is measured, in words."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

from callgrade.domain.rubrics import OF_THE_CALL, Criterion, PhraseRule, Phrases, SpeechRule, Trigger
from callgrade.domain.speech_definitions import DEFINITIONS
from callgrade.evaluations.rubric_page.outline import Line
from callgrade.evaluations.rubric_page.say import Say, percent, plain
from callgrade.evaluations.rubric_page.scales import outcome_words


def rule_line(rule: PhraseRule, criterion: Criterion, say: Say) -> Line:
    return Line("rule", say("form.rule"), "", tuple(_rule(rule, criterion, say)))


def phrases_in_words(find: Phrases, say: Say) -> str:
    """`词表 greetings；词句“您好”；…`"""
    parts = [
        say("rule.lists", names=say.listed(find.lists)) if find.lists else "",
        say("rule.phrases", words=say.quoted(find.phrases)) if find.phrases else "",
        say("rule.patterns", words=say.listed(f"/{pattern}/" for pattern in find.patterns)) if find.patterns else "",
        say("rule.unless", words=say.quoted(find.unless)) if find.unless else "",
        say("rule.negation.drop") if find.negation == "drop" else "",
    ]
    return say.listed(parts, "form.semicolon")


def speech_line(speech: SpeechRule, criterion: Criterion, say: Say) -> Line:
    """The fact, and below it what each band of its values means."""
    name = speech.fact
    if name.startswith(OF_THE_CALL):
        title = say("speech.of_the_call", name=name)
    else:
        title = say.both(DEFINITIONS[name].title.in_language(say.language), name) if name in DEFINITIONS else name
    limits = [None, *(band.up_to for band in speech.bands)]
    below = []
    for (low, high), band in zip(pairwise(limits), speech.bands, strict=True):
        outcome = outcome_words(band.outcome, criterion, say)
        below.append(say("speech.band", range=_between(low, high, name, say), outcome=outcome))
    return Line("speech", say("form.speech"), title, tuple(below))


def _rule(rule: PhraseRule, criterion: Criterion, say: Say) -> Iterator[str]:
    yield say("form.labelled", label=say("rule.find"), text=phrases_in_words(rule.find, say))
    if rule.position is not None:
        yield say(f"rule.position.{rule.position.at}", turns=rule.position.turns)
    if rule.after is not None:
        yield say("rule.after", moment=_moment(rule.after, say))
    if rule.before is not None:
        yield say("rule.before", moment=_moment(rule.before, say))
    for trigger in rule.only_if:
        yield say("rule.only_if", moment=_moment(trigger, say))
    if "count" in (rule.found, rule.missing):
        yield say(f"rule.count.{rule.count}")
    if rule.found != "count" or rule.missing != "count":
        for name, outcome in (("found", rule.found), ("missing", rule.missing)):
            if outcome == "count":
                text = say("rule.by_count")
            elif outcome == "not_applicable":
                text = say("status.not_applicable")
            else:
                text = outcome_words(outcome, criterion, say)
            yield say(f"rule.{name}", outcome=text)


def _moment(trigger: Trigger, say: Say) -> str:
    side, find = say(f"side_of.{trigger.side}"), phrases_in_words(trigger.find, say)
    if trigger.at_least == 1:
        return say("rule.moment", side=side, find=find)
    return say("rule.moment_again", side=side, number=trigger.at_least, find=find)


def _between(low: float | None, high: float | None, fact: str, say: Say) -> str:
    if low is None:
        return say("speech.any") if high is None else say("speech.up_to", value=_measured(high, fact, say))
    if high is None:
        return say("speech.over", value=_measured(low, fact, say))
    return say("speech.between", low=_measured(low, fact, say), high=_measured(high, fact, say))


def _measured(value: float, fact: str, say: Say) -> str:
    """A limit with its unit, in full: a limit of 10.05 s must not read 10.1."""
    exact = Decimal(repr(value))
    unit = DEFINITIONS[fact].unit if fact in DEFINITIONS else ("ms" if fact.endswith("_ms") else "count")
    if unit == "share":
        return percent(exact)
    number = plain(exact / 1000 if unit == "ms" else exact)
    return say.known(f"unit.{unit}", "").format(number=number) or number
