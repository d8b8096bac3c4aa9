"""`second-opinion` as somebody at a terminal meets it."""

import json
from contextlib import closing

import pytest
from sqlmodel import select

from callgrade.access.principals import system
from callgrade.calibration import golden
from callgrade.db import migrate
from callgrade.db.session import Database
from callgrade.db.tables import SecondOpinion
from tests.calibration.second_opinion.made import BAIT, calls
from tests.evaluations.made import CLIENT
from tests.reviews.autonomous import FORM, registered

ONE = ("--client", "one")


@pytest.fixture
def url(tmp_path, monkeypatch):
    """A client's own set, whose agents bait in a way that can be learnt."""
    url = f"sqlite:///{tmp_path / 'callgrade.db'}"
    monkeypatch.setenv("CALLGRADE_DATABASE_URL", url)
    migrate.upgrade(url)
    with closing(Database(url)) as database:
        registered(database)
        with database.writing() as session:
            us = system(CLIENT)
            id_ = golden.create(session, us, "made-up", "虚构").id
            for split, number in (("train", 80), ("dev", 60), ("holdout", 40)):
                golden.take_in(session, us, id_, *calls(split, number))
    return url


def test_from_nothing_to_a_second_opinion_that_is_asked_checked_and_retired(run, url, tmp_path):
    status, out, err = run("second-opinion", "list", *ONE, language="en")
    assert (status, out) == (0, "")
    assert "callgrade second-opinion train" in err

    status, out, err = run("second-opinion", "train", FORM.id, "--set", "made-up", *ONE, language="en")
    assert status == 0
    assert "bait on · Kappa" in out
    assert "warm too few labels · 0 labelled calls with the fault to train on; it takes 20. Label 20 more" in out
    assert "1 of 2 second opinion(s) are on" in err
    _, out, _ = run("second-opinion", "list", FORM.id, *ONE)
    assert "bait 启用 · kappa" in out
    assert "虚构通话" in out

    call = tmp_path / "call.txt"
    call.write_text(f"坐席：{BAIT}\n客户：好的我记下了\n", "utf-8")
    _, out, _ = run("second-opinion", "ask", FORM.id, call, "--json", *ONE)
    [said] = json.loads(out)
    assert (said["criterion"], said["gate"]) == ("bait", "on")
    assert said["probability"] > 0.9

    status, out, err = run(
        "second-opinion", "check", FORM.id, "--holdout", "last look", "--set", "made-up", "--json", *ONE
    )
    told = {one["criterion_id"]: one for one in json.loads(out)}
    assert (status, told["bait"]["fault"], told["bait"]["holdout"]["calls"]) == (0, None, 40)
    assert told["warm"]["holdout"] is None

    assert run("second-opinion", "retire", FORM.id, *ONE)[:2] == (0, "2 ended\n")
    status, _, err = run("second-opinion", "check", FORM.id, *ONE)
    assert (status, "no second opinion stands" in err) == (1, True)


def test_a_tampered_file_is_named_and_fails_the_check(run, url):
    run("second-opinion", "train", FORM.id, "--set", "made-up", *ONE)
    with closing(Database(url)) as database, database.writing() as session:
        row = session.exec(select(SecondOpinion).where(SecondOpinion.criterion_id == "bait")).one()
        row.content = row.content[:-30] + bytes(30)
        session.add(row)
    status, out, _ = run("second-opinion", "check", FORM.id, *ONE, language="en")
    assert status == 1
    assert "bait · not usable: the second opinion's file cannot be read" in out


def test_what_cannot_be_is_said(run, url, monkeypatch):
    status, _, err = run("second-opinion", "train", FORM.id, *ONE)
    assert (status, "nobody has labelled a call" in err) == (1, True)
    assert "there is no golden set 'nothing'" in run("second-opinion", "train", FORM.id, "--set", "nothing", *ONE)[2]
    assert run("second-opinion", "train", "no-such-rubric", *ONE)[0] == 2
    assert run("second-opinion", "train", FORM.id, "--client", "nobody")[0] == 1
    assert "above 0.5" in run("second-opinion", "train", FORM.id, "--firm", "0.5", *ONE)[2]
    monkeypatch.setitem(__import__("sys").modules, "sklearn", None)
    status, _, err = run("second-opinion", "train", FORM.id, "--set", "made-up", *ONE)
    assert (status, "pip install 'callgrade[second-opinion]'" in err) == (1, True)
