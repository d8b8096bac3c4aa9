"""Every fault that `rubric lint` knows, each with its file, line and path; and that it never falls over."""

import copy
import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callgrade.catalog import lint, load_rubric
from callgrade.catalog.faults import Fault
from callgrade.catalog.lint import check
from callgrade.catalog.resources import resource_folder
from callgrade.catalog.yaml_source import parse_yaml, read_yaml
from callgrade.domain.frozen import LocalText

BASE = """\
schema: callgrade.rubric/1
id: base
version: v1
title: {zh: 基准, en: Base}
total: {start: 0, max: 30, floor: 0, pass_line: 20, grades: [{id: a, at_least: 25}, {id: b, at_least: 10}]}
sections:
  - {id: words, title: {zh: 用语, en: Words}, max: 10}
  - {id: care, title: {zh: 关怀, en: Care}, max: 20, floor: 0}
criteria:
  - id: greeting
    section: words
    title: {zh: 开头语, en: Greeting}
    judge: rules
    evidence: optional
    scale: {kind: answer, yes: 4, no: 0}
    rule: {find: {phrases: [您好]}, found: {answer: yes}, missing: {answer: no}}
  - id: silence
    section: words
    title: {zh: 静默, en: Silence}
    judge: speech
    evidence: optional
    scale: {kind: levels, levels: [{id: short, points: 6}, {id: long, points: 0}]}
    speech: {fact: longest_silence_ms, bands: [{up_to: 5000, outcome: {level: short}}, {outcome: {level: long}}]}
  - id: empathy
    section: care
    title: {zh: 同理心, en: Empathy}
    guidance: {zh: 先回应感受。, en: Answers the feeling first.}
    judge: llm
    scale: {kind: likert, min: 0, max: 20}
  - id: rude
    section: care
    title: {zh: 无礼, en: Rude}
    judge: rules
    scale: {kind: deduct, points: 5, cap: 20}
    rule: {find: {phrases: [喂], unless: [喂养]}}
  - id: leak
    title: {zh: 泄露, en: Leak}
    guidance: {zh: 泄露资料。, en: Gives data away.}
    judge: human
    scale: {kind: violation, severity: critical, effect: fail_call}
"""


def faults_of(text: str, name: str = "rubric.yaml") -> list[Fault]:
    return list(check(parse_yaml(text, name)).faults)


def edited(*edits: tuple[str, str]) -> str:
    text = BASE
    for old, new in edits:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
        text = text.replace(old, new)
    return text


def test_the_base_is_clean():
    assert faults_of(BASE) == []


# what is edited, and what must then be said: path, severity, a part of the message, a part of the suggestion
SINGLE = {
    "unknown field": (
        ("floor: 0, pass_line", "flor: 0, pass_line"),
        ("total.flor", "error", "unknown field 'flor'", "did you mean 'floor'?"),
    ),
    "unknown field in a criterion": (
        ("    judge: human", "    judges: human\n    judge: human"),
        ("criteria[leak].judges", "error", "unknown field 'judges'", "did you mean 'judge'?"),
    ),
    "python's own field name": (
        ("schema: callgrade.rubric/1", "schema_: callgrade.rubric/1\nschema: callgrade.rubric/1"),
        ("schema_", "error", "unknown field 'schema_'", "did you mean 'schema'?"),
    ),
    "phrase_lists in a file": (
        ("version: v1", "phrase_lists: {}\nversion: v1"),
        ("phrase_lists", "error", "unknown field 'phrase_lists'", "remove"),
    ),
    "missing field": (
        ("    judge: human\n", ""),
        ("criteria[leak]", "error", "the field 'judge' is missing", "rules | speech | llm | human"),
    ),
    "wrong schema": (
        ("callgrade.rubric/1", "callgrade.rubric/2"),
        ("schema", "error", "must be 'callgrade.rubric/1'", "did you mean"),
    ),
    "a word for a boolean": (
        ("    judge: human", "    critical: yes\n    judge: human"),
        ("criteria[leak].critical", "error", "must be true or false, not the word 'yes'", "without quotes"),
    ),
    "a quoted number for points": (
        ("max: 30", 'max: "30"'),
        ("total.max", "error", "must be a number, not the word '30'", "without quotes"),
    ),
    "a word for points": (
        ("points: 5, cap", "points: five, cap"),
        ("criteria[rude].scale.points", "error", "must be a number, not the word 'five'", "without quotes"),
    ),
    "a quoted whole number": (
        ("unless: [喂养]}}", 'unless: [喂养]}, position: {at: start, turns: "1"}}'),
        ("criteria[rude].rule.position.turns", "error", "must be a whole number", "without quotes"),
    ),
    "a number for an id": (
        ("{id: short, points", "{id: 3, points"),
        ("criteria[silence].scale.levels[0].id", "error", "must be text, not the number 3", '"3"'),
    ),
    "an id that is none": (
        ("id: leak", "id: Leak!"),
        ("criteria[Leak!].id", "error", "lower-case words joined by hyphens", "fees-unclear"),
    ),
    "a version that is none": (("version: v1", "version: 1.0"), ("version", "error", "must be text", '"1.0"')),
    "an unknown judge": (
        ("judge: human", "judge: humans"),
        ("criteria[leak].judge", "error", "must be 'rules', 'speech', 'llm' or 'human'", "did you mean 'human'?"),
    ),
    "an unknown scale": (
        ("kind: likert", "kind: lickert"),
        ("criteria[empathy].scale", "error", "no scale of kind 'lickert'", "did you mean 'likert'?"),
    ),
    "no scale kind": (
        ("{kind: likert, min", "{min"),
        ("criteria[empathy].scale", "error", "the field 'kind' is missing", "kind: answer"),
    ),
    "a list expected": (
        ("[{id: a, at_least: 25}, {id: b, at_least: 10}]", "none"),
        ("total.grades", "error", "must be a list", "- item"),
    ),
    "a rule without its judge": (
        ("judge: human", "judge: human\n    rule: {find: {phrases: [密码]}}"),
        ("criteria[leak]", "error", "`rule:` goes with `judge: rules`", ""),
    ),
    "nothing to look for": (
        ("{phrases: [喂], unless: [喂养]}", "{}"),
        ("criteria[rude].rule.find", "error", "nothing to look for", ""),
    ),
    "an effect that is none": (
        ("effect: fail_call", "effect: explode"),
        ("criteria[leak].scale.effect", "error", "'explode'", "counts_as"),
    ),
    "an outcome that is none": (
        ("found: {answer: yes}", "found: {anser: yes}"),
        ("criteria[greeting].rule.found", "error", "{anser}", "{answer: …}"),
    ),
    "an outcome with a wrong value": (
        ("found: {answer: yes}", "found: {answer: maybe}"),
        ("criteria[greeting].rule.found.answer", "error", "must be 'yes' or 'no'", ""),
    ),
    "falling bands": (
        ("[{up_to: 5000, outcome: {level: short}}, {", "[{up_to: 5000, outcome: {level: short}}, {up_to: 3000, "),
        ("criteria[silence].speech", "error", "the last must have none", ""),
    ),
    "a step in another's shadow": (
        (
            "{kind: deduct, points: 5, cap: 20}",
            "{kind: tiers, by: count, steps: [{up_to: 2, points: 0}, {up_to: 2, points: -1}]}",
        ),
        ("criteria[rude].scale", "error", "rising up_to", ""),
    ),
    # points
    "a section that does not add up": (
        ("max: 10}", "max: 12}"),
        ("sections[words].max", "error", "start 0 + items 10 = 10", "write max: 10"),
    ),
    "a total that does not add up": (
        ("max: 30", "max: 31"),
        ("total.max", "error", "start 0 + sections 30 = 30", "write max: 30"),
    ),
    "a pass line out of reach": (
        ("pass_line: 20", "pass_line: 40"),
        ("total.pass_line", "error", "pass_line 40 lies above the maximum 30", "at most 30"),
    ),
    "a section's pass line out of reach": (
        ("max: 10}", "max: 10, pass_line: 11}"),
        ("sections[words].pass_line", "error", "pass_line 11 lies above the maximum 10", "at most 10"),
    ),
    "a floor above the maximum": (
        ("max: 20, floor: 0}", "max: 20, floor: 21}"),
        ("sections[care].floor", "error", "floor 21 lies above the maximum 20", "at most 20"),
    ),
    "a pass line on the floor": (
        ("pass_line: 20", "pass_line: 0"),
        ("total.pass_line", "warning", "everybody meets the pass line 0", "remove"),
    ),
    "a weight of nothing": (
        ("max: 10}", "max: 10, weight: 0}"),
        ("sections[words].weight", "error", "must be above 0", "write 1"),
    ),
    "a grade out of reach": (
        ("{id: a, at_least: 25}", "{id: a, at_least: 35}"),
        ("total.grades[a].at_least", "error", "nobody can reach 35 of 30", "at most 30"),
    ),
    "grades out of order": (
        ("{id: b, at_least: 10}]", "{id: b, at_least: 10}, {id: c, at_least: 15}]"),
        ("total.grades", "error", "not in order", "best first"),
    ),
    "a grade never given": (
        ("{id: b, at_least: 10}", "{id: b, at_least: 25}"),
        ("total.grades[b].at_least", "error", "never given", "lower"),
    ),
    "a cap below one occurrence": (
        ("points: 5, cap: 20", "points: 5, cap: 2"),
        ("criteria[rude].scale.cap", "warning", "below what one occurrence costs", "higher cap"),
    ),
    # references
    "an unknown section": (
        ("    section: words\n    title: {zh: 静默", "    section: word\n    title: {zh: 静默"),
        ("criteria[silence].section", "error", "there is no section 'word'", "did you mean 'words'?"),
    ),
    "an unknown parent": (
        ("floor: 0}\n", "floor: 0, parent: form}\n"),
        ("sections[care].parent", "error", "there is no section 'form'", "known are care, words"),
    ),
    "an unknown target": (
        ("effect: fail_call", "effect: {counts_as: ruder}"),
        ("criteria[leak].scale.effect.counts_as", "error", "no criterion 'ruder'", "did you mean 'rude'?"),
    ),
    "a target that counts nothing": (
        ("effect: fail_call", "effect: {counts_as: empathy}"),
        ("criteria[leak].scale.effect.counts_as", "error", "likert scale, which counts nothing", "violation or deduct"),
    ),
    "a violation that counts as itself": (
        ("effect: fail_call", "effect: {counts_as: leak}"),
        ("criteria[leak].scale.effect.counts_as", "error", "counts as itself (leak > leak)", "effect of its own"),
    ),
    "a bonus that requires nobody": (
        ("scale: {kind: likert, min: 0, max: 20}", "scale: {kind: bonus, points: 5, requires_clean: [rud]}"),
        ("criteria[empathy].scale.requires_clean[0]", "error", "no criterion 'rud'", "did you mean 'rude'?"),
    ),
    "an unknown list": (
        ("phrases: [您好]", "lists: [greting]"),
        ("criteria[greeting].rule.find.lists[0]", "error", "no phrase list 'greting'", "did you mean 'greetings'?"),
    ),
    "an unknown speech fact": (
        ("fact: longest_silence_ms", "fact: longest_silence"),
        ("criteria[silence].speech.fact", "error", "no speech fact 'longest_silence'", "'longest_silence_ms'"),
    ),
    # judges
    "no guidance for a model": (
        ("    guidance: {zh: 先回应感受。, en: Answers the feeling first.}\n", ""),
        ("criteria[empathy]", "error", "no guidance, and is judged by a model", "what counts, what does not"),
    ),
    "no guidance for people": (
        ("    guidance: {zh: 泄露资料。, en: Gives data away.}\n", ""),
        ("criteria[leak]", "error", "no guidance, and is judged by a person", "what counts"),
    ),
    "guidance in one language": (
        (", en: Answers the feeling first.}", "}"),
        ("criteria[empathy].guidance", "warning", "has no English guidance", "add en: …"),
    ),
    "a title only the ear can judge": (
        ("{zh: 同理心, en: Empathy}", "{zh: 语速适中, en: Empathy}"),
        ("criteria[empathy].judge", "error", "cannot hear '语速'", "judge: speech"),
    ),
    "an English title only the ear can judge": (
        ("{zh: 同理心, en: Empathy}", "{zh: 同理心, en: Clear pronunciation}"),
        ("criteria[empathy].judge", "error", "cannot hear 'pronunciation'", "human"),
    ),
    "guidance that speaks of sound": (
        ("{zh: 先回应感受。,", "{zh: 先回应感受。普通话标准、口齿清楚。,"),
        ("criteria[empathy].guidance", "warning", "speaks of '普通话'", "不听语气"),
    ),
    "a level without a title": (
        (
            "{kind: likert, min: 0, max: 20}",
            "{kind: levels, levels: [{id: a, points: 20, title: {zh: 好}}, {id: b, points: 0}]}",
        ),
        ("criteria[empathy].scale.levels[b]", "warning", "does not say what earns it", "title"),
    ),
    "a level that nothing reaches": (
        ("{id: long, points: 0}]}", "{id: long, points: 0}, {id: endless, points: -1}]}"),
        ("criteria[silence].scale.levels[endless]", "error", "no outcome reaches the level 'endless'", "add a band"),
    ),
    "an outcome the scale does not know": (
        ("{outcome: {level: long}}]", "{outcome: {level: lang}}]"),
        ("criteria[silence].speech.bands[1].outcome", "error", "no level 'lang'", "short | long"),
    ),
    "an outcome of another kind": (
        ("found: {answer: yes}", "found: {occurrences: 1}"),
        ("criteria[greeting].rule.found", "error", "'occurrences'", "{answer: yes}"),
    ),
    "a count for a scale that takes none": (
        ("found: {answer: yes}", "found: count"),
        ("criteria[greeting].rule.found", "error", "the scale answer takes no count", "{answer: yes}"),
    ),
    "a step that nothing reaches": (
        (
            "{kind: deduct, points: 5, cap: 20}\n    rule: {find",
            "{kind: tiers, by: count, steps: [{up_to: 1, points: 0}, {up_to: 3, points: -1}]}\n"
            "    rule: {count: once, find",
        ),
        ("criteria[rude].scale.steps[1]", "error", "no outcome reaches the step up to 3", "remove the step"),
    ),
    "a verdict that never differs": (
        ("missing: {answer: no}", "missing: {answer: yes}"),
        ("criteria[greeting]", "warning", "every outcome of this criterion is worth the same", "different"),
    ),
    "evidence for what was not said": (
        ("    evidence: optional\n    scale: {kind: answer", "    scale: {kind: answer"),
        ("criteria[greeting]", "warning", "nothing was found", "evidence: optional"),
    ),
    "evidence for a measurement": (
        ("    evidence: optional\n    scale: {kind: levels", "    scale: {kind: levels"),
        ("criteria[silence]", "warning", "measured, not quoted", "evidence: optional"),
    ),
    "facts that exclude what may not be excluded": (
        ("    judge: human", "    when: {complaint: [true]}\n    not_applicable: forbidden\n    judge: human"),
        ("criteria[leak].not_applicable", "warning", "`when:`", "remove when"),
    ),
    "a rule that excludes what may not be excluded": (
        (
            "rule: {find: {phrases: [喂], unless: [喂养]}}",
            "not_applicable: forbidden\n    rule: {find: {phrases: [喂]}, missing: not_applicable}",
        ),
        ("criteria[rude].rule.missing", "error", "not_applicable forbids it", "rescale or full"),
    ),
    # words
    "a pattern that does not compile": (
        ("phrases: [您好]", "patterns: ['(您好']"),
        ("criteria[greeting].rule.find.patterns[0]", "error", "does not compile", "backslash"),
    ),
    "a pattern that explodes": (
        ("phrases: [您好]", "patterns: ['(您+好?)+吗']"),
        ("criteria[greeting].rule.find.patterns[0]", "error", "exponential", ".{0,10}"),
    ),
    "a pattern that matches nothing at all": (
        ("phrases: [您好]", "patterns: ['(您好)?']"),
        ("criteria[greeting].rule.find.patterns[0]", "error", "matches the empty text", "obligatory"),
    ),
    "a pattern that can never match": (
        ("phrases: [您好]", "patterns: ['一定']"),
        ("criteria[greeting].rule.find.patterns[0]", "error", "asks for '一'", "write '1'"),
    ),
    "a pattern with punctuation": (
        ("phrases: [您好]", "patterns: ['您好，请']"),
        ("criteria[greeting].rule.find.patterns[0]", "error", "asks for '，'", "leave it out"),
    ),
    "a pattern with flags": (
        ("phrases: [您好]", "patterns: ['(?i)hello']"),
        ("criteria[greeting].rule.find.patterns[0]", "error", "does not compile", ""),
    ),
    "a pattern that refers back": (
        ("phrases: [您好]", "patterns: ['(您)好\\1']"),
        ("criteria[greeting].rule.find.patterns[0]", "error", "refers back", "repeat the words"),
    ),
    "a pattern that wanders": (
        ("phrases: [您好]", "patterns: ['您.*请.*好']"),
        ("criteria[greeting].rule.find.patterns[0]", "warning", "several unbounded repeats", ".{0,10}"),
    ),
    "a phrase of punctuation": (
        ("phrases: [您好]", "phrases: ['，。']"),
        ("criteria[greeting].rule.find.phrases[0]", "error", "nothing is left of '，。'", "a word"),
    ),
    "an exception to nothing": (
        ("unless: [喂养]", "unless: [饲养]"),
        ("criteria[rude].rule.find.unless[0]", "warning", "excepts nothing", "longer word"),
    ),
    # titles
    "a title in one language": (
        ("{zh: 泄露, en: Leak}", "{zh: 泄露}"),
        ("criteria[leak].title", "warning", "has no English title", "add en: …"),
    ),
    "a section's title in one language": (
        ("{zh: 用语, en: Words}", "{en: Words}"),
        ("sections[words].title", "warning", "has no Chinese title", "add zh: …"),
    ),
    "no title at all": (
        ("title: {zh: 基准, en: Base}", "title: {}"),
        ("title", "error", "has no title", "{zh: …, en: …}"),
    ),
}


@pytest.mark.parametrize("name", SINGLE)
def test_a_single_fault_is_named_with_its_line(name):
    edit, (path, severity, message, suggestion) = SINGLE[name]
    text = edited(edit)
    found = [fault for fault in faults_of(text) if fault.path == path and message in fault.message]
    assert len(found) == 1, [str(fault) for fault in faults_of(text)]
    assert found[0].severity == severity
    assert suggestion in found[0].suggestion
    assert on_line(path) in text.splitlines()[found[0].line - 1]
    assert str(found[0]).startswith(f"rubric.yaml:{found[0].line}: {severity}: ")


def on_line(path: str) -> str:
    """What must stand on the line of a path: the key, or the head of the item that the whole path is about."""
    *_, last = re.split(r"\.(?![^\[]*\])", path)
    name, _, inside = last.partition("[")
    return f"id: {inside[:-1]}" if name in ("criteria", "sections", "levels") and inside else f"{name}:"


def test_all_faults_are_named_at_once_in_the_order_of_the_file():
    text = BASE
    for old, new in (
        ("floor: 0, pass_line", "flor: 0, pass_line"),
        ("max: 10}", "max: 12}"),
        ("    section: words\n    title: {zh: 静默", "    section: word\n    title: {zh: 静默"),
        ("fact: longest_silence_ms", "fact: longest_silence"),
        ("kind: likert", "kind: lickert"),
        ("{phrases: [喂], unless: [喂养]}", "{patterns: ['(喂'], lists: [nothing]}"),
        ("id: leak", "id: rude"),
        ("effect: fail_call", "effect: {counts_as: nobody}"),
    ):
        text = text.replace(old, new)
    found = faults_of(text)
    assert [fault.line for fault in found] == sorted(fault.line for fault in found)
    said = " | ".join(fault.message for fault in found)
    for words in (
        "unknown field 'flor'",
        "max is 12",
        "no section 'word'",
        "no speech fact",
        "no scale of kind 'lickert'",
        "does not compile",
        "no phrase list 'nothing'",
        "the criterion id 'rude' stands twice",
        "no criterion 'nobody'",
    ):
        assert words in said, words


def test_an_item_with_a_wrong_type_silences_only_the_sums_that_need_it():
    text = edited(("kind: likert", "kind: lickert"))
    assert [fault.path for fault in faults_of(text)] == ["criteria[empathy].scale"]


@pytest.mark.parametrize(
    ("old", "new", "path", "line_says"),
    [
        ("id: care, title", "id: words, title", "sections[1].id", "关怀"),
        ("id: silence\n", "id: greeting\n", "criteria[1].id", "- id: greeting"),
        ("{id: long, points: 0}]}", "{id: short, points: 0}]}", "criteria[silence].scale.levels[1].id", "kind: levels"),
        ("{id: b, at_least: 10}", "{id: a, at_least: 10}", "total.grades[1].id", "grades"),
    ],
)
def test_ids_stand_once(old, new, path, line_says):
    text = edited((old, new))
    found = [fault for fault in faults_of(text) if "stands twice" in fault.message]
    assert [fault.path for fault in found] == [path]
    assert line_says in text.splitlines()[found[0].line - 1]


def test_circles_are_shown():
    text = edited(("max: 10}", "max: 10, parent: care}"), ("max: 20, floor: 0}", "max: 20, floor: 0, parent: words}"))
    found = [fault for fault in faults_of(text) if "inside itself" in fault.message]
    assert [(f.line, f.path) for f in found] == [(7, "sections[words].parent"), (8, "sections[care].parent")]
    assert "words > care > words" in found[0].message


def test_bonuses_may_stand_inside_the_maximum_or_on_top():
    bonus = (
        "  - {id: warm, section: care, title: {zh: 热情, en: Warmth}, guidance: {zh: 热情, en: Warm}, judge: human, "
    )
    bonus += "scale: {kind: bonus, points: 5, requires_clean: [rude]}}\n"
    assert faults_of(BASE + bonus) == []
    assert faults_of(edited(("max: 20, floor", "max: 25, floor"), ("max: 30", "max: 35")) + bonus) == []
    assert faults_of(edited(("max: 20, floor", "max: 25, floor")) + bonus) == []
    assert [f.path for f in faults_of(edited(("max: 20, floor", "max: 24, floor")) + bonus)] == [
        "total.max",
        "sections[care].max",
    ]


def test_sections_inside_sections_and_weights_add_up():
    text = edited(("max: 10}", "max: 10, parent: care, weight: 0.5}"), ("max: 20, floor", "max: 25, floor"))
    assert faults_of(text.replace("max: 30", "max: 25")) == []
    assert [f.path for f in faults_of(text)] == ["total.max"]


def test_deductions_start_from_the_whole():
    text = edited(
        ("max: 30", "max: 100"),
        ("total: {start: 0", "total: {start: 100"),
        ("words, title: {zh: 用语, en: Words}, max: 10", "words, title: {zh: 用语, en: Words}, max: 0"),
        ("max: 20, floor: 0}", "max: 0}"),
        ("{kind: answer, yes: 4, no: 0}", "{kind: answer, yes: 0, no: -4}"),
        ("{id: short, points: 6}, {id: long, points: 0}", "{id: short, points: 0}, {id: long, points: -6}"),
        ("{kind: likert, min: 0, max: 20}", "{kind: deduct, points: 2}"),
    )
    assert faults_of(text) == []


MEANS = """\
schema: callgrade.rubric/1
id: means
version: v1
title: {zh: 均值, en: Means}
total: {combine: mean, max: 5}
sections:
  - {id: voice, title: {zh: 语音, en: Voice}, max: 5, combine: mean}
  - {id: team, title: {zh: 协作, en: Team}, max: 5, combine: mean, weight: 2}
criteria:
  - {id: a, section: voice, title: {zh: 甲, en: A}, guidance: {zh: 甲, en: A}, judge: human, scale: {kind: likert}}
  - {id: b, section: voice, title: {zh: 乙, en: B}, guidance: {zh: 乙, en: B}, judge: human, scale: {kind: likert}}
  - {id: c, section: team, title: {zh: 丙, en: C}, guidance: {zh: 丙, en: C}, judge: human, scale: {kind: likert}}
"""


def test_means_have_the_maximum_of_their_items():
    assert faults_of(MEANS) == []
    wrong = MEANS.replace("{zh: 语音, en: Voice}, max: 5", "{zh: 语音, en: Voice}, max: 10")
    assert "sections[voice].max" in [f.path for f in faults_of(wrong)]


def test_a_mean_of_what_is_worth_different_amounts_says_nothing():
    old = "scale: {kind: likert}}\n  - {id: b"
    text = MEANS.replace(old, old.replace("likert}", "likert, max: 10}"))
    found = [f for f in faults_of(text) if f.path == "sections[voice].combine"]
    assert [f.message for f in found] == ["a mean of what earns 5, 10 at best says nothing"]


MENDED = (
    "    scale: {kind: violation, severity: critical, effect: fail_call}",
    "    scale: {kind: violation, severity: level-2, effect: flag, aggravated: {severity: level-1, effect: flag}}",
)
PROGRAMME = """\
programme:
  period: {unit: month, first_day: 21}
  sampling:
    - {calls: {outcome: [closed]}, per_agent: 3, every: [month], instead: {outcome: [open]}}
  appeals: {file_within: {days: 0}, decide_within: {days: 0}, late: refused}
  mending: {severity: level-2, by: supplementary_recording, within: period, becomes: level-1}
"""


def test_a_programme_is_read_and_checked():
    assert faults_of(edited(MENDED) + PROGRAMME) == []


@pytest.mark.parametrize(
    ("old", "new", "path", "message"),
    [
        (
            "severity: level-2, by",
            "severity: level-3, by",
            "programme.mending.severity",
            "no violation of severity 'level-3'",
        ),
        ("becomes: level-1", "becomes: level-4", "programme.mending.becomes", "do not become 'level-4'"),
        ("per_agent: 3, ", "", "programme.sampling[0]", "say how many"),
        ("per_agent: 3", "share: 10", "programme.sampling[0].share", "less than or equal to 1"),
        ("unit: month", "unit: week", "programme.period", "goes with `unit: month`"),
        ("late: refused", "late: maybe", "programme.appeals.late", "must be 'refused' or 'accepted'"),
    ],
)
def test_faults_of_a_programme(old, new, path, message):
    assert old in PROGRAMME
    found = faults_of(edited(MENDED) + PROGRAMME.replace(old, new))
    assert [(f.path, message in f.message) for f in found] == [(path, True)], [str(f) for f in found]


def test_what_an_aggravated_violation_counts_as_must_be_there():
    grave = "{severity: critical, effect: {counts_as: nobody}}"
    worse = f"{{kind: violation, severity: minor, effect: flag, aggravated: {grave}}}"
    found = faults_of(edited(("{kind: violation, severity: critical, effect: fail_call}", worse)))
    assert [(f.path, f.message) for f in found] == [
        ("criteria[leak].scale.aggravated.effect.counts_as", "there is no criterion 'nobody'")
    ]


def test_a_named_error_must_be_in_the_taxonomy(tmp_path):
    taxonomy = tmp_path / "error-list-50" / "v1.yaml"
    taxonomy.parent.mkdir()
    taxonomy.write_text("criteria: [{errors: [14], title: {zh: 未使用规范用语, en: No standard words}}]", "utf-8")
    path = tmp_path / "base" / "v1.yaml"
    path.parent.mkdir()
    path.write_text(edited(("    judge: human", "    errors: [14, 99]\n    judge: human")), "utf-8")
    assert [(f.path, f.message) for f in lint(path)] == [
        ("criteria[leak].errors[1]", "there is no error 99 in error-list-50")
    ]
    path.write_text(edited(("    judge: human", "    errors: [14]\n    judge: human")), "utf-8")
    assert load_rubric(path).error_names == {14: LocalText(zh="未使用规范用语", en="No standard words")}


def test_a_figure_of_the_call_has_a_name():
    assert faults_of(edited(("fact: longest_silence_ms", "fact: call.answer_wait_ms"))) == []
    found = faults_of(edited(("fact: longest_silence_ms", "fact: call.")))
    assert [f.path for f in found] == ["criteria[silence].speech.fact"]


def test_a_section_without_criteria():
    text = edited(("criteria:\n", "  - {id: empty, title: {zh: 空, en: Empty}}\ncriteria:\n"))
    assert [(f.path, f.severity) for f in faults_of(text)] == [("sections[empty]", "warning")]


def test_what_people_hear_may_be_named_when_only_words_count():
    for said in ("只看文字，不听语气。", "语气不看，只看用词。", "先回应；不评语速。"):
        assert faults_of(edited(("先回应感受。", said))) == []
    assert faults_of(edited(("Answers the feeling first.", "Judged by words and not by accent or volume."))) == []
    assert faults_of(edited(("Answers the feeling first.", "A voluminous answer."))) == []


def test_tiers_by_kinds_that_are_counted_reach_every_step():
    tiers = "{kind: tiers, by: kinds, steps: [{up_to: 1, points: 0}, {up_to: 2, points: -1}], cap: -5}"
    assert faults_of(edited(("{kind: deduct, points: 5, cap: 20}", tiers))) == []


@pytest.mark.parametrize(
    ("folder", "name", "path", "message"),
    [
        ("base", "v2.yaml", "version", "version is 'v1', but the file is base/v2.yaml"),
        ("other", "v1.yaml", "id", "id is 'base', but the file is other/v1.yaml"),
        ("base", "v1.yaml", None, ""),
        ("other", "any.yaml", None, ""),
    ],
)
def test_the_file_is_called_what_it_says(tmp_path, folder, name, path, message):
    file = tmp_path / folder / name
    file.parent.mkdir()
    file.write_text(BASE, "utf-8")
    found = lint(file)
    assert [f.path for f in found] == ([path] if path else [])
    if path:
        assert message in found[0].message
        assert found[0].file == str(file)
        assert found[0].line == {"version": 3, "id": 2}[path]


# --- phrase lists ---------------------------------------------------------------------------------


def list_file(tmp_path: Path, text: str, name: str = "words") -> Path:
    path = tmp_path / "lists" / f"{name}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")
    return path


LIST = "schema: callgrade.phrases/1\nid: words\ntitle: {zh: 词, en: Words}\n"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (LIST, 1, "the list is empty"),
        (LIST + "phrases: [您好]\npatern: [x]\n", 5, "unknown field 'patern'"),
        (LIST + "phrases: [您好, 您好]\n", 4, "stands twice"),
        (LIST + "phrases: ['']\n", 4, "at least 1 character"),
        (LIST + "patterns:\n  - 您好\n  - (您\n", 6, "does not compile"),
        (LIST.replace("id: words", "id: other") + "phrases: [您好]\n", 2, "id is 'other', but the file is words.yaml"),
        (LIST + "phrases: [您好]\nlists: [more]\n", 5, "unknown field 'lists'"),
        ("phrases: [您好]\n", 1, "the field 'schema' is missing"),
        ("- 您好\n", 1, "must be a mapping of fields"),
    ],
)
def test_faults_of_a_list(tmp_path, text, line, message):
    found = [fault for fault in lint(list_file(tmp_path, text)) if message in fault.message]
    assert [fault.line for fault in found] == [line]


def test_a_broken_list_is_a_fault_of_the_rubric_that_names_it(tmp_path):
    list_file(tmp_path, LIST + "patterns: ['(']\n")
    rubric = tmp_path / "base" / "v1.yaml"
    rubric.parent.mkdir()
    rubric.write_text(edited(("phrases: [您好]", "lists: [words]")), "utf-8")
    found = lint(rubric)
    assert [(f.path, f.line) for f in found] == [("criteria[greeting].rule.find.lists[0]", 16)]
    assert "words.yaml:4" in found[0].message


def test_a_folder_is_checked_file_by_file(tmp_path):
    list_file(tmp_path, LIST)
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "v1.yaml").write_text(edited(("max: 30", "max: 31")), "utf-8")
    assert [Path(fault.file).name for fault in lint(tmp_path)] == ["v1.yaml", "words.yaml"]


# --- it never falls over --------------------------------------------------------------------------

REAL = [
    read_yaml(resource_folder("rubrics") / "monitoring-sheet-40" / "v1.yaml").data,
    parse_yaml(BASE, "base.yaml").data,
]
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 2000),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        ["", "yes", "v1", "business", "fees-unclear", "(", "a*", "(a+)+", "count", "不", "rules", "llm", "kind"]
    ),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(
        st.sampled_from(["zh", "kind", "id", "points", "answer", "x"]), st.integers() | st.text(), max_size=2
    ),
)


def paths_of(value, at=()):
    yield at
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from paths_of(item, (*at, key))


def mutations_of(data):
    paths = [path for path in paths_of(data) if path]
    mutation = st.tuples(st.sampled_from(paths), st.sampled_from(["set", "drop", "add", "copy"]), ODD)
    return st.tuples(st.just(data), st.lists(mutation, max_size=4))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of([mutations_of(data) for data in REAL]))
def test_no_mutation_of_a_real_rubric_raises_or_is_lost(drawn):
    original, mutations = drawn
    data = copy.deepcopy(original)
    for path, how, value in mutations:
        mutate(data, path, how, value)
    checked = check(parse_yaml(json.dumps(data), "x.yaml"))
    errors = [fault for fault in checked.faults if fault.severity == "error"]
    assert (checked.rubric is None) == bool(errors)
    for fault in checked.faults:
        assert fault.line >= 1
        assert fault.message


def mutate(data, path, how, value):
    here = data
    for step in path[:-1]:
        try:
            here = here[step]
        except (KeyError, IndexError, TypeError):
            return
    last = path[-1]
    if isinstance(here, list) and isinstance(last, int) and last < len(here):
        {"set": lambda: here.__setitem__(last, value), "drop": lambda: here.pop(last)}.get(
            how, lambda: here.append(copy.deepcopy(here[last]) if how == "copy" else value)
        )()
    elif isinstance(here, dict) and last in here:
        {"set": lambda: here.__setitem__(last, value), "drop": lambda: here.pop(last)}.get(
            how, lambda: here.__setitem__(f"{last}s", copy.deepcopy(here[last]) if how == "copy" else value)
        )()


@pytest.mark.parametrize("text", ["", "a", "- 1", "criteria: {}", "criteria: [1, [], {id: 3}]\nsections: x\ntotal: []"])
def test_no_document_is_too_odd(text):
    found = faults_of(text)
    assert found
    assert all(isinstance(fault, Fault) for fault in found)
