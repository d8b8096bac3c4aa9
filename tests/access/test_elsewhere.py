"""Signing in at an OpenID provider, which runs on loopback and signs with its own key."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from callgrade.access.elsewhere import Elsewhere, NotAdmittedError, ProviderRefusedError, Welcomed
from callgrade.access.people import Administration
from callgrade.access.principals import Principal
from callgrade.access.signing_in import SignIns
from callgrade.adapters.oidc import OpenIDProvider
from callgrade.db.session import Database
from callgrade.db.tables import AuditEvent, BegunSignIn, User
from callgrade.db.types import now
from callgrade.domain.errors import NotReadyError, SettingsError
from callgrade.settings import OIDCSettings
from tests.access.openid import OpenID
from tests.access.people import make, operator

pytestmark = pytest.mark.usefixtures("quick_hashes")
BACK = "http://127.0.0.1:8080/sign-in/back"
ROLES = {"qa-admins": "admin", "qa-leads": "qa_lead", "qa": "reviewer", "agents": "agent"}


@dataclass
class Desk:
    database: Database
    openid: OpenID
    elsewhere: Elsewhere
    sign_ins: SignIns

    def come(self, **changes: Any) -> Welcomed:
        """All the way there and back, in one browser."""
        away = self.elsewhere.begin(BACK, "/calls?team=north")
        brought = self.openid.visit(away.url)
        told = {"state": brought["state"], "code": brought.get("code"), "issuer": brought.get("iss")}
        told = {**told, "cookie": away.cookie, "redirect_url": BACK, "browser": "Firefox", **changes}
        return self.elsewhere.finish(**told)

    def visitor(self, **changes: Any) -> Principal:
        return self.sign_ins.admit(self.come(**changes).token)

    def refused(self, why: str, **changes: Any) -> None:
        with pytest.raises(ProviderRefusedError) as caught:
            self.come(**changes)
        assert caught.value.why == why

    def not_admitted(self, said: str) -> None:
        with pytest.raises(NotAdmittedError, match=said):
            self.come()


@pytest.fixture
def desk_with(database: Database, openid: OpenID) -> Iterator[Callable[..., Desk]]:
    made: list[OpenIDProvider] = []

    def build(**settings: Any) -> Desk:
        told = openid.settings(**settings)
        provider = OpenIDProvider(told)
        made.append(provider)
        sign_ins = SignIns(database)
        return Desk(database, openid, Elsewhere(database, provider, told, sign_ins), sign_ins)

    yield build
    for provider in made:
        provider.close()


@pytest.fixture
def desk(desk_with: Callable[..., Desk]) -> Desk:
    """A provider that decides about roles and lets everybody with one in."""
    built = desk_with(create=True, roles=ROLES)
    built.openid.claims |= {"groups": ["staff", "qa"], "name": "李敏"}
    return built


# there and back


def test_who_comes_back_is_let_in_with_the_role_that_the_provider_says(desk: Desk) -> None:
    came = desk.come()
    lee = desk.sign_ins.admit(came.token)
    assert (came.next_path, lee.role, lee.name) == ("/calls?team=north", "reviewer", "李敏")
    again = desk.visitor()
    assert again.user_id == lee.user_id
    with desk.database.reading() as session:
        events = session.exec(select(AuditEvent).order_by(AuditEvent.id))  # type: ignore[arg-type]
        actions = [(row.action, row.facts) for row in events if row.action.startswith("user.")]
    assert actions == [
        ("user.created", {"role": "reviewer", "leads": 0, "elsewhere": True}),
        ("user.tied_to_provider", {}),
        ("user.signed_in", {"by": "provider"}),
        ("user.signed_in", {"by": "provider"}),
    ]


def test_the_secret_may_travel_in_the_form_where_the_provider_wants_it_so(desk: Desk) -> None:
    desk.openid.description = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    assert desk.visitor().role == "reviewer"


def test_what_the_token_leaves_out_is_asked_for(desk: Desk) -> None:
    desk.openid.claims = {"sub": "p-1"}
    desk.openid.userinfo = {"preferred_username": "mei", "groups": ["qa-leads"]}
    assert (desk.visitor().role, "/userinfo" in desk.openid.asked) == ("qa_lead", True)


def test_its_description_and_keys_are_asked_for_once(desk: Desk) -> None:
    for _ in range(3):
        desk.come()
    assert [desk.openid.asked.count(path) for path in ("/.well-known/openid-configuration", "/jwks")] == [1, 1]


def test_a_new_key_is_fetched_when_it_is_first_met(
    desk: Desk, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.come()
    desk.openid.rotate()
    desk.refused("id-token-signature")  # a minute has to pass: else anybody could have us ask all the time
    provider = desk.elsewhere._provider
    monkeypatch.setattr(provider, "_clock", lambda: time.time() + 61)
    desk.come()


# what is refused


@pytest.mark.parametrize(
    ("lies", "why"),
    [
        ({"nonce": "another"}, "id-token-invalid-claim"),
        ({"nonce": None}, "id-token-missing-claim"),
        ({"aud": "another"}, "id-token-invalid-claim"),
        ({"aud": ["desk", "another"]}, "id-token-missing-claim"),
        ({"aud": ["desk", "another"], "azp": "another"}, "id-token-invalid-claim"),
        ({"aud": None}, "id-token-missing-claim"),
        ({"iss": "http://127.0.0.1:1"}, "id-token-invalid-claim"),
        ({"exp": 1_700_000_000}, "id-token-expired-token"),
        ({"exp": None}, "id-token-missing-claim"),
        ({"iat": 4_000_000_000}, "id-token-invalid-claim"),
        ({"sub": None}, "id-token-missing-claim"),
        ({"sub": ""}, "id-token-invalid-claim"),
    ],
    ids=str,
)
def test_a_token_that_is_not_for_this_is_refused(desk: Desk, lies: dict[str, Any], why: str) -> None:
    desk.openid.lies = lies
    desk.refused(why)
    with desk.database.reading() as session:
        assert session.exec(select(User)).all() == []


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_token_that_is_not_signed_by_the_providers_key_is_refused(desk: Desk, algorithm: str) -> None:
    desk.openid.sign_with = algorithm
    desk.refused("id-token-signature")


def test_a_token_of_another_key_is_refused(desk: Desk) -> None:
    desk.come()
    mine = desk.openid.keys
    desk.openid.rotate()
    desk.refused("id-token-signature")
    desk.openid.keys = mine
    desk.come()


def test_userinfo_of_somebody_else_is_refused(desk: Desk) -> None:
    desk.openid.claims = {"sub": "p-1"}
    desk.openid.userinfo = {"sub": "p-2", "preferred_username": "boss", "groups": ["qa-admins"]}
    desk.refused("userinfo-of-somebody-else")


def test_a_state_is_good_once(desk: Desk) -> None:
    away = desk.elsewhere.begin(BACK, "/")
    brought = desk.openid.visit(away.url)
    told = {"state": brought["state"], "code": brought["code"], "cookie": away.cookie, "redirect_url": BACK}
    desk.elsewhere.finish(**told)
    with pytest.raises(ProviderRefusedError) as caught:
        desk.elsewhere.finish(**told)
    assert caught.value.why == "state-unknown"


def test_what_another_browser_began_is_not_ended_in_this_one(desk: Desk) -> None:
    """Else somebody could sign others in as themselves, and read what they do there."""
    other = desk.elsewhere.begin(BACK, "/")
    desk.refused("another-browser", cookie=other.cookie)
    desk.refused("another-browser", cookie=None)


def test_a_state_that_nobody_was_given_or_that_is_old_is_refused(desk: Desk) -> None:
    desk.refused("state-unknown", state="made up")
    desk.refused("state-unknown", at=now() + timedelta(minutes=11))


def test_an_answer_that_says_it_is_from_elsewhere_is_refused(desk: Desk) -> None:
    desk.refused("another-issuer", issuer="https://evil.example")


def test_who_is_refused_there_is_refused_here(desk: Desk) -> None:
    desk.openid.refuse = "access_denied"
    desk.refused("refused-there")


def test_a_code_that_was_made_for_another_request_is_refused(desk: Desk) -> None:
    """PKCE: a stolen code does not fit our verifier."""
    stolen = desk.openid.visit(desk.elsewhere.begin(BACK, "/").url)["code"]
    desk.refused("answer-400", code=stolen)


def test_a_wrong_secret_is_refused(desk_with: Callable[..., Desk]) -> None:
    desk_with(client_secret="another", create=True).refused("answer-401")


def test_of_what_is_remembered_nothing_opens_anything(desk: Desk) -> None:
    away = desk.elsewhere.begin(BACK, "/")
    with desk.database.reading() as session:
        (row,) = session.exec(select(BegunSignIn))
    assert away.cookie not in repr(row)
    assert desk.openid.visit(away.url)["state"] not in repr(row)


# who they are here


def test_only_who_is_known_comes_in_where_it_is_set_so(desk_with: Callable[..., Desk]) -> None:
    desk = desk_with()
    desk.not_admitted("an admin has to add you")
    made = make(desk.database, "lee", "qa_lead", password=None, leads=("north",))
    lee = desk.visitor()
    assert (lee.user_id, lee.role, lee.teams) == (made.id, "qa_lead", {"north"})


def test_the_login_may_change_there_once_they_are_known(desk: Desk) -> None:
    lee = desk.visitor()
    desk.openid.claims["preferred_username"] = "lee-min"
    assert desk.visitor().user_id == lee.user_id


def test_a_user_with_a_password_is_nobody_elses(desk: Desk) -> None:
    make(desk.database, "lee", "admin")
    desk.not_admitted("another account has this login")


def test_a_login_that_is_somebody_elses_there_is_not_taken_over(desk: Desk) -> None:
    desk.come()
    desk.openid.claims["sub"] = "p-2"
    desk.not_admitted("another account has this login")


def test_who_is_disabled_stays_out(desk: Desk) -> None:
    lee = desk.visitor()
    assert lee.user_id is not None
    Administration(desk.database).disable(operator(desk.database), lee.user_id)
    desk.not_admitted("disabled")


def test_who_was_disabled_before_they_first_came_stays_out(desk: Desk) -> None:
    waiting = make(desk.database, "lee", password=None)
    Administration(desk.database).disable(operator(desk.database), waiting.id)
    desk.not_admitted("disabled")


def test_without_a_role_there_nobody_comes_in_and_who_loses_it_is_out(desk: Desk) -> None:
    desk.come()
    desk.openid.claims["groups"] = ["staff"]
    desk.not_admitted("no role here")
    desk.openid.claims |= {"sub": "p-2", "preferred_username": "mei"}
    desk.not_admitted("no role here")


def test_another_role_there_is_another_role_here_and_ends_what_was_open(desk: Desk) -> None:
    before = desk.come().token
    desk.openid.claims["groups"] = ["qa-leads", "qa"]
    assert desk.visitor().role == "qa_lead"
    with pytest.raises(Exception, match="nobody is signed in"):
        desk.sign_ins.admit(before)


def test_teams_and_agents_come_from_claims_where_it_is_set_so(desk_with: Callable[..., Desk]) -> None:
    desk = desk_with(create=True, roles=ROLES, team_claim="teams", agent_claim="employee")
    desk.openid.claims |= {"groups": "qa", "teams": ["north", "south"], "employee": "8031"}
    lee = desk.visitor()
    assert (lee.role, lee.teams, lee.agent_id) == ("reviewer", {"north", "south"}, "8031")
    desk.openid.claims |= {"groups": ["qa-leads"], "teams": "south, west"}
    assert desk.visitor().teams == {"south", "west"}
    desk.openid.claims |= {"groups": ["agents"], "teams": ["north"]}
    assert (desk.visitor().role, desk.visitor().agent_id) == ("agent", "8031")


def test_an_agent_without_their_id_is_told_what_is_missing(desk: Desk) -> None:
    desk.openid.claims["groups"] = ["agents"]
    desk.not_admitted("agent_id: an agent needs the id")


def test_what_an_admin_decides_stays(desk: Desk) -> None:
    from callgrade.access.people import Told

    lee = desk.visitor()
    assert lee.user_id is not None
    told = Told(role="reviewer", name="李敏", team="north", leads=("south",))
    Administration(desk.database).change(operator(desk.database), lee.user_id, told)
    assert desk.visitor().teams == {"north", "south"}


def test_the_same_person_of_another_client_is_not_let_in(desk: Desk, desk_with: Callable[..., Desk]) -> None:
    desk.come()
    desk_with(create=True, roles=ROLES, client="another").not_admitted("another organisation")


# its state


def test_a_provider_that_is_down_is_not_ready(desk: Desk) -> None:
    desk.openid.down = True
    with pytest.raises(NotReadyError, match="503"):
        desk.elsewhere.begin(BACK, "/")


def test_a_provider_that_calls_itself_otherwise_is_not_believed(desk: Desk) -> None:
    desk.openid.description = {"issuer": "https://other.example"}
    with pytest.raises(NotReadyError, match="calls itself by another name"):
        desk.elsewhere.begin(BACK, "/")


def test_an_endpoint_in_the_clear_is_not_asked(desk: Desk) -> None:
    desk.openid.description = {"token_endpoint": "http://idp.example/token"}
    away = desk.elsewhere.begin(BACK, "/")
    brought = desk.openid.visit(away.url)
    with pytest.raises(NotReadyError, match="not https"):
        desk.elsewhere.finish(state=brought["state"], code=brought["code"], cookie=away.cookie, redirect_url=BACK)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({}, "go together"),
        ({"issuer": "https://idp.example"}, "go together"),
        ({"issuer": "http://idp.example", "client_id": "x"}, "must be https"),
    ],
)
def test_settings_that_are_not_whole_are_told(told: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        OpenIDProvider(OIDCSettings.model_validate(told))
