"""The mock is an instrument: what it answers must be valid, repeatable, and honest about what was sent."""

import json
from collections import Counter

import jsonschema
import pytest
from evals.mock_openai.answers import INVENTED, answer, made_up, quoting
from evals.mock_openai.cases import CASES
from evals.mock_openai.completions import Completions
from evals.mock_openai.faults import Faults, is_readable, spoilt
from evals.mock_openai.stats import Stats
from evals.synthetic_calls import make_call, make_transcript

from callgrade.adapters.llm import render_request
from callgrade.adapters.redaction import NoRedaction
from callgrade.catalog import load_rubric
from callgrade.settings import LLMSettings

SCHEMA = {
    "type": "object",
    "properties": {
        "verdict": {"$ref": "#/$defs/V"},
        "score": {"anyOf": [{"type": "null"}, {"type": "integer", "minimum": 3, "maximum": 3}]},
        "sure": {"type": ["boolean", "null"]},
        "nested": {"type": "array", "items": {"$ref": "#/$defs/Q"}, "minItems": 2, "maxItems": 3},
        "short": {"type": "string", "maxLength": 2},
    },
    "required": ["verdict", "score", "sure", "nested", "short"],
    "additionalProperties": False,
    "$defs": {
        "V": {"enum": ["yes", "no"]},
        "Q": {
            "type": "object",
            "properties": {"turn": {"type": "integer"}, "quote": {"type": "string"}},
            "required": ["turn", "quote"],
            "additionalProperties": False,
        },
    },
}


@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize("quote", [None, made_up])
def test_answers_are_valid_for_their_schema(number, quote):
    jsonschema.validate(answer(SCHEMA, number, quote), SCHEMA)


def test_answers_vary_and_the_same_number_gives_the_same_one():
    answers = [json.dumps(answer(SCHEMA, number, made_up)) for number in range(6)]
    assert len(set(answers)) > 1
    assert answers == [json.dumps(answer(SCHEMA, number, made_up)) for number in range(6)]


@pytest.mark.parametrize("rubric", ["evals/bench-rubric.yaml", "telesales-misconduct"])
def test_quotes_stand_in_the_turn_they_name_and_invented_ones_nowhere(rubric, pytestconfig):
    if rubric.endswith(".yaml"):
        rubric = str(pytestconfig.rootpath / rubric)
    call = make_transcript(1)
    request = render_request(load_rubric(rubric), call, NoRedaction(), LLMSettings(model="mock"))
    prompt = request.messages[-1]["content"]
    schema = request.body["response_format"]["json_schema"]["schema"]
    given = answer(schema, 7, quoting(prompt))
    jsonschema.validate(given, schema)
    quotes = [item for judged in given.values() for item in judged.get("evidence", [])]
    assert len(quotes) >= 5
    for item in quotes:
        turn = call.turns[item["turn"]]
        assert item["quote"] in turn.text
        assert turn.speaker == "agent"
    assert not [words for words in INVENTED if words in prompt]


def test_faults_are_drawn_by_what_is_sent_and_a_retry_is_a_fresh_draw():
    shares = {"429": 0.2, "drop": 0.1}
    bodies = [b"%d" % number for number in range(2000)]
    first, second = Faults(shares, seed=1), Faults(shares, seed=1)
    drawn = {body: first.draw(body) for body in bodies}
    assert drawn == {body: second.draw(body) for body in reversed(bodies)}
    counted = Counter(found.fault for found in drawn.values())
    assert 340 < counted["429"] < 460
    assert 150 < counted["drop"] < 250
    again = [first.draw(body) for body in bodies]
    assert [found.fault for found in again] != [drawn[body].fault for body in bodies]
    assert {found.earlier for found in again} == {1}
    assert set(first.sends.values()) == {2}


def test_shares_of_more_than_all_are_refused():
    with pytest.raises(ValueError, match="1.2"):
        Faults({"429": 0.6, "500": 0.6}, seed=1)


def test_of_the_spoilt_answers_only_the_fenced_one_holds_json():
    kinds = [spoilt('{"a":1}', number) for number in range(4)]
    assert len(set(kinds)) == 4
    assert [is_readable(number) for number in range(4)] == [False, True, False, False]
    with pytest.raises(ValueError, match="Expecting"):
        json.loads(kinds[2])


def test_a_body_that_cannot_be_read_is_refused_and_counted():
    completions = Completions(Stats(), Faults({}, 1), "real", 0.0, 1.0)
    assert completions.complete(b"{").status == 400
    assert completions.complete(b'{"messages": 3}').status == 400
    assert completions.stats.bad_requests == 2


def asking_for(case: str, *more: dict[str, str]) -> bytes:
    messages = [{"role": "system", "content": "评"}, {"role": "user", "content": f"[0] 坐席：fault-case-{case} 您好"}]
    schema = {"type": "json_schema", "json_schema": {"schema": SCHEMA}}
    return json.dumps({"model": "mock", "messages": [*messages, *more], "response_format": schema}).encode()


def test_a_call_meets_the_fault_it_asks_for_and_no_other():
    completions = Completions(Stats(), Faults({}, 1), "real", 0.0, 1.0)
    assert [completions.complete(asking_for("ratetwice")).status for _ in range(4)] == [429, 429, 200, 200]
    assert completions.complete(asking_for("drop")).body is None
    for case in CASES.keys() - {"ratetwice"}:
        assert (completions.complete(asking_for(case)).good_for is not None) is CASES[case].is_good
    mended = {"role": "user", "content": "请更正"}
    assert INVENTED[0][:4] not in completions.complete(asking_for("badquoteonce", mended)).body.decode()
    assert completions.complete(asking_for("none")).good_for is not None


def test_what_is_laid_on_all_ends_when_it_is_said():
    completions = Completions(Stats(), Faults({}, 1), "real", 0.0, 1.0)
    assert completions.admin("POST", "/case/quota").status == 200
    assert completions.complete(asking_for("none")).status == 429
    assert completions.admin("POST", "/case/no-such").status == 404
    completions.admin("POST", "/case/none")
    assert completions.complete(asking_for("none")).status == 200


def test_the_same_number_makes_the_same_call_and_two_numbers_two():
    assert make_call(3) == make_call(3)
    texts = {tuple(turn["text"] for turn in make_call(number)["turns"]) for number in range(200)}
    assert len(texts) == 200
    assert make_call(3, seed=2) != make_call(3)
