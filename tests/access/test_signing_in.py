"""Signing in, staying signed in, and being slowed down."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from callgrade.access import passwords, people, throttle
from callgrade.access.browsers import browser_of
from callgrade.access.people import Administration, Told, one_time
from callgrade.access.signing_in import PasswordDueError, SignIns, WrongPasswordError
from callgrade.db.session import Database
from callgrade.db.tables import AuditEvent, SignIn, SignInFailures, User
from callgrade.domain.errors import ConflictError, InputError, NotAuthenticatedError, TooManyRequestsError
from tests.access.people import PASSWORD, make, operator, visitor

pytestmark = pytest.mark.usefixtures("quick_hashes")
START = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
ANOTHER = "纸船 and a lantern"


class Clock:
    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at

    def pass_(self, **span: float) -> None:
        self.at += timedelta(**span)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sign_ins(database: Database, clock: Clock) -> SignIns:
    return SignIns(database, clock=clock)


def actions(database: Database) -> list[tuple[str, dict[str, Any]]]:
    with database.reading() as session:
        rows = session.exec(select(AuditEvent).order_by(AuditEvent.id))  # type: ignore[arg-type]
        return [
            (row.action, row.facts) for row in rows if row.action.startswith("user.") and "created" not in row.action
        ]


def kept(database: Database, table: Any) -> list[Any]:
    with database.reading() as session:
        return list(session.exec(select(table)))


def wrong(attempt: Callable[[], object]) -> str:
    with pytest.raises(WrongPasswordError) as caught:
        attempt()
    return str(caught.value)


# signing in


def test_the_right_password_opens_and_only_the_tokens_hash_is_kept(database: Database, sign_ins: SignIns) -> None:
    lee = make(database, "lee", name="李敏", team="north")
    token = sign_ins.sign_in("LEE", PASSWORD, browser="Firefox · Windows")
    assert len(token) >= 43
    visitor = sign_ins.admit(token)
    assert (visitor.user_id, visitor.role, visitor.teams, visitor.name) == (lee.id, "reviewer", {"north"}, "李敏")
    (row,) = kept(database, SignIn)
    assert token not in repr(row)
    assert (row.browser, row.ends_at - row.created_at) == ("Firefox · Windows", timedelta(days=7))
    assert actions(database) == [("user.signed_in", {"by": "password"})]


def test_a_wrong_password_and_an_unknown_login_are_told_alike_and_take_alike(
    database: Database, sign_ins: SignIns, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(database, "lee")
    make(database, "elsewhere", password=None)
    hashed: list[str] = []
    real = passwords._HASHER.verify_and_update
    monkeypatch.setattr(
        passwords._HASHER, "verify_and_update", lambda given, hash_: hashed.append(hash_) or real(given, hash_)
    )
    told = {
        wrong(lambda login=login: sign_ins.sign_in(login, "wrong")) for login in ("lee", "nobody", "elsewhere", "a b")
    }
    assert len(told) == 1
    assert len(hashed) == 4
    assert all(hash_.startswith("$argon2id$") for hash_ in hashed)


def test_two_clients_may_have_the_same_login_and_then_one_is_named(database: Database, sign_ins: SignIns) -> None:
    first, second = make(database, "lee"), make(database, "lee", client="another", password=ANOTHER)
    wrong(lambda: sign_ins.sign_in("lee", PASSWORD))
    assert sign_ins.admit(sign_ins.sign_in("lee", PASSWORD, client="default")).user_id == first.id
    assert sign_ins.admit(sign_ins.sign_in("lee", ANOTHER, client="another")).user_id == second.id
    wrong(lambda: sign_ins.sign_in("lee", PASSWORD, client="another"))
    wrong(lambda: sign_ins.sign_in("lee", PASSWORD, client="no such one"))


def test_who_is_disabled_is_told_so_only_with_the_right_password(database: Database, sign_ins: SignIns) -> None:
    lee = make(database, "lee")
    token = sign_ins.sign_in("lee", PASSWORD)
    Administration(database).disable(operator(database), lee.id)
    with pytest.raises(NotAuthenticatedError):
        sign_ins.admit(token)
    assert "disabled" in wrong(lambda: sign_ins.sign_in("lee", PASSWORD))
    assert "disabled" not in wrong(lambda: sign_ins.sign_in("lee", "wrong"))


def test_a_password_made_by_others_is_good_once_to_choose_ones_own(
    database: Database, sign_ins: SignIns, clock: Clock
) -> None:
    prepared = one_time(clock())
    with database.writing() as session:
        people.create_user(session, operator_in(session), "lee", Told(role="reviewer"), prepared)
    shown = prepared.shown
    assert shown is not None
    wrong(lambda: sign_ins.sign_in("lee", "wrong", new_password=ANOTHER))
    for _ in range(10):  # to be asked for a new one is no failure
        with pytest.raises(PasswordDueError):
            sign_ins.sign_in("lee", shown)
    for bad, said in ((shown, "have not had"), ("short", "at least 10")):
        with pytest.raises(InputError, match=said):
            sign_ins.sign_in("lee", shown, new_password=bad)
    sign_ins.admit(sign_ins.sign_in("lee", shown, new_password=ANOTHER))
    wrong(lambda: sign_ins.sign_in("lee", shown, new_password="yet another one"))
    sign_ins.admit(sign_ins.sign_in("lee", ANOTHER))


def operator_in(session: Any) -> Any:
    from callgrade.access.keys import ensure_client
    from callgrade.access.principals import system

    return system(ensure_client(session).id)


def test_a_password_made_by_others_does_not_lie_about_for_ever(
    database: Database, sign_ins: SignIns, clock: Clock
) -> None:
    lee = make(database, "lee")
    _, shown = Administration(database).reset_password(operator(database), lee.id)
    with database.writing() as session:
        user = session.get(User, lee.id)
        assert user is not None
        user.password_until = clock() - timedelta(seconds=1)
        session.add(user)
    assert "has passed" in wrong(lambda: sign_ins.sign_in("lee", shown, new_password=ANOTHER))


def test_a_hash_of_older_parameters_is_made_anew_at_the_next_sign_in(
    database: Database, sign_ins: SignIns, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pwdlib import PasswordHash
    from pwdlib.hashers.argon2 import Argon2Hasher

    make(database, "lee")
    before = kept(database, User)[0].password_hash
    monkeypatch.setattr(passwords, "_HASHER", PasswordHash([Argon2Hasher(time_cost=2, memory_cost=16, parallelism=1)]))
    sign_ins.sign_in("lee", PASSWORD)
    after = kept(database, User)[0].password_hash
    assert ("m=8,t=1" in before, "m=16,t=2" in after) == (True, True)
    sign_ins.sign_in("lee", PASSWORD)


# staying


def test_a_session_ends_when_nobody_is_there(database: Database, sign_ins: SignIns, clock: Clock) -> None:
    make(database, "lee")
    token = sign_ins.sign_in("lee", PASSWORD)
    for _ in range(3):
        clock.pass_(hours=7, minutes=59)
        sign_ins.admit(token)
    clock.pass_(hours=8)
    with pytest.raises(NotAuthenticatedError):
        sign_ins.admit(token)


def test_what_the_page_asks_by_itself_is_no_sign_of_life(database: Database, sign_ins: SignIns, clock: Clock) -> None:
    make(database, "lee")
    token = sign_ins.sign_in("lee", PASSWORD)
    for _ in range(9):
        clock.pass_(minutes=53)
        sign_ins.admit(token, quietly=True)
    clock.pass_(minutes=4)
    with pytest.raises(NotAuthenticatedError):
        sign_ins.admit(token)


def test_a_session_ends_after_seven_days_however_busy(database: Database, sign_ins: SignIns, clock: Clock) -> None:
    make(database, "lee")
    token = sign_ins.sign_in("lee", PASSWORD)
    for _ in range(7 * 24 - 1):
        clock.pass_(hours=1)
        sign_ins.admit(token)
    clock.pass_(hours=1)
    with pytest.raises(NotAuthenticatedError):
        sign_ins.admit(token)


def test_when_somebody_was_last_seen_is_written_once_a_minute(
    database: Database, sign_ins: SignIns, clock: Clock
) -> None:
    make(database, "lee")
    token = sign_ins.sign_in("lee", PASSWORD)
    seen = []
    for _ in range(6):
        clock.pass_(seconds=20)
        sign_ins.admit(token)
        seen.append((kept(database, SignIn)[0].seen_at - START).total_seconds())
    assert seen == [0, 0, 60, 60, 60, 120]


def test_what_is_no_token_opens_nothing(database: Database, sign_ins: SignIns) -> None:
    make(database, "lee")
    token = sign_ins.sign_in("lee", PASSWORD)
    (row,) = kept(database, SignIn)
    for other in ("", "x", token[:-1], token + "x", row.token_hash, "\ud800", "' or 1=1 --"):
        with pytest.raises(NotAuthenticatedError):
            sign_ins.admit(other)


def test_signing_out_ends_this_browser_and_everywhere_ends_all(database: Database, sign_ins: SignIns) -> None:
    make(database, "lee")
    make(database, "mei")
    one, two, three = (sign_ins.sign_in("lee", PASSWORD) for _ in range(3))
    meis = sign_ins.sign_in("mei", PASSWORD)
    sign_ins.sign_out(one)
    sign_ins.sign_out(one)
    with pytest.raises(NotAuthenticatedError):
        sign_ins.admit(one)
    assert sign_ins.sign_out_everywhere(sign_ins.admit(two)) == 2
    for token in (two, three):
        with pytest.raises(NotAuthenticatedError):
            sign_ins.admit(token)
    sign_ins.admit(meis)
    assert actions(database)[-2:] == [("user.signed_out", {}), ("user.signed_out", {"browsers": 2})]


def test_ones_own_browsers_are_listed_and_ended_one_by_one(database: Database, sign_ins: SignIns, clock: Clock) -> None:
    make(database, "lee")
    make(database, "mei")
    first = sign_ins.sign_in("lee", PASSWORD, browser="Chrome · Android")
    clock.pass_(minutes=5)
    here = sign_ins.sign_in("lee", PASSWORD, browser="Firefox · Windows")
    meis = sign_ins.sign_in("mei", PASSWORD)
    lee = sign_ins.admit(here)
    listed = sign_ins.browsers(lee, here)
    assert [(it.browser, it.here) for it in listed] == [("Firefox · Windows", True), ("Chrome · Android", False)]
    # another's session is not in reach
    sign_ins.end(sign_ins.admit(meis), listed[1].id)
    sign_ins.admit(first)
    sign_ins.end(lee, listed[1].id)
    with pytest.raises(NotAuthenticatedError):
        sign_ins.admit(first)
    sign_ins.admit(here)


def test_a_changed_password_ends_every_session_but_the_new_one(database: Database, sign_ins: SignIns) -> None:
    make(database, "lee")
    old = [sign_ins.sign_in("lee", PASSWORD) for _ in range(2)]
    lee = sign_ins.admit(old[0])
    wrong(lambda: sign_ins.change_password(lee, "wrong", ANOTHER))
    with pytest.raises(InputError, match="tried first"):
        sign_ins.change_password(lee, PASSWORD, "password1234")
    new = sign_ins.change_password(lee, PASSWORD, ANOTHER)
    for token in old:
        with pytest.raises(NotAuthenticatedError):
            sign_ins.admit(token)
    assert sign_ins.admit(new).user_id == lee.user_id
    wrong(lambda: sign_ins.sign_in("lee", PASSWORD))
    sign_ins.sign_in("lee", ANOTHER)
    assert ("user.password_changed", {"browsers": 2}) in actions(database)


def test_who_signs_in_elsewhere_has_no_password_to_change(database: Database, sign_ins: SignIns) -> None:
    lee = visitor(database, make(database, "lee", password=None))
    with pytest.raises(ConflictError, match="at your provider"):
        sign_ins.change_password(lee, "", ANOTHER)


def test_a_language_goes_with_its_owner(database: Database, sign_ins: SignIns) -> None:
    make(database, "lee")
    token = sign_ins.sign_in("lee", PASSWORD)
    assert sign_ins.admit(token).language is None
    sign_ins.prefer(sign_ins.admit(token), "en")
    assert sign_ins.admit(token).language == "en"


# slowed down


def test_after_five_wrong_ones_each_further_one_doubles_the_wait_to_half_a_minute(
    database: Database, sign_ins: SignIns, clock: Clock
) -> None:
    make(database, "lee")
    waits = []
    for _ in range(12):
        try:
            wrong(lambda: sign_ins.sign_in("lee", "wrong"))
            waits.append(0.0)
        except TooManyRequestsError as error:
            assert error.retry_after_s is not None
            waits.append(error.retry_after_s)
            clock.pass_(seconds=error.retry_after_s)
            wrong(lambda: sign_ins.sign_in("lee", "wrong"))
    assert waits == [0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 30]
    clock.pass_(seconds=30)
    sign_ins.sign_in("lee", PASSWORD)
    for _ in range(5):
        wrong(lambda: sign_ins.sign_in("lee", "wrong"))


def test_the_wait_holds_for_the_right_password_too_and_for_a_login_nobody_has(
    database: Database, sign_ins: SignIns
) -> None:
    make(database, "lee")
    told = set()
    for login in ("lee", "nobody"):
        for _ in range(6):
            wrong(lambda login=login: sign_ins.sign_in(login, "wrong"))
        with pytest.raises(TooManyRequestsError) as caught:
            sign_ins.sign_in(login, PASSWORD)
        told.add(str(caught.value))
    assert len(told) == 1


def test_an_address_is_slowed_down_over_all_logins(database: Database, sign_ins: SignIns, clock: Clock) -> None:
    make(database, "lee")
    for number in range(21):
        wrong(lambda number=number: sign_ins.sign_in(f"nobody{number}", "wrong", address="203.0.113.9"))
    with pytest.raises(TooManyRequestsError):
        sign_ins.sign_in("lee", PASSWORD, address="203.0.113.9")
    sign_ins.sign_in("lee", PASSWORD, address="203.0.113.10")
    longest = 0.0
    for number in range(15):
        with pytest.raises(TooManyRequestsError) as caught:
            sign_ins.sign_in("x", "wrong", address="203.0.113.9")
        assert caught.value.retry_after_s is not None
        longest = max(longest, caught.value.retry_after_s)
        clock.pass_(seconds=caught.value.retry_after_s)
        wrong(lambda number=number: sign_ins.sign_in(f"other{number}", "wrong", address="203.0.113.9"))
    assert longest == 900


def test_an_office_behind_one_address_that_signs_in_rightly_is_never_slowed_down(
    database: Database, sign_ins: SignIns
) -> None:
    make(database, "lee")
    for _ in range(30):
        sign_ins.sign_in("lee", PASSWORD, address="203.0.113.9")
        wrong(lambda: sign_ins.sign_in("lee", "wrong"))
    assert next(row.number for row in kept(database, SignInFailures)) <= 1


def test_networks_of_the_new_protocol_count_as_one() -> None:
    def digests(*addresses: str) -> set[str]:
        return {throttle.subjects("", address)[0].digest for address in addresses}

    assert len(digests("2001:db8:1:2::1", "2001:db8:1:2:ffff::9")) == 1
    assert len(digests("2001:db8:1:2::1", "2001:db8:1:3::1")) == 2
    assert len(digests("::ffff:203.0.113.9", "203.0.113.9")) == 1
    assert len(digests("203.0.113.9", "203.0.113.10", "testclient")) == 3


def test_of_many_attempts_at_once_none_gets_past_the_count(database: Database, sign_ins: SignIns) -> None:
    make(database, "lee")

    def attempt(_: int) -> str:
        try:
            sign_ins.sign_in("lee", "wrong", address="203.0.113.9")
        except (WrongPasswordError, TooManyRequestsError) as error:
            return error.type
        return "in"

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(attempt, range(24)))
    # the clock stands still, so the sixth one begins a wait
    assert told.count("wrong-password") == 6
    assert told.count("too-many-requests") == 18


def test_failures_are_forgotten_after_an_hour(database: Database, sign_ins: SignIns, clock: Clock) -> None:
    make(database, "lee")
    for _ in range(6):
        wrong(lambda: sign_ins.sign_in("lee", "wrong"))
    clock.pass_(hours=1, seconds=2)
    for _ in range(6):
        wrong(lambda: sign_ins.sign_in("lee", "wrong"))
    with pytest.raises(TooManyRequestsError):
        sign_ins.sign_in("lee", "wrong")


def test_no_login_and_no_address_is_kept(database: Database, sign_ins: SignIns) -> None:
    wrong(lambda: sign_ins.sign_in("sb-secret", "wrong", address="203.0.113.9"))
    rows = kept(database, SignInFailures)
    assert len(rows) == 2
    assert "sb-secret" not in repr(rows)
    assert "203.0.113.9" not in repr(rows)


def test_the_record_counts_failures_of_people_who_are_known_and_names_no_other(
    database: Database, sign_ins: SignIns, clock: Clock
) -> None:
    make(database, "lee")
    for login in ("lee", "nobody"):
        for _ in range(10):
            clock.pass_(seconds=31)
            wrong(lambda login=login: sign_ins.sign_in(login, "wrong"))
    assert actions(database) == [("user.sign_in_failed", {"number": 5}), ("user.sign_in_failed", {"number": 10})]


def test_a_stolen_session_does_not_guess_the_password_either(database: Database, sign_ins: SignIns) -> None:
    make(database, "lee")
    lee = sign_ins.admit(sign_ins.sign_in("lee", PASSWORD))
    for _ in range(6):
        wrong(lambda: sign_ins.change_password(lee, "wrong", ANOTHER))
    with pytest.raises(TooManyRequestsError):
        sign_ins.change_password(lee, PASSWORD, ANOTHER)


def test_what_has_ended_is_removed(database: Database, sign_ins: SignIns, clock: Clock) -> None:
    make(database, "lee")
    idle = sign_ins.sign_in("lee", PASSWORD)
    for _ in range(6):
        wrong(lambda: sign_ins.sign_in("lee", "wrong"))
    clock.pass_(hours=7)
    fresh = sign_ins.sign_in("lee", PASSWORD)
    wrong(lambda: sign_ins.sign_in("lee", "wrong"))
    clock.pass_(hours=1)
    sign_ins.forget()
    assert len(kept(database, SignIn)) == 1
    assert kept(database, SignInFailures) == []
    sign_ins.admit(fresh)
    with pytest.raises(NotAuthenticatedError):
        sign_ins.admit(idle)


@pytest.mark.parametrize(
    ("agent", "shown"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0", "Firefox · Windows"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 "
            "Safari/537.36 Edg/142.0",
            "Edge · Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit Version/18.0 Safari/604.1",
            "Safari · iOS",
        ),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit Chrome/142.0 Mobile Safari/537.36", "Chrome · Android"),
        ("curl/8", ""),
        ("", ""),
    ],
)
def test_a_browser_is_known_by_name_and_system(agent: str, shown: str) -> None:
    assert browser_of(agent) == shown
