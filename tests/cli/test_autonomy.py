"""`autonomy` as somebody at a terminal meets it."""

import json
from contextlib import closing

import pytest

from callgrade.db import migrate
from callgrade.db.session import Database
from tests.reviews.autonomous import FORM, granted, propose


@pytest.fixture
def state(tmp_path, monkeypatch):
    """A client with one proposal, whose criterion `warm` goes by itself: the state's id."""
    url = f"sqlite:///{tmp_path / 'callgrade.db'}"
    monkeypatch.setenv("CALLGRADE_DATABASE_URL", url)
    migrate.upgrade(url)
    with closing(Database(url)) as database:
        propose(database)
        return granted(database, "warm")["warm"]


CLIENT = ("--client", "one")


def test_list_says_state_reason_and_labels_needed(run, state):
    status, out, _ = run("autonomy", "list", "--json", *CLIENT)
    found = {one["criterion"]: one for one in json.loads(out)}
    assert status == 0
    assert (found["warm"]["state"], found["bait"]["state"], found["bait"]["needed"]) == ("automatic", "human_only", 59)
    status, out, _ = run("autonomy", "list", FORM.id, *CLIENT)
    assert "automatic" in out
    assert "还需标注" in out
    assert "*violations" in out
    status, out, err = run("autonomy", "list", "another", *CLIENT)
    assert (status, out) == (0, "")
    assert "no call has been judged yet" in err


def test_show_says_what_it_holds_for_and_grant_and_revoke_change_it(run, state):
    status, out, _ = run("autonomy", "show", FORM.id, "warm", "--json", *CLIENT)
    told = json.loads(out)
    assert told["holds_for"]["model_reported"] == "made-up-model-1"
    assert [one["id"] for one in told["history"]] == [state]
    status, out, _ = run("autonomy", "revoke", state, "--reason", "先看几周", *CLIENT)
    assert status == 0
    status, out, _ = run("autonomy", "show", FORM.id, "warm", *CLIENT)
    assert "先看几周" in out
    status, out, _ = run("autonomy", "grant", FORM.id, "warm", "--level", "0.02", *CLIENT)
    assert (status, out.startswith("human_only: ")) == (0, True)


def test_what_cannot_be_is_refused(run, state):
    status, _, err = run("autonomy", "grant", FORM.id, "warm", "--level", "0.5", *CLIENT)
    assert status == 1
    assert "0.05, 0.02, 0.01" in err
    assert run("autonomy", "grant", FORM.id, "warm", "--at-most", "wild", *CLIENT)[0] == 2
    status, _, err = run("autonomy", "grant", FORM.id, "warm", "--threshold", "0.9", *CLIENT)
    assert (status, "run on dev" in err) == (1, True)
    assert run("autonomy", "revoke", "nothing", "--reason", "x", *CLIENT)[0] == 1
    assert run("autonomy", "show", FORM.id, "unheard-of", *CLIENT)[0] == 1
