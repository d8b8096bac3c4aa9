"""What an audit event may hold, by form: nothing that was said, no name in Chinese, no number one could dial."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callgrade.access.facts import check_action, check_facts, check_subject
from callgrade.access.permissions import SCOPES

ID = "01a201355ec4712a93e72ab57cc9c8bb"
"""As `new_id` makes them; one and the same in every process, for it stands in the names of tests."""


class Reason(StrEnum):
    ASKED = "customer-asked"


@pytest.mark.parametrize(
    ("fact", "kept"),
    [
        (ID, None),
        ("a" * 64, None),
        ("sha256:" + "0" * 64, None),
        ("outbound-sales-qa@v12", None),
        ("proposed", None),
        ("level-1", None),
        (Reason.ASKED, "customer-asked"),
        (list(SCOPES), None),
        (("a", 1, None), ["a", 1, None]),
        (0, None),
        (-3, None),
        (9_999_999_999, None),
        (True, None),
        (None, None),
        (Decimal("87.5"), "87.5"),
        (Decimal("1E+2"), "100"),
        (Decimal("-0.0001"), "-0.0001"),
        (date(2026, 11, 22), "2026-11-22"),
        (datetime(2026, 11, 22, 8, tzinfo=timezone(timedelta(hours=8))), "2026-11-22T00:00:00+00:00"),
    ],
)
def test_ids_digests_numbers_moments_and_words_are_kept(fact, kept):
    result = check_facts({"fact": fact})["fact"]
    assert result == (fact if kept is None else kept)
    assert type(result) in (str, int, bool, list, type(None))


@pytest.mark.parametrize(
    "fact",
    [
        "您好，请问有什么可以帮您？",
        "张三",
        "Zhang San",
        "Zhang",
        "i want to cancel",
        "13800138000",
        "+8613800138000",
        "tel:13800138000",
        "138-0013-8000",
        "a1b2c3d4",
        "13800138000@v1",
        "agent@v13800138000",
        "bob@example.com",
        "x" * 41,
        "",
        "a\n",
        "cg_" + "0" * 32 + "_" + "a" * 64,
        ID.upper(),
        "level--1",
        "2026-11-22",
    ],
)
def test_anything_that_could_have_been_said_or_sent_is_refused_by_its_place(fact):
    with pytest.raises(ValueError, match="audit fact 'why'") as caught:
        check_facts({"why": fact})
    assert not fact or fact not in str(caught.value)


@pytest.mark.parametrize(
    "fact", [13_800_138_000, -(10**10), Decimal("13800138000"), Decimal("NaN"), Decimal("Infinity")]
)
def test_a_number_that_could_be_dialled_or_is_none_is_refused(fact):
    with pytest.raises(ValueError, match="must lie below"):
        check_facts({"n": fact})


def test_more_places_than_a_score_has_are_refused():
    with pytest.raises(ValueError, match="four places"):
        check_facts({"n": Decimal("1.23456")})


@pytest.mark.parametrize("fact", [1.5, {"a": 1}, b"x", {1}, [["a"]], object()])
def test_other_types_are_refused(fact):
    with pytest.raises(TypeError, match="audit fact 'x'"):
        check_facts({"x": fact})


def test_a_moment_without_its_zone_and_an_endless_list_are_refused():
    with pytest.raises(ValueError, match="zone"):
        check_facts({"at": datetime(2026, 1, 1)})  # noqa: DTZ001
    with pytest.raises(ValueError, match="at most 100"):
        check_facts({"ids": ["a"] * 101})


@pytest.mark.parametrize("name", ["", "张三", "two words", "13800138000"])
def test_a_facts_name_is_a_word_too_and_is_not_repeated(name):
    with pytest.raises(ValueError, match="named by") as caught:
        check_facts({name: 1})
    assert not name or name not in str(caught.value)


@pytest.mark.parametrize("subject", [ID, f"call:{ID}", "outbound-sales-qa@v1", "blob:" + "0" * 64])
def test_a_subject_is_an_id(subject):
    assert check_subject(subject) == subject


@pytest.mark.parametrize("subject", ["", "C-00001", "call:C-00001", "call:13800138000", "张三", f"张:{ID}", "bob"])
def test_a_clients_own_id_is_no_subject(subject):
    with pytest.raises(ValueError, match="subject") as caught:
        check_subject(subject)
    assert not subject or subject not in str(caught.value)


@pytest.mark.parametrize("action", ["call.erased", "webhook.redelivered", "key_created", "calls:erase"])
def test_an_action_is_a_word(action):
    assert check_action(action) == action


@pytest.mark.parametrize("action", ["", "Call erased", "删除", "call." + "x" * 40])
def test_other_actions_are_refused(action):
    with pytest.raises(ValueError, match="action"):
        check_action(action)


@given(st.text())
def test_what_is_kept_of_a_text_is_short_small_ascii_with_few_digits_in_a_word(text):
    try:
        kept = check_facts({"x": text})["x"]
    except ValueError:
        return
    assert kept == text
    assert text.isascii()
    assert text == text.lower()
    assert not set(text) & set(" \t\n\r")
    assert sum(c.isdigit() for c in text) <= 6 or set(text.removeprefix("sha256:")) <= set("0123456789abcdef")


@given(st.from_regex(r"\+?[0-9][0-9 ()-]{5,18}[0-9]", fullmatch=True))
def test_nothing_one_could_dial_is_kept(number):
    if len(number) not in (32, 64):
        with pytest.raises(ValueError, match="audit fact"):
            check_facts({"x": number, "in": f"tel:{number}"})


def test_moments_are_kept_to_the_second_in_utc():
    assert check_facts({"at": datetime(2026, 1, 1, 0, 0, 0, 999999, tzinfo=UTC)})["at"] == "2026-01-01T00:00:00+00:00"
