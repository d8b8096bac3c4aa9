"""The one table of what may be done."""

import pytest

from callgrade.access.permissions import (
    DEFAULT_SCOPES,
    GRANTS,
    PEOPLE,
    ROLES,
    SCOPES,
    parse_role,
    parse_scopes,
    require,
)
from callgrade.access.principals import Principal, system
from callgrade.domain.errors import ForbiddenError, InputError


def reader() -> Principal:
    return Principal(client_id="c", actor="key:k", scopes=frozenset({"calls:read"}), role="client")


def test_what_a_principal_has_is_allowed():
    require(reader(), "calls:read")


def test_what_it_lacks_is_refused_by_name():
    with pytest.raises(ForbiddenError, match=r"calls:write \(submit calls"):
        require(reader(), "calls:write")


def test_a_misspelt_scope_in_the_code_is_a_bug_even_for_the_almighty():
    with pytest.raises(ValueError, match="not in the table"):
        require(system("c"), "calls:wirte")  # type: ignore[arg-type]


def test_an_unknown_scope_is_an_error_that_names_it_and_the_known_ones():
    with pytest.raises(InputError, match="'calls:raed'") as caught:
        parse_scopes(["calls:read", "calls:raed"])
    assert all(scope in str(caught.value) for scope in SCOPES)


def test_a_key_without_scopes_is_an_error():
    with pytest.raises(InputError, match="could do nothing"):
        parse_scopes([])


def test_every_role_of_the_table_holds_known_scopes_only():
    assert set(ROLES) == {"admin", "qa_lead", "reviewer", "agent", "client"}
    assert all(scopes <= set(SCOPES) for scopes in ROLES.values())


def test_only_an_admin_may_do_everything_and_a_key_does_not_erase_unless_asked_for():
    assert [role for role, scopes in ROLES.items() if scopes == set(SCOPES)] == ["admin"]
    assert not {"calls:erase", "releases:write", "reviews:write", "appeals:decide", "people:write"} & DEFAULT_SCOPES


def test_admins_and_keys_alone_reach_their_whole_client():
    whole = {role for role, row in GRANTS.items() if set(row.values()) == {"all"}}
    assert whole == {"admin", "client"}
    assert set(GRANTS["reviewer"].values()) == {"assigned", "all"}
    assert {scope for scope, reach in GRANTS["reviewer"].items() if reach == "all"} == {"rubrics:read"}
    assert {scope for scope, reach in GRANTS["agent"].items() if reach != "own"} == {"rubrics:read"}


def test_leads_and_keys_calibrate_and_who_is_measured_by_it_does_not():
    calibrating = {"calibrations:read", "calibrations:write"}
    assert {role for role, scopes in ROLES.items() if calibrating <= scopes} == {"admin", "qa_lead", "client"}
    assert not calibrating & (ROLES["reviewer"] | ROLES["agent"])


def test_how_far_somebody_reaches_is_told_only_to_who_has_the_scope():
    lead = Principal(client_id="c", actor="user:u", scopes=ROLES["qa_lead"], role="qa_lead", user_id="u")
    assert (lead.reach("reviews:write"), lead.reach("rubrics:write")) == ("teams", "all")
    with pytest.raises(ForbiddenError, match="people:write"):
        lead.reach("people:write")


def test_a_key_reaches_all_rows_of_its_client_whatever_scope_it_was_given():
    key = Principal(client_id="c", actor="key:k", scopes=frozenset({"appeals:decide"}), role="client")
    assert key.reach("appeals:decide") == "all"


def test_people_have_roles_and_client_is_none_of_theirs():
    assert [parse_role(name) for name in PEOPLE] == list(PEOPLE)
    for name in ("client", "root", ""):
        with pytest.raises(InputError, match="admin, qa_lead, reviewer, agent"):
            parse_role(name)


@pytest.mark.parametrize("role", ["reviewer", "agent"])
def test_who_sees_a_part_of_the_rows_changes_no_calls(role):
    assert not {scope for scope in ROLES[role] if scope.startswith(("calls:", "batches:"))} - {"calls:read"}


@pytest.mark.parametrize("actor", ["", "key:", "bob", "key:a b", "user:张三", "system:x", "key:" + "a" * 65])
def test_an_actor_is_a_key_a_user_or_callgrade_itself(actor):
    with pytest.raises(ValueError, match="actor"):
        Principal(client_id="c", actor=actor, scopes=frozenset(), role="client")
