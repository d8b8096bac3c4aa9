"""Passwords: which are taken, and how they are kept."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from callgrade.access import passwords
from callgrade.access.passwords import check_password, hash_password, one_time_password, require_good_password
from callgrade.domain.errors import InputError

GOOD = "纸船 lantern 42 苔藓 river"


def test_the_right_one_is_known_again_and_no_other():
    kept = hash_password(GOOD)
    assert check_password(GOOD, kept) == (True, None)
    assert check_password(GOOD + " ", kept) == (False, None)
    assert check_password("", kept) == (False, None)


def test_it_is_argon2id_and_salted():
    first, second = hash_password(GOOD), hash_password(GOOD)
    assert first.startswith("$argon2id$v=19$m=32768,t=2,p=1$")
    assert first != second
    assert GOOD not in first


def test_full_width_signs_of_an_input_method_are_the_same_password():
    assert check_password("ｌａｎｔｅｒｎ　ｒｉｖｅｒ４２", hash_password("lantern river42"))[0]


def test_where_there_is_nobody_it_is_hashed_all_the_same(monkeypatch):
    asked = []
    real = passwords._HASHER.verify_and_update

    def noted(password, kept):
        asked.append(kept)
        return real(password, kept)

    monkeypatch.setattr(passwords._HASHER, "verify_and_update", noted)
    assert check_password(GOOD, None) == (False, None)
    assert asked[0].startswith("$argon2id$v=19$m=32768,t=2,p=1$")


def test_a_hash_of_other_parameters_is_made_anew_once_its_password_was_right():
    weak = PasswordHash([Argon2Hasher(time_cost=1, memory_cost=8192, parallelism=1)]).hash(GOOD)
    right, anew = check_password(GOOD, weak)
    assert right
    assert anew is not None
    assert "m=32768,t=2,p=1" in anew
    assert check_password(GOOD, anew) == (True, None)
    assert check_password("another one 77", weak) == (False, None)


def test_a_megabyte_is_nobodys_password():
    assert check_password("x" * 1_000_000, hash_password(GOOD)) == (False, None)


@pytest.mark.parametrize(
    "password",
    [
        GOOD,
        "three small boats",
        "correct horse battery",
        "我家门前有两棵枣树还有一口井",
        "Tz7#kq!Lw2vX",
        "my call list for tuesday",
    ],
)
def test_what_nobody_would_guess_is_taken(password):
    require_good_password(password, about=["lee", "Lee Min"])


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("short", "at least 10 characters"),
        ("九个字的密码太短了", "at least 10 characters"),
        ("aaaaaaaaaaaaaaa", "different"),
        ("1234567890", "tried first"),
        ("qwertyuiop123", "tried first"),
        ("password2026", "tried first"),
        ("Password123!", "tried first"),
        ("ＰＡＳＳＷＯＲＤ１２３４５", "tried first"),
        ("admin123456789", "tried first"),
        ("woaini1314520", "tried first"),
        ("callgrade2026", "tried first"),
        ("abcdefghijklmno", "tried first"),
        ("lee.min@example", "tried first"),
        ("x" * 201 + GOOD, "at most 200"),
    ],
)
def test_what_is_tried_first_is_refused_in_words_that_do_not_repeat_it(password, said):
    with pytest.raises(InputError, match=said) as caught:
        require_good_password(password, about=["lee.min@example.com", "Lee Min"])
    assert password not in str(caught.value)


@settings(max_examples=10, deadline=None)
@given(st.text(min_size=8, max_size=300))
def test_any_text_is_either_refused_or_known_again(password):
    try:
        require_good_password(password)
    except InputError:
        return
    assert check_password(password, hash_password(password)) == (True, None)


def test_a_one_time_password_is_good_and_new_each_time():
    made = {one_time_password() for _ in range(50)}
    assert len(made) == 50
    for password in made:
        require_good_password(password, about=["lee"])
